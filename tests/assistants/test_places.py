"""Where each assistant keeps its MCP servers, by what is on the machine; the pages that say so are named."""

from __future__ import annotations

import pathlib

import pytest

from importer.assistants.wiring.editing import parsed, with_entry
from importer.assistants.wiring.places import AssistantPlace, places

HOME = "/home/ann"
OPENCODE = {"type": "local", "command": ["/opt/importer", "mcp"], "enabled": True}
PLAIN = {"command": "/opt/importer", "args": ["mcp"]}


def place(name: str, home: str = HOME, **environ: str) -> AssistantPlace:
    """Return one assistant's place."""
    return next(one for one in places(environ, home) if one.assistant == name)


def test_each_is_told_apart_and_says_where_it_is_documented() -> None:
    """Names, settings files and folders that show an assistant are its own; nothing comes from memory."""
    known = places({}, HOME)
    for of in ("assistant", "title", "path", "shows"):
        assert len({getattr(one, of) for one in known}) == len(known), of
    assert all(one.docs.startswith("https://") for one in known)


@pytest.mark.parametrize(
    ("name", "made", "path"),
    [
        ("antigravity", ".gemini/antigravity/", ".gemini/antigravity/mcp_config.json"),
        ("antigravity", ".gemini/config/.migrated", ".gemini/config/mcp_config.json"),
        ("antigravity", ".gemini/antigravity-cli/", ".gemini/config/mcp_config.json"),
        ("gemini", ".gemini/tmp/", ".gemini/settings.json"),
        ("gemini", ".gemini/settings.json", ".gemini/settings.json"),
        ("kilo", ".config/kilo/", ".config/kilo/kilo.json"),
        ("kilo", ".config/kilo/kilo.jsonc", ".config/kilo/kilo.jsonc"),
        ("amp", ".config/amp/settings.jsonc", ".config/amp/settings.jsonc"),
        ("opencode", ".config/opencode/opencode.jsonc", ".config/opencode/opencode.jsonc"),
        ("lm-studio", ".cache/lm-studio/", ".cache/lm-studio/mcp.json"),
        ("lm-studio", ".lmstudio/", ".lmstudio/mcp.json"),
        ("warp", ".local/state/warp-terminal/", ".warp/.mcp.json"),
        ("cline-cli", ".cline/data/", ".cline/data/settings/cline_mcp_settings.json"),
    ],
)
def test_by_what_is_there(tmp_path: pathlib.Path, name: str, made: str, path: str) -> None:
    """An assistant that moved its settings is found at both places; what is there shows that it is here."""
    (tmp_path / made).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / made).mkdir() if made.endswith("/") else (tmp_path / made).touch()
    found = place(name, str(tmp_path))
    assert found.path == str(tmp_path / path)
    assert pathlib.Path(found.shows).exists()


def test_a_folder_that_two_programs_share_shows_neither(tmp_path: pathlib.Path) -> None:
    """`.gemini` is there for Antigravity, too."""
    (tmp_path / ".gemini/antigravity").mkdir(parents=True)
    assert not pathlib.Path(place("gemini", str(tmp_path)).shows).exists()
    (tmp_path / ".gemini/antigravity").rmdir()
    (tmp_path / ".gemini/tmp").mkdir()
    assert not pathlib.Path(place("antigravity", str(tmp_path)).shows).exists()


@pytest.mark.parametrize(
    ("name", "variable", "path"),
    [
        ("claude-code", "CLAUDE_CONFIG_DIR", "/x/.claude.json"),
        ("codex", "CODEX_HOME", "/x/config.toml"),
        ("copilot-cli", "COPILOT_HOME", "/x/mcp-config.json"),
        ("hermes", "HERMES_HOME", "/x/config.yaml"),
        ("gemini", "GEMINI_CLI_HOME", "/x/.gemini/settings.json"),
        ("kimi-code", "KIMI_CODE_HOME", "/x/mcp.json"),
        ("kimi", "KIMI_SHARE_DIR", "/x/mcp.json"),
        ("cline-cli", "CLINE_MCP_SETTINGS_PATH", "/x"),
        ("crush", "XDG_CONFIG_HOME", "/x/crush/crush.json"),
    ],
)
def test_by_an_assistant_s_own_variable(name: str, variable: str, path: str) -> None:
    """It counts for us as it does for the assistant."""
    assert place(name, **{variable: "/x"}).path == path


@pytest.mark.parametrize(
    ("name", "member", "entry"),
    [
        ("claude-code", ("mcpServers",), {"type": "stdio", **PLAIN}),
        ("codex", ("mcp_servers",), PLAIN),
        ("copilot-cli", ("mcpServers",), {"type": "local", **PLAIN, "tools": ["*"]}),
        ("vscode", ("servers",), {"type": "stdio", **PLAIN}),
        ("opencode", ("mcp",), OPENCODE),
        ("kilo", ("mcp",), OPENCODE),
        ("zed", ("context_servers",), {"source": "custom", **PLAIN, "env": {}}),
        ("crush", ("mcp",), {"type": "stdio", **PLAIN}),
        ("amp", ("amp.mcpServers",), PLAIN),
        ("hermes", ("mcp_servers",), PLAIN),
        ("droid", ("mcpServers",), {"type": "stdio", **PLAIN}),
        ("devin", ("mcpServers",), PLAIN),
        ("antigravity", ("mcpServers",), PLAIN),
        ("warp", ("mcpServers",), PLAIN),
        ("kiro", ("mcpServers",), PLAIN),
    ],
)
def test_the_form_of_each(name: str, member: tuple[str, ...], entry: dict[str, object]) -> None:
    """A new file says just what the assistant's documentation asks for."""
    one = place(name)
    text, _ = with_entry("", one.spot, one.entry(["/opt/importer", "mcp"]))
    read = parsed(text, one.kind)
    for key in (*member, "conversations"):
        read = read[key]
    assert read == entry

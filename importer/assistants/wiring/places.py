"""List where each assistant keeps its MCP servers, and what its entry looks like.

A place is found by its folder: an assistant that was never started here has none. `docs` names the page, or the file of
the assistant's own code, that says so; pages were read in November 2026, and none of the programs was run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from importer.assistants.wiring.spot import EntrySpot, is_hook, is_server

NAME = "conversations"  # of our server in all of them
SERVERS = ("mcpServers",)  # where most keep them
Entry = Callable[[Sequence[str]], dict[str, Any]]


def plain(words: Sequence[str]) -> dict[str, Any]:
    """Return the entry that most assistants read."""
    return {"command": words[0], "args": list(words[1:])}


def _stdio(words: Sequence[str]) -> dict[str, Any]:
    return {"type": "stdio", **plain(words)}


def _copilot(words: Sequence[str]) -> dict[str, Any]:
    return {"type": "local", **plain(words), "tools": ["*"]}


def _opencode(words: Sequence[str]) -> dict[str, Any]:
    return {"type": "local", "command": list(words), "enabled": True}


def _zed(words: Sequence[str]) -> dict[str, Any]:
    return {"source": "custom", **plain(words), "env": {}}


def _goose(words: Sequence[str]) -> dict[str, Any]:
    about = "What you and your assistants ever said"
    start = {"cmd": words[0], "args": list(words[1:])}
    return {"enabled": True, "type": "stdio", "name": NAME, "description": about, **start, "envs": {}, "timeout": 300}


@dataclass(frozen=True, slots=True)
class AssistantPlace:
    """One assistant: its settings file, where in it servers stand, and our entry there; `kind` is json, toml or yaml.

    `shows` is a folder or file that is there where the assistant is, `skills` the folder that it reads skills from.
    """

    assistant: str
    title: str
    path: str
    shows: str
    member: tuple[str, ...] = SERVERS
    entry: Entry = plain
    kind: str = "json"
    skills: str = ""
    name: str = NAME
    docs: str = ""

    @property
    def spot(self) -> EntrySpot:
        """The place of our entry in the file."""
        return EntrySpot(self.kind, self.member, self.name, is_server if self.name else is_hook)


def places(environ: Mapping[str, str], home: str) -> list[AssistantPlace]:
    """Return the places of all assistants that are known, found or not; their own variables count."""
    config = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    shared = f"{home}/.agents/skills"
    return [
        *_of_the_terminal(environ, home, shared),
        *_in_config(home, config, shared),
        *_in_editors(home, config),
        *_of_google(environ.get("GEMINI_CLI_HOME") or home, shared),
        *_at_home(environ, home),
    ]


def _of_the_terminal(environ: Mapping[str, str], home: str, shared: str) -> list[AssistantPlace]:
    """Return the places of assistants with a form or a folder of skills of their own."""
    claude = environ.get("CLAUDE_CONFIG_DIR", "").split(",")[0]
    codex = environ.get("CODEX_HOME") or f"{home}/.codex"
    copilot = environ.get("COPILOT_HOME") or f"{home}/.copilot"
    hermes = environ.get("HERMES_HOME") or f"{home}/.hermes"
    own = claude or f"{home}/.claude"
    return [
        AssistantPlace(
            *("claude-code", "Claude Code", f"{claude or home}/.claude.json", own),
            entry=_stdio,
            skills=f"{own}/skills",
            docs="https://code.claude.com/docs/en/mcp",
        ),
        AssistantPlace(
            *("codex", "Codex", f"{codex}/config.toml", codex, ("mcp_servers",)),
            kind="toml",
            skills=shared,
            docs="https://developers.openai.com/codex/mcp",
        ),
        AssistantPlace(
            *("copilot-cli", "Copilot CLI", f"{copilot}/mcp-config.json", copilot),
            entry=_copilot,
            docs="https://docs.github.com/copilot/how-tos/copilot-cli/customize-copilot/add-mcp-servers",
        ),
        AssistantPlace(
            *("hermes", "Hermes", f"{hermes}/config.yaml", hermes, ("mcp_servers",)),
            kind="yaml",
            docs="https://hermes-agent.nousresearch.com/docs/user-guide/features/mcp",
        ),
        AssistantPlace(
            *("droid", "Droid", f"{home}/.factory/mcp.json", f"{home}/.factory"),
            entry=_stdio,
            docs="https://docs.factory.ai/cli/configuration/mcp",
        ),
    ]


def _in_config(home: str, config: str, shared: str) -> list[AssistantPlace]:
    """Return the places below the folder of settings; some may end in `.jsonc`."""
    desktop = _first(f"{home}/Library/Application Support/Claude", f"{config}/Claude")
    opencode, kilo, zed, amp = (f"{config}/{name}" for name in ("opencode", "kilo", "zed", "amp"))
    goose, crush, devin = (f"{config}/{name}" for name in ("goose", "crush", "devin"))
    return [
        AssistantPlace(
            *("claude-desktop", "Claude Desktop", f"{desktop}/claude_desktop_config.json", desktop),
            docs="https://modelcontextprotocol.io/docs/develop/connect-local-servers",
        ),
        AssistantPlace(
            *("opencode", "OpenCode", _with_comments(f"{opencode}/opencode.json"), opencode, ("mcp",), _opencode),
            skills=shared,
            docs="https://opencode.ai/docs/mcp-servers",
        ),
        AssistantPlace(
            *("kilo", "Kilo Code", _with_comments(f"{kilo}/kilo.json"), kilo, ("mcp",), _opencode),
            docs="https://kilo.ai/docs/automate/mcp/using-in-kilo-code",
        ),
        AssistantPlace(
            *("zed", "Zed", f"{zed}/settings.json", zed, ("context_servers",), _zed),
            docs="https://zed.dev/docs/ai/mcp",
        ),
        AssistantPlace(
            *("goose", "Goose", f"{goose}/config.yaml", goose, ("extensions",), _goose, "yaml"),
            docs="https://block.github.io/goose/docs/guides/config-files",
        ),
        AssistantPlace(  # its `crushrc` is a program; this form is still read, and merged with it
            *("crush", "Crush", f"{crush}/crush.json", crush, ("mcp",), _stdio),
            docs="https://github.com/charmbracelet/crush/blob/main/docs/config/README.md",
        ),
        AssistantPlace(
            *("amp", "Amp", _with_comments(f"{amp}/settings.json"), amp, ("amp.mcpServers",)),
            docs="https://ampcode.com/manual#configuration",
        ),
        AssistantPlace(
            *("devin", "Devin", f"{devin}/config.json", devin),
            docs="https://docs.devin.ai/cli/extensibility/mcp/configuration",
        ),
    ]


def _of_google(home: str, shared: str) -> list[AssistantPlace]:
    """Return the places below `.gemini`: that folder alone does not tell which of the two programs is here.

    Antigravity moved its servers in its second version, for the editor and the terminal; what it migrated it marks.
    """
    gemini, config = f"{home}/.gemini", f"{home}/.gemini/config"
    settings = f"{gemini}/settings.json"
    moved = any(map(os.path.exists, (f"{config}/.migrated", f"{config}/mcp_config.json", f"{gemini}/antigravity-cli")))
    kept = config if moved else f"{gemini}/antigravity"
    shows = _first(f"{gemini}/antigravity-cli", config, f"{gemini}/antigravity")
    return [
        AssistantPlace(
            *("gemini", "Gemini CLI", settings, _first(os.path.join(gemini, "tmp"), settings)),
            skills=shared,
            docs="https://github.com/google-gemini/gemini-cli/blob/main/docs/tools/mcp-server.md",
        ),
        AssistantPlace(
            *("antigravity", "Antigravity", f"{kept}/mcp_config.json", shows),
            docs="https://antigravity.google/docs/cli/mcp",
        ),
    ]


# Name, title, folder at home, settings file in it, and where that is said: all have the plain form.
AT_HOME = (
    ("cursor", "Cursor", ".cursor", "mcp.json", "https://cursor.com/docs/context/mcp"),
    ("qwen", "Qwen Code", ".qwen", "settings.json", "https://qwenlm.github.io/qwen-code-docs/en/users/features/mcp"),
    ("windsurf", "Windsurf", ".codeium/windsurf", "mcp_config.json", "https://docs.windsurf.com/windsurf/cascade/mcp"),
    ("kiro", "Kiro", ".kiro", "settings/mcp.json", "https://kiro.dev/docs/mcp/configuration"),
    ("junie", "Junie", ".junie", "mcp/mcp.json", "https://junie.jetbrains.com/docs/junie-cli-mcp-configuration.html"),
    ("openhands", "OpenHands", ".openhands", "mcp.json", "https://docs.openhands.dev/openhands/usage/cli/mcp-servers"),
    ("omp", "omp", ".omp/agent", "mcp.json", "https://github.com/can1357/oh-my-pi/blob/main/docs/mcp-config.md"),
)


def _at_home(environ: Mapping[str, str], home: str) -> list[AssistantPlace]:
    """Return the places of assistants that have a folder of their own at home, and nothing special in it."""
    kimi = environ.get("KIMI_CODE_HOME") or f"{home}/.kimi-code"
    old_kimi = environ.get("KIMI_SHARE_DIR") or f"{home}/.kimi"
    studio = _first(f"{home}/.lmstudio", f"{home}/.cache/lm-studio", f"{home}/.lmstudio")  # the second was the first
    warp = _first(f"{home}/.warp", f"{home}/.config/warp-terminal", f"{home}/.local/state/warp-terminal")
    cline = f"{home}/.cline/data"
    return [
        *(
            AssistantPlace(name, said, f"{home}/{at}/{file}", f"{home}/{at}", docs=docs)
            for name, said, at, file, docs in AT_HOME
        ),
        AssistantPlace(
            *("kimi-code", "Kimi Code", f"{kimi}/mcp.json", kimi),
            docs="https://moonshotai.github.io/kimi-code/en/customization/mcp",
        ),
        AssistantPlace(
            *("kimi", "Kimi CLI", f"{old_kimi}/mcp.json", old_kimi),
            docs="https://moonshotai.github.io/kimi-cli/en/customization/mcp",
        ),
        AssistantPlace(
            *("lm-studio", "LM Studio", f"{studio}/mcp.json", studio),
            docs="https://lmstudio.ai/docs/app/mcp",
        ),
        AssistantPlace(
            *("warp", "Warp", f"{home}/.warp/.mcp.json", warp),
            docs="https://github.com/warpdotdev/warp/blob/master/resources/bundled/skills/add-mcp-server/SKILL.md",
        ),
        AssistantPlace(
            "cline-cli",
            "Cline's terminal",
            environ.get("CLINE_MCP_SETTINGS_PATH") or f"{cline}/settings/cline_mcp_settings.json",
            cline,
            docs="https://github.com/cline/cline/pull/11683",
        ),
    ]


def _in_editors(home: str, config: str) -> list[AssistantPlace]:
    """Return the places of VS Code and of the extensions that keep their settings inside it."""
    code = _first(f"{home}/Library/Application Support/Code/User", f"{config}/Code/User")
    insiders = _first(f"{home}/Library/Application Support/Code - Insiders/User", f"{config}/Code - Insiders/User")
    said = "https://code.visualstudio.com/docs/agents/reference/mcp-configuration"
    cline, roo = (
        "https://docs.cline.bot/mcp/configuring-mcp-servers",
        "https://docs.roocode.com/features/mcp/using-mcp-in-roo",
    )
    kilo = "https://kilo.ai/docs/features/mcp/using-mcp-in-kilo-code"
    extensions = (
        ("cline", "Cline", "saoudrizwan.claude-dev", "cline_mcp_settings.json", cline),
        ("roo", "Roo Code", "rooveterinaryinc.roo-cline", "mcp_settings.json", roo),
        ("kilo-5", "Kilo Code 5", "kilocode.kilo-code", "mcp_settings.json", kilo),
    )
    kept = f"{code}/globalStorage"
    return [
        AssistantPlace("vscode", "VS Code", f"{code}/mcp.json", code, ("servers",), _stdio, docs=said),
        AssistantPlace(
            "vscode-insiders", "VS Code Insiders", f"{insiders}/mcp.json", insiders, ("servers",), _stdio, docs=said
        ),
        *(
            AssistantPlace(name, title, f"{kept}/{folder}/settings/{file}", f"{kept}/{folder}", docs=docs)
            for name, title, folder, file, docs in extensions
        ),
    ]


def _with_comments(path: str) -> str:
    """Return the path with the ending of JSON with comments, where such a file is there."""
    return f"{path}c" if os.path.exists(f"{path}c") else path


def _first(*paths: str) -> str:
    """Return the first of the paths that is there, else the last."""
    return next((path for path in paths if os.path.exists(path)), paths[-1])

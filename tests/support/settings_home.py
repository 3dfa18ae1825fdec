"""A home with the settings files of many assistants, in the odd forms that people and programs leave them in."""

from __future__ import annotations

import pathlib

from processes import Importer

SETTINGS = {
    ".claude.json": '{"numStartups": 4,\n "mcpServers": {"other": {"command": "x"}}, // mine\n}',
    ".codex/config.toml": '# my codex\nmodel = "o"\n\n[mcp_servers.other]\ncommand = "x"',
    ".gemini/settings.json": '{\r\n\t"theme": "dark",\r\n\t"mcpServers": {\r\n\t\t"other": {}\r\n\t}\r\n}\r\n',
    ".qwen/settings.json": "{}",
    ".copilot/mcp-config.json": "",
    ".cursor/mcp.json": '\ufeff{"mcpServers":{}}\n',
    ".config/Code/User/mcp.json": '{\n    // servers of mine\n    "servers": {\n    },\n}\n',
    ".config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json": '{"mcpServers": {}}',
    ".config/opencode/opencode.jsonc": '{\n  "$schema": "https://opencode.ai/config.json", /* x */\n  "b": 1\n}\n',
    ".config/zed/settings.json": '// Zed\n{\n  "theme": "One Dark",\n  "context_servers": {\n    "x": {},\n  },\n}\n',
    ".config/goose/config.yaml": "GOOSE_MODEL: x  # mine\nextensions:\n  developer:\n    enabled: true\n",
    ".codeium/windsurf/mcp_config.json": "{\n}\n",
    ".config/kilo/kilo.jsonc": '{\n  // of Kilo\n  "mcp": {"a": {"type": "local", "command": ["b"]}}, /* last */\n}',
    ".config/devin/config.json": '// mine\n{"agent": {"model": "x"}}\n',
    ".hermes/config.yaml": "model: x\nmcp_servers:\n  time: {command: uvx, args: [mcp-server-time]}  # flow\n",
    ".kimi-code/mcp.json": '{"mcpServers":{"linear":{"url":"https://mcp.linear.app/mcp"}}}',
    ".kiro/settings/mcp.json": '{"mcpServers": {"a": {"command": "b", "args": []}}}',
    ".lmstudio/mcp.json": "{ broken",
}
FOLDERS = (".claude", ".factory", ".config/crush", ".config/amp", ".kimi", ".junie", ".warp")  # no settings file yet
LEFT = ("kiro", "lm-studio")  # read-only, and broken
QUIET = ("--no-service", "--no-model", "--yes")


def made(home: pathlib.Path) -> Importer:
    """Make a home with the settings of many assistants: comments, odd forms, a link, one that is read-only."""
    for name, text in SETTINGS.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    for name in FOLDERS:
        (home / name).mkdir(exist_ok=True)
    linked = home / "dotfiles" / "gemini.json"
    linked.parent.mkdir()
    (home / ".gemini/settings.json").rename(linked)
    (home / ".gemini/settings.json").symlink_to(linked)
    (home / ".junie/mcp").symlink_to(home / "dotfiles/junie")  # leads nowhere yet
    (home / ".factory/mcp.json").symlink_to("../dotfiles/droid.json")  # nor does this
    (home / ".cursor/mcp.json").chmod(0o640)
    (home / ".kiro/settings/mcp.json").chmod(0o400)
    return Importer(home, embedded=True)

#!/usr/bin/env python3
"""Makes the plugin for Claude Code from what the package says: the server to start, when to search, and a hook.

The hook tells at a session's start what was said about the project; it is off until the plugin's option says otherwise.

`claude --plugin-dir deploy/plugin` tries it; `/plugin marketplace add PATH` installs it from a clone.
Usage: deploy/plugin/make.py [FOLDER]; a test compares the result with what lies here.
"""

import json
import pathlib
import sys

from importer import __version__
from importer.assistants.wiring import hook
from importer.assistants.wiring.places import NAME
from importer.assistants.wiring.skill import PATH, TEXT

HERE = pathlib.Path(__file__).resolve().parent
ABOUT = "Search the user's own past conversations with AI assistants, on this machine"
WHO = {"name": "importer"}
OPTION = "at_start"  # the assistant gives it to hooks, and to them alone, as a variable
AT_START = {
    "type": "boolean",
    "title": "Begin with past conversations",
    "description": "Tell when a session starts which conversations there were about its project: 300 tokens at most",
    "default": False,
}


def files() -> dict[str, str]:
    """Return every file of the plugin by its path."""
    plugin = {
        "name": NAME,
        "version": __version__,
        "description": ABOUT,
        "author": WHO,
        "license": "Apache-2.0",
        "userConfig": {OPTION: AT_START},
    }
    listed = {"name": NAME, "source": "./", "description": ABOUT}
    shop = {"name": "importer", "description": ABOUT, "owner": WHO, "plugins": [listed]}
    servers = {"mcpServers": {NAME: {"type": "stdio", "command": "importer", "args": ["mcp"]}}}
    wanted = f'case "$CLAUDE_PLUGIN_OPTION_{OPTION.upper()}" in true|1) importer hook ;; esac'
    hooks = {"hooks": {hook.EVENT: [hook.element(wanted)]}}
    written = {
        ".claude-plugin/plugin.json": plugin,
        ".claude-plugin/marketplace.json": shop,
        ".mcp.json": servers,
        "hooks/hooks.json": hooks,
    }
    return {f"skills/{PATH}": TEXT, **{path: json.dumps(value, indent=2) + "\n" for path, value in written.items()}}


def main(folder: pathlib.Path) -> None:
    """Write all files."""
    for path, text in files().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)

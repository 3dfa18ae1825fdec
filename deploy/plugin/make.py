#!/usr/bin/env python3
"""Makes the plugin for Claude Code from what the package says: the server to start, and when to search.

`claude --plugin-dir deploy/plugin` tries it; `/plugin marketplace add PATH` installs it from a clone.
Usage: deploy/plugin/make.py [FOLDER]; a test compares the result with what lies here.
"""

import json
import pathlib
import sys

from importer import __version__
from importer.assistants.wiring.places import NAME
from importer.assistants.wiring.skill import PATH, TEXT

HERE = pathlib.Path(__file__).resolve().parent
ABOUT = "Search the user's own past conversations with AI assistants, on this machine"
WHO = {"name": "importer"}


def files() -> dict[str, str]:
    """Return every file of the plugin by its path."""
    plugin = {"name": NAME, "version": __version__, "description": ABOUT, "author": WHO, "license": "Apache-2.0"}
    shop = {"name": "importer", "owner": WHO, "plugins": [{"name": NAME, "source": "./", "description": ABOUT}]}
    servers = {"mcpServers": {NAME: {"type": "stdio", "command": "importer", "args": ["mcp"]}}}
    written = {".claude-plugin/plugin.json": plugin, ".claude-plugin/marketplace.json": shop, ".mcp.json": servers}
    return {PATH: TEXT, **{path: json.dumps(value, indent=2) + "\n" for path, value in written.items()}}


def main(folder: pathlib.Path) -> None:
    """Write all files."""
    for path, text in files().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)

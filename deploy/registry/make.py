#!/usr/bin/env python3
"""Makes what registries ask for: `server.json` of the MCP registry, and a bundle (.mcpb) that hosts install by a click.

A name in the registry begins with a namespace that its owner proves to have (reverse DNS), so it is an argument; the
package's description has to hold `mcp-name: NAMESPACE/conversations` then. A bundle needs none: it carries the wheel.

Usage: deploy/registry/make.py server NAMESPACE > server.json
       deploy/registry/make.py bundle WHEEL FILE.mcpb
"""

import json
import pathlib
import re
import sys
import zipfile

from importer import __version__
from importer.assistants.wiring.places import NAME

PACKAGE = "conversation-importer"
TITLE = "Past conversations"
ABOUT = "Search the user's own past conversations with AI assistants, on this machine"
SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
PYTHON = ">=3.11"
STARTED = """\
import sys

from importer.__main__ import main

sys.argv[1:] = ["mcp"]
main()
"""
WHEN = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP can hold: the same files give the same bytes


def server(namespace: str) -> dict[str, object]:
    """Return the registry's entry: the package of this version, started by `uvx`."""
    if not re.fullmatch(r"[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+", namespace):
        sys.exit(f"{namespace!r} is no namespace: a domain in reverse, such as that of your account with a code host")
    package = {
        "registryType": "pypi",
        "identifier": PACKAGE,
        "version": __version__,
        "runtimeHint": "uvx",
        "transport": {"type": "stdio"},
        "packageArguments": [{"type": "positional", "value": "mcp"}],
    }
    about = {"title": TITLE, "description": ABOUT, "version": __version__, "packages": [package]}
    return {"$schema": SCHEMA, "name": f"{namespace}/{NAME}", **about}


def manifest() -> dict[str, object]:
    """Return the bundle's manifest: the host has uv make an environment beside it, and starts the server there."""
    entry = "server/main.py"
    started = {"command": "uv", "args": ["run", "--directory", "${__dirname}", entry]}
    return {
        "manifest_version": "0.4",
        "name": NAME,
        "display_name": TITLE,
        "version": __version__,
        "description": ABOUT,
        "author": {"name": "importer"},
        "license": "Apache-2.0",
        "server": {"type": "uv", "entry_point": entry, "mcp_config": started},
        "tools_generated": True,
        "compatibility": {"platforms": ["darwin", "linux"], "runtimes": {"python": PYTHON}},
    }


def project(wheel: str) -> str:
    """Return the bundle's pyproject.toml: nothing but the wheel that lies beside it."""
    return "\n".join(
        [
            "[project]",
            f'name = "{NAME}-bundle"',
            f'version = "{__version__}"',
            f'requires-python = "{PYTHON}"',
            f'dependencies = ["{PACKAGE}"]',
            "",
            "[tool.uv.sources]",
            f'{PACKAGE} = {{ path = "lib/{wheel}" }}',
            "",
        ]
    )


def bundle(wheel: pathlib.Path, target: pathlib.Path) -> None:
    """Write the bundle."""
    files = {
        "manifest.json": json.dumps(manifest(), indent=2).encode() + b"\n",
        "pyproject.toml": project(wheel.name).encode(),
        "server/main.py": STARTED.encode(),
        f"lib/{wheel.name}": wheel.read_bytes(),
    }
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name, WHEN), content, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "server":
        sys.stdout.write(json.dumps(server(sys.argv[2]), indent=2) + "\n")
    elif len(sys.argv) == 4 and sys.argv[1] == "bundle":
        bundle(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
    else:
        sys.exit((__doc__ or "").partition("Usage: ")[2])

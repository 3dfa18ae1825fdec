"""Import the MCP SDK's server without its client and web frameworks: 12 MB and 120 modules less in each assistant.

The SDK's package imports all of itself when any part is imported. Registering the two packages without running them
leaves each part to import what it needs. If a later SDK does not bear that, it is imported whole.
"""

from __future__ import annotations

import importlib.util
import sys

PACKAGES = ("mcp", "mcp.server")


def server_only() -> None:
    """Make ready for importing parts of the SDK's server; call before the first import of the SDK."""
    if any(name in sys.modules for name in PACKAGES):
        return
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is not None:
            sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        importlib.import_module("mcp.server.lowlevel")
    except (ImportError, AttributeError):
        for name in [one for one in sys.modules if one == "mcp" or one.startswith("mcp.")]:
            del sys.modules[name]

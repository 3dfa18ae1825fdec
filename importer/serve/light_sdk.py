"""Import the MCP SDK's server without what a process does not use of it: less memory and time in each assistant.

    client of the SDK          12 MB, 120 modules    neither `importer mcp` nor `importer serve` has one
    web framework               8 MB, 100 modules    pipes need none
    checks of every message                          made when a message is first read, of 500 kinds the few that come

The SDK's package imports all of itself when any part is imported. Registering the two packages without running them
leaves each part to import what it needs; what pipes never use is a placeholder. If a later SDK does not bear that, it
is imported whole.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType

PACKAGES = ("mcp", "mcp.server")
WEB = (
    *("starlette", "starlette.applications", "starlette.middleware", "starlette.middleware.authentication"),
    *("starlette.routing", "mcp.server.streamable_http", "mcp.server.streamable_http_manager"),
    *("mcp.server.auth", "mcp.server.auth.middleware", "mcp.server.auth.middleware.auth_context"),
    *("mcp.server.auth.middleware.bearer_auth", "mcp.server.auth.provider", "mcp.server.auth.routes"),
    *("mcp.server.auth.settings", "mcp.server.transport_security"),
)
"""What the server's module imports for HTTP alone."""


class _Unused(type):
    """The class of everything in a placeholder: does for annotations and defaults, and has no members."""

    def __getitem__(cls, key: object) -> type:
        return cls


class _UnusedModule(ModuleType):
    """A module in which every name is there."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Unused(name, (), {})


def server_only(*, web: bool) -> None:
    """Make ready for importing parts of the SDK's server; call before the first import of the SDK.

    Without `web` the process serves pipes alone.
    """
    if any(name in sys.modules for name in PACKAGES):
        return
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is not None:
            sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        with _without(() if web else WEB), _checked_late():
            importlib.import_module("mcp.server.lowlevel")
    except (ImportError, AttributeError, TypeError):
        for name in [one for one in sys.modules if one.partition(".")[0] in {"mcp", "mcp_types"}]:
            del sys.modules[name]


@contextmanager
def _without(names: tuple[str, ...]) -> Iterator[None]:
    """Have placeholders in the place of modules that are not loaded; they are gone behind the block."""
    placed = [name for name in names if name not in sys.modules]
    for name in placed:
        sys.modules[name] = _UnusedModule(name)
        sys.modules[name].__path__ = []
    try:
        yield
    finally:
        for name in placed:
            sys.modules.pop(name, None)


@contextmanager
def _checked_late() -> Iterator[None]:
    """Have pydantic make the checks of a model when it is first used, where it can be told to."""
    defaults: dict[str, object] = {}
    with suppress(ImportError, AttributeError):
        from pydantic._internal import _config  # noqa: PLC0415  only what imports the SDK has pydantic

        defaults = _config.config_defaults  # type: ignore[assignment]  # a TypedDict
    former = defaults.get("defer_build")
    if former is None:
        yield
        return
    defaults["defer_build"] = True
    try:
        yield
    finally:
        defaults["defer_build"] = former

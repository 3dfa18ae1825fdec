"""Find the module of an assistant by the format of its conversations, and the way to go on with one of them.

A module of this folder has `SOURCE`, the name of its format, and `PROGRAM`, what people type. Those that can go on with
a conversation have `resume(conversation) -> tuple[str, ...]`, a list of arguments; those that can begin one with a text
have `begin(text) -> tuple[str, ...]`; those in a browser have `page(conversation) -> str`, an address.

An id comes from a file, which a stranger may have written: one that a program could take for an option is refused.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import shlex
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from importer import assistants

SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class WayBack:
    """The way to go on with a conversation: a `command` to be run in `folder`, or a `page`; empty for none."""

    command: tuple[str, ...] = ()
    folder: str = ""
    page: str = ""

    @property
    def words(self) -> str:
        """What to type in a shell, or the address to open; "" for none."""
        if not self.command:
            return self.page
        typed = shlex.join(self.command)
        return f"cd {shlex.quote(self.folder)} && {typed}" if self.folder else typed


@cache
def known() -> dict[str, ModuleType]:
    """Return the modules of all assistants, by the format of their conversations."""
    found = pkgutil.iter_modules(assistants.__path__)
    names = (one.name for one in found if not one.ispkg and one.name != "registry")
    modules = (importlib.import_module(f"importer.assistants.{name}") for name in sorted(names))
    return {module.SOURCE: module for module in modules}


def way_back(source: str, conversation: str, folder: str = "") -> WayBack:
    """Return how to go on with a conversation that was held in a folder; an empty one where no way is known."""
    module = known().get(source)
    if module is None or not SAFE_ID.fullmatch(conversation):
        return WayBack()
    if hasattr(module, "resume"):
        return WayBack(module.resume(conversation), folder)
    return WayBack(page=module.page(conversation)) if hasattr(module, "page") else WayBack()


def beginners() -> dict[str, ModuleType]:
    """Return the assistants that can begin a conversation with a text, by what people type."""
    return {module.PROGRAM: module for module in known().values() if hasattr(module, "begin")}

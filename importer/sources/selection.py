"""Selection of what is stored: `include` and `exclude`, by the path of a file or by the project of a chunk.

A project is judged as a path from the root of the file system. `exclude` wins; a file whose path `include` does not
name is read all the same, for only its lines tell its projects.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

from importer.sources.patterns import absolute, matcher

ProjectFilter = Callable[[str], bool]
"""Test of a project ("" for none): True if its chunks are to be stored."""


def everything(_project: str) -> bool:
    """Return True: a selection without patterns wants every project."""
    return True


@dataclass(frozen=True, slots=True)
class Selection:
    """Patterns as in `importer.patterns`; an empty `include` names everything. `roots` are the folders known of."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    roots: tuple[bytes, ...] = ()

    def judge(self, path: bytes, root: bytes | None = None) -> ProjectFilter:
        """Return the filter of projects for the file at `path`; without its `root`, a filter that is surely right."""
        named = self._surely_named(path) if root is None else self._named(path, root)
        if named and matcher(self.exclude) is None:
            return everything
        return lambda project: not _holds(self.exclude, project) and (named or _holds(self.include, project))

    def wider_than(self, former: Selection) -> bool:
        """Return True if this selection may want something that the former did not."""
        more_named = bool(former.include) and not (self.include and set(self.include) <= set(former.include))
        return more_named or not set(former.exclude) <= set(self.exclude)

    def _named(self, path: bytes, root: bytes) -> bool:
        """Return True if the path alone says that the file is wanted; a root that is a file always is."""
        match = matcher(self.include)
        below = _below(path, root)
        # a followed link leads out of the root: then the whole path is looked at
        return match is None or below == b"" or match(path.lstrip(b"/") if below is None else below)

    def _surely_named(self, path: bytes) -> bool:
        """Return the same by the known roots; False where none lies above it or they do not agree."""
        above = [root for root in self.roots if _below(path, root) is not None]
        return matcher(self.include) is None or (bool(above) and all(self._named(path, root) for root in above))


ALL = Selection()


def _below(path: bytes, root: bytes) -> bytes | None:
    """Return a path relative to a root, b"" for the root itself, None for one outside."""
    if path == root:
        return b""
    prefix = root.rstrip(b"/") + b"/"
    return path[len(prefix) :] if path.startswith(prefix) else None


@functools.lru_cache(maxsize=1024)  # every text and every chunk asks for its project again
def _holds(patterns: tuple[str, ...], project: str) -> bool:
    """Return True if a project matches any pattern. One with a slash but no root holds in every folder."""
    match = matcher(tuple(absolute(pattern) for pattern in patterns))
    if match is None:
        return False
    # as it stands, and with the slashes of a conversation that comes from Windows turned
    forms = {form.strip("/") for form in (project, project.replace("\\", "/"))} - {""}
    return any(match(form.encode("utf-8", "replace")) for form in forms)

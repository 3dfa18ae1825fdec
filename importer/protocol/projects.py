"""Choose projects by a text that a person typed (pure): a name, a path or a part of either, in any case.

    /home/kim/shop   SHOP   kim/shop   ho   shop web   /home/kim/shop/src   C:\\work\\shop   /mnt/c/work/shop

The first rule that any project fits decides, and then all that fit it are meant:

    the very path · the name · the path in another case · a folder inside of it · whole parts of the path ·
    a part of the name · a part of the path · all words, in any order, in the name · in the path
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping

from importer.errors import UsageError
from importer.protocol.foreign.quoting import line

MOST_TOLD = 12  # projects in an error's hint
CLOSE = 0.6  # of difflib: what share of letters two names must have in common to be near
_DRIVE = re.compile(r"(?:/mnt/([a-z])|([a-z]):)(?=/|$)")
_BETWEEN = re.compile(r"[\s/._-]+")


def last_part(path: str) -> str:
    """Return the last component of a path with slashes or backslashes; the path itself when it has none (`/`)."""
    parts = path.replace("\\", "/").rstrip("/").rsplit("/", 1)
    return parts[-1] or path


def chosen(text: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the projects that a text means, sorted; () when none fits. An empty text means none."""
    asked, projects = spelled(text), sorted(known)
    for fits in _rules(text, asked, projects):
        if found := tuple(project for project in projects if fits(project)):
            return found
    return ()


def _rules(text: str, asked: str, projects: Iterable[str]) -> Iterator[Callable[[str], bool]]:
    """Give the rules in their order."""
    words = [word for word in _BETWEEN.split(asked) if word]
    yield lambda project: same(project, text) and "/" in asked
    yield lambda project: bool(asked) and _name(project) == asked
    yield lambda project: bool(asked) and spelled(project) == asked
    if re.match(r"/|[a-z]:/", asked):
        around = max((spelled(one) for one in projects if asked.startswith(f"{spelled(one)}/")), key=len, default=None)
        yield lambda project: spelled(project) == around
    if not words:
        return
    part = asked.strip("/") or asked
    yield lambda project: f"/{part}/" in f"/{spelled(project)}/"
    yield lambda project: part in _name(project)
    yield lambda project: part in spelled(project)
    yield lambda project: all(word in _name(project) for word in words)
    yield lambda project: all(word in spelled(project) for word in words)


def spelled(path: str) -> str:
    """Return a path in the one spelling in which paths are compared: slashes, lower case, `c:` for a drive."""
    slashed = re.sub(r"(?<!^)/+", "/", unicodedata.normalize("NFC", path).strip().replace("\\", "/").casefold())
    drive = _DRIVE.match(slashed)
    spelling = f"{drive[1] or drive[2]}:{slashed[drive.end() :]}" if drive else slashed
    return spelling.rstrip("/") or spelling[:1]


def same(one: str, other: str) -> bool:
    """Return True if two paths name one folder. Case counts, except where no file system of that kind minds it."""
    key = spelled(one)
    if key != spelled(other):
        return False
    return bool(re.match(r"[a-z]:|//|/users/", key)) or _slim(one) == _slim(other)


def _slim(path: str) -> str:
    """Return a path without doubled slashes and one at its end."""
    return re.sub(r"(?<!^)/+", "/", unicodedata.normalize("NFC", path).strip()).rstrip("/")


def _name(project: str) -> str:
    """Return a project's last component, as names are compared."""
    return spelled(last_part(project))


def refusal(text: str, counts: Mapping[str, int]) -> UsageError:
    """Return the error for a text that no project fits: it tells which there are, those with near names first."""
    if not counts:
        return UsageError(f"no project fits {text!r}", hint="`importer backlog`: nothing stored has a project yet")
    ranked = sorted(counts, key=lambda project: (-counts[project], project))
    near = [project for project in ranked if _near(spelled(text), _name(project))]
    order = [*near, *(project for project in ranked if project not in near)]
    more = f" and {len(order) - MOST_TOLD} more" if len(order) > MOST_TOLD else ""
    meant = f"did you mean {line(last_part(near[0]))}? there are " if near else ""
    return UsageError(f"no project fits {text!r}", hint=f"{meant}{told(order[:MOST_TOLD], counts)}{more}")


def _near(asked: str, name: str) -> bool:
    """Return True for names that are mistyped for one another, as a whole or in a word."""
    return bool(difflib.get_close_matches(asked.rpartition("/")[2], [name, *_BETWEEN.split(name)], 1, CLOSE))


def told(projects: Iterable[str], counts: Mapping[str, int]) -> str:
    """Return projects with their numbers of points, as a list in words; control characters are shown as such."""
    return ", ".join(f"{line(project)} ({counts.get(project, 0):,})" for project in projects)


def several(text: str, projects: Iterable[str], counts: Mapping[str, int]) -> str:
    """Return what to say of a text that fits several projects."""
    fitting = list(projects)
    more = f" and {len(fitting) - MOST_TOLD} more" if len(fitting) > MOST_TOLD else ""
    return f"{text!r} fits {len(fitting)} projects: {told(fitting[:MOST_TOLD], counts)}{more}"

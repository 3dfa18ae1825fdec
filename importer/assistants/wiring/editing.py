"""Pure: put one entry into a settings file and take it out again, with every other byte as it was.

A settings file is a person's: comments, order, line ends and odd formatting stay. So text is inserted, not a document
written anew; what was inserted is found again as it stands, and taken out. The result is read back and compared before
it is given out: a file that this cannot read is left alone.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from importer.errors import UsageError

BOM = "\ufeff"


class Unreadable(Exception):
    """A file whose form is not understood; nothing is changed in it."""


def with_entry(text: str, kind: str, member: Sequence[str], name: str, entry: Mapping[str, Any]) -> tuple[str, str]:
    """Return the text with the entry, and what was inserted; ("", "") inserted where it stands there already.

    Raises Unreadable for a form that is not understood, UsageError where another entry has the name.
    """
    read = parsed(text, kind)
    standing = _at(read, (*member, name))
    if standing is not None:
        if standing == entry:
            return text, ""
        raise UsageError(f"it has another server called {name}", hint="remove or rename that one, then run this again")
    insert = _into_toml if kind == "toml" else _into_json
    at, inserted = insert(text, read, member, name, entry)
    changed = text[:at] + inserted + text[at:]
    if parsed(changed, kind) != _added(read, member, name, entry):
        raise Unreadable("the entry would not be read back as it is meant")
    return changed, inserted


def without(text: str, inserted: str) -> str | None:
    """Return the text without what was inserted; None where it stands there no more, or twice."""
    return text.replace(inserted, "", 1) if inserted and text.count(inserted) == 1 else None


def parsed(text: str, kind: str) -> dict[str, Any]:
    """Return what a settings file says, {} for an empty one; JSON may have comments and commas too many."""
    plain = text.removeprefix(BOM)
    try:
        found = tomllib.loads(plain) if kind == "toml" else json.loads(_bare(plain) if plain.strip() else "{}")
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is no {kind.upper()} that can be read: {error}") from error
    if not isinstance(found, dict):
        raise Unreadable("it is no object")
    return found


def _at(value: Any, path: Sequence[str]) -> Any:
    """Return what stands at a path, None for nothing."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _added(value: Mapping[str, Any], path: Sequence[str], name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a file must say with the entry in it."""
    if not path:
        return {**value, name: entry}
    inner = value.get(path[0], {})
    if not isinstance(inner, dict):
        raise Unreadable(f"its {path[0]} is no object")
    return {**value, path[0]: _added(inner, path[1:], name, entry)}


def _into_toml(text: str, _read: Any, member: Sequence[str], name: str, entry: Mapping[str, Any]) -> tuple[int, str]:
    """Return where and what to insert: a table of its own at the end."""
    end = "\r\n" if "\r\n" in text else "\n"
    before = "" if not text or text.endswith("\n") else end
    lines = [f"[{'.'.join([*member, name])}]", *(f"{key} = {json.dumps(value)}" for key, value in entry.items())]
    return len(text), f"{before}{end if text.strip() else ''}{end.join(lines)}{end}"


def _into_json(text: str, read: Any, member: Sequence[str], name: str, entry: Mapping[str, Any]) -> tuple[int, str]:
    """Return where and what to insert: the first member of the innermost object that is there."""
    end = "\r\n" if "\r\n" in text else "\n"
    if not text.removeprefix(BOM).strip():
        value: Any = {name: entry}
        for key in reversed(member):
            value = {key: value}
        return len(text), json.dumps(value, indent=2).replace("\n", end) + end
    there = next(n for n in range(len(member), -1, -1) if isinstance(_at(read, member[:n]), dict))
    at = _opening(text, member[:there])
    path, value = [*member[there:], name], dict(entry)
    for key in reversed(path[1:]):
        value = {key: value}
    return at, _first_member((text, at), path[0], value, more=bool(_at(read, member[:there])), depth=there + 1)


def _first_member(where: tuple[str, int], key: str, value: Mapping[str, Any], *, more: bool, depth: int) -> str:
    """Return a member as the first of an object that opens before a place of a text, laid out as the object is.

    `more`: the object has other members; `depth` is how deep its members stand.
    """
    text, at = where
    end, rest = "\r\n" if "\r\n" in text else "\n", text[at:]
    blank = rest[: len(rest) - len(rest.lstrip())]
    comma = "," if more else ""
    if more and "\n" not in blank:
        return f" {json.dumps(key)}: {json.dumps(value)}{comma}"
    unit = blank.rpartition("\n")[2] if more else "  " * depth
    step = unit[: max(1, len(unit) // depth)] if unit else "  "
    written = json.dumps(value, indent=step).replace("\n", f"{end}{unit}")
    closing = "" if "\n" in blank else end + step * (depth - 1)
    return f"{end}{unit}{json.dumps(key)}: {written}{comma}{'' if more else closing}"


def _opening(text: str, path: Sequence[str]) -> int:
    """Return the place behind the brace that opens the object at a path. The text was parsed before."""
    at = text.index("{", _skipped(text, 1 if text.startswith(BOM) else 0)) + 1
    for name in path:
        at = _member(text, at, name)
    return at


def _member(text: str, at: int, name: str) -> int:
    """Return the place behind the brace of a member's object; `at` is behind that of the object around it."""
    depth, key, found = 0, "", -1
    while at < len(text):
        at = _skipped(text, at)
        sign = text[at]
        if sign == '"':
            stop = _string_end(text, at)
            key, at = json.loads(text[at:stop]), stop
            after = _skipped(text, at)
            if depth == 0 and key == name and text[after : after + 1] == ":":
                found = _skipped(text, after + 1) + 1  # the last of several counts, as for parsers
            continue
        if sign in "{[":
            depth += 1
        elif sign in "}]":
            depth -= 1
        if depth < 0:
            break
        at += 1
    if found < 0:
        raise Unreadable(f"its {name} was not found")
    return found


def _bare(text: str) -> str:
    """Return JSON without comments, and without commas before a closing bracket."""
    parts, at = list[str](), 0
    while at < len(text):
        sign = text[at]
        if sign == '"':
            stop = _string_end(text, at)
            parts.append(text[at:stop])
        elif text.startswith(("//", "/*"), at):
            stop = _comment_end(text, at)
            parts.append(" ")
        elif sign == "," and text[_skipped(text, at + 1) : _skipped(text, at + 1) + 1] in ("}", "]"):
            stop = at + 1
        else:
            stop = at + 1
            parts.append(sign)
        at = stop
    return "".join(parts)


def _skipped(text: str, at: int) -> int:
    """Return the place of the next sign that is neither white space nor in a comment."""
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif text.startswith(("//", "/*"), at):
            at = _comment_end(text, at)
        else:
            break
    return at


def _comment_end(text: str, at: int) -> int:
    """Return the place behind a comment."""
    line = text.startswith("//", at)
    found = text.find("\n" if line else "*/", at + 2)
    return len(text) if found < 0 else found + (0 if line else 2)


def _string_end(text: str, at: int) -> int:
    """Return the place behind a string. Raises Unreadable for one without an end."""
    at += 1
    while at < len(text) and text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    if at >= len(text):
        raise Unreadable("a text in it has no end")
    return at + 1

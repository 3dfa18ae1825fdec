"""Pure: put our entry into a settings file and take it out again, with every other byte as it was.

A settings file is a person's: comments, order, line ends and odd formatting stay. So text is inserted, not a document
written anew. The result of each change is read back and must say what was said before plus, or minus, our entry; a
file of which that is not so is left alone. What was inserted is taken out as it stands where that is enough, else, when
a person or the assistant has changed what lies around it, as a part of the file's structure.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from importer.assistants.wiring import json_edit, jsonc, toml_edit, yaml_edit
from importer.assistants.wiring.jsonc import BOM, UnreadableSettings
from importer.assistants.wiring.spot import EntrySpot
from importer.errors import UsageError

Entry = Mapping[str, Any]


def with_entry(text: str, spot: EntrySpot, entry: Entry) -> tuple[str, str]:
    """Return the text with the entry, and what was inserted; ("", "") inserted where it stands there already.

    Raises Unreadable for a form that is not understood, UsageError where another entry has the name.
    """
    read = parsed(text, spot.kind)
    standing = spot.entry_in(read)
    if standing is not None:
        if says(standing, entry):
            return text, ""
        raise UsageError(f"it has another server called {spot.name}", hint="rename that one, then run this again")
    meant = spot.added_to(read, entry)
    at, inserted = _insertion(text, read, spot, entry)
    changed = text[:at] + inserted + text[at:]
    if not _same(parsed(changed, spot.kind), meant) or _laxer(text, changed, spot.kind):
        raise UnreadableSettings("the entry would not be read back as it is meant")
    return changed, inserted


def without(text: str, spot: EntrySpot, inserted: str = "") -> str | None:
    """Return the text without our entry, None where it cannot be taken out; the text itself where it has none.

    `inserted` is what was put in once: it goes as it stands there, or tells which objects around it are ours, too.
    """
    read = parsed(text, spot.kind)
    if spot.entry_in(read) is None:
        return text
    for taken in (_exactly, _by_structure):
        try:
            rest = taken(text, spot, inserted)
        except UnreadableSettings:
            continue
        if rest is not None and _says_the_rest(rest, text, spot):
            return rest
    return None


def _says_the_rest(rest: str, text: str, spot: EntrySpot) -> bool:
    """Return True if a text says all that another says but our entry, in no laxer form."""
    try:
        left, read = parsed(rest, spot.kind), parsed(text, spot.kind)
    except UnreadableSettings:
        return False
    same = spot.entry_in(left) is None and _same(spot.taken_from(left), spot.taken_from(read))
    return same and not _laxer(text, rest, spot.kind)


def renewed(text: str, spot: EntrySpot, entry: Entry, inserted: str = "") -> tuple[str, str]:
    """Return the text with an entry of ours brought up to date, and what then counts as inserted.

    What others added to the entry stays. Raises Unreadable where that cannot be done.
    """
    rest = _exactly(text, spot, inserted)
    if rest is not None and _says_the_rest(rest, text, spot):
        changed, anew = with_entry(rest, spot, entry)
        if says(spot.entry_in(parsed(changed, spot.kind)), entry) and _exactly(changed, spot, anew) == rest:
            return changed, anew
    read = parsed(text, spot.kind)
    changed = _with_words(text, spot, entry) or text
    after = parsed(changed, spot.kind)
    if not says(spot.entry_in(after), entry) or not _same(spot.taken_from(after), spot.taken_from(read)):
        raise UnreadableSettings("its entry is written in a form that cannot be brought up to date")
    return changed, inserted


def says(standing: Any, entry: Entry) -> bool:
    """Return True if a standing entry starts what ours does; a person may have switched it off, or said more."""
    return isinstance(standing, Mapping) and all(standing.get(key) == value for key, value in _words(entry).items())


def _words(entry: Entry) -> dict[str, Any]:
    """Return what of an entry says which program is started."""
    return {key: value for key, value in entry.items() if key in {"command", "cmd", "args", "hooks"}}


def parsed(text: str, kind: str) -> dict[str, Any]:
    """Return what a settings file says, {} for an empty one; JSON may have comments and commas too many."""
    try:
        found = READERS[kind](text)
    except (ValueError, RecursionError) as error:
        raise UnreadableSettings(f"it is no {kind.upper()} that can be read: {error}") from error
    if not isinstance(found, dict):
        raise UnreadableSettings("it is no object")
    return found


def says_nothing(text: str, kind: str) -> bool:
    """Return True for a text without values and comments: a file of ours that nothing else was put into."""
    try:
        if kind == "json":
            node = jsonc.tree(text)
            inside = text.strip().removeprefix(BOM) if node is None else text[: node.start] + text[node.end :]
            return not inside.strip() and (node is None or not text[node.start + 1 : node.closing].strip())
        return not any(parsed(text, kind).values()) and "#" not in text
    except UnreadableSettings:
        return False


def _yaml(text: str) -> Any:
    """Read a text as YAML. Raises ValueError."""
    import yaml  # noqa: PLC0415  few assistants have it

    try:
        found = yaml.safe_load(text.removeprefix(BOM))
    except (yaml.YAMLError, TypeError) as error:
        raise ValueError(" ".join(str(error).split())) from error
    return {} if found is None else found


READERS: Mapping[str, Callable[[str], Any]] = {
    "json": jsonc.value_of,
    "toml": lambda text: tomllib.loads(text.removeprefix(BOM)),
    "yaml": _yaml,
}


def _insertion(text: str, read: Mapping[str, Any], spot: EntrySpot, entry: Entry) -> tuple[int, str]:
    """Return where to insert an entry, and what. Raises Unreadable."""
    if spot.kind == "json":
        return json_edit.insertion(text, spot.member, spot.name, entry)
    if spot.kind == "toml":
        return toml_edit.insertion(text, spot.member, spot.name, entry)
    return yaml_edit.insertion(text, spot.member[0], spot.name, entry, there=spot.member[0] in read)


def _exactly(text: str, _spot: EntrySpot, inserted: str) -> str | None:
    """Return the text without what was inserted; None where it stands there no more, or twice."""
    return text.replace(inserted, "", 1) if inserted and text.count(inserted) == 1 else None


def _by_structure(text: str, spot: EntrySpot, inserted: str) -> str | None:
    """Return the text without our entry, taken out as a part of what the file is made of."""
    if spot.kind == "toml":
        return toml_edit.without_table(text, (*spot.member, spot.name))
    if spot.kind == "yaml":
        made = [key for key in spot.member if f"{key}:" in inserted.splitlines()]
        return yaml_edit.without_block(text, spot.member[0], spot.name, made)
    while (found := _json_part(text, spot)) is not None:
        text = json_edit.without_part(text, *found)
    for deep in range(len(spot.member), 0, -1):
        node, around = (json_edit.container(text, spot.member[:n]) for n in (deep, deep - 1))
        ours = f'"{spot.member[deep - 1]}": ' in inserted
        if node is None or around is None or not ours or text[node.start + 1 : node.closing].strip():
            break
        text = json_edit.without_part(text, around, around.named(spot.member[deep - 1]))
    return text


def _json_part(text: str, spot: EntrySpot) -> tuple[jsonc.JsonNode, int] | None:
    """Return what holds our entry in a JSON text, and its index there; None for none."""
    node = json_edit.container(text, spot.member)
    if node is None or not node.parts:
        return None
    if spot.name:
        at = node.named(spot.name)
    else:
        values = [jsonc.value_of(text[part.value.start : part.value.end]) for part in node.parts]
        at = next((at for at, value in enumerate(values) if spot.ours(value)), -1)
    return (node, at) if at >= 0 else None


def _with_words(text: str, spot: EntrySpot, entry: Entry) -> str | None:
    """Return the text with our entry starting another program, None where that cannot be done."""
    if spot.kind == "toml":
        return toml_edit.with_values(text, (*spot.member, spot.name), _words(entry))
    if spot.kind == "yaml":
        standing, rest = spot.entry_in(parsed(text, spot.kind)), without(text, spot)
        return None if rest is None else with_entry(rest, spot, {**standing, **_words(entry)})[0]
    if (found := _json_part(text, spot)) is None:
        return None
    node, at = found
    return json_edit.with_values(text, node.parts[at].value, _words(entry))


def _laxer(before: str, after: str, kind: str) -> bool:
    """Return True if a text has more trailing commas than before: not every assistant allows them."""
    return kind == "json" and jsonc.trailing_commas(after) > jsonc.trailing_commas(before)


def _same(one: Any, other: Any) -> bool:
    """Return True if two values say the same; NaN is itself here, and 1 is not true."""
    return list(_flat(one)) == list(_flat(other))


def _flat(value: Any) -> Iterator[str]:
    """Yield a value's parts in an order of their own."""
    if isinstance(value, Mapping):
        yield "{"
        for key in sorted(value, key=repr):
            yield repr(key)
            yield from _flat(value[key])
        yield "}"
    elif isinstance(value, list):
        yield "["
        for one in value:
            yield from _flat(one)
        yield "]"
    else:
        yield repr(value)

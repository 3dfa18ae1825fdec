"""Pure: put a part into a JSON text, take it out, or give it other words; every other byte stays.

A part goes in as the first of its object or array, laid out as the others are. It is taken out with one comma and the
blanks before it, so what a program wrote in its own layout is what that program would have written without the part.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from importer.assistants.wiring import jsonc
from importer.assistants.wiring.jsonc import JsonNode, UnreadableSettings

Edit = tuple[int, int, str]  # from, to, what stands there then


def insertion(text: str, member: Sequence[str], name: str, entry: Any) -> tuple[int, str]:
    """Return where to insert an entry, and what; a `name` of "" makes it an element of an array. Raises Unreadable."""
    end = "\r\n" if "\r\n" in text else "\n"
    root = jsonc.tree(text)
    if root is None:
        before = "" if jsonc.blank(text) or text.endswith("\n") else end
        return len(text), before + json.dumps(_nested(member, name, entry), indent=2).replace("\n", end) + end
    node, deep = root, 0
    while deep < len(member) and (at := node.named(member[deep])) >= 0:
        node, deep = node.parts[at].value, deep + 1
    whole = deep == len(member)
    if node.opens != ("[" if whole and not name else "{"):
        wanted = "array" if whole and not name else "object"
        raise UnreadableSettings(f"its {member[deep - 1]} is no {wanted}" if deep else f"it is no {wanted}")
    key = name if whole else member[deep]
    value = entry if whole else _nested(member[deep + 1 :], name, entry)
    return node.start + 1, _first(text, node, key, value, depth=deep + 1)


def _nested(member: Sequence[str], name: str, entry: Any) -> Any:
    """Return an entry in the objects around it."""
    value = {name: entry} if name else [entry]
    for key in reversed(member):
        value = {key: value}
    return value


def _first(text: str, node: JsonNode, key: str, value: Any, *, depth: int) -> str:
    """Return a part as the first of an object or array, laid out as that is; `depth` is how deep its parts stand."""
    end, rest, more = "\r\n" if "\r\n" in text else "\n", text[node.start + 1 :], bool(node.parts)
    spaces = rest[: len(rest) - len(rest.lstrip())]
    head, comma = f"{json.dumps(key)}: " if key else "", "," if more else ""
    if more and "\n" not in spaces:
        return f" {head}{json.dumps(value)}{comma}"
    unit = spaces.rpartition("\n")[2] if more else "  " * depth
    step = unit[: max(1, len(unit) // depth)] if unit else "  "
    written = json.dumps(value, indent=step).replace("\n", f"{end}{unit}")
    closing = "" if "\n" in spaces else end + step * (depth - 1)
    return f"{end}{unit}{head}{written}{comma}{'' if more else closing}"


def container(text: str, member: Sequence[str]) -> JsonNode | None:
    """Return the object or array at a path, None where there is none. Raises Unreadable."""
    node = jsonc.tree(text)
    for key in member:
        at = node.named(key) if node is not None else -1
        if node is None or at < 0:
            return None
        node = node.parts[at].value
    return node


def without_part(text: str, node: JsonNode, at: int) -> str:
    """Return the text without one part of an object or array."""
    part, last, end = node.parts[at], at == len(node.parts) - 1, node.parts[at].value.end
    comma = node.parts[at - 1].comma if last and at and part.comma < 0 else part.comma
    start = _blanks_before(text, part.start)
    if not last and (at or start == part.start):
        edits = [(part.start, end, ""), (comma, _blanks_after(text, comma + 1), "")]
    else:
        edits = [(start, end, ""), *([(comma, comma + 1, "")] if comma >= 0 else [])]
    if comma > end and not text[end:comma].strip():
        edits.append((end, comma, ""))
    rest = edited(text, edits)
    inside = rest[node.start + 1 : node.closing - len(text) + len(rest)]
    return rest if inside.strip() or not inside else edited(rest, [(node.start + 1, node.start + 1 + len(inside), "")])


def _blanks_before(text: str, at: int) -> int:
    """Return where the blanks before a place begin; the line end of a comment is none of them."""
    start = len(text[:at].rstrip(" \t\r\n"))
    return text.index("\n", start) + 1 if start in jsonc.line_comments(text) and "\n" in text[start:at] else start


def _blanks_after(text: str, at: int) -> int:
    """Return where the blanks behind a place end."""
    return len(text) - len(text[at:].lstrip(" \t\r\n"))


def with_values(text: str, node: JsonNode, values: dict[str, Any]) -> str | None:
    """Return the text with other values for some members of an object; None where one is not there."""
    places = {key: node.named(key) for key in values}
    if min(places.values(), default=0) < 0:
        return None
    spans = {key: node.parts[at].value for key, at in places.items()}
    return edited(text, [(spans[key].start, spans[key].end, json.dumps(values[key])) for key in values])


def edited(text: str, edits: Sequence[Edit]) -> str:
    """Return the text with all edits made; they do not overlap."""
    for start, end, said in sorted(edits, reverse=True):
        text = text[:start] + said + text[end:]
    return text

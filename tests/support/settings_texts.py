"""Settings files of any layout, with what they say, and one edit that a person makes while our entry is in them."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from importer.assistants.wiring import jsonc

SCALARS = [None, True, False, 0, -9, 1.5, "", "x", "//", "/*", '"', "}", "{", "é", "\\", [], [1, "}"], [{"a": 1}]]
KEYS = ["a", "b", "mcpServers", "other", "//", "}", "x y", "conversation"]
LINE_ENDS = ["\n", "\r\n"]


@dataclass
class Slot:
    """One object: its path, where it opens, where its last value ends, and whether it has any."""

    path: tuple[str, ...]
    opens: int
    ends: int = 0
    full: bool = False
    comma: bool = False


@dataclass
class Text:
    """A text as it is written, what it says, and where an edit may be made."""

    text: str = ""
    value: Any = None
    slots: list[Slot] = field(default_factory=list)


def gap(chance: random.Random, end: str, *, comments: bool) -> str:
    """Return blanks and comments that may stand between two signs."""
    some = ["", "", " ", "  ", "\t", end, f"{end}  ", f"{end}\t", f"{end}{end}    "]
    more = ["/* a */", f'// b {{ , ] "{end}', f"{end}  // c{end}  ", "/**/"]
    return chance.choice([*some, *(more if comments else [])])


def _value(chance: random.Random, text: Text, value: Any, path: tuple[str, ...], style: dict[str, Any]) -> None:
    """Write a value at the end of a text."""
    if not isinstance(value, dict):
        text.text += json.dumps(value, ensure_ascii=chance.random() < 0.5)
        return
    slot = Slot(path, len(text.text) + 1)
    text.slots.append(slot)
    text.text += "{"
    for at, (key, one) in enumerate(value.items()):
        text.text += gap(chance, **style) + json.dumps(key) + gap(chance, **style) + ":" + gap(chance, **style)
        _value(chance, text, one, (*path, key), style)
        slot.ends, slot.full = len(text.text), True
        last = at == len(value) - 1
        slot.comma = last and style["comments"] and chance.random() < 0.5
        text.text += gap(chance, **style) + ("" if last and not slot.comma else ",")
    text.text += gap(chance, **style) + "}"


def _drawn(chance: random.Random, depth: int) -> Any:
    """Return a value, an object more often than not near the top."""
    if chance.random() < 0.25 * depth:
        return chance.choice(SCALARS)
    return {key: _drawn(chance, depth + 1) for key in chance.sample(KEYS, chance.randrange(4))}


def _json_text(seed: int) -> Text:
    """Return the settings file of a seed."""
    chance = random.Random(seed)
    value = {key: _drawn(chance, 1) for key in chance.sample(KEYS, chance.randrange(5))}
    if not isinstance(value.get("mcpServers", {}), dict):
        del value["mcpServers"]
    text = Text(chance.choice(["", "\ufeff"]), value)
    style = {"end": chance.choice(LINE_ENDS), "comments": chance.random() < 0.5}
    text.text += gap(chance, **style)
    _value(chance, text, value, (), style)
    text.text += gap(chance, **style)
    return text


def json_texts() -> st.SearchStrategy[Text]:
    """Draw a settings file: JSON, or JSON with comments and trailing commas, with any line ends, a BOM or none."""
    return st.integers(0, 99_999).map(_json_text)  # many draws of Hypothesis' own would take most of the time


def with_member(value: Any, path: Sequence[str], key: str, one: Any) -> Any:
    """Return a value with one more member in the object at a path."""
    changed = copy.deepcopy(value)
    at = changed
    for name in path:
        at = at[name]
    at[key] = one
    return changed


def first_member(slot: Slot, *, full: bool) -> tuple[int, str]:
    """Return where a person adds a member as the first of an object, and what they type."""
    return slot.opens, '"mine": 1' + ("," if full else "")


def last_member(slot: Slot) -> tuple[int, str]:
    """Return the same for the last of an object that has some."""
    return slot.ends, ', "mine": 1'


def put(text: str, at: int, typed: str) -> str:
    """Return a text with something typed at a place."""
    return text[:at] + typed + text[at:]


def objects(node: jsonc.JsonNode) -> list[jsonc.JsonNode]:
    """Return all objects and arrays of a tree."""
    return [node, *(one for part in node.parts if part.value.opens for one in objects(part.value))]


def edited(text: str, seed: int) -> str:
    """Return a text after some edits of a person: members first or last, comments, or all of it written anew."""
    chance = random.Random(seed)
    for number in range(chance.randrange(1, 4)):
        tree = jsonc.tree(text)
        assert tree is not None
        node = chance.choice(objects(tree))
        typed = f'"u{number}": {number}' if node.opens == "{" else str(number)
        kind = chance.choice(["first", "last", "comment", "anew"])
        if kind == "first":
            text = put(text, node.start + 1, typed + ("," if node.parts else ""))
        elif kind == "last" and node.parts:
            text = put(text, node.parts[-1].value.end, f", {typed}")
        elif kind == "comment":
            text = put(text, node.start + 1, chance.choice(["/* n */", "\n// n\n"]))
        elif kind == "anew":
            text = json.dumps(jsonc.value_of(text), indent=chance.choice([None, 2, "\t"]))
    return text


TOML_LINES = [
    "# a comment with [brackets] = and 'quotes'",
    'model = "o" # trailing',
    "nested = { a = [1, 2], b = 'x' }",
    'text = """\n[not.a.table]\nkey = "no"\n"""',
    "list = [\n  1, # one\n  2,\n]",
    "nan = nan",
]
TOML_TABLES = [
    "[a]\nb = 1",
    "  [ c . \"d.e\" ]  # odd\n  f = '''\n]\n'''",
    '[mcp_servers.other]\ncommand = "x"\nargs = ["#", "]"]',
    "[[list_of]]\nx = 1\n\n[[list_of]]\nx = 2",
    '[mcp_servers]\nthird = { command = "y" }',
    '[mcp_servers.other2.env]\nK = "v"',
]


@st.composite
def toml_texts(draw: Callable[..., Any]) -> str:
    """Draw a settings file in TOML, some without a line end at its end."""
    lines = draw(st.lists(st.sampled_from(TOML_LINES), unique=True))
    tables = draw(st.lists(st.sampled_from(TOML_TABLES), unique=True))
    between = draw(st.sampled_from(["\n", "\n\n", "\n\n\n", "\n# c\n"]))
    end = draw(st.sampled_from(LINE_ENDS))
    text = between.join([*lines, *tables]) + draw(st.sampled_from(["", "\n", "\n\n", "\n# last"]))
    return str(draw(st.sampled_from(["", "\ufeff"]))) + text.replace("\n", end)

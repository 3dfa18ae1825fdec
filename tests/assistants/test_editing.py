"""An entry goes into a settings file and out again, and no other byte changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importer.assistants.wiring.editing import Unreadable, parsed, with_entry, without
from importer.errors import UsageError

ENTRY = {"command": "/opt/my tools/importer", "args": ["mcp"]}
ODD = [
    "",
    "\n",
    "{}",
    "{ }\n",
    "{\n}\n",
    '{"mcpServers": {}}',
    '{"mcpServers":{"other":{"command":"x"}},"theme":"dark"}',
    '{\n\t"theme": "dark", // mine\n\t"mcpServers": {\n\t\t/* keep */ "other": { "command": "x" },\n\t},\n}\n',
    '\ufeff{\r\n  "theme": "d\\"}{",\r\n  "mcpServers": {\r\n    "other": {"command": "x"}\r\n  }\r\n}\r\n',
    '{\n    "a": {"mcpServers": {"x": 1}},\n    "mcpServers": {\n    }\n}',
    '// { "mcpServers": {} }\n{"b": ["mcpServers", {"mcpServers": {}}]}',
]


@pytest.mark.parametrize("text", ODD)
def test_json_in_and_out(text: str) -> None:
    """The entry is read back, everything else as before, and out again every byte."""
    changed, inserted = with_entry(text, "json", ("mcpServers",), "conversations", ENTRY)
    assert parsed(changed, "json")["mcpServers"]["conversations"] == ENTRY
    assert without(changed, inserted) == text
    assert with_entry(changed, "json", ("mcpServers",), "conversations", ENTRY) == (changed, "")
    if "\r\n" in text:
        assert changed.count("\n") == changed.count("\r\n")


@pytest.mark.parametrize(
    "text", ["", "# mine\n", 'model = "o"', '[a]\nb = 1\n\n[mcp_servers.x]\ncommand = "y"\n', "a = 1\r\n"]
)
def test_toml_in_and_out(text: str) -> None:
    """A table of its own at the end."""
    changed, inserted = with_entry(text, "toml", ("mcp_servers",), "conversations", ENTRY)
    assert parsed(changed, "toml")["mcp_servers"]["conversations"] == ENTRY
    assert without(changed, inserted) == text
    assert with_entry(changed, "toml", ("mcp_servers",), "conversations", ENTRY) == (changed, "")


@pytest.mark.parametrize("text", ["{", "[1]", '{"mcpServers": 3}', '{"mcpServers": []}', "{'a': 1}", '{"a": "b'])
def test_what_is_not_understood_is_left(text: str) -> None:
    """A broken file, or one of another form, is not touched."""
    with pytest.raises(Unreadable):
        with_entry(text, "json", ("mcpServers",), "conversations", ENTRY)


def test_an_inline_table_is_left() -> None:
    """TOML does not let it be added to."""
    with pytest.raises(Unreadable):
        with_entry('mcp_servers = {x = {command = "y"}}\n', "toml", ("mcp_servers",), "conversations", ENTRY)


def test_another_server_of_the_name_stays() -> None:
    """It is the user's own: told, and not written over."""
    with pytest.raises(UsageError):
        with_entry(
            '{"mcpServers": {"conversations": {"command": "x"}}}', "json", ("mcpServers",), "conversations", ENTRY
        )


def test_edited_since() -> None:
    """What a person changed around the entry stays; an entry that was changed itself is not guessed at."""
    changed, inserted = with_entry('{"a": 1}', "json", ("mcpServers",), "conversations", ENTRY)
    assert without(changed.replace('"a": 1', '"a": 2'), inserted) == '{"a": 2}'
    assert without(changed.replace("importer", "other"), inserted) is None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "mcpServers", "{", '"', "x/*"]), inner)
    ),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # a busy machine is no fault
@given(st.dictionaries(st.sampled_from(["a", "mcpServers", "//", "}"]), values), st.sampled_from([None, 1, 2, "\t"]))
def test_any_json(value: dict[str, Any], indent: Any) -> None:
    """In any layout: either out again byte for byte, or left alone."""
    text = json.dumps(value, indent=indent)
    try:
        changed, inserted = with_entry(text, "json", ("mcpServers",), "conversations", ENTRY)
    except Unreadable:
        assert not isinstance(value.get("mcpServers", {}), dict)
        return
    assert json.loads(changed) == {**value, "mcpServers": {**value.get("mcpServers", {}), "conversations": ENTRY}}
    assert without(changed, inserted) == text

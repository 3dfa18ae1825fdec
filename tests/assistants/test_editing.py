"""An entry goes into a settings file and out again, and no other byte changes, also if a person edits it meanwhile."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import pytest
import settings_texts as texts
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from importer.assistants.wiring import hook
from importer.assistants.wiring.editing import parsed, renewed, with_entry, without
from importer.assistants.wiring.jsonc import UnreadableSettings, is_strict, trailing_commas
from importer.assistants.wiring.spot import EntrySpot, is_hook
from importer.errors import UsageError

ENTRY = {"command": "/opt/my tools/importer", "args": ["mcp"]}
JSON = EntrySpot("json", ("mcpServers",), "conversations")
TOML = EntrySpot("toml", ("mcp_servers",), "conversations")
YAML = EntrySpot("yaml", ("extensions",), "conversations")
HOOK = EntrySpot("json", ("hooks", "SessionStart"), "", is_hook)
BUSY = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=100)  # no fault of a machine
ODD = [
    "",
    "\n",
    "// only a comment",
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
    changed, inserted = with_entry(text, JSON, ENTRY)
    assert parsed(changed, "json")["mcpServers"]["conversations"] == ENTRY
    assert without(changed, JSON, inserted) == text
    assert with_entry(changed, JSON, ENTRY) == (changed, "")
    if "\r\n" in text:
        assert changed.count("\n") == changed.count("\r\n")


@pytest.mark.parametrize("text", ["{", "[1]", '{"mcpServers": 3}', '{"mcpServers": []}', "{'a': 1}", '{"a": "b', "{,}"])
def test_what_is_not_understood_is_left(text: str) -> None:
    """A broken file, or one of another form, is not touched."""
    with pytest.raises(UnreadableSettings):
        with_entry(text, JSON, ENTRY)


def test_an_inline_table_is_left() -> None:
    """TOML does not let it be added to."""
    with pytest.raises(UnreadableSettings):
        with_entry('mcp_servers = {x = {command = "y"}}\n', TOML, ENTRY)


def test_another_server_of_the_name_stays() -> None:
    """It is the user's own: told, and not written over."""
    with pytest.raises(UsageError):
        with_entry('{"mcpServers": {"conversations": {"command": "x"}}}', JSON, ENTRY)


def test_a_server_added_behind_ours() -> None:
    """In an object that was empty, ours has no comma of its own."""
    changed, inserted = with_entry('{"mcpServers": {}}', JSON, ENTRY)
    edited = re.sub(r"\}\s*\}\}$", '}, "other": {"command": "x"}}}', changed)
    rest = without(edited, JSON, inserted)
    assert rest is not None and json.loads(rest) == {"mcpServers": {"other": {"command": "x"}}}


@pytest.mark.parametrize("end", ["}", ',"x": 1}', ',"x": 1,}', ",}"])
@pytest.mark.parametrize("before", ["", '"y": 2, // z', '"y": 2,\n// z', "// z", "/* z */"])
def test_comments_around_ours(before: str, end: str) -> None:
    """A comment before our entry stays one: what follows does not end up in it."""
    text = f'{{"mcpServers": {{{before}\n "conversations": {{"command": "/a/importer", "args": ["mcp"]}} // w\n{end}}}'
    rest = without(text, JSON)
    assert rest is not None and "// w" in rest and ("z" in rest) == ("z" in before)
    wanted = {key: value for key, value in (("y", 2), ("x", 1)) if f'"{key}"' in text}
    assert parsed(rest, "json") == {"mcpServers": wanted}


def test_added_to_by_a_person_or_the_assistant() -> None:
    """What was added to our entry goes with it: it is a part of the server that is taken out."""
    changed, inserted = with_entry('{"a": 1}', JSON, ENTRY)
    more = changed.replace('"args"', '"alwaysAllow": ["x"], "args"')
    assert without(more, JSON, inserted) == '{"a": 1}'
    changed, inserted = with_entry("[a]\nb = 1\n", TOML, ENTRY)
    more = changed + 'startup_timeout_sec = 9\n# mine\n\n[mcp_servers.conversations.env]\nA = "b"\n\n[z]\ny = 2\n'
    rest = without(more, TOML, inserted)
    assert rest is not None and tomllib.loads(rest) == {"a": {"b": 1}, "z": {"y": 2}} and "# mine" in rest


@BUSY
@given(texts.json_texts())
def test_any_json(text: texts.Text) -> None:
    """In any layout: in, and out again byte for byte; strict JSON stays strict."""
    changed, inserted = with_entry(text.text, JSON, ENTRY)
    wanted = {**text.value, "mcpServers": {**text.value.get("mcpServers", {}), "conversations": ENTRY}}
    assert parsed(changed, "json") == wanted
    assert is_strict(changed) == is_strict(text.text)
    assert without(changed, JSON, inserted) == text.text


@BUSY
@given(texts.json_texts(), st.data())
def test_any_edit_of_json(text: texts.Text, data: st.DataObject) -> None:
    """A person adds a member anywhere: afterwards the file is the person's edit of what it was.

    Where that edit stands beside ours, in an object that ours alone was in, it says so, and its form stays valid.
    """
    changed, inserted = with_entry(text.text, JSON, ENTRY)
    at = next(
        n for n in range(len(changed)) if without(changed, JSON, inserted) == changed[:n] + changed[n + len(inserted) :]
    )
    slot = data.draw(st.sampled_from(text.slots))
    assume("mine" not in str(text.value))
    if slot.full and data.draw(st.booleans()):
        place, typed = texts.last_member(slot)
        edited, expected = (
            texts.put(changed, place + (len(inserted) if place > at else 0), typed),
            texts.put(text.text, place, typed),
        )
    elif slot.opens != at:
        place, typed = texts.first_member(slot, full=slot.full)
        edited, expected = (
            texts.put(changed, place + (len(inserted) if place > at else 0), typed),
            texts.put(text.text, place, typed),
        )
    else:  # beside ours
        behind = data.draw(st.booleans())
        typed = '"mine": 1, ' if not behind else ' "mine": 1,' if slot.full else ', "mine": 1'
        edited = texts.put(changed, at + len(inserted.rstrip()) if behind else at, typed)
        expected = ""
    rest = without(edited, JSON, inserted)
    assert rest is not None
    assert parsed(rest, "json") == texts.with_member(text.value, slot.path, "mine", 1)
    assert is_strict(rest) >= is_strict(edited)
    if expected:
        assert rest == expected
    assert re.findall(r"/\*.*?\*/", rest) == re.findall(r"/\*.*?\*/", edited)


@BUSY
@given(texts.json_texts(), st.integers(0, 99_999), st.booleans())
def test_many_edits_of_json(text: texts.Text, seed: int, noted: bool) -> None:
    """After several edits anywhere, with a note or without: what was said but our entry, in no laxer form."""
    changed, inserted = with_entry(text.text, JSON, ENTRY)
    edited = texts.edited(changed, seed)
    read = parsed(edited, "json")
    rest = without(edited, JSON, inserted if noted else "")
    assert rest is not None
    assert JSON.entry_in(parsed(rest, "json")) is None
    assert JSON.taken_from(parsed(rest, "json")) == JSON.taken_from(read)
    assert trailing_commas(rest) <= trailing_commas(edited)


@BUSY
@given(texts.json_texts(), st.sampled_from([None, 1, 2, 4, "\t"]), st.booleans(), st.booleans())
def test_written_anew_by_the_assistant(text: texts.Text, indent: Any, ordered: bool, more: bool) -> None:
    """In another order and layout, the file is then what the assistant would have written without us."""
    changed, inserted = with_entry(text.text, JSON, ENTRY)
    value = parsed(changed, "json")
    if more:
        value["mcpServers"]["other9"] = {"command": "x"}
    said = json.dumps(value, indent=indent, sort_keys=ordered)
    rest = without(said, JSON, inserted)
    wanted = dict(value, mcpServers={key: one for key, one in value["mcpServers"].items() if key != "conversations"})
    if "mcpServers" not in text.value and not more:
        del wanted["mcpServers"]
    assert rest is not None
    said = json.dumps(wanted, indent=indent, sort_keys=ordered)
    assert rest == text.text or re.sub(r"\{\s+\}", "{}", rest) == said  # an empty object may be on two lines


@BUSY
@given(
    texts.toml_texts(), st.sampled_from(["", "key = 1\n", "\n[zz]\nk = 1\n", "[zz]\nk = 1", "# end", "\n# end\n[zz]\n"])
)
def test_any_toml(text: str, added: str) -> None:
    """A table of its own at the end; what a person adds behind it stays what it says, or goes as a part of ours."""
    try:
        before = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError:
        assume(False)
    changed, inserted = with_entry(text, TOML, ENTRY)
    assert without(changed, TOML, inserted) == text
    if "\r\n" in text:
        added = added.replace("\n", "\r\n")
        assert changed.count("\n") == changed.count("\r\n")
    rest = without(changed + added, TOML, inserted)
    assert rest is not None
    wanted = {**before, "zz": {"k": 1} if "k = 1" in added else {}} if "zz" in added else before
    assert repr(sorted(tomllib.loads(rest.removeprefix("\ufeff")).items())) == repr(sorted(wanted.items()))
    assert rest.count("#") == (text + added).count("#")
    mended = without(changed + added, TOML, "")  # without a note of what was inserted
    assert mended is not None and repr(tomllib.loads(mended.removeprefix("\ufeff"))) == repr(
        tomllib.loads(rest.removeprefix("\ufeff"))
    )


@pytest.mark.parametrize(
    "text",
    [
        '[mcp_servers]\nx = 1\nconversations = { command = "/a/importer", args = ["mcp"] }\n',
        'mcp_servers.conversations.command = "/a/importer"\nmcp_servers.conversations.args = ["mcp"]\nb = 1\n',
        '[mcp_servers."conversations"]\ncommand = "/a/importer"\nargs = [\n  "mcp", # x\n]\n[b]\n',
    ],
)
def test_other_forms_of_toml(text: str) -> None:
    """Ours as a person or another program may write it."""
    rest = without(text, TOML)
    before = tomllib.loads(text)
    del before["mcp_servers"]["conversations"]
    assert rest is not None
    left = tomllib.loads(rest)
    assert {**left, "mcp_servers": left.get("mcp_servers", {})} == before


@pytest.mark.parametrize(
    ("text", "spot"), [("extensions:\n- a\n", YAML), ("mcp_servers = 3\n", TOML), ('{"mcpServers": 3}', JSON)]
)
def test_what_is_in_the_way_is_said(text: str, spot: EntrySpot) -> None:
    """A file that can be read is not called broken because our entry would not fit."""
    with pytest.raises(UnreadableSettings, match=f"its {spot.member[0]} is no object"):
        with_entry(text, spot, ENTRY)


@pytest.mark.parametrize(
    "text", ["", "{}", '{"hooks": {}}', '{"hooks": {"SessionStart": []}}', '{"a": 1, "hooks": {"Stop": []}}']
)
def test_an_element_of_an_array(text: str) -> None:
    """A hook is one of several; those of others stay, and it is known by its program."""
    entry = hook.entry(["/a b/importer", "--state-dir", "/s", "mcp"])
    changed, inserted = with_entry(text, HOOK, entry)
    assert HOOK.entry_in(parsed(changed, "json")) == entry and with_entry(changed, HOOK, entry)[1] == ""
    assert without(changed, HOOK, inserted) == text
    read = parsed(changed, "json")
    read["hooks"]["SessionStart"].append({"hooks": [{"type": "command", "command": "echo importer hook"}]})
    rest = without(json.dumps(read), HOOK, inserted)
    assert rest is not None and len(json.loads(rest)["hooks"]["SessionStart"]) == 1


@pytest.mark.parametrize(("text", "spot"), [('{"a": 1}', JSON), ("a = 1\n", TOML), ("a: 1\n", YAML)])
def test_an_old_path_is_renewed(text: str, spot: EntrySpot) -> None:
    """Where it was not touched, byte for byte as if it were new; else its words alone, and out again by structure."""
    old, inserted = with_entry(text, spot, ENTRY)
    now = {"command": "/new/importer", "args": ["--state-dir", "/s", "mcp"]}
    fresh = with_entry(text, spot, now)
    assert renewed(old, spot, now, inserted) == fresh
    more = old.replace("my tools", "other tools")
    changed, noted = renewed(more, spot, now, inserted)
    assert spot.entry_in(parsed(changed, spot.kind)) == now
    assert without(changed, spot, noted) is not None
    assert parsed(without(changed, spot, noted) or "", spot.kind) == {"a": 1}


def test_a_person_s_switch_stays() -> None:
    """What was added to an entry stays when its program is renewed."""
    text = '{"mcpServers": {"conversations": {"command": "/old/importer", "args": ["mcp"], "disabled": true}}}'
    changed, _ = renewed(text, JSON, {"command": "/new/importer", "args": ["mcp"]})
    assert changed == text.replace("/old", "/new")


def test_a_large_file_takes_no_time() -> None:
    """Assistants keep megabytes of history beside their servers."""
    text = json.dumps({"history": ["x" * 100] * 8_000, "mcpServers": {"other": {}}}, indent=2)
    changed, inserted = with_entry(text, JSON, ENTRY)
    assert without(changed, JSON, inserted) == text

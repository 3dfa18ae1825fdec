"""What is known of an exchange stays small, and says only what was known at its last text."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from turn_builders import turn

from importer.chunking.metadata import (
    MAX_FILES,
    MAX_TOOLS,
    About,
    add_facts,
    add_text,
    begin,
    metadata,
    short,
    tidy,
)
from importer.protocol.projects import last_part
from importer.protocol.records import Facts

ANY = st.text(alphabet=st.characters(), max_size=80)  # lone surrogates and control characters included


def test_tools_and_files_are_unique_in_order_and_bounded() -> None:
    """The first ones are kept; later ones find no room."""
    many = tuple(f"T{number}" for number in range(100))
    about = add_facts(add_facts(About(), Facts(tools=("B", "A", "B"))), Facts(tools=("A", *many), files=many))
    assert about.tools == ("B", "A", *many)[:MAX_TOOLS]
    assert about.files == many[:MAX_FILES]


def test_what_is_known_already_makes_no_new_object() -> None:
    """Most turns use a tool that was used before."""
    about = add_facts(About(), Facts(tools=("A",), files=("/f",)))
    assert add_facts(about, Facts(tools=("A",), files=("/f",))) is about
    assert add_facts(about, Facts()) is about


def test_what_was_heard_counts_with_the_next_text() -> None:
    """Tools used after the last text are no metadata before the next text comes."""
    heard = add_facts(About(), Facts(tools=("A",), files=("/f",)))
    assert "tools" not in metadata(heard, "c", 0, "s", "h")
    known = metadata(add_text(heard, turn(1, tools=("B",))), "c", 0, "s", "h")
    assert (known["tools"], known["files"]) == (["A", "B"], ["/f"])


def test_the_newest_fact_counts_and_none_is_lost() -> None:
    """A turn that does not know the title leaves it."""
    about = add_text(add_text(About(), turn(1, title="Old", cwd="/a")), turn(2, cwd="/b"))
    assert (about.title, about.cwd, about.at) == ("Old", "/b", turn(2).at)


def test_an_exchange_begins_with_what_holds_for_the_conversation() -> None:
    """Project, title, folder and branch stay; model, tools and time are its own."""
    former = add_text(About(), turn(1, project="/p", title="T", model="m", tools=("A",)))
    begun = begin(former, turn(2))
    assert (begun.project, begun.title, begun.model, begun.at, begun.tools) == ("/p", "T", "", "", ())
    assert begin(former, turn(2), keep_heard=True).tools == ("A",)


@settings(deadline=None)
@given(ANY, st.integers(8, 64))
def test_tidy_text_fits_its_json(text: str, limit_bytes: int) -> None:
    """No control character, nothing that cannot be encoded, and what fits is left as it is."""
    tidied = tidy(text, limit_bytes)
    assert len(msgspec.json.encode(tidied)) < limit_bytes
    assert tidy(tidied, limit_bytes) == tidied
    if text.isprintable() and len(msgspec.json.encode(text)) < limit_bytes:
        assert tidied == text


@settings(deadline=None)
@given(ANY, ANY)
def test_short_identifiers_stay_apart(one: str, other: str) -> None:
    """Two identifiers are never shortened to the same one."""
    assert (short(one * 9) == short(other * 9)) == (one == other)
    assert len(msgspec.json.encode(short(one * 9))) <= 128


@pytest.mark.parametrize(
    ("path", "name"),
    [("/home/ann/app", "app"), ("C:\\work\\app\\", "app"), ("/app/", "app"), ("app", "app"), ("/", "/"), ("", "")],
)
def test_the_last_part_of_a_path(path: str, name: str) -> None:
    """Both kinds of slashes divide a path."""
    assert last_part(path) == name

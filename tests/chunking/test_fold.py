"""The fold of a file: which turns count, what is given out when, and how little it remembers."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from turn_builders import EXCHANGE, ORIGIN, SMALL, fold, turn

from importer.chunking.fold import MAX_STREAMS, RING_KEYS, Cutting, Folding, Stream, feed, open_ids, restart, surface
from importer.chunking.split import Rest
from importer.protocol.records import Release, Turn


def test_an_exchange_that_closes_unchanged_is_embedded_once() -> None:
    """Closing gives the same id and the same metadata, and releases nothing."""
    folding, opened, _ = fold(Folding(), EXCHANGE)
    step = feed(folding, turn(4, text="Next."), SMALL, ORIGIN)
    assert [replace(chunk, holder="") for chunk in opened] == list(step.chunks)
    assert step.releases == ()


def test_what_stands_open_is_held_by_its_conversation() -> None:
    """The open chunk goes out once per form; growing lets go of the former one."""
    folding, (first,), _ = fold(Folding(), EXCHANGE[:2])
    assert (first.holder, open_ids(folding)) == ("c#", (first.id,))
    assert surface(folding, SMALL, ORIGIN).chunks == ()
    _, (second,), releases = fold(folding, EXCHANGE[2:])
    assert second.text == "Why does it fail?\n\nLet me look.\n\nFixed."
    assert releases == (Release(first.id, "c#"),)


def test_metadata_names_what_is_known() -> None:
    """Names and values of a full one; project_name works for both kinds of slashes; nothing empty."""
    facts = {"project": "C:\\work\\app", "cwd": "/w", "git_branch": "main", "model": "m", "agent": "a", "title": "T"}
    _, (chunk,), _ = fold(Folding(), [turn(1, **facts)])
    assert chunk.metadata == {
        **facts,
        **{"source": "claude-code", "host": "host", "kind": "exchange", "project_name": "app", "chunk": 0},
        **{"conversation_id": "c", "message_id": "t1", "timestamp": "2026-01-01T00:00:01Z"},
        **{"roles": ["user"], "asked_chars": len(chunk.text)},
    }


def test_a_chunk_tells_who_speaks_in_it() -> None:
    """A prompt is a person's, its answers an assistant's, as are a subagent's orders and a summary."""
    _, (whole,), _ = fold(Folding(), EXCHANGE)
    assert (whole.metadata["roles"], whole.text[: whole.metadata["asked_chars"]]) == (
        ["user", "assistant"],
        "Why does it fail?",
    )
    for kind in ("subagent", "summary"):
        _, (alone,), _ = fold(Folding(), [turn(9, text="We did much.", kind=kind)])
        assert (alone.metadata["roles"], alone.metadata["asked_chars"]) == (["assistant"], 0)


def test_an_exchange_of_an_older_checkpoint_does_not_tell_who_speaks() -> None:
    """Where the prompt ends was not remembered: it is unknown until the next prompt, and never guessed."""
    folding, _, _ = fold(Folding(), EXCHANGE[:2])
    (stream,) = folding.streams
    older = msgspec.structs.replace(folding, streams=(msgspec.structs.replace(stream, rest=Rest(stream.rest.text)),))
    _, (grown,), _ = fold(older, EXCHANGE[2:])
    assert "roles" not in grown.metadata
    _, chunks, _ = fold(older, [turn(4, text="Next.")])
    assert [chunk.metadata.get("roles") for chunk in chunks] == [None, ["user"]]


def test_tools_count_from_the_next_text_on() -> None:
    """A turn without text changes no metadata by itself, or an open chunk would differ from its closed form."""
    silent = turn(2, "assistant", "", tools=("Bash",), files=("/a", "/b"))
    folding, (before,), _ = fold(Folding(), [EXCHANGE[0], silent])
    _, (after,), _ = fold(folding, [EXCHANGE[2]])
    assert "tools" not in before.metadata
    assert (after.metadata["tools"], after.metadata["files"]) == (["Bash"], ["/a", "/b"])


def test_a_summary_stands_by_itself() -> None:
    """It is closed at once, whole, and the exchange around it goes on as if it were not there."""
    summary = turn(9, text="We did much. " * 30, kind="summary")
    _, chunks, _ = fold(Folding(), [*EXCHANGE[:2], summary, *EXCHANGE[2:]])
    kinds = [chunk.metadata["kind"] for chunk in chunks]
    assert kinds == ["summary"] * (len(chunks) - 1) + ["exchange"]
    assert all(not chunk.holder for chunk in chunks[:-1])
    assert chunks[-1].text == "Why does it fail?\n\nLet me look.\n\nFixed."


def test_a_fifth_conversation_closes_the_one_fed_least_recently() -> None:
    """Nothing of it is lost: its text is closed as it stands, whether or not it was given out."""
    said = [turn(number, conversation=f"c{number}") for number in range(MAX_STREAMS + 1)]
    folding, chunks, _ = fold(Folding(), said)
    assert len(folding.streams) == MAX_STREAMS
    assert [chunk.metadata["conversation_id"] for chunk in chunks if not chunk.holder] == ["c0"]


def test_the_ring_forgets_the_oldest_key() -> None:
    """A turn is known for as long as its key is among the last ones, in its own conversation only."""
    folding = Folding()
    for number in range(RING_KEYS):
        folding = feed(folding, turn(number), SMALL, ORIGIN).folding
    assert not feed(folding, turn(0), SMALL, ORIGIN).accepted
    assert feed(folding, turn(0, conversation="other"), SMALL, ORIGIN).accepted
    folding = feed(folding, turn(RING_KEYS), SMALL, ORIGIN).folding
    assert feed(folding, turn(0), SMALL, ORIGIN).accepted


def test_silent_turns_with_one_key_are_told_apart_by_what_they_carry() -> None:
    """Formats hash the text, so those without any may share a key."""
    first, second = (Turn("c", "t", "assistant", "", "", "key", turn(1, tools=(name,)).facts) for name in ("A", "B"))
    folding = feed(Folding(), first, SMALL, ORIGIN).folding
    assert feed(folding, second, SMALL, ORIGIN).accepted
    assert not feed(folding, first, SMALL, ORIGIN).accepted


def test_a_smaller_size_cuts_what_stands_open() -> None:
    """The open chunk is never longer than a piece, also after a change of the settings."""
    folding, (whole,), _ = fold(Folding(), [turn(1, text="Word soup. " * 40)], cutting=Cutting())
    _, chunks, releases = fold(folding, [], cutting=SMALL)
    assert all(len(chunk.text) <= SMALL.size_chars for chunk in chunks)
    assert releases == (Release(whole.id, "c#"),)


EVIL = st.sampled_from(["\0", "\x1b", '"', "\\", "\ud800", "😀", "\U000e0001", "ÿ"])


@settings(deadline=None, max_examples=20)
@given(EVIL, EVIL, st.integers(1, 6))
def test_the_folding_stays_small(one: str, other: str, conversations: int) -> None:
    """Below 16 KiB of JSON at the default size, for any texts, tools and names."""
    long = dict.fromkeys(("project", "title", "cwd", "git_branch", "model", "agent"), other * 3000)
    folding = Folding(mark="m" * 16)
    for number in range(24):
        many = tuple(f"{number} {at}{other * 90}" for at in range(40))
        said = turn(number, "user", f"a{one * 2600}", (other + one) * 600 + str(number % conversations), **long)
        for each in (said, replace(said, role="assistant", text="", facts=replace(said.facts, tools=many, files=many))):
            folding = feed(folding, each, Cutting(), ORIGIN).folding
        folding = surface(folding, Cutting(), ORIGIN).folding
        folding = restart(folding) if number == 12 else folding
        assert len(msgspec.json.encode(folding)) < 16 * 1024


def test_what_is_remembered_does_not_depend_on_what_was_given_out() -> None:
    """Large conversations make room by size; having surfaced one must not be what makes it too large."""
    files = tuple(f"/{number}{'f' * 50}" for number in range(40))
    left = []
    for chars in range(0, 2000, 20):
        said = [
            turn(1, conversation="one", files=files, cwd="/c" * 200, project="/p" * 200),
            turn(2, conversation="two", files=files, cwd="/c" * 200, project="/p" * 200),
            turn(3, conversation="three", files=files[: chars // 50], cwd="/c" * 200, title="t" * (chars % 50)),
        ]
        kept = {len(told_streams(said, surfacing)) for surfacing in (False, True)}
        assert len(kept) == 1
        left.append(kept.pop())
    assert {2, 3} == set(left)


def told_streams(said: list[Turn], surfacing: bool) -> tuple[Stream, ...]:
    """Return what is remembered at the end, with or without giving out the open chunk after each turn."""
    folding = Folding()
    for one in said:
        folding = feed(folding, one, SMALL, ORIGIN).folding
        folding = surface(folding, SMALL, ORIGIN).folding if surfacing else folding
    return folding.streams


@pytest.mark.parametrize("text", ["", " \n\t ", "\u200b", "\0\x1b"])
def test_a_text_nobody_can_see_is_none(text: str) -> None:
    """A text without visible characters gives no chunk."""
    folding, chunks, _ = fold(Folding(), [turn(1, text=text)])
    assert (folding.streams, chunks) == ((), ())


def test_lone_surrogates_are_replaced() -> None:
    """Ids and JSON need text that can be encoded."""
    broken = replace(turn(1, title="\udfff"), text="a\ud800b", key="k\ud800")
    _, (chunk,), _ = fold(Folding(), [broken])
    assert (chunk.text, chunk.metadata["title"]) == ("a?b", "\ufffd")

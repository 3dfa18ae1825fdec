"""A person's prompt and the texts that answer it become pieces that say what they belong to."""

from __future__ import annotations

from msgspec.structs import replace
from turn_builders import ORIGIN, SMALL, turn

from importer.chunking.exchange import Grown, Stream, close, fit, open_chunk, said, standalone
from importer.chunking.ids import chunk_id
from importer.chunking.metadata import add_facts
from importer.chunking.split import Cutting
from importer.protocol.records import Chunk, Turn

NEW = Stream("c")
PROMPT, ANSWER = turn(1, text="Why does it fail?\nSee below."), turn(2, "assistant", "Because.")


def grow(stream: Stream, *turns: Turn) -> Grown:
    """Return the stream after these turns, all chunks they closed, and the form the last one outgrew."""
    chunks: tuple[Chunk, ...] = ()
    grown = Grown(stream, ())
    for one in turns:
        grown = said(grown.stream, one, one.text, SMALL, ORIGIN)
        chunks += grown.chunks
    return grown._replace(chunks=chunks)


def listen(stream: Stream, heard: Turn) -> Stream:
    """Return the stream after a turn without text."""
    return replace(stream, about=add_facts(stream.about, heard.facts))


def test_a_prompt_and_its_answers_stand_in_one_chunk() -> None:
    """Texts are joined by a blank line, under the id of the exchange's first turn."""
    stream, chunks, _ = grow(NEW, PROMPT, ANSWER)
    there = open_chunk(stream, "c", ORIGIN)
    assert (there.text, chunks) == ("Why does it fail?\nSee below.\n\nBecause.", ())
    assert there.id == chunk_id("claude-code", PROMPT.key, 0, there.text)
    assert there.metadata["message_id"] == PROMPT.turn_id


def test_the_next_prompt_closes_the_exchange() -> None:
    """It is closed under the id it had while open; the next one has an anchor of its own."""
    before = grow(NEW, PROMPT, ANSWER).stream
    stream, chunks, outgrown = grow(before, turn(3, text="Next."))
    assert chunks == close(before, ORIGIN) == (open_chunk(before, "", ORIGIN),)
    assert (stream.anchor, stream.rest.text, stream.ordinal, outgrown) == (turn(3, text="Next.").key, "Next.", 0, "")


def test_an_answer_before_any_prompt_begins_an_exchange() -> None:
    """Tools used before it belong to it; there is no prompt to repeat."""
    waiting = listen(NEW, turn(1, tools=("Read",)))
    stream, chunks, _ = grow(waiting, turn(2, "assistant", "word " * 40))
    assert all(chunk.metadata["tools"] == ["Read"] for chunk in chunks)
    assert (stream.prompt, stream.anchor) == ("", turn(2, "assistant", "word " * 40).key)


def test_tools_of_an_exchange_end_with_it() -> None:
    """The next prompt begins with none."""
    busy = listen(grow(NEW, PROMPT).stream, turn(2, tools=("Bash",)))
    stream, (closed,), _ = grow(busy, ANSWER, turn(4, text="Next."))
    assert closed.metadata["tools"] == ["Bash"]
    assert "tools" not in open_chunk(stream, "", ORIGIN).metadata


def test_growing_outgrows_the_open_form() -> None:
    """The id of the former form is named, so that it can be released."""
    before = grow(NEW, PROMPT).stream
    assert grow(before, ANSWER).outgrown == open_chunk(before, "", ORIGIN).id


def test_a_cut_before_the_newest_text_closes_what_stood_there() -> None:
    """Unchanged, so nothing is outgrown: its time is the former turn's, that of what follows the newest one's."""
    long = turn(2, "assistant", "x" * 100)
    before = grow(NEW, turn(1, text=("Why? " * 15).strip())).stream
    stream, chunks, outgrown = grow(before, long)
    assert (chunks[0], outgrown) == (open_chunk(before, "", ORIGIN), "")
    assert [chunk.metadata["timestamp"] for chunk in chunks[1:]] == [long.at] * (len(chunks) - 1)
    assert open_chunk(stream, "", ORIGIN).metadata["chunk"] == len(chunks)


def test_continuations_say_what_they_answer() -> None:
    """Each piece after the first begins with the prompt's first line, once."""
    _, chunks, _ = grow(NEW, PROMPT, turn(2, "assistant", "word " * 80))
    assert len(chunks) > 3
    assert all(chunk.text.startswith("Why does it fail?\n") for chunk in chunks)
    assert all(chunk.text.count("Why does it fail?") == 1 for chunk in chunks)


def test_a_standalone_text_is_closed_whole() -> None:
    """All its pieces are closed, numbered from 0."""
    chunks = standalone(turn(1, kind="summary"), "We did much. " * 29 + "The end.", SMALL, ORIGIN)
    assert [chunk.metadata["chunk"] for chunk in chunks] == list(range(len(chunks)))
    assert chunks[-1].text.endswith("The end.")
    assert {(chunk.metadata["kind"], chunk.holder) for chunk in chunks} == {("summary", "")}


def test_fitting_changes_nothing_that_fits() -> None:
    """A text that is too long is cut, and the form that is no more is named."""
    stream = said(NEW, PROMPT, "Word soup. " * 39 + "End.", Cutting(), ORIGIN).stream
    assert fit(stream, Cutting(), ORIGIN) == Grown(stream, ())
    fitted = fit(stream, SMALL, ORIGIN)
    assert fitted.outgrown == open_chunk(stream, "", ORIGIN).id
    assert len(fitted.stream.rest.text) <= SMALL.size_chars

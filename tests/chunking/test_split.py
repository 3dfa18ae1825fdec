"""Texts are cut where a reader would cut them, and no character is lost."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from turn_builders import TEXTS

from importer.chunking.split import SMALLEST_CHARS, Cutting, Piece, Rest, append, first_line, plain
from importer.errors import UsageError

PATIENT = settings(deadline=None, max_examples=150)
CUTTINGS = st.integers(SMALLEST_CHARS, 300).flatmap(
    lambda size: st.integers(0, size // 2).map(lambda overlap: Cutting(size, overlap))
)
SPOKEN = (TEXTS | st.text(max_size=900)).map(plain).filter(bool)
PROMPTS = st.sampled_from(["", "Why?", "p" * 200])
PLAIN = Cutting(SMALLEST_CHARS, 0)


def pieces_of(text: str, cutting: Cutting = PLAIN, prompt: str = "") -> list[str]:
    """Return the documents of a text, the rest included."""
    pieces, rest = append(Rest(), text, prompt, cutting)
    return [piece.document for piece in pieces] + [rest.text]


def told(texts: list[str], prompt: str, cutting: Cutting) -> tuple[list[Piece], Rest]:
    """Join all texts of an exchange."""
    pieces: list[Piece] = []
    rest = Rest()
    for text in texts:
        more, rest = append(rest, text, prompt, cutting)
        pieces += more
    return pieces, rest


@PATIENT
@given(st.lists(SPOKEN, min_size=1, max_size=4), PROMPTS, CUTTINGS)
def test_no_character_is_lost(texts: list[str], prompt: str, cutting: Cutting) -> None:
    """The new parts of all pieces, one after the other, are the texts with a blank line between them."""
    pieces, rest = told(texts, prompt, cutting)
    assert "".join(piece.new for piece in pieces) + rest.text[rest.lead_chars :] == "\n\n".join(texts)


@PATIENT
@given(st.lists(SPOKEN, min_size=1, max_size=4), PROMPTS, CUTTINGS)
@example(["x" * 5000], "p" * 200, Cutting(SMALLEST_CHARS, SMALLEST_CHARS // 2))
def test_every_document_fits_and_says_something_new(texts: list[str], prompt: str, cutting: Cutting) -> None:
    """Not longer than the size, without outer whitespace, and its new part stands in it."""
    pieces, rest = told(texts, prompt, cutting)
    for piece in pieces:
        assert 0 < len(piece.document) <= cutting.size_chars
        assert piece.document == piece.document.strip()
        assert piece.document.endswith(piece.new.strip())
        assert piece.new.strip()
    assert len(rest.text) <= cutting.size_chars
    assert rest.text[rest.lead_chars :].strip()


@PATIENT
@given(SPOKEN, SPOKEN, PROMPTS, CUTTINGS)
def test_a_piece_that_is_not_fresh_is_what_stood_there(first: str, second: str, prompt: str, cutting: Cutting) -> None:
    """A cut never falls inside what was said before, so metadata of a closed chunk is that of its newest text."""
    _, rest = append(Rest(), first, prompt, cutting)
    pieces, _ = append(rest, second, prompt, cutting)
    assert [piece.document for piece in pieces if not piece.fresh] in ([], [rest.text])
    assert all(piece.fresh for piece in pieces[1:])


@PATIENT
@given(SPOKEN, PROMPTS, CUTTINGS)
def test_continuations_begin_with_the_prompt_and_the_tail(text: str, prompt: str, cutting: Cutting) -> None:
    """The lead is the prompt's line and at most the overlap, which is the end of the piece before."""
    pieces, rest = append(Rest(), text, prompt, cutting)
    if pieces:
        line, overlap = (
            rest.text[: rest.prompt_chars].rstrip("\n"),
            rest.text[rest.prompt_chars : rest.lead_chars].strip(),
        )
        assert prompt.startswith(line)
        assert len(line) <= cutting.prompt_chars
        assert len(overlap) <= cutting.overlap_chars
        assert pieces[-1].document.endswith(overlap)


SENTENCE = "It is so. "
WHERE = [
    ("paragraph", SENTENCE * 7 + "\n\n" + SENTENCE * 9, SENTENCE * 7),
    ("paragraph that ends exactly at the size", "x" * 100 + "\n\ny", "x" * 100),
    ("before an opening fence", SENTENCE * 7 + "\n```py\n" + "code = 1\n" * 9 + "```", SENTENCE * 7),
    (
        "after a closing fence",
        "```\n" + "code = 1\n\n" * 7 + "```\n" + SENTENCE * 9,
        "```\n" + "code = 1\n\n" * 7 + "```",
    ),
    ("blank line inside of code when there is no other", "```\n" + "code = 1\n\n" * 20, "```\n" + "code = 1\n\n" * 9),
    ("line", (SENTENCE * 7 + "and\n" + SENTENCE * 9), SENTENCE * 7 + "and"),
    ("sentence", "word " * 14 + 'said "So." ' + "word " * 30, "word " * 14 + 'said "So."'),
    ("full-width sentence", "字" * 70 + "。" + "字" * 70, "字" * 70 + "。"),
    ("word", "word " * 60, "word " * 20),
    ("nothing at all", "x" * 150, "x" * 100),
]


@pytest.mark.parametrize(("kind", "text", "first"), WHERE, ids=[kind for kind, _, _ in WHERE])
def test_the_best_place_is_taken(kind: str, text: str, first: str) -> None:
    """The best kind of place in the later half, and the last one of that kind."""
    assert pieces_of(text.strip())[0] == first.strip()


@pytest.mark.parametrize("whole", ["\r\n", "e\u0301", "👩\u200d👩", "👍🏽", "🇨🇭", "❤\ufe0f", "\ud83d\ude00"])
@pytest.mark.parametrize("shift", [0, 1])
def test_what_is_seen_as_one_character_is_not_divided(whole: str, shift: int) -> None:
    """Any of these may stand at the size: CRLF, accents, joined emoji, skin colours, flags, surrogates."""
    text = "x" * (SMALLEST_CHARS - 1 - shift) + whole * 40 + "y"
    for piece in pieces_of(text):
        assert piece.strip("xy").replace(whole, "").strip() == ""


def test_a_run_of_accents_ends_nowhere_and_is_cut() -> None:
    """Text that never offers a place still makes progress."""
    assert [len(piece) for piece in pieces_of("e" + "\u0301" * 249)] == [100, 100, 50]


def test_a_long_run_of_spaces_is_one_gap() -> None:
    """Whitespace a cut falls on belongs to the piece before, however long it is."""
    assert pieces_of("a" * 60 + " " * 100_000 + "b" * 60) == ["a" * 60, "b" * 60]


def test_the_overlap_begins_with_a_sentence_or_a_word() -> None:
    """It does so as far as the overlap's length allows."""
    cutting = Cutting(100, 40)
    assert pieces_of("word " * 13 + "And. This is the end of it. " + "x" * 90, cutting)[1].startswith("This is the end")
    assert pieces_of("word " * 40, cutting)[1].startswith("word word")


def test_the_prompt_is_not_said_twice() -> None:
    """When the overlap begins with the prompt's line already, it is not put in front."""
    text = "Why?\n\n" + "x" * 44 + "\n\n" + "y" * 60
    assert [piece.count("Why?") for piece in pieces_of(text, Cutting(100, 50), "Why?")] == [1, 1, 1]
    assert pieces_of(text, Cutting(100, 50), "Why?")[1].startswith("Why?\n\nxxxx")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("One\nTwo", "One"),
        ("a b c d e f g", "a b c d e"),
        ("x" * 20, "x" * 10),
        ("1234567890\nx", "1234567890"),
        ("a\r\nb", "a"),
    ],
)
def test_the_first_line_ends_at_a_word(text: str, line: str) -> None:
    """A longer line is cut at a word within the limit."""
    assert first_line(text, 10) == line


@pytest.mark.parametrize(("size", "overlap"), [(99, 0), (0, 0), (-1, -1), (1000, 501), (1000, -1)])
def test_sizes_that_cannot_work_are_refused(size: int, overlap: int) -> None:
    """The error names the setting and what it may be."""
    with pytest.raises(UsageError) as caught:
        Cutting(size, overlap)
    assert "CHUNK_" in caught.value.hint


LABELLED = st.text("ab \n.", min_size=1, max_size=400).map(plain).filter(bool)


@PATIENT
@given(LABELLED, st.lists(LABELLED, min_size=1, max_size=3), CUTTINGS)
def test_a_person_s_words_are_told_from_an_assistant_s(prompt: str, answers: list[str], cutting: Cutting) -> None:
    """In every document what a person said stands before `asked_chars`, and what answers it behind."""
    asked = prompt.replace("a", "U").replace("b", "U")
    pieces, rest = append(Rest(), asked, asked, cutting, by_person=True)
    for answer in answers:
        more, rest = append(rest, answer, asked, cutting)
        pieces += more
    documents = [(piece.document, piece.asked_chars) for piece in pieces] + [(rest.text, rest.asked_chars)]
    for document, asked_chars in documents:
        assert not {"a", "b"} & {*document[:asked_chars]}
        assert "U" not in document[asked_chars:]

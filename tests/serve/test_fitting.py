"""Answers keep to their tokens, for any texts and any number of them, and show the best first."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importer.serve import answers, rows, turns
from importer.serve.fitting import LEAST_TOKENS, MORE, Draft, windows
from importer.service.conversations.values import Listed, Opened, SaidTurn

pytestmark = pytest.mark.slow

SAID = st.one_of(
    st.text(max_size=300),
    st.sampled_from(
        ("the kiln cracked at 900 degrees. ", "窯は900度で割れた。", "👩‍👩‍👧 ok ", "x = f(a[1]);\n", "가마가 깨졌다 ")
    ).flatmap(lambda said: st.integers(1, 200).map(lambda times: said * times)),
    st.just("word " * 3_000),
)
NAMES = st.one_of(st.just(""), st.text(max_size=40), st.just("A very long title. " * 40), st.just("題" * 300))
ID = "8f14e45f-ceea-467f-a9a1-0b1c2d3e4f50"
IDS = st.integers(0, 10**6).map(lambda number: f"{number:08x}{ID[8:]}")
MOST, PLACES = st.integers(LEAST_TOKENS, 4000), st.integers(-1, 11)
CALM = [HealthCheck.too_slow, HealthCheck.data_too_large]
WAYS: dict[str, Any] = {"max_examples": 25, "deadline": None, "suppress_health_check": CALM}


def pieces(text: str) -> int:
    """Count as a WordPiece tokenizer does: signs and ideographs one each, words in pieces of three letters."""
    return sum(1 if not part.isalnum() or part > "\u2e80" else math.ceil(len(part) / 3) for part in parts(text))


def parts(text: str) -> list[str]:
    return re.findall(r"[\u2e80-\U0010ffff]|[^\W_]+?(?=[\W_\u2e80-\U0010ffff]|$)|[^\w\s]|_", text)


def grudging(text: str) -> int:
    """Count as no tokenizer does: three bytes a token, and more for what stands together."""
    size = len(text.encode("utf-8", "replace"))
    return math.ceil(size / 3 + size / 4_000)


def told(draft: Draft, most: int, count: Callable[[str], int] = pieces) -> tuple[str, dict[str, Any]]:
    async def counted(texts: Sequence[str]) -> list[int]:
        return [count(text) for text in texts]

    text, values = asyncio.run(draft.answer(most, counted))
    assert count(text) <= most
    assert count(json.dumps(values, ensure_ascii=False)) <= most
    return text, values


@st.composite
def hits(draw: Any) -> list[dict[str, Any]]:
    found = []
    for _ in range(draw(st.integers(0, 12))):
        document = draw(SAID)
        about = {
            "title": draw(NAMES),
            "project": draw(NAMES),
            "source": "claude-code",
            "timestamp": "2026-02-10T10:00:00Z",
        }
        known = {**about, "conversation_id": draw(IDS), "asked_chars": draw(st.none() | st.integers(0, 50))}
        passage = {"text": document[:400], "marks": [(1, min(3, len(document[:400])))]} if draw(st.booleans()) else None
        found.append({"id": draw(IDS), "document": document, "metadata": known, "passage": passage})
    return found


@pytest.mark.parametrize("count", [pieces, grudging])
@given(
    found=hits(),
    most=MOST,
    around=hits(),
    notes=st.lists(NAMES.map(lambda n: n[:60]), max_size=1),
)
@settings(**WAYS)
def test_a_search_keeps_its_tokens(count: Any, found: Any, most: int, around: Any, notes: Any) -> None:
    """Its text and its values, for any hits and any pieces beside them."""
    beside = [*around[:3], *found[:1], *around[3:]] if found else []
    draft = answers.found("strong", found, notes, beside, "Freshness: everything on disk is imported.")
    text, values = told(draft, most, count)
    if found and count is pieces:
        assert values["conversations"] and f"conversation {values['conversations'][0]['conversation']}" in text


@pytest.mark.parametrize("count", [pieces, grudging])
@given(st.lists(SAID, min_size=1, max_size=12), st.tuples(NAMES, NAMES), st.tuples(MOST, PLACES, PLACES))
@settings(**WAYS)
def test_a_conversation_keeps_its_tokens(count: Any, said: Any, names: Any, asked: tuple[int, int, int]) -> None:
    """Around a hit or from the beginning, also where one turn alone is longer; the hit's turn is there."""
    spoken = tuple(SaidTurn("user", text, "2026-02-10T10:00:00Z") for text in said)
    most, at, other = asked[0], min(asked[1], len(said) - 1), max(0, min(asked[2], len(said) - 1))
    opened = Opened(ID, names[0], names[1], "claude-code", "", spoken, "/home/ann", at)
    places = [turns.FoundTurn(at), turns.FoundTurn(other)] if at >= 0 else []
    draft = turns.read(opened, turns.Wanted(places, range(len(said)), most))
    text, values = told(draft, most, count)
    places = [one["place"] for one in values["turns"]]
    assert places == sorted(set(places))
    if count is pieces and most >= 300:
        assert max(at, 0) + 1 in places and f"[{max(at, 0) + 1} of {len(said)}]" in text


@given(listed=st.lists(st.tuples(NAMES, NAMES, IDS), max_size=40), most=MOST)
@settings(**WAYS)
def test_lists_keep_their_tokens(listed: Any, most: int) -> None:
    """Rows are shown from the first on; those that do not fit are told of."""
    found = [Listed(id, title, project, "codex", "", "2026-02-10T10:00:00Z", 3) for title, project, id in listed]
    _, values = told(rows.conversations(found, []), most)
    shown = [one["conversation"] for one in values["conversations"]]
    assert shown == [one.id for one in found][: len(shown)] and (not found or shown)
    assert ("more" in values) == (len(shown) < len(found))
    told_of = {"conversations": 2, "turns": 4, "first": "", "last": "2026-02-10T10:00:00Z", "sources": ["codex"]}
    folders = [{"project": name, **told_of} for _, name, _ in listed]
    told(rows.projects(folders, []), most)


def hit(number: int, document: str, **known: Any) -> dict[str, Any]:
    about = {"conversation_id": f"{number:08x}{ID[8:]}", "source": "claude-code", "timestamp": "2026-02-10T10:00:00Z"}
    return {"id": f"{number:08x}{ID[8:]}", "document": document, "metadata": {**about, **known}, "passage": None}


def test_the_first_ones_get_passages_before_the_last_ones_get_a_line() -> None:
    """Ten conversations in 900 tokens: at least five are quoted, the first tells how it is resumed, all have an id."""
    found = [hit(number, f"what was said in number {number}. " * 6, cwd="/home/ann/work/shop") for number in range(10)]
    text, values = told(answers.found("strong", found, [], [], "Freshness: all is imported."), 900)
    assert text.count("```quoted") >= 5 and "claude --resume" in text
    assert len(values["conversations"]) >= 7 and sum(bool(one["passages"]) for one in values["conversations"]) >= 5


def test_an_answer_is_counted_and_not_all_that_it_might_say() -> None:
    """A worker counts the tokens of a few answers, of ten long hits as of two short ones."""
    for found in (
        [hit(number, "as it was said that day, and more of it. " * 50) for number in range(10)],
        [hit(1, "so")],
    ):
        asked: list[int] = []

        async def counted(texts: Sequence[str], asked: list[int] = asked) -> list[int]:
            asked += map(len, texts)
            return [math.ceil(len(text) / 4) for text in texts]

        text, values = asyncio.run(answers.found("strong", found, [], [], "Freshness: known.").answer(900, counted))
        assert sum(asked) <= 4 * (len(text) + len(json.dumps(values)))


def test_neighbours_are_shown_nearest_first() -> None:
    """What stands beside the hit comes before what stands farther away, and nothing is shown across a gap."""
    chunks = [hit(number, f"piece {number}. " + "so it went on. " * 30) for number in range(7)]
    text, values = told(answers.found("strong", [chunks[3]], [], chunks, ""), 450)
    shown = sorted(int(one.split(".")[0].removeprefix("piece ")) for one in values["around"])
    assert 2 <= len(shown) < 6 and {2, 4} & {*shown} and "piece 3" in text and MORE in text
    assert all(number + (1 if number < 3 else -1) in {*shown, 3} for number in shown)


def test_a_giant_turn_is_cut_around_the_hit() -> None:
    """What was found is shown, wherever it stands in its turn, and marks show that more is there."""
    said = "before it. " * 3_000 + "The kiln cracked." + " after it." * 3_000
    opened = Opened(ID, "", "", "codex", "", (SaidTurn("user", "?", ""), SaidTurn("assistant", said, "")), at=1)
    place = turns.placed(opened.turns, 1, "The kiln cracked.")
    text, values = told(turns.read(opened, turns.Wanted([place], range(2), 300)), 300)
    assert "The kiln cracked." in text and values["turns"][-1]["text"].startswith("… ") and values["more"]


def test_other_places_of_a_conversation_are_shown() -> None:
    """What speaks of the question elsewhere in a long conversation stands beside the hit, with what follows it."""
    said = tuple(SaidTurn("user", f"turn {number}. " + "on and on. " * 40, "") for number in range(60))
    opened = Opened(ID, "", "", "codex", "", said, at=50)
    draft = turns.read(opened, turns.Wanted([turns.FoundTurn(50), turns.FoundTurn(3, 0, 7)], range(60), 1000))
    _, values = told(draft, 1000)
    assert {4, 5, 51, 52} <= {one["place"] for one in values["turns"]}


def test_windows_hold_what_they_are_around() -> None:
    """Each is longer than the one before, and the whole text is the last, once."""
    text = "a" * 50 + "HERE" + "b" * 50
    found = windows(text, 50, 54, (10, 20, 200, 400))
    assert all("HERE" in one for one in found) and found[-1] == text and len(found) == 3

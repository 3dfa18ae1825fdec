"""`importer bench recall`: files read as they are written, ranks counted as they are defined, a whole run for real."""

from __future__ import annotations

import json
import pathlib
import random
from collections import Counter
from typing import Any

import pytest
from asked_for_real import REAL, ask_for_real, tongues
from processes import Importer

from importer.bench.recall import generated, measures, questions, run
from importer.bench.recall.measures import QuestionResult
from importer.errors import UsageError

# First hits of every kind, a little below what was measured. Paraphrases share no word with what was said but by
# accident: vectors alone find as many of them first.
FLOORS: dict[str, dict[str, float]] = {
    "kinds": {"identifier": 0.95, "error": 0.95, "paraphrase": 0.45, "decision": 0.95, "vague": 0.9},
    "known items": {"known identifier": 0.95, "shuffled prompt": 0.95},
}
# Of the hits among the first five so many may be told as nothing close, a little above what was measured; and of the
# questions about the other corpus so many must be.
LOST: dict[str, float] = {"paraphrase": 0.65, "vague": 0.1}
LOST_OTHERWISE, TOLD_ELSEWHERE, ELSEWHERE = 0.02, 0.93, 60
# In inflected words, a little below what was measured; English stems alone found 0.56 in German and 0.59 in Russian.
TONGUES = {"de": 0.75, "es": 0.9, "fr": 0.85, "ja": 0.9, "ru": 0.95, "zh": 0.95}
LOCOMO = [
    {
        "sample_id": "conv-1",
        "conversation": {
            "speaker_a": "Ann",
            "speaker_b": "Ben",
            "session_1_date_time": "1:56 pm on 8 May, 2023",
            "session_1": [
                {"speaker": "Ann", "dia_id": "D1:1", "text": "Hi"},
                {"speaker": "Ben", "dia_id": "D1:2", "text": "Yo"},
            ],
            "session_2": [{"speaker": "Ben", "dia_id": "D2:1", "text": "I sold the boat"}],
        },
        "qa": [
            {"question": "Who sold?", "category": 2, "evidence": ["D:2:1; D01:2"]},
            {"question": "Nothing", "category": 5, "evidence": []},
        ],
    }
]
HULL = "Drive cotton into the seams of the hull, then cover it with putty. " * 30
LONGMEM = [
    {
        "question_id": "q1",
        "question_type": "multi-session",
        "question": "How do I caulk the seams of the hull?",
        "answer": 3,
        "question_date": "2023/05/30 (Tue) 23:40",
        "haystack_session_ids": ["s1", "s2", "s3"],
        "haystack_dates": ["2023/05/20 (Sat) 02:21", "2023/05/21 (Sun) 02:21", "2023/05/22 (Mon) 12:00"],
        "haystack_sessions": [
            [{"role": "user", "content": "My boat is a wooden one.", "has_answer": False},
             {"role": "assistant", "content": HULL, "has_answer": True}],
            [{"role": "user", "content": "My sourdough does not rise in winter."},
             {"role": "assistant", "content": "Let it stand near the oven."}],
            [],
        ],
        "answer_session_ids": ["s1"],
    },
    {
        "question_id": "q2_abs",
        "question_type": "single-session-user",
        "question": "Which firewall did I configure on my router?",
        "answer": "You did not mention a firewall.",
        "question_date": "2023/05/30 (Tue) 23:40",
        "haystack_session_ids": ["s2", "s4_abs"],
        "haystack_dates": ["2023/05/21 (Sun) 02:21", "2023/05/21 (Sun) 12:21"],
        "haystack_sessions": [
            [{"role": "user", "content": "My sourdough does not rise in winter."}],
            [{"role": "user", "content": "The cable of my printer is too short.", "has_answer": True}],
        ],
        "answer_session_ids": ["s4_abs"],
    },
]  # fmt: skip
OWN = {
    "conversations": [
        {"id": "boats", "at": "2026-01-31", "turns": [
            {"role": "user", "text": "How do I caulk the hull of a wooden boat?"},
            {"role": "assistant", "text": "Drive cotton into the seams, then cover it with putty."}]},
        {"id": "bread", "turns": [
            {"role": "user", "text": "My sourdough does not rise in winter."},
            {"role": "assistant", "text": "Let it stand near the oven, and give it eight hours."}]},
    ],
    "questions": [
        {"question": "caulking a wooden hull", "right": ["boats"], "category": "words"},
        {"question": "dough stays flat when it is cold", "right": ["bread"], "category": "meaning"},
        {"question": "configure the firewall of the router", "right": []},
    ],
}  # fmt: skip


def file_of(folder: pathlib.Path, value: Any) -> str:
    path = folder / "benchmark.json"
    path.write_text(json.dumps(value))
    return str(path)


def asked(*ranks: int, right: int = 1, **more: Any) -> QuestionResult:
    return QuestionResult("q", "h", more.pop("category", "c"), more.pop("near", "weak"), 0.1, right, ranks, **more)


def test_locomo_is_read(tmp_path: pathlib.Path) -> None:
    """Sessions are conversations; evidence is understood in each way it is written; what has none is left out."""
    found = questions.read(file_of(tmp_path, LOCOMO))
    (haystack,) = found.haystacks
    assert (found.kind, [one.id for one in haystack.sessions]) == ("locomo", ["conv-1-1", "conv-1-2"])
    assert str(haystack.sessions[0].at) == "2023-05-08 13:56:00+00:00"
    assert [(one.role, one.text) for one in haystack.sessions[0].turns] == [
        ("user", "Ann: Hi"),
        ("assistant", "Ben: Yo"),
    ]
    (question,) = haystack.questions
    assert (question.category, question.right, question.turns) == (
        "temporal",
        {"conv-1-1", "conv-1-2"},
        ("D2:1", "D1:2"),
    )


def test_longmemeval_is_read(tmp_path: pathlib.Path) -> None:
    """Each question has a haystack of its own; one about what was never said has no right conversation."""
    one, other = questions.read(file_of(tmp_path, LONGMEM)).haystacks
    (question,) = one.questions
    assert (question.right, question.turns, str(question.asked)) == ({"s1"}, ("s1:1",), "2023-05-30 23:40:00+00:00")
    assert str(one.sessions[1].at) == "2023-05-21 02:21:00+00:00"
    (absent,) = other.questions
    assert (absent.category, absent.right, absent.turns) == ("single-session-user", frozenset(), ())


def test_a_question_whose_answer_is_in_no_session_is_left_out(tmp_path: pathlib.Path) -> None:
    """Nothing could be right, yet it does not ask for what was never said."""
    (haystack,) = questions.read(file_of(tmp_path, [{**LONGMEM[0], "answer_session_ids": ["elsewhere"]}])).haystacks
    assert not haystack.questions


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        "x",
        [{}],
        {"conversations": []},
        [{"conversation": {}}],
        [*LONGMEM, {}],
        {**OWN, "questions": [{"question": "?", "right": ["x"]}]},
    ],
)
def test_what_is_no_benchmark_is_refused(tmp_path: pathlib.Path, value: Any) -> None:
    """It says so, and does not count nothing."""
    with pytest.raises(UsageError):
        questions.read(file_of(tmp_path, value))


def test_measures_by_hand() -> None:
    """Four questions, counted on paper."""
    found = measures.figures(
        [asked(1), asked(2, 7, right=2), asked(), asked(6, turns=2, turn_ranks=(3,)), asked(right=0, near="nothing")]
    )
    values = {name: found[name]["value"] for name in (*measures.MEASURES, *measures.TURN_MEASURES)}
    assert values == {
        "hit@1": 0.25, "hit@5": 0.5, "hit@10": 0.75, "mrr": round((1 + 1 / 2 + 1 / 6) / 4, 4),
        "recall@5": (1 + 0.5) / 4, "recall@10": 0.75, "turns@5": 0.5, "turns@10": 0.5,
    }  # fmt: skip
    assert found["absent"] == {"questions": 1, "told_nothing": 1.0}
    assert found["questions"] == 4


def test_an_interval_holds_its_mean() -> None:
    """It is the same for the same values, and narrows with more of them."""
    few, many = measures.interval([0, 1] * 10), measures.interval([0, 1] * 200)
    assert few == measures.interval([0, 1] * 10)
    assert few[1] < many[1] < 0.5 < many[2] < few[2]


def test_a_sample_is_the_same_each_time(tmp_path: pathlib.Path) -> None:
    """Haystacks that no question of it needs are not imported."""
    whole = questions.read(file_of(tmp_path, LONGMEM * 3))
    one = run.sampled(whole, 1)
    assert one == run.sampled(whole, 1)
    assert len(one.haystacks) == 1
    assert len(run.sampled(whole, None).haystacks) == 6


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["edge", "local"])
def test_a_whole_run(tmp_path: pathlib.Path, model_dir: str, engine: str) -> None:
    """With the real model: what is said is found, what was not said is told so, and the file holds every rank."""
    models = str(pathlib.Path(model_dir).parent)
    real = {**REAL, "IMPORTER_MODEL_DIR": models}
    words = (
        "bench",
        "recall",
        file_of(tmp_path, OWN),
        "--out",
        str(tmp_path / "out.json"),
        "--json",
        "--engine",
        engine,
    )
    done = Importer(tmp_path, embedded=True).run(*words, **real)
    assert done.code == 0, done.err
    assert {one["mode"]: one["hit@1"]["value"] for one in done.json["runs"]} == {
        "hybrid": 1,
        "dense": 1,
        "keyword": 0.5,
    }
    hybrid = done.json["runs"][0]
    assert (hybrid["questions"], hybrid["absent"]) == (2, {"questions": 1, "told_nothing": 1.0})
    kept = json.loads((tmp_path / "out.json").read_text())
    assert kept["benchmark"]["sha256"] == questions.read(str(tmp_path / "benchmark.json")).sha256
    assert [one["ranks"] for one in kept["runs"][0]["asked"]] == [[1], [1], []]


@pytest.mark.slow
def test_longmemeval_is_asked(tmp_path: pathlib.Path, model_dir: str) -> None:
    """Sessions and turns with the answer are found, also in the middle of a long turn; an absence is told."""
    models = str(pathlib.Path(model_dir).parent)
    words = ("bench", "recall", file_of(tmp_path, LONGMEM), "--out", str(tmp_path / "out.json"), "--json")
    done = Importer(tmp_path, embedded=True).run(*words, "--mode", "hybrid", **REAL, IMPORTER_MODEL_DIR=models)
    assert done.code == 0, done.err
    (ran,) = done.json["runs"]
    assert (ran["questions"], ran["absent"]) == (1, {"questions": 1, "told_nothing": 1.0})
    category = ran["by_category"]["multi-session"]
    assert [category[name] for name in ("hit@1", "recall@5", "turns@5")] == [1, 1, 1]
    assert category["intervals"]["hit@1"] == [1, 1]


def test_the_generated_questions_are_of_seven_kinds() -> None:
    """At least 300 of the five that people ask, and 150 of each kind of known items; the same for the same seed."""
    kinds, known = generated.benchmark().haystacks
    assert len(kinds.questions) >= 300
    assert {one.category for one in kinds.questions} == {"identifier", "error", "paraphrase", "decision", "vague"}
    assert Counter(one.category for one in known.questions) == {"known identifier": 150, "shuffled prompt": 150}
    assert generated.benchmark() == generated.benchmark()
    assert generated.benchmark(2) != generated.benchmark()
    for one in (kinds, known):
        assert all(question.right <= {session.id for session in one.sessions} for question in one.questions)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["kinds", pytest.param("known items", marks=pytest.mark.long)])
def test_what_is_found_may_not_fall(tmp_path: pathlib.Path, model_dir: str, name: str) -> None:
    """A floor for every kind of question; hybrid is no more than a point below the better of its parts; what is found
    is hardly ever told as nothing, and what another corpus is about nearly always."""
    (haystack,) = (one for one in generated.benchmark().haystacks if one.name == name)
    (other,) = (one for one in generated.benchmark().haystacks if one.name != name)
    elsewhere = random.Random(1).sample(other.questions, ELSEWHERE)
    found = ask_for_real(tmp_path, model_dir, haystack, elsewhere)
    told = [one.near == "nothing" for one in found.pop("elsewhere")]
    assert sum(told) >= TOLD_ELSEWHERE * ELSEWHERE, sum(told)
    figures: dict[str, Any] = {mode: measures.figures(asked)["by_category"] for mode, asked in found.items()}
    for category, floor in FLOORS[name].items():
        hybrid, *parts = (figures[mode][category]["hit@1"] for mode in run.MODES)
        assert hybrid >= floor, (category, figures)
        assert hybrid >= max(parts) - 0.01, (category, figures)
        near = [one.near for one in found["hybrid"] if one.category == category and measures.hit(5)(one)]
        assert near.count("nothing") <= LOST.get(category, LOST_OTHERWISE) * len(near), (category, Counter(near))


@pytest.mark.long
def test_other_languages_are_found(tmp_path: pathlib.Path, model_dir: str) -> None:
    """A floor for questions in inflected words, all languages in one store; one question a language may be lost."""
    found = ask_for_real(tmp_path, model_dir, tongues())
    figures: dict[str, Any] = {mode: measures.figures(asked)["by_category"] for mode, asked in found.items()}
    for language, floor in TONGUES.items():
        hybrid, *parts = (figures[mode][language]["hit@1"] for mode in run.MODES)
        assert hybrid >= floor, (language, figures)
        assert hybrid >= max(parts) - 0.025, (language, figures)

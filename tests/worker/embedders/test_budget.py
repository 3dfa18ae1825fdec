"""Budgets of hosted providers: what headers say is left, what a day and a month may cost, over restarts."""

from __future__ import annotations

import pathlib
import time
from collections.abc import Mapping
from typing import Any

import pytest
from embedding_api import Answer, Script, serving
from worker_told import embed_settings

from importer.errors import EmbedError, EmbedUnreachable
from importer.protocol.hosted import usage
from importer.protocol.hosted.usage import Usage
from importer.worker.embedders import http, openai
from importer.worker.embedders.budget import TOKENS, Budget, Left, left, seconds
from importer.worker.patience import Patience

NOON = 1_780_315_200.0  # 2026-06-01 12:00 UTC


class World:
    """A clock that sleeping moves on."""

    def __init__(self, path: pathlib.Path) -> None:
        self.now_s, self.slept, self.file = NOON, list[float](), str(path / usage.FILE)

    def sleep(self, span_s: float) -> None:
        self.slept.append(span_s)
        self.now_s += span_s

    def budget(self, **more: Any) -> Budget:
        settings = embed_settings(provider="openai", model="text-embedding-3-small", usage_file=self.file, **more)
        made = Budget(settings, sleep=self.sleep, clock=lambda: self.now_s)
        made.ratio = 1.0
        return made


@pytest.fixture
def world(tmp_path: pathlib.Path) -> World:
    return World(tmp_path)


def headers(limit: int, remaining: int, reset: str) -> Mapping[str, str]:
    return dict(zip(TOKENS, (str(limit), str(remaining), reset), strict=True))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("6m0s", 360.0), ("12ms", 0.012), ("1s", 1.0), ("1h2m3.5s", 3723.5), ("45", 45.0), ("", 0.0), ("soon", 0.0)],
)
def test_spans_of_headers(text: str, expected: float) -> None:
    """As OpenAI writes them, bare seconds, and nothing that can be read."""
    assert seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize("given", [{}, headers(0, 0, "x") | {TOKENS[0]: "-1"}, {TOKENS[0]: "5"}, {TOKENS[0]: "²"}])
def test_headers_that_say_nothing(given: Mapping[str, str]) -> None:
    """Servers of one's own send none, Azure -1."""
    assert left(given, TOKENS) is None


def test_a_budget_grows_back_evenly() -> None:
    """Half of what is lacking is there after half of the time; more than all of it never comes."""
    half = Left(1000, 0, 60.0)
    assert half.wait_s(500, 0.0) == pytest.approx(30.0)
    assert half.wait_s(500, 40.0) == 0.0
    assert half.wait_s(5000, 0.0) == pytest.approx(60.0)
    assert Left(1000, 1000, 60.0).wait_s(5000, 0.0) == 0.0


def test_a_short_wait_is_slept_through_and_a_long_one_is_told(world: World) -> None:
    """By headers of the last answer."""
    budget = world.budget()
    budget.answered(10, headers(1000, 100, "9s"))
    budget.ask(600)
    assert world.slept == [pytest.approx(5.0)]
    budget.answered(10, headers(1000, 0, "6m0s"))
    budget.ratio = 1.0
    with pytest.raises(EmbedUnreachable, match="this minute") as caught:
        budget.ask(1000)
    assert caught.value.retry_after_s == pytest.approx(360.0)


def test_trial_calls_of_cohere(world: World) -> None:
    """So many a minute."""
    budget = world.budget()
    budget.answered(10, {"x-trial-endpoint-call-limit": "40", "x-trial-endpoint-call-remaining": "0"})
    budget.ask(1)
    assert world.slept == [pytest.approx(1.5)]


def test_a_day_has_so_many_tokens_over_restarts(world: World) -> None:
    """The import rests until midnight, for a fresh worker too, and then goes on."""
    world.budget(max_tokens_per_day=1000).answered(900, {})
    budget = world.budget(max_tokens_per_day=1000)
    budget.ask(100)
    with pytest.raises(EmbedUnreachable, match=r"is 1,000, and 900 are used; .* 00:00 UTC") as caught:
        budget.ask(101)
    assert caught.value.retry_after_s == pytest.approx(12 * 3600 + 1)
    world.now_s += caught.value.retry_after_s
    budget.ask(101)
    assert budget.most_tokens(10_000) == 125  # of one request, so that a day's tokens can be used


def test_a_batch_is_reserved_whole(world: World) -> None:
    """What it cost would be lost if it were given up half-way; one beyond a whole day is split."""
    budget = world.budget(max_tokens_per_day=1000)
    budget.answered(600, {})
    budget.reserve(400)
    with pytest.raises(EmbedUnreachable):
        budget.reserve(401)
    with pytest.raises(EmbedError, match="1,001 tokens at once") as caught:
        budget.reserve(1001)
    assert not isinstance(caught.value, EmbedUnreachable)


def test_estimates_are_corrected_by_what_answers_cost(world: World) -> None:
    """At once where texts have more tokens than thought, slowly where they have fewer."""
    budget = world.budget()
    budget.ask(100)
    budget.answered(200, {})
    assert budget.ratio == pytest.approx(2.0)
    budget.ask(100)
    budget.answered(100, {})
    assert budget.ratio == pytest.approx(1.7)


def test_a_month_costs_so_much_at_most(world: World) -> None:
    """By the list price, or the one that is set; the month goes on over its days."""
    limit = {"max_cost_per_month": 0.03}
    world.budget(**limit).answered(1_000_000, {})
    world.now_s += 5 * 86_400
    world.budget(**limit).ask(500_000)
    with pytest.raises(EmbedUnreachable, match=r"0\.03, and 0\.02 is spent") as caught:
        world.budget(**limit).ask(500_001)
    assert caught.value.retry_after_s == pytest.approx(24.5 * 86_400 + 1)
    world.budget(max_cost_per_month=0.06, price_per_million=1.0).ask(40_000)
    with pytest.raises(EmbedUnreachable):
        world.budget(max_cost_per_month=0.06, price_per_million=1.0).ask(40_001)


def test_usage_is_kept_by_day_and_for_a_year(tmp_path: pathlib.Path) -> None:
    """Sums of today and of the month; a damaged file is counted anew."""
    path = str(tmp_path / usage.FILE)
    for day in range(usage.KEPT_DAYS + 5):
        usage.add(path, Usage(10, 1, 0.5), NOON + day * 86_400)
    days, now_s = usage.read(path), NOON + (usage.KEPT_DAYS + 4) * 86_400
    assert len(days) == usage.KEPT_DAYS
    assert usage.of_day(days, now_s) == Usage(10, 1, 0.5)
    assert usage.of_month(days, NOON + 9 * 86_400) == Usage(250, 25, 12.5)  # its first five days are gone
    pathlib.Path(path).write_text("{")
    assert usage.read(path) == {}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as script:
        yield script


def opened(service: Script, tmp_path: pathlib.Path, **more: Any) -> http.RemoteEmbedder:
    settings = embed_settings(
        model="m", api_key="k" * 20, base_url=service.url, usage_file=str(tmp_path / usage.FILE), **more
    )
    return http.open_service(openai.SERVICE, settings, Patience(sleep=lambda _: None))


def test_an_import_rests_and_a_question_is_answered(service: Script, tmp_path: pathlib.Path) -> None:
    """Nothing is sent beyond the day's tokens but questions, which are counted."""
    embedder = opened(service, tmp_path, max_tokens_per_day=60)
    [[window]] = embedder.split(["word " * 60])
    asked = len(service.asked)
    with pytest.raises(EmbedUnreachable, match="max_tokens_per_day"):
        embedder.embed([window])
    assert len(service.asked) == asked
    assert embedder.query("a question").shape == (embedder.dimension,)
    embedder.close()
    assert usage.of_day(usage.read(str(tmp_path / usage.FILE)), time.time()).requests == 2


def test_no_credit_is_told_at_once(service: Script, tmp_path: pathlib.Path) -> None:
    """OpenAI says so with 429, which otherwise means to try again."""
    embedder = opened(service, tmp_path)
    asked = len(service.asked)
    service.next = [Answer(429, b'{"error": {"code": "insufficient_quota"}}')]
    with pytest.raises(EmbedUnreachable) as caught:
        embedder.query("hello")
    embedder.close()
    assert (len(service.asked) - asked, caught.value.retry_after_s) == (1, 3600.0)
    assert "credit" in caught.value.hint


def test_without_a_state_nothing_is_counted() -> None:
    """No file is written into the folder that a program happens to run in."""
    assert embed_settings().usage_file == ""

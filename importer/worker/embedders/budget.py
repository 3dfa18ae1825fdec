"""What a hosted provider may be asked for: the day's tokens, the month's money, and what its last answer left.

    before a batch     day and month: beyond the limit nothing is sent, and the import rests until it begins anew; a
                       batch beyond a whole day's tokens is refused, and so split
    before a request   the same once more, and minute: a wait for what the answer's headers said is left
    after it           tokens and cost are counted in a file, which outlives the worker

Questions are counted and never held back: one costs some twenty tokens, and its asker waits.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from importer.errors import EmbedError, EmbedUnreachable
from importer.protocol.hosted import usage
from importer.protocol.hosted.usage import Usage
from importer.protocol.worker_settings import EmbedSettings

MINUTE_S = 60.0
LONGEST_S = 75.0  # slept through: what a batch cost so far would be lost
RATIO = 4 / 3  # tokens to their estimate, at first: of code, which has more than prose
REQUEST_SHARE = 8  # a request takes no more than this part of the day's tokens, so that few are left over
# (limit, remaining, reset) of OpenAI and of those who speak its API; calls a minute of Cohere's trial keys.
TOKENS = ("x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens")
REQUESTS = ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests")
TRIAL = ("x-trial-endpoint-call-limit", "x-trial-endpoint-call-remaining", "")
_SPAN = re.compile(r"([\d.]+)(ms|h|m|s)?")
_UNITS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Left:
    """What an answer said is left of a limit, and in how many seconds all of it is there again."""

    limit: int
    remaining: int
    reset_s: float

    def wait_s(self, wanted: int, passed_s: float) -> float:
        """Return how long to wait for so much, `passed_s` after the answer: what is left grows evenly.

        More than the limit itself never comes, so that much is waited for at most.
        """
        lacking = min(wanted, self.limit) - self.remaining
        if lacking <= 0 or self.limit <= self.remaining:
            return 0.0
        return max(0.0, self.reset_s * lacking / (self.limit - self.remaining) - passed_s)


class Budget:
    """The limits of one embedder. `clock` is UTC seconds; `ratio` is that of tokens to their estimates, as learned."""

    def __init__(
        self,
        settings: EmbedSettings,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._price = usage.price_of(settings.model, settings.price_per_million)
        self._sleep, self._clock = sleep, clock
        self.ratio = RATIO
        self._estimated = 0  # of the request under way
        self._left: dict[str, Left] = {}
        self._answered_s = clock()

    def most_tokens(self, service_tokens: int) -> int:
        """Return how many tokens one request may have."""
        day = self._settings.max_tokens_per_day
        return min(service_tokens, max(1, day // REQUEST_SHARE)) if day else service_tokens

    def reserve(self, estimated: int) -> None:
        """Raise EmbedUnreachable where a batch of so many tokens has to wait, EmbedError for more than a day's."""
        tokens, day = int(estimated * self.ratio), self._settings.max_tokens_per_day
        if day and tokens > day:
            raise EmbedError(f"{tokens:,} tokens at once, and embed.max_tokens_per_day is {day:,}")
        self._check_day(tokens)

    def ask(self, estimated: int) -> None:
        """Wait until a request of about so many tokens may be sent. Raises EmbedUnreachable where that takes long."""
        self._estimated, tokens = estimated, int(estimated * self.ratio)
        self._check_day(tokens)
        passed_s = self._clock() - self._answered_s
        wanted = {"tokens": tokens, "requests": 1}
        wait_s = max((left.wait_s(wanted[kind], passed_s) for kind, left in self._left.items()), default=0.0)
        if wait_s > LONGEST_S:
            raise EmbedUnreachable("the provider's budget of this minute is used up", retry_after_s=wait_s)
        if wait_s:
            self._sleep(wait_s)

    def _check_day(self, tokens: int) -> None:
        """Raise EmbedUnreachable where a request would go beyond the day's tokens or the month's money."""
        chosen, now_s = self._settings, self._clock()
        if not (chosen.max_tokens_per_day or chosen.max_cost_per_month):
            return
        days = usage.read(chosen.usage_file)
        used, spent = usage.of_day(days, now_s).tokens, usage.of_month(days, now_s).cost
        if chosen.max_tokens_per_day and used + tokens > chosen.max_tokens_per_day:
            why = f"embed.max_tokens_per_day is {chosen.max_tokens_per_day:,}, and {used:,} are used"
            raise EmbedUnreachable(f"{why}; the import rests until 00:00 UTC", retry_after_s=self._until(month=False))
        cost = tokens * self._price / 1e6
        if chosen.max_cost_per_month and spent + cost > chosen.max_cost_per_month:
            why = f"embed.max_cost_per_month is {chosen.max_cost_per_month:g}, and {spent:.4g} is spent"
            raise EmbedUnreachable(f"{why}; the import rests until next month", retry_after_s=self._until(month=True))

    def _until(self, *, month: bool) -> float:
        return usage.until_next(self._clock(), month=month) + 1.0  # so that the new day has begun

    def answered(self, tokens: int, headers: Mapping[str, str]) -> None:
        """Count an answered request, and keep what its headers say is left."""
        self._answered_s = self._clock()
        if self._estimated:
            seen, self._estimated = tokens / self._estimated, 0
            self.ratio = max(seen, 0.7 * self.ratio + 0.3 * seen)
        found = {"tokens": left(headers, TOKENS), "requests": left(headers, REQUESTS) or left(headers, TRIAL)}
        self._left = {kind: one for kind, one in found.items() if one is not None}
        if self._settings.usage_file:
            with contextlib.suppress(OSError):  # a full disk is told by the store
                used = Usage(tokens, 1, tokens * self._price / 1e6)
                usage.add(self._settings.usage_file, used, self._answered_s)


def left(headers: Mapping[str, str], names: tuple[str, str, str]) -> Left | None:
    """Return what headers say is left, None where they do not say so, or nothing that makes sense (-1 at Azure)."""
    limit, remaining, reset = (headers.get(name, "") for name in names)
    if not (limit.isdecimal() and remaining.isdecimal()):
        return None
    return Left(int(limit), int(remaining), seconds(reset) if names[2] else MINUTE_S)


def seconds(text: str) -> float:
    """Return the seconds of a span such as "6m0s", "12ms" or "1.5"; 0.0 for no text or another one."""
    return sum(float(number) * _UNITS[unit] for number, unit in _SPAN.findall(text) if number.strip("."))

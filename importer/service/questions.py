"""The questions about what is stored. Each process that has a worker answers all: daemon, import, answerer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

QUESTIONS = ("search", "thread", "count", "beginning", "told", "facet", "tokens")
"""Names of functions of the worker, which reads and changes nothing for them."""

SPANNING = ("search", "thread", "beginning")
"""Those of them that are put to further stores, too: what is found there can be opened."""


def answers(ask: Callable[..., Awaitable[Any]]) -> Mapping[str, Callable[..., Awaitable[Any]]]:
    """Return the answers of a control socket; `ask(op, **args)` puts a question to the worker."""
    return {op: partial(ask, op) for op in QUESTIONS}

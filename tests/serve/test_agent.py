"""A scripted agent that has only the tools finds and opens what was said, and is told where nothing was."""

from __future__ import annotations

import asyncio
import pathlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from statistics import median
from typing import Any

import known_corpus
import pytest
from known_corpus import KnownCorpus
from portions import portion
from processes import Importer

from importer.serve.memory import Memory
from importer.service import client
from importer.service.ask import Asker
from importer.settings.schema import Settings

pytestmark = pytest.mark.slow

TASKS, OPENED = 20, 5
LOOKS: tuple[dict[str, Any], ...] = ({}, {"all": True}, {"all": True, "mode": "dense"})
ABOUT = (
    *("sourdough bread", "the marathon in spring", "grandmother's garden", "a used bicycle", "the choir's concert"),
    *("watercolour painting", "the dentist", "a trip to Lisbon", "the puppy's training", "chess openings"),
    *("knitting a scarf", "the landlord", "violin lessons", "apple trees", "the football match", "a birthday cake"),
    *("the ferry to the island", "mushrooms in autumn", "the wedding speech", "a sore knee"),
)
ASKED = (
    *("what did I say about {}", "when did we talk about {}", "who recommended {}", "how much did {} cost"),
    *("why was I unhappy with {}", "which book about {} did I mention", "where did I read about {}"),
    *("what was the plan for {}", "did my sister like {}", "how long did {} take"),
)


@pytest.fixture(scope="module", params=portion(range(5, 17), 12), ids=lambda seed: f"seed {seed}")
def memory(
    tmp_path_factory: pytest.TempPathFactory, model_dir: str, request: pytest.FixtureRequest
) -> Iterator[tuple[Memory, KnownCorpus]]:
    """Import a known corpus with the real model."""
    base = tmp_path_factory.mktemp("agent")
    said = known_corpus.write(str(base / "said"), files=40, seed=request.param)
    importer = Importer(base, {"IMPORTER_EMBED_MODEL_DIR": str(pathlib.Path(model_dir).parent)}, embedded=True)
    importer.environ["IMPORTER_WORKER_NICE"] = "0"
    done = importer.run("backlog", said.folder)
    assert done.code == 0, done.err
    settings = replace(Settings(), state_dir=importer.state)
    settings = replace(settings, embed=replace(settings.embed, model_dir=str(pathlib.Path(model_dir).parent)))
    yield Memory(Asker(settings)), said
    client.ask_daemon(importer.state, client.YIELD, timeout_s=5.0)


def tokens(model_dir: str, text: str) -> int:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(pathlib.Path(model_dir) / "tokenizer.json"))
    tokenizer.no_truncation()
    return len(tokenizer.encode(text, add_special_tokens=False).ids)


def test_twenty_tasks(memory: tuple[Memory, KnownCorpus], model_dir: str) -> None:
    """Each question leads to its conversation, and opening the hit shows what answers it; answers stay small."""
    tools, said = memory
    tasks = [(one.question, one.place.session_id, one.answer) for one in said.pairs]
    tasks += [(f"what was it about {word}", place.session_id, word) for word, place in said.words.items()]
    tasks = tasks[:TASKS]
    assert len(tasks) == TASKS

    async def reads(found: Any, session: str, wanted: str) -> bool:
        """Open the hits one after the other until one answers."""
        for one in found["conversations"][:OPENED]:
            text, _ = await tools.open_conversation(one["conversation"], one["id"])
            if one["conversation"] == session and " ".join(wanted.split()) in " ".join(text.split()):
                return True
        return False

    async def work() -> list[tuple[bool, int]]:
        done = []
        for question, session, wanted in tasks:
            for looks in LOOKS:  # told that nothing is close, an agent looks at what is nearest
                text, found = await tools.search_conversations(question, **looks)
                right = await reads(found, session, wanted)
                if right or found["near"] != "nothing":
                    break
            done.append((right, tokens(model_dir, text)))
        return done

    done = asyncio.run(work())
    counts = [count for _, count in done]
    found = sum(right for right, _ in done)
    print(f"\n{found} of {TASKS}, median {median(counts):.0f} tokens, most {max(counts)}", end="")
    assert found == TASKS, [task[0] for task, (right, _) in zip(tasks, done, strict=True) if not right]
    assert max(counts) <= 900


def test_what_was_never_said(memory: tuple[Memory, KnownCorpus]) -> None:
    """Of 200 questions about things that were never talked about, at least 95 of 100 are answered with nothing."""
    tools, _ = memory

    async def work() -> list[Any]:
        return [await tools.search_conversations(ask.format(about)) for ask, about in product(ASKED, ABOUT)]

    told = asyncio.run(work())
    nothing = [not found["conversations"] and "Nothing close" in text for text, found in told]
    print(f"\n{sum(nothing)} of {len(told)} answered with nothing", end="")
    assert len(told) == 200
    assert sum(nothing) >= 190, sum(nothing)

"""Histories of batches: a delivery over a real state, whose workers follow scripts (see `scripted_worker`)."""

from __future__ import annotations

import asyncio
import pathlib
from collections.abc import Sequence

from scripted_supervisor import supervisor
from state_values import commit
from turn_builders import span

from importer.delivery.delivery import Delivery
from importer.delivery.embed_pool import EmbedPool
from importer.delivery.in_flight import Settled
from importer.delivery.outage import Outage
from importer.protocol.records import Batch, Chunk, Span, Tally
from importer.reading.batching import BatchLimits, pack
from importer.state.checkpoints import Checkpoints


def file_span(name: str, *texts: str) -> Span:
    """Return a span of the file of that name; each text is a chunk with the text's last word as its id."""
    chunks = [Chunk(text.split()[-1], text, {}) for text in texts]
    made = span(chunks, lines=len(texts))
    inode = int.from_bytes(name.encode(), "big")
    tally = Tally(lines_stored=len(texts), bytes_stored=10 * len(texts))
    return Span(made.chunks, (), commit(name.encode(), inode, tally))


class ScriptedDelivery:
    """A delivery with scripted workers, driven until all is settled; `told` is what `settle` gave, in order."""

    def __init__(
        self,
        folder: pathlib.Path,
        checkpoints: Checkpoints,
        *lives: Sequence[str],
        patience: int | None = None,
        beside: Sequence[Sequence[Sequence[str]]] = (),
    ):
        """`beside` are the lives of each further worker, which only embeds."""
        self.folder = folder
        self.checkpoints = checkpoints
        self.supervisor = supervisor(folder, *lives)
        self.delivery = Delivery(self.supervisor, checkpoints, 2048, BatchLimits(), Outage(patience))
        if beside:
            others = [supervisor(folder, *each, log=f"lives-{at}") for at, each in enumerate(beside, 1)]
            self.delivery.pool = EmbedPool(self.supervisor, others, checkpoints)
        self.told: list[Settled] = []

    def batch(self, *spans: Span, urgent: bool = False) -> Batch:
        return pack(spans, self.supervisor.number(), urgent=urgent)

    def run(self, *batches: Batch, most: int = 200) -> list[tuple[str, ...]]:
        """Send the batches at once; return the files committed by each settled batch, in order."""

        async def drive() -> None:
            for one in batches:
                self.delivery.send(one)
            wake = asyncio.Event()
            for _ in range(most):
                if not self.delivery.busy:
                    return
                self.told.append(await asyncio.wait_for(self.delivery.settle(wake, 1.0), 60))
            raise AssertionError(f"never done: {self.told[-5:]}")

        async def run() -> None:
            try:
                await drive()
            finally:
                await self.delivery.close()

        asyncio.run(run())
        return self.committed()

    def committed(self) -> list[tuple[str, ...]]:
        """Return the files of each batch that was committed, in order."""
        settled = [one.batch for one in self.told if one.batch is not None and one.batch.commits]
        return [tuple(c.checkpoint.path.decode() for c in batch.commits) for batch in settled]

    def rejected(self) -> dict[str, tuple[str, str]]:
        """Chunk id -> its file and the stage it was set aside at."""
        rows = self.checkpoints.quarantine.page()
        return {row.reject.chunk_id: (row.reject.path.decode(), row.reject.stage) for row in rows}


def many(*bad: int, count: int = 256) -> list[str]:
    """Return texts with ids c0, c1 …; those at the places `bad` kill the worker."""
    return [f"{'poison' if i in bad else 'harmless'} c{i}" for i in range(count)]

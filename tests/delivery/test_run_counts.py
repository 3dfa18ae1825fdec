"""A run counts right when its batches were sent whole, in parts, or past each other."""

from __future__ import annotations

import json
import pathlib

from processes import Importer
from scripted_deliveries import ScriptedDelivery, file_span

from importer.delivery.progress import Run
from importer.protocol.outcome import Receipt
from importer.protocol.records import Batch
from importer.reading.batching import BatchLimits, carve
from importer.state.checkpoints import Checkpoints


def receipt(part: Batch) -> Receipt:
    return Receipt(part.number, len(part.chunks), 0, 10 * len(part.chunks), 99, 1, 0.0, 0.0)


def test_parts_are_counted_with_those_they_belong_to(tmp_path: pathlib.Path) -> None:
    """The commits come with the last part; what goes ahead meanwhile takes none of the others' chunks."""
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as checkpoints:
        played = ScriptedDelivery(tmp_path, checkpoints)
        numbers = iter(range(100, 200))
        slow = list(
            carve(played.batch(file_span("slow", "a1", "a2", "a3", "a4", "a5")), BatchLimits(chunks=2), numbers)
        )
        live = played.batch(file_span("live", "b1"), urgent=True)
    assert [bool(part.commits) for part in slow] == [False, False, True]
    whole, mine = Run(), Run()
    for part in (slow[0], live, *slow[1:]):
        whole.add(part, receipt(part))
        mine.add(part, receipt(part), lambda path: path == b"slow")
    assert (whole.chunks, whole.points, whole.tokens) == (6, 6, 60)
    assert (mine.chunks, mine.points, mine.tokens) == (5, 5, 50)


def test_a_message_larger_than_a_batch_is_counted_whole(tmp_path: pathlib.Path) -> None:
    """One message of some sixty chunks, eight to a batch: chunks and embedded points are those of the store."""
    words = " ".join(f"word{number}" for number in range(6000))
    line = json.dumps({"messages": [{"role": "user", "content": words}]}).encode() + b"\n"
    (tmp_path / "said.jsonl").write_bytes(line)
    installed = Importer(tmp_path)
    told = installed.run("backlog", str(tmp_path / "said.jsonl"), "--json", MEMORY_BATCH_SIZE="8").json
    assert told["points"] > 30
    assert told["chunks"] == told["embedded"] == told["points"]

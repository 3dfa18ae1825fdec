"""Every database and every rewritten file changes while the daemon runs and is killed: what is stored in the end."""

from __future__ import annotations

import os
import pathlib
import random
import time
from collections import Counter

import oracle
import pytest
from changing_stores import ChangingStores
from many_stores import make
from processes import Importer, alone, idle, kill, until, workers_of
from stored_text import even

KILLS = int(os.environ.get("STORE_KILLS", "200"))


def stored(state: str) -> Counter[tuple[str, str]]:
    """Return the documents in a store, each with its source."""
    with oracle.opened(state) as store:
        points = [point.payload for point in oracle.points_of(store)]
    return Counter((one["metadata"]["source"], one["document"]) for one in points)


def ends(state: str) -> set[str]:
    """Return the documents of the last exchange of each conversation: a file that is cut back takes it along."""
    last: dict[tuple[str, str], tuple[str, set[str]]] = {}
    with oracle.opened(state) as store:
        for point in oracle.points_of(store):
            known, text = point.payload["metadata"], point.payload["document"]
            named, at = (known["source"], known["conversation_id"]), known.get("timestamp", "")
            if at >= last.get(named, ("", set()))[0]:
                last[named] = (at, {text, *(last[named][1] if named in last and last[named][0] == at else ())})
    return {text for _, texts in last.values() for text in texts}


def imported(base: pathlib.Path, home: pathlib.Path) -> Counter[tuple[str, str]]:
    """Return what an importer that knows nothing stores of a home."""
    base.mkdir()
    importer = Importer(base, embedded=True)
    done = importer.run("backlog", HOME=str(home), seconds=600)
    assert done.code in (0, 1), done.err
    return stored(importer.state)


@pytest.mark.parametrize("kills", [5, pytest.param(KILLS, marks=pytest.mark.long)])
def test_exactly_what_a_fresh_import_gives_and_what_was_swept(tmp_path: pathlib.Path, kills: int) -> None:
    """All that is there is stored; what is stored besides was said once, and no text is stored under two ids."""
    (tmp_path / "whole").mkdir()
    make(tmp_path / "whole")
    whole = imported(tmp_path / "of whole", tmp_path / "whole")
    ever = {even(line) for _, text in whole for line in text.split("\n")}
    (tmp_path / "home").mkdir()
    stores, rng = ChangingStores(tmp_path / "home", seed=kills), random.Random(kills)
    importer = Importer(tmp_path, embedded=True)
    importer.environ.update(HOME=str(stores.home), MEMORY_BATCH_SIZE="16", IMPORTER_TAIL_RESCAN_S="0.5")
    assert importer.run("backlog", seconds=600).code in (0, 1)
    for number in range(kills):
        with importer.daemon() as process:
            end = time.monotonic() + rng.uniform(0.1, 2.5)
            while time.monotonic() < end:
                stores.act()
                time.sleep(0.02)
            if number % 2 and (workers := workers_of(process)):
                kill(workers[0])
                time.sleep(0.2)
    until(lambda: all(alone(pid) for pid in importer.worker_pids()), seconds=60)
    stores.close()
    with importer.daemon() as process:
        until(lambda: idle(importer), seconds=600, every_s=0.2)
        process.terminate()
        process.wait(60)
    found, fresh = stored(importer.state), imported(tmp_path / "fresh", stores.home)
    print(f"{kills} kills, {dict(stores.acts)}; {found.total()} points, {fresh.total()} of them still in the stores")
    assert list((fresh - found).elements()) == [], "lost"
    begun = {text.partition("\n")[0] for _, text in found}  # the end of a conversation, taken back, follows its store
    swept = [text for _, text in (whole - found).elements() if text.partition("\n")[0] not in begun]
    assert set(swept) <= ends(str(tmp_path / "of whole/state")), "swept"
    assert [text for _, text in found for line in text.split("\n") if even(line) not in ever] == [], "never said"

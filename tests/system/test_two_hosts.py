"""Two hosts with the same synchronised home import its open conversations into one collection."""

from __future__ import annotations

import pathlib
import random

import oracle
import pytest
from portions import portion
from processes import Importer
from scripted_cluster import Cluster

from importer.bench.corpus.lines import SessionWriter, encode


@pytest.mark.parametrize("seed", portion([1, 2], 2))
def test_both_call_the_end_clean(tmp_path: pathlib.Path, seed: int) -> None:
    """Either may read a line first: each text is there once, and a comparison on either host finds nothing."""
    rng, folder, cluster = random.Random(seed), tmp_path / "said", Cluster(random.Random(seed))
    folder.mkdir()
    sessions = [SessionWriter(rng, cwd="/home/ann/app", at_ms=1_780_000_000_000 + n) for n in range(4)]
    with cluster.listening() as urls:
        hosts = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            hosts.append(Importer(tmp_path / name, embedded=True))
            hosts[-1].environ.update(QDRANT_URL=urls[0], IMPORTER_HOST=name)
        for turn in range(6):
            for session in rng.sample(sessions, 2):
                lines = [session.user(f"question {turn} of {session.id}"), session.text(f"answer {turn} " * 30)]
                with (folder / f"{session.id}.jsonl").open("ab") as file:
                    file.write(encode(lines))
            done = rng.choice(hosts).run("backlog", str(folder))
            assert done.code == 0, done.err
        for host in (*hosts, hosts[0]):
            assert host.run("backlog", str(folder)).code == 0
        for host in hosts:
            found = host.run("verify", "--json")
            assert (found.code, found.json["missing"], found.json["differing"], found.json["extra"]) == (0, 0, 0, 0)
    stored = {id for replicas in cluster.replicas for id in replicas[0].points}
    assert stored == oracle.expect(str(folder)).chunks.keys()

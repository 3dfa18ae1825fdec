"""A crash leaves no memory of a process in a file, however the shell that started it is set."""

from __future__ import annotations

import pathlib
import resource

import pytest
from processes import Importer, until

from importer.protocol.system.capabilities import has

LIMIT = "Max core file size"


def soft_limit(pid: int) -> str:
    """Return how large a core file of a process may be."""
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines()
    return next(line.removeprefix(LIMIT).split()[0] for line in limits if line.startswith(LIMIT))


@pytest.mark.skipif(not has("proc"), reason="no /proc to look at")
def test_no_process_that_holds_text_writes_one(tmp_path: pathlib.Path) -> None:
    """Neither the daemon nor its worker, nor what answers without a daemon."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    importer = Importer(tmp_path, embedded=True)
    (tmp_path / "a.jsonl").write_text('{"role": "user", "content": "is the kettle on?"}\n')
    try:
        with importer.daemon("--source", f"auto={tmp_path / 'a.jsonl'}") as daemon:
            worker = until(importer.worker_pids)[0]
            assert (soft_limit(daemon.pid), soft_limit(worker)) == ("0", "0")
        until(lambda: not importer.worker_pids())
        assert importer.run("search", "kettle").code == 0
        assert [soft_limit(pid) for pid in importer.answerer_pids()] in ([], ["0"])
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)

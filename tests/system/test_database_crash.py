"""SIGKILL of either process while a database of another program grows: what is stored is what a fresh import gives."""

from __future__ import annotations

import json
import pathlib
from collections import Counter
from collections.abc import Iterator

import oracle
import pytest
from foreign_database import Owner, build, everything_in
from processes import Importer, idle, until

SCRIPT = pathlib.Path(__file__).parents[1] / "corpus/opencode/opencode.db.sql"
SEAMS = (
    "read",
    "send",
    "received",
    "commit",
    "committed",
    "embed",
    "upsert.before",
    "upsert.after",
    "receipt",
    "reply",
)
T0 = 1767300000000


@pytest.fixture
def owner(tmp_path: pathlib.Path) -> Iterator[Owner]:
    """Give a program that has its database open, in its own folder."""
    folder = tmp_path / "opencode"
    folder.mkdir()
    path = build(SCRIPT, folder)
    with Owner(path) as found:
        found.run("PRAGMA journal_mode = wal")
        yield found


def write(owner: Owner, round_: int, sessions: int = 5) -> None:
    """Write a prompt and its answer in each session, as one transaction."""
    owner.run("BEGIN")
    for session in range(sessions):
        for part, role in ((0, "user"), (1, "assistant")):
            at = T0 + round_ * 100_000 + session * 10 + part
            name = f"{session}_{round_:03}_{part}"
            data = json.dumps({"role": role, "time": {"created": at, "completed": at}})
            text = json.dumps({"type": "text", "text": f"{role} says {name} " + f"word{round_} " * 30 * part})
            owner.run(
                "INSERT OR IGNORE INTO session (id, project_id, directory, title, version, time_created, time_updated)"
                f" VALUES ('ses_k{session}', 'p', '/home/ann', 'Talk {session}', '1', {T0}, {T0})",
                f"INSERT INTO message VALUES ('msg_k{name}', 'ses_k{session}', {at}, {at}, '{data}')",
                f"INSERT INTO part VALUES ('prt_k{name}', 'msg_k{name}', 'ses_k{session}', {at}, {at}, '{text}')",
            )
    owner.run("COMMIT")


def stored(installed: Importer) -> Counter[str]:
    with oracle.opened(installed.state) as store:
        return Counter(point.payload["document"] for point in oracle.points_of(store))


def fresh(tmp_path: pathlib.Path, folder: str) -> Counter[str]:
    """Return what an importer that knows nothing stores of the database as it is now."""
    other = Importer(tmp_path / "fresh", embedded=True)
    (tmp_path / "fresh").mkdir(exist_ok=True)
    assert other.run("backlog", folder).code == 0
    return stored(other)


@pytest.mark.parametrize("seams", [SEAMS[:5], SEAMS[5:]], ids=["importer", "worker"])
def test_killed_at_every_seam_while_it_grows(tmp_path: pathlib.Path, owner: Owner, seams: tuple[str, ...]) -> None:
    """Nothing is lost, nothing stands twice, and nothing of the owner's is touched."""
    folder = str(tmp_path / "opencode")
    (tmp_path / "home").mkdir()
    installed = Importer(tmp_path / "home", embedded=True)
    installed.environ.update(MEMORY_BATCH_SIZE="16")
    for number, seam in enumerate(seams):
        write(owner, number)
        before = everything_in(tmp_path / "opencode")
        # once over all processes: a worker that dies at each try holds the import up
        once = f"{installed.base}/{seam}"
        installed.run("backlog", folder, IMPORTER_FAILPOINTS=f"{seam}=kill@{1 + number % 2}%{once}")
        assert everything_in(tmp_path / "opencode") == before
    assert installed.run("backlog", folder).code == 0
    assert stored(installed) == fresh(tmp_path, folder)
    again = installed.run("backlog", folder, "--json").json
    assert (again["lines"], again["embedded"]) == (0, 0)


def test_a_daemon_follows_a_database(tmp_path: pathlib.Path, owner: Owner) -> None:
    """What is committed while it runs is imported by the event alone, turn by turn; its end leaves no trace."""
    folder = tmp_path / "opencode"
    (tmp_path / "home").mkdir()
    installed = Importer(tmp_path / "home", embedded=True)
    with installed.daemon("--source", f"opencode={folder}", IMPORTER_TAIL_RESCAN_S="3600") as process:
        until(lambda: idle(installed))
        for number in range(3):
            write(owner, number, sessions=2)
            expected = 3 + 2 * (number + 1)
            until(
                lambda expected=expected: (
                    idle(installed) and installed.run("status", "--json").json["points"] == expected
                )
            )  # type: ignore[misc]
        owner.close()
        assert sorted(path.name for path in folder.iterdir()) == ["opencode.db"]
        process.terminate()
        process.wait(60)
    assert stored(installed) == fresh(tmp_path, str(folder))

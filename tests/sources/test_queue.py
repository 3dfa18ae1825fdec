"""The order in which files are read: live ones, those a person named, then the backlog, each with its slices."""

from __future__ import annotations

from importer.sources.queue import LIVE, NAMED, FileQueue, Pending


def pending(name: str, mtime_ns: int = 0) -> Pending:
    """Return the entry of a file."""
    return Pending(name.encode(), b"/", "auto", mtime_ns=mtime_ns)


def taken(queue: FileQueue) -> list[tuple[str, int]]:
    """Return all that the queue gives, in order."""
    found = []
    while (item := queue.take()) is not None:
        found.append((item[0].path.decode(), item[1]))
    return found


def test_a_named_file_goes_ahead_of_the_backlog() -> None:
    """Also one that waited already, and with a slice had; behind the live ones. Each comes once."""
    queue = FileQueue()
    for age, name in enumerate(("old", "named", "new")):
        queue.backlog(pending(name, -age))
    queue.backlog(pending("named"), NAMED)
    queue.backlog(pending("named, once read"), NAMED + 1)
    queue.live(pending("live"))
    queue.backlog(pending("live"), NAMED)
    names = [name for name, _ in taken(queue)]
    assert names == ["live", "named", "named, once read", "old", "new"]
    assert not queue


def test_a_full_queue_has_room_for_named_files() -> None:
    """As much again; what fits no more is found by the next look."""
    queue = FileQueue(most=2)
    for number in range(4):
        queue.backlog(pending(f"backlog {number}"))
    assert (len(queue), queue.overflowed) == (2, True)
    queue.overflowed = False
    for number in range(2):
        queue.backlog(pending(f"named {number}"), NAMED)
    assert (len(queue), queue.overflowed) == (4, False)
    queue.backlog(pending("named 2"), NAMED)
    assert queue.overflowed
    assert all(slices < LIVE for _, slices in taken(queue)[:2])

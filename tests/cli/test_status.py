"""`importer status` as a process: without a state, while a daemon runs and after it, and the history of memory."""

from __future__ import annotations

import json
import os
import pathlib
import xml.etree.ElementTree as ET
from contextlib import ExitStack

import pytest
from idle_engine import loaded
from processes import Importer, until
from transcripts import answer, prompt, raw, text

from importer.cli.commands import status
from importer.cli.memory import memory_chart
from importer.errors import UsageError
from importer.state.checkpoints import Checkpoints
from importer.state.history import Moment, WorkerEnding

MB = 1024 * 1024
NOW = 1_800_000_000.0


@pytest.fixture
def installed(tmp_path: pathlib.Path) -> Importer:
    folder = tmp_path / ".claude" / "projects" / "-p"
    folder.mkdir(parents=True)
    said = [prompt("why is the sky blue"), answer(text("because the air scatters it"))]
    (folder / "a.jsonl").write_bytes(b"".join(raw(line) + b"\n" for line in said))
    return Importer(tmp_path)


def test_before_anything_was_imported(installed: Importer) -> None:
    """Waiting files are counted, nothing is made, and unknown numbers stay unknown."""
    found = installed.run("status", "--json").json
    assert (found["state"], found["points"], found["files"]["pending"]) == ("stopped", 0, 1)
    assert found["lag"]["bytes"] == os.path.getsize(installed.base / ".claude/projects/-p/a.jsonl")
    assert not os.path.exists(installed.state)


@pytest.mark.parametrize("words", [["status"], ["status", "--memory"], ["failures"], ["backlog"]])
def test_a_state_that_is_a_file(installed: Importer, words: list[str]) -> None:
    """A state directory that is a file is an error with exit code 3 in every command, unlike a missing one."""
    pathlib.Path(installed.state).write_text("no folder")
    done = installed.run(*words)
    assert (done.code, done.out) == (3, "")
    if words != ["failures"] and "--memory" not in words:
        assert f"{installed.state} cannot be used: Not a directory" in done.err


def test_a_daemon_tells_of_itself(installed: Importer) -> None:
    """A daemon reports state, process, conserved lines and points; after its end they are counted from the state."""
    with installed.daemon() as process:
        found = until(lambda: (said := installed.run("status", "--json").json)["state"] == "idle" and said)
        assert found["daemon"]["pid"] == process.pid
        assert found["lines"] == {"read": 2, "stored": 2, "skipped": 0, "quarantined": 0, "in_flight": 0}
        assert (found["points"], found["lag"]["bytes"], found["watch"]["mode"]) == (1, 0, "events")
        assert "idle" in installed.run("status").out
        assert installed.run("pause", "--reason", "a test").code == 0
        paused = installed.run("status", "--json").json
        assert (paused["state"], paused["reason"]) == ("paused", "a test")
        assert installed.run("resume").code == 0
        process.terminate()
        process.wait(20)
    left = installed.run("status", "--json").json
    assert (left["state"], left["points"], left["files"]["complete"], left["worker"]["spawns"]) == ("stopped", 1, 1, 1)


def test_nobody_to_pause(installed: Importer) -> None:
    """A missing daemon is an error of its own, with a way out."""
    done = installed.run("pause")
    assert done.code == 3
    assert "importer run" in done.err


@pytest.fixture
def history(tmp_path: pathlib.Path):
    """Write five minutes of a worker that grows, is recycled once and crashes once."""
    with ExitStack() as stack:
        found = stack.enter_context(Checkpoints.open(str(tmp_path / "checkpoints.sqlite3")))
        found.history.measured([Moment(NOW - 300 + s, (100 + s) * MB, 0, 5, 40 * MB) for s in range(300)])
        found.history.ended(WorkerEnding(NOW - 200, "files", 7, 200, 150 * MB, 100.0))
        found.history.ended(WorkerEnding(NOW - 100, "crash: signal 9", 8, 20, 250 * MB, 100.0))
        yield found


def test_memory_is_drawn(history: Checkpoints, tmp_path: pathlib.Path) -> None:
    """Both curves are drawn with their peaks and limits, and every ending with its reason."""
    lines = memory_chart.text(memory_chart.recall(history, 1.0, now=NOW), loaded(str(tmp_path)).settings)
    text = "\n".join(lines)
    assert "peak 399 MB" in text
    assert "recycled above" in text
    assert "crash: signal 9: 20 files, 250 MB" in text
    assert any(set(line.split()) == {"f", "X"} for line in lines)


def test_memory_is_given_as_numbers(history: Checkpoints) -> None:
    """JSON has the series, the endings, and which of them were planned."""
    found = memory_chart.plain(memory_chart.recall(history, 1.0, now=NOW))
    assert json.loads(json.dumps(found)) == found
    assert (len(found["samples"]), found["step_s"]) == (300, 1)
    assert found["peaks"] == {"worker_anon_bytes": 399 * MB, "daemon_rss_bytes": 40 * MB}
    assert [(one["reason"], one["planned"]) for one in found["recycles"]] == [
        ("files", True),
        ("crash: signal 9", False),
    ]


def test_a_long_time_is_told_in_coarser_steps(history: Checkpoints) -> None:
    """Days are drawn from the highest sample of every ten minutes."""
    past = memory_chart.recall(history, 72.0, now=NOW)
    assert past.step_s == 600
    assert max(value for _, value in past.worker) == 399 * MB


def test_nothing_measured_is_said(tmp_path: pathlib.Path) -> None:
    """Without a sample a message stands in place of a chart."""
    assert (
        "nothing was measured" in memory_chart.text(memory_chart.recall(None, 1.0), loaded(str(tmp_path)).settings)[0]
    )


def test_a_plot_is_a_picture(history: Checkpoints, tmp_path: pathlib.Path) -> None:
    """With matplotlib it is an SVG with both curves; without it the message says how to install it."""
    target = str(tmp_path / "memory.svg")
    try:
        memory_chart.write_plot(memory_chart.recall(history, 1.0, now=NOW), target)
    except UsageError as error:
        assert "[plot]" in error.hint
        return
    named = {element.get("id") for element in ET.parse(target).iter()}
    assert {"worker_anon_bytes", "daemon_rss_bytes"} <= named


def test_a_plot_has_holes_where_nothing_was_measured() -> None:
    """No line crosses a time without samples."""
    drawn = memory_chart.broken([(1.0, 5.0), (2.0, 6.0), (90.0, 7.0)], 5)
    assert [value == value for _, value in drawn] == [True, True, False, True]


def test_only_pictures_can_be_plotted(history: Checkpoints) -> None:
    """A file of another kind is refused before anything is drawn."""
    with pytest.raises(UsageError, match="neither"):
        memory_chart.write_plot(memory_chart.recall(history, 1.0, now=NOW), "memory.pdf")


def test_unknown_is_shown_as_unknown(installed: Importer) -> None:
    """The text never shows a null as zero."""
    installed.embedded = True
    found = installed.run("status", "--json").json
    found.update(points=None, lines={**found["lines"], "in_flight": None})
    text = status.text(found)
    assert "unknown number in conversations" in text
    assert "unknown in flight" in text

"""The status as text: what a person wants to know first, one line each, nothing invented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from importer.cli.words import UNKNOWN, brief, duration, number, printable, size

COLOURS = {"idle": "green", "importing": "cyan", "paused": "yellow", "degraded": "red", "stopped": "yellow"}
Status = dict[str, Any]


def text(status: Status) -> str:
    """All of it, with styles that click takes out again in a pipe."""
    return "\n".join(f"{click.style(f'{name:<11}', dim=True)} {line}" for name, line in _lines(status))


def _lines(status: Status) -> Iterator[tuple[str, str]]:
    """Names and texts in the order of questions: does it run, is anything behind, is anything wrong?"""
    yield "state", _state(status)
    yield "folders", _folders(status["roots"])
    yield "files", _files(status)
    yield "behind", _behind(status)
    yield "lines", _conserved(status["lines"], number)
    yield "bytes", _conserved(status["bytes"], size)
    yield "points", _points(status)
    if status["rate"] is not None:
        yield "speed", _speed(status["rate"])
    yield "worker", _worker(status["worker"])
    yield "daemon", _daemon(status["daemon"])
    yield "model", str(status["model"])
    yield from _troubles(status)


def _state(status: Status) -> str:
    """The word, the reason, and how changes are noticed; a stopped one says how to start it."""
    state, reason, watch = status["state"], brief(status["reason"]), status["watch"]
    shown = click.style(state, fg=COLOURS.get(state), bold=True) + (f": {reason}" if reason else "")
    if state == "stopped":
        return f"{shown}; `importer run` keeps everything searchable, `importer backlog` imports once"
    if watch["mode"] is None:
        return shown
    return f"{shown}; changes are noticed by {watch['mode']}" + (f" ({watch['reason']})" if watch["reason"] else "")


def _folders(roots: list[Status]) -> str:
    """The roots that are there; of those that are not, one by name, several by number."""
    there = [f"{root['path']} ({root['format']})" for root in roots if root["there"]]
    absent = [root["path"] for root in roots if not root["there"]]
    named = absent[0] if len(absent) == 1 else f"{len(absent)} others"
    waiting = [f"{named} not there (yet)"] if absent else []
    return ", ".join(there + waiting) or "none"


def _files(status: Status) -> str:
    """Complete and pending sum up to what is known."""
    known, complete, pending = (number(status["files"][name]) for name in ("known", "complete", "pending"))
    least = "at least " if status["lag"]["at_least"] else ""
    return f"{known} known = {complete} complete + {least}{pending} pending"


def _behind(status: Status) -> str:
    """Bytes and age of what is not imported, and the time left where the speed tells it."""
    lag = status["lag"]
    if not lag["bytes"]:
        return "nothing"
    least = "at least " if lag["at_least"] else ""
    left = f"; {duration(status['eta_s'])} left at this speed" if status["eta_s"] is not None else ""
    return f"{least}{size(lag['bytes'])}, the oldest {duration(lag['oldest_s'])} old{left}"


def _conserved(law: dict[str, int | None], shown: Any) -> str:
    """The law, so that anybody can add it up: read = stored + skipped + quarantined + in flight."""
    parts = " + ".join(f"{shown(law[name])} {name.replace('_', ' ')}" for name in list(law)[1:])
    return f"{shown(law['read'])} read = {parts}"


def _points(status: Status) -> str:
    """How many, where, and whether they can be had: a question nobody asked yet is told as such."""
    store = status["store"]
    words = {True: "reachable", False: click.style("not reachable", fg="red"), None: "not asked yet"}
    reachable = words[store["reachable"]] if store["reachable"] is not None else ""
    told = ": ".join(filter(None, (reachable, brief(store["why"]))))
    count = number(status["points"]) if status["points"] is not None else f"{UNKNOWN} number"
    return f"{count} in {store['collection']}, {store['kind']} {store['location']} ({told or words[None]})"


def _speed(rate: dict[str, float]) -> str:
    """Rates of the last minute; files by the minute, because a file is many chunks."""
    return (
        f"{number(rate['files_per_s'] * 60)} files/min, {number(rate['chunks_per_s'])} chunks/s, "
        f"{number(rate['tokens_per_s'])} tokens/s, {size(rate['bytes_per_s'])}/s over {duration(rate['over_s'])}"
    )


def _worker(worker: Status) -> str:
    """The living one with its two memories, then how its predecessors ended."""
    recycles = ", ".join(f"{reason} {count}" for reason, count in sorted(worker["recycles"].items()))
    now = "none" if worker["pid"] is None else f"pid {worker['pid']}, {_memory(worker)}, {worker['files']} files"
    past = f"{worker['spawns']} started, {sum(worker['recycles'].values())} recycled"
    crashes = click.style(f"{worker['crashes']} crashed", fg="red" if worker["crashes"] else None)
    return f"{now}; {past}{f' ({recycles})' if recycles else ''}, {crashes}"


def _memory(worker: Status) -> str:
    """File-backed pages are in the first figure alone: the kernel takes those back when it needs them."""
    return f"{size(worker['rss_bytes'])} resident ({size(worker['anon_bytes'])} its own)"


def _daemon(daemon: Status) -> str:
    """Process, memory and age."""
    if daemon["pid"] is None:
        return "none"
    return f"pid {daemon['pid']}, {size(daemon['rss_bytes'])} resident, up {duration(daemon['uptime_s'])}"


def _troubles(status: Status) -> Iterator[tuple[str, str]]:
    """What deserves a look, only where there is some."""
    if status["quarantine"]:
        files = status["files"]["quarantined"]
        shown = (
            f"{number(status['quarantine'])} lines and chunks of {number(files)} files; `importer failures` says why"
        )
        yield "quarantine", click.style(shown, fg="yellow")
    if status["unknown_records"]:
        yield "unknown", f"{number(status['unknown_records'])} records of kinds no format knows; skipped and counted"
    for path, reason in status["unreadable"].items():
        yield "unreadable", click.style(printable(f"{path}: {reason}"), fg="yellow")

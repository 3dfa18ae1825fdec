"""`importer status`: what the importer does, as text, as JSON, refreshed, or its memory as curves.

It changes nothing. Without a daemon the state is read, and a worker is started only to count an embedded store's
points. The text answers one question a line, what a person asks first on top; nothing in it is guessed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import click

from importer.cli import context
from importer.cli.output import emit
from importer.cli.text import UNKNOWN, brief, duration, number, size
from importer.cli.text import stores as table_of
from importer.protocol.foreign.quoting import neutral
from importer.service.status import drift, status
from importer.service.status.gather import gather
from importer.settings.load import Settings

COLOURS = {"idle": "green", "importing": "cyan", "erasing": "cyan", "degraded": "red"}  # others are yellow
MOST_NAMED = 6  # folders in one line
Status = dict[str, Any]


def text(status: Status) -> str:
    """Return the status as text, with styles that click removes in a pipe."""
    lines = list(_lines(status))
    widest = max(11, *(len(name) for name, _ in lines))
    return "\n".join(f"{click.style(f'{name:<{widest}}', dim=True)} {line}" for name, line in lines)


def _lines(status: Status) -> Iterator[tuple[str, str]]:
    """Give names and texts in the order of questions: does it run, is anything behind, is anything wrong?"""
    yield "state", _state(status)
    yield "folders", _folders(status["roots"])
    yield "files", _files(status)
    yield "behind", _behind(status)
    yield "lines", _conserved(status["lines"], number)
    yield "bytes", _conserved(status["bytes"], size)
    yield from _stores(status.get("stores", {}))
    yield "points", _points(status)
    yield from _cluster(status["store"].get("cluster"))
    if status["rate"] is not None:
        yield "speed", _speed(status["rate"])
    yield "worker", _worker(status["worker"])
    for one in status.get("workers", ()):
        if one["place"]:
            yield "beside it", f"pid {one['pid']} embeds, {_memory(one)}, {one['files']} files"
    yield "daemon", _daemon(status["daemon"])
    yield "model", ", ".join(filter(None, (status["model"], status.get("engine"))))
    if status.get("usage"):
        yield "cost", _usage(status["usage"])
    yield from _syncs(status.get("syncs", ()))
    yield from _troubles(status)


def _usage(told: Status) -> str:
    """Return what a hosted provider was asked for today and this month, what that cost, and the limits."""
    today, month = told["today"], told["month"]
    most = f" of {number(told['max_tokens_per_day'])}" if told["max_tokens_per_day"] else ""
    cost = f"{month['cost']:.2f}" if told["price_per_million"] else "unknown cost (set embed.price_per_million)"
    limit = f" of {told['max_cost_per_month']:g}" if told["max_cost_per_month"] else ""
    return f"{number(today['tokens'])}{most} tokens today; {number(month['tokens'])} this month, {cost}{limit}"


def _state(status: Status) -> str:
    """Return the state, its reason, and how changes are noticed; for a stopped importer how to start it."""
    state, reason, watch = status["state"], brief(status["reason"]), status["watch"]
    shown = click.style(state, fg=COLOURS.get(state, "yellow"), bold=True) + (f": {reason}" if reason else "")
    if state == "stopped":
        return f"{shown}; `importer run` keeps everything searchable, `importer backlog` imports once"
    if watch["mode"] is None:
        return shown
    return f"{shown}; changes are noticed by {watch['mode']}" + (f" ({watch['reason']})" if watch["reason"] else "")


def _folders(roots: list[Status]) -> str:
    """Return the roots that exist, many by number; of those that do not, one by name, several by number."""
    there = [f"{root['path']} ({root['format']})" for root in roots if root["there"]]
    if len(there) > MOST_NAMED:
        tools = {root["format"] for root in roots if root["there"]}
        there = [f"{len(there)} folders of {len(tools)} assistants (`importer sources` lists them)"]
    absent = [root["path"] for root in roots if not root["there"]]
    if not there and len(absent) > 1:
        return f"none: no assistant that is known has one here (looked at {len(absent)})"
    named = absent[0] if len(absent) == 1 else f"{len(absent)} others"
    waiting = [f"{named} not there (yet)"] if absent else []
    return ", ".join(there + waiting) or "none"


def _files(status: Status) -> str:
    """Return the files: complete, pending and passed over ones sum up to the known ones."""
    files = status["files"]
    known, complete, pending = (number(files[name]) for name in ("known", "complete", "pending"))
    least = "at least " if status["lag"]["at_least"] else ""
    more = "".join(f" + {number(files[name])} {name}" for name in ("unrecognised", "refused") if files.get(name))
    return f"{known} known = {complete} complete + {least}{pending} pending{more}"


def _behind(status: Status) -> str:
    """Return bytes and age of what is not imported, and the time left where the speed is known."""
    lag = status["lag"]
    if not lag["bytes"]:
        return "nothing"
    least = "at least " if lag["at_least"] else ""
    left = f"; {duration(status['eta_s'])} left at this speed" if status["eta_s"] is not None else ""
    return f"{least}{size(lag['bytes'])}, the oldest {duration(lag['oldest_s'])} old{left}"


def _conserved(law: dict[str, int | None], shown: Any) -> str:
    """Return the conservation law with its numbers: read = stored + skipped + quarantined + in flight."""
    parts = " + ".join(f"{shown(law[name])} {name.replace('_', ' ')}" for name in list(law)[1:])
    return f"{shown(law['read'])} read = {parts}"


def _stores(stores: dict[str, dict[str, int]]) -> Iterator[tuple[str, str]]:
    """Give a table of what was read of each assistant's store, where there are several."""
    for at, row in enumerate(table_of(stores) if len(stores) > 1 else ()):
        yield "" if at else "stores", row


def _points(status: Status) -> str:
    """Return how many points there are, where, and whether the store was reached, or not asked yet."""
    store = status["store"]
    words = {True: "reachable", False: click.style("not reachable", fg="red"), None: "not asked yet"}
    reachable = words[store["reachable"]] if store["reachable"] is not None else ""
    told = ": ".join(filter(None, (reachable, brief(store["why"]))))
    count = number(status["points"]) if status["points"] is not None else f"{UNKNOWN} number"
    return f"{count} in {store['collection']}, {store['kind']} {store['location']} ({told or words[None]})"


def _cluster(cluster: Status | None) -> Iterator[tuple[str, str]]:
    """Give the nodes of a server with several, what their replicas lack, and the shards that are on their way."""
    if not cluster or (len(cluster["nodes"]) < 2 and len(cluster["replicas"]) < 2):
        return
    away = click.style("away", fg="red")
    for node in cluster["nodes"]:
        yield "node", f"{node['url']}: " + ("there" if node["reachable"] else f"{away} ({brief(node['why'])})")
    shards = {one["shard"] for one in cluster["replicas"]}
    yield (
        "replicas",
        f"{len(cluster['replicas'])} of {len(shards)} shards"
        + ("".join(f"; {click.style(words, fg='yellow')}" for words in cluster["behind"]) or ", all alike"),
    )
    for words in cluster["moving"]:
        yield "moving", words


def _syncs(syncs: Sequence[Status]) -> Iterator[tuple[str, str]]:
    """Give how each sync goes on: what the last round did and when, and what keeps the next one from being done."""
    for one in syncs:
        often = f", every {duration(one['every_s'])}" if one["every_s"] else ""
        ago = f"{duration(time.time() - one['at'])} ago" if one["at"] else "never yet"
        did = f"{number(one['sent'])} of {number(one['points'])} points brought" if one["at"] else "nothing brought"
        told = f"to {one['to']}: {did} {ago}{often}"
        if one["failed_at"] > one["at"]:
            told += click.style(f"; it fails since: {brief(one['why'])}", fg="yellow")
        elif one["late"]:
            told += click.style("; it is late", fg="yellow")
        yield "sync", told


def _speed(rate: dict[str, float]) -> str:
    """Return the rates of the last minute; files by the minute, because a file is many chunks."""
    return (
        f"{number(rate['files_per_s'] * 60)} files/min, {number(rate['chunks_per_s'])} chunks/s, "
        f"{number(rate['tokens_per_s'])} tokens/s, {size(rate['bytes_per_s'])}/s over {duration(rate['over_s'])}"
    )


def _worker(worker: Status) -> str:
    """Return the living worker with its two memories, then how its predecessors ended."""
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
    """Give what deserves a look, if there is any."""
    if count := status.get("erasing"):
        then = "; `importer backlog` finishes that" if status["state"] == "stopped" else ""
        shown = f"{number(count)} of `forget` or `redact` not done: bytes of what goes are still there{then}"
        yield "erasing", click.style(shown, fg="yellow")
    if status["quarantine"]:
        files = status["files"]["quarantined"]
        shown = (
            f"{number(status['quarantine'])} lines and chunks of {number(files)} files; `importer failures` says why"
        )
        yield "quarantine", click.style(shown, fg="yellow")
    if status.get("shrank"):
        before, after = map(number, status["shrank"])
        shown = f"from {before} points to {after}, not by an import; `importer verify` says what is missing"
        yield "shrank", click.style(shown, fg="red")
    yield from _alarms(status)
    if status["unknown_records"]:
        yield "unknown", f"{number(status['unknown_records'])} records of kinds no format knows; skipped and counted"
    if count := status.get("conversations_left_out"):
        yield "left out", f"{number(count)} conversations that ask not to be indexed; see `importer forget --list`"
    for path, reason in status.get("passed_over", {}).items():
        yield "passed over", click.style(f"{path}: {reason}", fg="yellow")
    for path, reason in status["unreadable"].items():
        yield "unreadable", click.style(f"{path}: {reason}", fg="yellow")


def _alarms(status: Status) -> Iterator[tuple[str, str]]:
    """Give what assistants are about to delete, and which of them can no longer be read as before."""
    for name, one in status.get("expiring", {}).items():
        shown = f"{number(one['files'])} files of {name} not imported yet, the first in {one['first_days']} days"
        yield "expiring", click.style(f"{shown}; `importer backlog` imports them", fg="red")
    for one in status.get("suspicious", ()):
        yield "suspicious", click.style(f"{brief(drift.words(one))}; `importer doctor` says what to do", fg="red")


EPILOG = """\b
Examples:
  importer status                     at a glance
  importer status --watch             refreshed every second
  importer status --json | jq .lag    for scripts
  importer status --memory            what worker and daemon took, as curves, and why workers ended
  importer status --memory --hours 72 --plot memory.svg
"""


@click.command(epilog=EPILOG)
@click.option("--watch", is_flag=True, help="Refresh until Ctrl-C.")
@click.option(
    "--every",
    "every_s",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.2),
    help="Seconds between two refreshes.",
)
@click.option("--memory", is_flag=True, help="Show memory over time, and how workers ended.")
@click.option(
    "--hours", default=1.0, show_default=True, type=click.FloatRange(0.01), help="How far back --memory shows."
)
@click.option("--plot", metavar="FILE", help="Write the curves as SVG or PNG (needs matplotlib).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output (one a line with --watch).")
@click.pass_context
def command(
    ctx: click.Context, /, *, watch: bool, every_s: float, memory: bool, hours: float, plot: str | None, as_json: bool
) -> int:
    """Show what the importer does, how far it is and what it takes."""
    settings = context.settings_of(ctx).settings
    if memory or plot:
        from importer.cli.memory import memory_chart

        return memory_chart.show(settings, hours=hours, plot=plot or "", as_json=as_json)
    if watch:
        return _watch(settings, every_s, as_json)
    _say(gather(settings), as_json)
    return 0


def _watch(settings: Settings, every_s: float, as_json: bool) -> int:
    """Print the status again and again until Ctrl-C, which is the way to end it and so no failure.

    Without a daemon the points are not counted each time: that takes a worker.
    """
    try:
        while True:
            found = gather(settings, count=False)
            if sys.stdout.isatty() and not as_json:
                click.clear()
            _say(found, as_json)
            time.sleep(every_s)
    except KeyboardInterrupt:
        return 0


def _say(found: status.Status, as_json: bool) -> None:
    """Print one line of JSON, flushed for a program that reads along, or the text."""
    if as_json:
        emit(found)
    else:
        click.echo(text(neutral(found)))

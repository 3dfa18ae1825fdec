"""Draw how the importer is (pure): what it imports now, what is behind, what went wrong, and its memory over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from importer.protocol import clock
from importer.serve.figures.curve import Curve, curve
from importer.serve.html import Safe, join, tag
from importer.service.status.remembered import RememberedMemory

NOTHING = "nothing"
MOVING = ("importing", "erasing")  # states that end by themselves, soon
MOST_ROWS = 20  # of what went wrong
UNITS = ("B", "KB", "MB", "GB", "TB")
Status = Mapping[str, Any]


def health(found: Status, seen: RememberedMemory) -> Safe:
    """Return the page's inside: what a person asks first on top."""
    lines = [
        Curve("worker", tuple((at, worker) for at, worker, _ in seen.memory)),
        Curve("daemon", tuple((at, daemon) for at, _, daemon in seen.memory)),
    ]
    return join(
        [
            tag("h1", "Health ", tag("span", found["state"], class_=f"state {found['state']}")),
            tag("p", found["reason"], class_="note") if found["reason"] else None,
            _now(found),
            tag("table", *(_row(name, value) for name, value in _facts(found).items())),
            *_wrong(found, seen),
            tag("h2", "Memory", class_="day"),
            curve(lines, "MB", "Nothing was measured yet: `importer run` keeps a curve."),
        ]
    )


def _now(found: Status) -> Safe | None:
    """Return what is being imported, None while nothing is."""
    if found["state"] != "importing":
        return None
    files, rate = found["files"], found["rate"] or {}
    done = tag("progress", value=files["complete"], max=max(1, files["known"]), aria_label="Files imported")
    told = [
        f"{files['complete']:,} of {files['known']:,} files",
        f"{size(found['lag']['bytes'])} to go",
        f"{rate['files_per_s']:,.1f} files/s" if rate else "",
        f"{size(rate['bytes_per_s'])}/s" if rate else "",
        f"{rate['tokens_per_s']:,.0f} tokens/s" if rate else "",
        f"about {lasts(found['eta_s'])} left" if found["eta_s"] else "",
        f"{found['lines']['in_flight']:,} lines in flight" if found["lines"]["in_flight"] else "",
    ]
    reading = [tag("li", tag("code", path)) for path in found.get("reading", ())]
    return tag(
        "section",
        tag("h2", "Being imported now", class_="day"),
        done,
        tag("div", *(tag("span", one) for one in told if one), class_="facts"),
        tag("ul", *reading, class_="paths") if reading else None,
        class_="now",
    )


def _facts(found: Status) -> dict[str, str]:
    """Return the lines of the table."""
    behind, files, worker = found["lag"], found["files"], found["worker"]
    oldest = f", the oldest line for {lasts(behind['oldest_s'])}" if behind["oldest_s"] else ""
    renewed = sum(worker["recycles"].values())
    least = "at least " if behind["at_least"] else ""
    others = [(name, files[name]) for name in ("empty", "unrecognised", "refused") if files.get(name)]
    more = "".join(f", {count:,} {name}" for name, count in others)
    return {
        "Behind": f"{least}{files['pending']:,} files, {size(behind['bytes'])}{oldest}" if behind["bytes"] else NOTHING,
        "Files": f"{files['known']:,} known, {files['complete']:,} complete{more}",
        "Points": "unknown" if found["points"] is None else f"{found['points']:,}",
        "In quarantine": f"{found['quarantine']:,}",
        **({"Being erased": f"{found['erasing']:,} of forget or redact, not done"} if found["erasing"] else {}),
        "Store": " ".join(filter(None, [found["store"]["kind"], found["store"]["location"], found["store"]["why"]])),
        "Model": " ".join(filter(None, [found["model"] or "unknown", found.get("engine")])),
        "Memory": ", ".join(
            f"{name} {size(one['rss_bytes'])}" for name, one in (("daemon", found["daemon"]), ("worker", worker))
            if one["rss_bytes"]
        )
        or "nothing runs",
        "Workers": f"{worker['spawns']:,} started, {renewed:,} renewed, {worker['crashes']:,} crashed",
    }  # fmt: skip


def _row(name: str, value: str) -> Safe:
    """Return one line of the table; what is set aside stands out."""
    bad = name == "In quarantine" and value != "0"
    return tag("tr", tag("th", name, scope="row"), tag("td", value, class_="bad" if bad else None))


def _wrong(found: Status, seen: RememberedMemory) -> Iterable[Safe]:
    """Yield what went wrong last: lines set aside, files that cannot be read or are no conversations, lost workers."""
    set_aside = [
        (f"{one['id']}: {one['reason']}", f"{one['path']} at {one['offset']:,}", clock.dated(moment(one["at"])))
        for one in seen.quarantine
    ]
    unreadable = [(why, path, "") for path, why in found["unreadable"].items()]
    passed = [(why, path, "") for path, why in found["passed_over"].items()]
    lost = [
        (f"a worker ended: {why}", f"after {files:,} files", clock.dated(moment(at))) for at, why, files in seen.lost
    ]
    hint = "`importer failures` shows all of them, tries them again or drops them."
    for title, rows, note in (
        ("In quarantine", set_aside, hint),
        ("Files that cannot be read", unreadable, ""),
        ("Files passed over", passed, ""),
        ("Workers lost", lost, ""),
    ):
        if rows:
            yield _list(title, rows[:MOST_ROWS], note)


def _list(title: str, rows: Sequence[tuple[str, str, str]], note: str) -> Safe:
    """Return a list of what went wrong."""
    items = [
        tag("li", tag("b", what), tag("div", tag("code", where), tag("span", at), class_="facts"))
        for what, where, at in rows
    ]
    told = tag("p", note, class_="note") if note else None
    return join([tag("h2", title, class_="day"), told, tag("ul", *items, class_="rows")])


def size(count: float) -> str:
    """Return a number of bytes as people read it: `3.4 MB`."""
    amount, unit = float(count), 0
    while amount >= 1000 and unit < len(UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:,.0f} {UNITS[unit]}" if unit == 0 or amount >= 100 else f"{amount:,.1f} {UNITS[unit]}"


def lasts(seconds: float) -> str:
    """Return a time span as people read it: `3 min`."""
    for unit_s, name in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= unit_s:
            return f"{seconds / unit_s:,.0f} {name}"
    return f"{seconds:,.0f} s"


def moment(at: float) -> str:
    """Return UTC seconds as RFC 3339."""
    return datetime.fromtimestamp(at, UTC).isoformat()

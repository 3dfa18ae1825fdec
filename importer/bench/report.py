"""Turn measurements into figures and ratios, and those into a table; tell whether memory grows with files. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from importer.bench.contest import RIVAL, Results, Rival
from importer.bench.endtoend import DAEMON, WORKER, MeasuredImport
from importer.bench.material import Material
from importer.protocol.units import MB

Points = Sequence[tuple[float, float]]  # (files imported by then, bytes)
FILES = 1_000


def per_thousand_files(points: Points) -> float:
    """Return the growth in bytes per 1,000 files over the second half: the median of its late part above its early one.

    The first half is left out, for caches and the largest shapes are filled there; medians pass over a peak and over
    the short time in which a fresh worker is small. 0.0 for fewer than eight points.
    """
    if len(points) < 8:  # halves of a half, with two points each
        return 0.0
    ordered = sorted(points)
    middle = (ordered[0][0] + ordered[-1][0]) / 2
    last = [point for point in ordered if point[0] >= middle]
    early, late = last[: len(last) // 2], last[len(last) // 2 :]
    files = median(at for at, _ in late) - median(at for at, _ in early)
    return (_level(late) - _level(early)) / files * FILES if files > 0 else 0.0


def flatness(points: Points) -> float:
    """Return the median of the last quarter as a share of the first's; 1.0 where there is nothing to compare."""
    ordered = sorted(points)
    quarter = len(ordered) // 4
    return _level(ordered[-quarter:]) / _level(ordered[:quarter]) if quarter else 1.0


def _level(points: Points) -> float:
    """Return the median of the bytes, which a single peak does not move."""
    return median(value for _, value in points)


ENOUGH_FILES = 200  # for a slope: below, what fills up at the start is taken for growth
COLUMNS = ("", "tokens/s", "chunks/s", "files/min", "peak RSS", "peak anon", "last RSS")


def figures(results: Results, material: Material, about: Mapping[str, Any]) -> dict[str, Any]:
    """Return all figures, for programs. `about` is the machine and the settings; sizes are bytes, rates per second.

    Raises ValueError when the importer itself was not measured; rivals may be missing.
    """
    imported, raw, inprocess = results.imported, results.raw, results.inprocess
    if imported is None or results.again is None:
        raise ValueError("the importer was not measured")
    found = {
        **about,
        "corpus": {
            **about.get("corpus", {}),
            "files": material.manifest.files,
            "bytes": material.manifest.size_bytes,
            "said_chars": material.manifest.said_chars,
        },
        "ceiling": _ceiling(results, "onnxruntime"),
        "own_ceiling": _ceiling(results, results.slices[-1].engine if results.slices else "onnxruntime"),
        "importer": _importer(imported),
        "raw": _rival(raw),
        "inprocess": _rival(inprocess),
        "recycle": imported.recycling(),
        "noop": _noop(results.again),
    }
    return {**found, "ratios": ratios(found)}


def _ceiling(results: Results, engine: str) -> dict[str, Any]:
    """Return the ceiling of an engine: the best of its shapes."""
    shapes = results.shapes(engine)
    return {
        "engine": engine,
        "tokens_per_s": round(max(shapes.values(), default=0.0), 1),
        "tokens_per_cpu_s": round(max(results.shapes(engine, cpu=True).values(), default=0.0), 1),
        "shapes": _rounded(shapes),
    }


def ratios(found: Mapping[str, Any]) -> dict[str, float]:
    """Return the importer's figures as ratios of the rivals'; 0.0 where there is nothing to compare with."""
    ours = found["importer"]
    rate, steady, peak = ours["tokens_per_s"], ours["steady_tokens_per_s"], ours["together_peak_anon_bytes"]
    raw, inprocess = found["raw"], found["inprocess"]
    return _rounded(
        {
            "to_ceiling": _share(rate, found["ceiling"]["tokens_per_s"]),
            "steady_to_ceiling": _share(steady, found["ceiling"]["tokens_per_s"]),
            "cpu_to_ceiling": _share(ours["tokens_per_cpu_s"], found["ceiling"]["tokens_per_cpu_s"]),
            "to_own_ceiling": _share(rate, found["own_ceiling"]["tokens_per_s"]),
            "cpu_to_own_ceiling": _share(ours["tokens_per_cpu_s"], found["own_ceiling"]["tokens_per_cpu_s"]),
            "to_raw": _share(rate, raw["tokens_per_s"]),
            "to_inprocess": _share(rate, inprocess["tokens_per_s"]),
            "memory_to_raw": _share(peak, raw["peak_anon_bytes"]),
            "memory_to_inprocess": _share(peak, inprocess["peak_anon_bytes"]),
        }
    )


def _importer(imported: MeasuredImport) -> dict[str, Any]:
    """Return the importer's figures: of daemon and worker together, but for the two at the end."""
    summary, watched = imported.summary, imported.watched
    seconds, files = summary["seconds"], summary["files"]
    return {
        "tokens_per_s": summary["tokens_per_s"],
        "steady_tokens_per_s": round(imported.steady_tokens_per_s, 1),
        "chunks_per_s": summary["chunks_per_s"],
        "files_per_min": round(files / seconds * 60, 1) if seconds else 0.0,
        "seconds": seconds,
        "process_s": round(watched.seconds, 3),
        "cpu_s": round(watched.cpu_s, 2),
        "tokens_per_cpu_s": round(_share(summary["tokens"], watched.cpu_s), 1),
        "embed_s": round(sum(event.facts["embed_s"] for event in imported.logged("batch.stored")), 2),
        "store_s": round(sum(event.facts["store_s"] for event in imported.logged("batch.stored")), 2),
        "tokens": summary["tokens"],
        "files": files,
        "points": summary["points"],
        "together_peak_anon_bytes": imported.together_anon_bytes,
        "recycles": summary["worker"]["recycles"],
        "forecast": summary["worker"]["forecast"],
        WORKER: _process(imported, WORKER),
        DAEMON: _process(imported, DAEMON),
    }


def _process(imported: MeasuredImport, name: str) -> dict[str, Any]:
    """Return the memory of one of the importer's processes, and its growth."""
    watched, points, anon = imported.watched, imported.along(name), imported.along(name, anon=True)
    return {
        "peak_rss_bytes": watched.peak(name),
        "peak_anon_bytes": watched.peak(name, anon=True),
        "last_rss_bytes": watched.last(name),
        "bytes_per_1000_files": round(per_thousand_files(points)),
        "last_to_first_quarter": round(flatness(points), 3),
        "anon_bytes_per_1000_files": round(per_thousand_files(anon)),
        "anon_last_to_first_quarter": round(flatness(anon), 3),
    }


def _rival(rival: Rival | None) -> dict[str, Any]:
    """Return a rival's figures, all zero for one that did nothing; `ended` says why it did not go on."""
    if rival is None:
        return {"tokens_per_s": 0.0, "peak_anon_bytes": 0, "problem": "it was not measured"}
    watched, seconds = rival.watched, rival.seconds or 1.0
    return {
        "tokens_per_s": round(rival.tokens_per_s, 1),
        "chunks_per_s": round(rival.chunks / seconds, 1),
        "files_per_min": round(rival.files / seconds * 60, 1),
        "seconds": round(rival.seconds, 3),
        "cpu_s": round(watched.cpu_s, 2),
        "tokens": rival.tokens,
        "chunks": rival.chunks,
        "files": rival.files,
        "peak_rss_bytes": watched.peak(RIVAL),
        "peak_anon_bytes": watched.peak(RIVAL, anon=True),
        "last_rss_bytes": watched.last(RIVAL),
        "ended": watched.ended,
        "problem": rival.problem,
    }


def _noop(again: MeasuredImport) -> dict[str, Any]:
    """Return what an import costs when there is nothing new: `process_s` is the whole command, its start included."""
    return {
        "seconds": again.summary["seconds"],
        "process_s": round(again.watched.seconds, 3),
        "cpu_s": round(again.watched.cpu_s, 2),
        "lines": again.summary["lines"],
        "embedded": again.summary["embedded"],
    }


def rows(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the table: one row for each contender, the columns as in COLUMNS."""
    ours = found["importer"]
    worker, daemon, own = ours[WORKER], ours[DAEMON], found["own_ceiling"]
    other = [(f"{own['engine']} alone", _rate(own["tokens_per_s"]), "", "", "", "", "")]
    return [
        ("ONNX Runtime alone (ceiling)", _rate(found["ceiling"]["tokens_per_s"]), "", "", "", "", ""),
        *(other if own["engine"] != "onnxruntime" else []),
        ("importer: worker", *_rates(ours), *_sizes(worker)),
        ("importer: daemon", "", "", "", *_sizes(daemon)),
        ("raw fastembed, batches of 256", *_rates(found["raw"]), *_sizes(found["raw"])),
        ("in-process importer", *_rates(found["inprocess"]), *_sizes(found["inprocess"])),
    ]


def _quotient(value: float) -> str:
    """Return a quotient in figures; in words where there was nothing to compare with."""
    return f"{value:.2f}" if value else "not measured"


def _times(value: float) -> str:
    """Return how many times as fast; in words where there was nothing to compare with."""
    return f"{value:.1f} x" if value else "not measured"


def notes(found: Mapping[str, Any]) -> list[str]:
    """Return what the table does not say, a line each."""
    ours, ratio, again, recycle = found["importer"], found["ratios"], found["noop"], found["recycle"]
    problems = {name: found[name]["problem"] for name in ("raw", "inprocess")}
    said = [
        f"of the ceiling: {_quotient(ratio['to_ceiling'])} with everything"
        + (f", {ratio['steady_to_ceiling']:.2f} once it runs" if ratio["steady_to_ceiling"] else "")
        + f"; per second of processor time {_quotient(ratio['cpu_to_ceiling'])}",
        f"of its own engine's ({found['own_ceiling']['engine']}): {_quotient(ratio['to_own_ceiling'])}; per second of "
        f"processor time {_quotient(ratio['cpu_to_own_ceiling'])}",
        f"as fast as raw fastembed: {_times(ratio['to_raw'])}, "
        f"as the in-process importer: {_times(ratio['to_inprocess'])}",
        f"memory of daemon and worker together: {_size(ours['together_peak_anon_bytes'])} anonymous + swap at most, "
        f"{_quotient(ratio['memory_to_inprocess'])} of the in-process importer's",
        _forecast(ours["forecast"]),
        *(_growth(name, ours) for name in (WORKER, DAEMON)),
        f"a fresh worker is ready in {recycle['ready_s']:.2f} s; its first batch takes "
        f"{recycle['first_batch_ratio']:.2f} x the usual time; {recycle['workers']} were started",
        f"looking again with nothing new: {again['seconds']:.2f} s for {found['corpus']['files']:,} files, "
        f"{again['embedded']} embedded",
    ]
    ends = [f"{name} was ended: {found[name]['ended']}" for name in problems if found[name].get("ended")]
    return said + ends + [f"{name} failed: {why}" for name, why in problems.items() if why]


def _forecast(errors: Mapping[str, Any]) -> str:
    """Return how far the worker's memory was from its forecast, a batch each."""
    if not errors["batches"]:
        return "forecast of the worker's memory: one batch is too few to tell"
    return (
        f"forecast of the worker's memory: off by {errors['p50']:.0%} at the median, {errors['p95']:.0%} at p95, "
        f"over {errors['batches']:,} batches"
    )


def _growth(name: str, ours: Mapping[str, Any]) -> str:
    """Return the growth of a process's resident memory; with few files what fills up at the start would pass for it."""
    if ours["files"] < ENOUGH_FILES:
        return f"growth of the {name}: {ours['files']} files are too few to tell"
    one = ours[name]
    return (
        f"growth of the {name} per 1,000 files: {one['bytes_per_1000_files'] / MB:+.1f} MB "
        f"(last quarter {one['last_to_first_quarter']:.2f} of the first)"
    )


def text(found: Mapping[str, Any]) -> list[str]:
    """Return table and notes as lines, aligned."""
    table = [COLUMNS, *rows(found)]
    widths = [max(len(row[i]) for row in table) for i in range(len(COLUMNS))]
    shapes = "  ".join(f"{{:{'>' if i else '<'}{width}}}" for i, width in enumerate(widths))
    aligned = [shapes.format(*row) for row in table]
    return [line.rstrip() for line in aligned] + ["", *notes(found)]


def _rates(one: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return three columns of speeds, empty where nothing was measured."""
    return _rate(one["tokens_per_s"]), _rate(one.get("chunks_per_s", 0.0)), _rate(one.get("files_per_min", 0.0))


def _rate(value: float) -> str:
    """Return a rate as a whole number; empty for 0."""
    return f"{value:,.0f}" if value else ""


def _sizes(one: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return three columns of memory, empty where nothing was measured."""
    sizes = (one.get(f"{name}_bytes", 0) for name in ("peak_rss", "peak_anon", "last_rss"))
    return tuple(_size(size) for size in sizes)  # type: ignore[return-value]  # three of them


def _size(size_bytes: float) -> str:
    """Return a size in megabytes; empty for 0."""
    return f"{size_bytes / MB:,.0f} MB" if size_bytes else ""


def _share(value: float, of: float) -> float:
    """Return a quotient; 0.0 where there is nothing to compare with."""
    return value / of if of else 0.0


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    """Return the values rounded to three places."""
    return {name: round(value, 3) for name, value in values.items()}

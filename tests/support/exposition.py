"""Prometheus' text format, parsed and judged the way `promtool check metrics` does."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*$")
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,|$)')
SUFFIXES = ("_bucket", "_sum", "_count")
NOT_BASE = re.compile(r"_(milliseconds|ms|minutes|hours|kb|mb|kilobytes|megabytes|percent)(_|$)")
Labels = tuple[tuple[str, str], ...]


@dataclass
class Parsed:
    """Type, help and samples by family, and everything that is wrong with them."""

    kinds: dict[str, str] = field(default_factory=dict)
    helps: dict[str, str] = field(default_factory=dict)
    samples: dict[str, dict[tuple[str, Labels], float]] = field(default_factory=lambda: defaultdict(dict))
    wrong: list[str] = field(default_factory=list)

    def value(self, name: str, **labels: str) -> float:
        """Of one sample, by its full name."""
        return self.samples[self.family(name)][(name, tuple(sorted(labels.items())))]

    def family(self, sample: str) -> str:
        """The family a sample belongs to."""
        bare = next((sample.removesuffix(s) for s in SUFFIXES if sample.endswith(s)), sample)
        return bare if self.kinds.get(bare) == "histogram" else sample


def parse(text: str) -> Parsed:
    """Reads an exposition; `wrong` lists what promtool would refuse or complain of."""
    found = Parsed()
    if not text.endswith("\n"):
        found.wrong.append("no newline at the end")
    for line in text.splitlines():
        if line.startswith("# "):
            _meta(found, *line[2:].split(" ", 2))
        elif line:
            _sample(found, line)
    found.wrong += [one for name in found.kinds for one in lint(found, name)]
    return found


def _meta(found: Parsed, word: str, name: str, rest: str) -> None:
    known = found.helps if word == "HELP" else found.kinds
    if name in known or name in found.samples:
        found.wrong.append(f"{word} {name}: twice, or after its samples")
    known[name] = rest


def _sample(found: Parsed, line: str) -> None:
    match = SAMPLE.match(line)
    if match is None:
        found.wrong.append(f"no sample: {line}")
        return
    name, inner, value = match.groups()
    labels = LABEL.findall(inner or "")
    if "".join(f'{n}="{v}",' for n, v in labels).rstrip(",") != (inner or "").rstrip(","):
        found.wrong.append(f"broken labels: {line}")
    family, key = found.family(name), (name, tuple(sorted(labels)))
    if key in found.samples[family]:
        found.wrong.append(f"twice: {line}")
    if family not in found.kinds or family not in found.helps:
        found.wrong.append(f"no TYPE or HELP before {line}")
    found.samples[family][key] = float(value)


def lint(found: Parsed, name: str) -> Iterator[str]:
    """The rules of names and types, for one family."""
    kind, samples = found.kinds[name], found.samples[name]
    if not samples or not found.helps.get(name):
        yield f"{name}: without samples or help"
    if not NAME.match(name) or name != name.lower() or NOT_BASE.search(name):
        yield f"{name}: no good name"
    if (kind == "counter") != name.endswith("_total"):
        yield f"{name}: a {kind} of that name"
    if "bytes" in name and not re.search(r"_bytes(_total)?$", name):
        yield f"{name}: the unit does not stand at the end"
    if kind == "histogram":
        yield from _histogram(name, samples)
    elif any(value < 0 or math.isnan(value) for value in samples.values()):
        yield f"{name}: negative or no number"


def _histogram(name: str, samples: dict[tuple[str, Labels], float]) -> Iterator[str]:
    buckets = [(dict(labels)["le"], value) for (sample, labels), value in samples.items() if sample == f"{name}_bucket"]
    bounds = [float(bound.replace("+Inf", "inf")) for bound, _ in buckets]
    counts = [value for _, value in buckets]
    if bounds != sorted(set(bounds)) or bounds[-1:] != [math.inf] or counts != sorted(counts):
        yield f"{name}: buckets out of order"
    if samples.get((f"{name}_count", ())) != counts[-1] or (f"{name}_sum", ()) not in samples:
        yield f"{name}: no count and sum that fit"

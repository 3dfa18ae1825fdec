"""Secrets planted by hand in the forms people write; run as a program, it prints how many are masked.

    PYTHONPATH=. python tests/support/planted_secrets.py [SECONDS]

prints the recall by group, and how many lines of the standard library and of the installed packages are changed, in a
sample that takes so many seconds (20). The lists are the project's own; their values are made when they are read, so
that no scanner takes the lists for a leak.
"""

from __future__ import annotations

import random
import re
import string
import sys
import sysconfig
import time
from pathlib import Path
from typing import NamedTuple

from importer.chunking.redact import mask

LISTS = {path.stem: path for path in sorted((Path(__file__).parent.parent / "chunking" / "planted").glob("*.txt"))}
ALPHABETS = {
    "A": string.ascii_letters + string.digits,
    "a": string.ascii_lowercase + string.digits,
    "U": string.ascii_uppercase + "234567",
    "h": "0123456789abcdef",
    "H": "0123456789ABCDEF",
    "d": string.digits,
    "B": string.ascii_letters + string.digits + "+/",
    "R": string.ascii_letters + string.digits + "_-",
}
VALUE = re.compile(r"<(?P<kind>[AaUhHdBRu])(?P<count>\d*)>")
MARKED = re.compile("⟦(.*?)⟧", re.DOTALL)


class Planted(NamedTuple):
    """A text with secrets: its group and kind, and the parts of it that must not be left."""

    group: str
    kind: str
    text: str
    secrets: tuple[str, ...]


def made(match: re.Match[str], source: random.Random) -> str:
    """A value as its issuer draws it: letters and digits both, none beside a sign."""
    if match["kind"] == "u":
        return "-".join("".join(source.choices("0123456789abcdef", k=count)) for count in (8, 4, 4, 4, 12))
    alphabet, count = ALPHABETS[match["kind"]], int(match["count"])
    while True:
        value = "".join(source.choices(alphabet, k=count))
        mixed = count < 4 or match["kind"] == "d" or not (value.isalpha() or value.isdigit())
        if mixed and value[0].isalnum() and value[-1].isalnum():
            return value


def planted(group: str, round_number: int = 0) -> list[Planted]:
    """The texts of a list, with values of their own in each round."""
    texts = []
    for line in LISTS[group].read_text("utf-8").splitlines()[1:]:
        kind, _, form = line.partition(" | ")
        source = random.Random(f"{kind} {round_number}")
        form = (
            form.replace("\\\\", "\0")
            .replace("\\n", "\n")
            .replace("\\t", "\t")
            .replace("\0", "\\")
            .replace("␛", "\x1b")
        )
        text = VALUE.sub(lambda match, source=source: made(match, source), form)
        texts.append(Planted(group, kind, MARKED.sub(r"\1", text), tuple(MARKED.findall(text))))
    return texts


def left(one: Planted) -> list[str]:
    """What is left of the secrets of a text: pieces of 6 characters and more, line by line."""
    masked = mask(one.text)
    pieces = [piece for secret in one.secrets for piece in re.split(r"[\n\\\u200b\u00ad]+|\x1b\[\d+m", secret)]
    return [piece for piece in pieces if len(piece) >= 4 and any(part in masked for part in (piece, piece[-8:]))]


def recall(group: str, rounds: int = 3) -> tuple[float, list[str]]:
    """The share of a list that is masked in some rounds of values, and the kinds that were left."""
    texts = [one for number in range(rounds) for one in planted(group, number)]
    missed = [one for one in texts if left(one)]
    return 1 - len(missed) / len(texts), sorted({one.kind for one in missed})


def changed_lines(seconds: float) -> tuple[int, int]:
    """Lines that masking changes in files that hold no secrets of anyone, and all lines, in so many seconds."""
    folders = {Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")}
    files = sorted(
        {path for folder in folders for kind in ("py", "js", "md", "txt", "json") for path in folder.rglob(f"*.{kind}")}
    )
    random.Random(0).shuffle(files)
    changed = lines = 0
    end = time.monotonic() + seconds
    for path in files:
        before = path.read_text("utf-8", "replace").splitlines()
        after = mask("\n".join(before)).splitlines()
        changed += sum(one != other for one, other in zip(before, after, strict=False)) + abs(len(before) - len(after))
        lines += len(before)
        if time.monotonic() > end:
            break
    return changed, lines


def main() -> None:
    """Print recall by group, and false positives."""
    for group in LISTS:
        share, missed = recall(group)
        print(f"{group}: {share:.3f} of {len(planted(group))} kinds masked", *missed)
    changed, lines = changed_lines(float(sys.argv[1]) if sys.argv[1:] else 20)
    print(f"{changed} of {lines} lines without secrets changed: {100 * changed / lines:.4f} %")


if __name__ == "__main__":
    main()

"""Secrets planted by hand in the forms people write: how many are masked, by group; `-s` prints it.

The lists in `planted/` are the project's own. Values are made when the test runs, so that no scanner takes the lists
for a leak.
"""

from __future__ import annotations

import random
import re
import string
from pathlib import Path
from typing import NamedTuple

import pytest

from importer.chunking.redact import mask

LISTS = {path.stem: path for path in sorted((Path(__file__).parent / "planted").glob("*.txt"))}
LEAST = {"tokens": 0.97, "services": 0.95, "places": 0.95, "wrapped": 0.95}
ALPHABETS = {
    "A": string.ascii_letters + string.digits,
    "a": string.ascii_lowercase + string.digits,
    "U": string.ascii_uppercase + "234567",
    "h": "0123456789abcdef",
    "d": string.digits,
    "B": string.ascii_letters + string.digits + "+/",
    "R": string.ascii_letters + string.digits + "_-",
}
VALUE = re.compile(r"<(?P<kind>[AaUhdBRu])(?P<count>\d*)>")
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


def test_the_lists_are_long_and_of_many_kinds():
    """At least 400 secrets of 300 kinds."""
    everything = [one for group in LISTS for one in planted(group)]
    assert len(everything) >= 400
    assert len({one.kind for one in everything}) >= 300
    assert all(one.secrets for one in everything)


@pytest.mark.parametrize("group", LISTS)
def test_planted_secrets_are_masked(group, capsys):
    """The share that is masked in three rounds of values; those left are named."""
    texts = [one for number in range(3) for one in planted(group, number)]
    missed = [one for one in texts if left(one)]
    recall = 1 - len(missed) / len(texts)
    with capsys.disabled():
        print(f"\n{group}: {recall:.3f} of {len(texts)} masked", *sorted({one.kind for one in missed}), end=" ")
    assert recall >= LEAST[group]


@pytest.mark.parametrize("group", LISTS)
def test_masking_planted_secrets_again_changes_nothing(group):
    """What is masked stays as it is."""
    for one in planted(group):
        masked = mask(one.text)
        assert mask(masked) == masked, one.kind

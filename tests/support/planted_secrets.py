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
FORMS = Path(__file__).parent.parent / "chunking" / "named_forms.txt"
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
WORDS = (
    "apple", "battery", "candle", "dragon", "engine", "falcon", "garden", "hammer", "island", "jungle", "kitten",
    "ladder", "magnet", "needle", "orange", "pirate", "quartz", "ribbon", "saddle", "temple", "umbrella", "violet",
    "walnut", "yogurt", "zipper", "copper", "silver", "window", "yellow", "summer", "winter",
)  # fmt: skip
VALUE = re.compile(r"<(?P<kind>[AaUhHdBRupwf])(?P<count>\d*)>")
MARKED = re.compile("⟦(.*?)⟧", re.DOTALL)


class Planted(NamedTuple):
    """A text with secrets: its group and kind, and the parts of it that must not be left."""

    group: str
    kind: str
    text: str
    secrets: tuple[str, ...]


def made(match: re.Match[str], source: random.Random) -> str:
    """A value as its issuer draws it: letters and digits both, none beside a sign."""
    if match["kind"] in "pwf":
        return chosen(match["kind"], source)
    if match["kind"] == "u":
        return "-".join("".join(source.choices("0123456789abcdef", k=count)) for count in (8, 4, 4, 4, 12))
    alphabet, count = ALPHABETS[match["kind"]], int(match["count"])
    while True:
        value = "".join(source.choices(alphabet, k=count))
        mixed = count < 4 or match["kind"] == "d" or not (value.isalpha() or value.isdigit())
        if mixed and value[0].isalnum() and value[-1].isalnum():
            return value


def chosen(kind: str, source: random.Random) -> str:
    """A password (`p`), a weak one (`w`), or a passphrase (`f`) as people choose them."""
    word, other = source.sample(WORDS, 2)
    if kind == "f":
        return "-".join(source.sample(WORDS, 4))
    number, sign = str(source.randrange(10, 9999)), source.choice("!@#%*?+=-")
    if kind == "w":
        return source.choice((word + number, word + other + number[0], word.capitalize() + "2024"))
    mixed = "".join(source.choices(string.ascii_letters + string.digits + "!@#%*?+=-", k=source.choice((10, 12, 16))))
    spelled = word.replace("a", "4").replace("e", "3").replace("o", "0").capitalize()
    return source.choice(
        (
            word.capitalize() + number + sign,
            word[:4] + sign + other.capitalize() + number,
            spelled + sign + number,
            mixed,
        )
    )


def named(count: int) -> list[Planted]:
    """Texts that give a value to a name, drawn from all names in all forms; a word for a password ends its name."""
    _, names, *forms = FORMS.read_text("utf-8").splitlines()
    source, texts = random.Random(count), []
    for _ in range(count):
        name, form = source.choice(names.split(";")), source.choice(forms)
        words = name.split()
        password = any(
            word in words[-1] for word in ("pass", "pw", "kennwort", "contrasena", "senha", "heslo", "haslo")
        )
        kind = "<p>" if password or words[-1] in ("wachtwoord", "parola", "sifre", "community") else "<A32>"
        titles = [word.capitalize() for word in words]
        ways = {
            "snake": "_".join(words), "UP": "_".join(words).upper(), "kebab": "-".join(words), "dot": ".".join(words),
            "camel": words[0] + "".join(titles[1:]), "Pascal": "".join(titles), "Kebab": "-".join(titles),
            "Title": name.capitalize(), "low": name, "q": VALUE.sub(lambda match: made(match, source), kind),
        }  # fmt: skip
        text = form.replace("\\\\", "\0").replace("\\n", "\n").replace("\\t", "\t").replace("\0", "\\")
        for way, written in ways.items():
            text = text.replace(f"{{{way}}}", written)
        texts.append(Planted("named", name, text, (ways["q"],)))
    return texts


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
    texts = named(1000)
    print(f"names in forms: {1 - sum(map(bool, map(left, texts))) / len(texts):.3f} of {len(texts)} masked")
    changed, lines = changed_lines(float(sys.argv[1]) if sys.argv[1:] else 20)
    print(f"{changed} of {lines} lines without secrets changed: {100 * changed / lines:.4f} %")


if __name__ == "__main__":
    main()

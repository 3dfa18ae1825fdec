"""The voice of the code: a stranger reads a docstring's first line and knows what the thing does.

A function's first line begins with a verb in the imperative: "Return the files below a root that may be conversations".
Properties, classes and modules are described by a noun phrase instead. Words that name no person and no thing are left
out everywhere: say who ("the user", "the caller") and what.
"""

from __future__ import annotations

import ast
import pathlib
import re
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE, TESTS = ROOT / "importer", ROOT / "tests"

NO_VERB = """
    a again all also always an and another any anything are as at be before both by each either every everything for
    from half here how if in inside is it its never no none not nothing of on once one only other own so some
    something still such that the there these they this those to true two until up was were what when where whether
    which while who whole whom whose why with without you your
"""
VAGUE = re.compile(r"\b(?:some|no|any)body\b|\b(?:who|what|whos|whom)ever\b", re.IGNORECASE)


def places(folder: pathlib.Path) -> list[pathlib.Path]:
    """Return the folders and modules directly in a folder that hold Python."""
    return sorted(one for one in folder.iterdir() if one.suffix == ".py" or list(one.rglob("*.py")))


def files(place: pathlib.Path) -> list[pathlib.Path]:
    """Return the Python files below a folder, or the file itself."""
    return [place] if place.is_file() else sorted(place.rglob("*.py"))


def functions(path: pathlib.Path) -> Iterator[tuple[str, str]]:
    """Yield where each documented function stands, and its docstring; properties are left out."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        decorated = " ".join(ast.unparse(decorator) for decorator in node.decorator_list)
        if (text := ast.get_docstring(node)) and "property" not in decorated:
            yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", text


def imperative(text: str) -> bool:
    """Return True if a text may begin with an imperative: no article or pronoun, no plural, no third person."""
    found = re.match(r"`?([A-Za-z][\w.'-]*)", text)
    first = found[1].lower() if found else ""
    return bool(first) and first not in NO_VERB.split() and not re.search(r"[^s]s$|\w{3}ing$", first)


@pytest.mark.parametrize("place", places(PACKAGE), ids=lambda place: place.name)
def test_a_function_s_first_line_begins_with_a_verb(place: pathlib.Path) -> None:
    """It says "Return …", "Write …", "Wait …", never "Whether …", "The …" or "Writes …"."""
    found = ((where, text) for path in files(place) for where, text in functions(path))
    odd = [f"{where}: {text.splitlines()[0]}" for where, text in found if not imperative(text)]
    if odd:
        advice = "begin the first line with a verb in the imperative and name its object"
        pytest.fail("\n".join([f"{advice} ({len(odd)} to do):", *odd]), pytrace=False)


@pytest.mark.parametrize(
    "place",
    [place for place in (*places(PACKAGE), *places(TESTS), ROOT / "README.md") if place != pathlib.Path(__file__)],
    ids=lambda place: str(place.relative_to(ROOT)),
)
def test_no_word_that_names_nothing(place: pathlib.Path) -> None:
    """No text says "some body", "no body", "who ever" and the like, written as one word."""
    odd = [
        f"{path.relative_to(ROOT)}:{number} {line.strip()}"
        for path in files(place)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if VAGUE.search(line)
    ]
    if odd:
        pytest.fail("\n".join([f"say who and what ({len(odd)} to do):", *odd]), pytrace=False)


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("Return the files below a root.", True),
        ("Process one line.", True),
        ("Whether a file is wanted.", False),
        ("The files below a root.", False),
        ("Returns the files.", False),
        ("Files below a root.", False),
        ("16 bytes of a hash.", False),
    ],
)
def test_what_counts_as_a_verb(text: str, fine: bool) -> None:
    """The rule itself, by examples."""
    assert imperative(text) is fine

"""A question on a terminal: all but a plain yes deletes nothing, and the command says so."""

from __future__ import annotations

import pathlib
import re
import signal

import oracle
import planted_word
import pytest
from processes import ROOT, Importer
from terminals import CTRL_C, CTRL_D, ENTER, on_terminal

ASKED = "for good?"


@pytest.fixture(scope="module")
def importer(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    """A state with two projects."""
    found = Importer(tmp_path_factory.mktemp("asked"), embedded=True)
    planted_word.write(found.base / "said", prompts=2)
    assert found.run("backlog", str(found.base / "said")).code == 1
    return found


def points(importer: Importer) -> int:
    """How many points there are."""
    with oracle.opened(importer.state) as store:
        return store.count()


@pytest.mark.parametrize("rule", [("--project", "secretproj"), ("--path", "-home-x-secretproj"), ("--before", "2100")])
@pytest.mark.parametrize("keys", [CTRL_C, CTRL_D, "y" + CTRL_C], ids=["ctrl-c", "ctrl-d", "half an answer"])
def test_an_interrupted_question_deletes_nothing(importer: Importer, rule: tuple[str, str], keys: str) -> None:
    """The first Ctrl-C ends it: a yes that is typed after it does not count."""
    before = points(importer)
    with on_terminal(importer, "forget", *rule) as terminal:
        terminal.read_until(ASKED)
        terminal.type(keys)
        terminal.type("y" + ENTER)
        terminal.read_until("nothing was deleted")
        assert terminal.end() == 130
    assert points(importer) == before
    assert importer.run("forget", "--list", "--json").json == {"forgotten": []}


def test_where_the_signal_was_ignored(importer: Importer) -> None:
    """A job in the background of a script inherits that Ctrl-C is ignored: at a question it counts all the same."""
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        test_an_interrupted_question_deletes_nothing(importer, ("--project", "secretproj"), CTRL_C)
    finally:
        signal.signal(signal.SIGINT, former)


def test_no_and_yes(importer: Importer) -> None:
    """An empty answer is a no; a yes deletes."""
    before = points(importer)
    with on_terminal(importer, "forget", "--project", "secretproj") as terminal:
        terminal.read_until(ASKED)
        terminal.type(ENTER)
        assert terminal.end() == 0
    assert points(importer) == before
    with on_terminal(importer, "forget", "--project", "secretproj") as terminal:
        terminal.read_until(ASKED)
        terminal.type("y" + ENTER)
        terminal.read_until("points deleted")
        assert terminal.end() == 0
    assert 0 < points(importer) < before


def test_without_a_terminal_nothing_is_asked(importer: Importer) -> None:
    """A script must say --yes."""
    done = importer.run("forget", "--project", "other")
    assert (done.code, "--yes" in done.err) == (2, True)


@pytest.mark.parametrize("path", sorted((ROOT / "importer").rglob("*.py")), ids=lambda path: path.stem)
def test_only_one_module_asks(path: pathlib.Path) -> None:
    """Every question goes through `confirm`, which is called outside an event loop: here is where that is tested."""
    asks = re.findall(r"click\.(?:confirm|prompt|getchar|pause)\(|(?<![\w.])input\(", path.read_text())
    assert bool(asks) == (path.name == "confirm.py")

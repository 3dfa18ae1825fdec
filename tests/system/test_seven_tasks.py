"""The seven tasks of a person, by commands, and in the browser on a real terminal."""

from __future__ import annotations

import pathlib
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
from processes import Importer, until
from seven_tasks import BOAT, DAY, KILN, SECRET, home


@pytest.fixture
def installed(tmp_path: pathlib.Path) -> Importer:
    return home(tmp_path)


def test_by_commands(installed: Importer) -> None:
    """Each is one command, and the next is typed as the one before tells."""
    found = installed.run("search", "kiln", "stops")
    assert "importer open 1 " in found.out  # find
    read = installed.run("open", "1")
    assert ("You" in read.out, "relay sticks" in read.out) == (True, True)  # read
    day = installed.run("list", "--since", DAY, "--until", DAY, "--project", "harbour")
    assert [line.split()[0] for line in day.out.splitlines()[:-1]] == [BOAT[:8]]  # what did I do on a day
    gone_on = installed.run("resume", "1", "--run")
    assert (gone_on.code, gone_on.out) == (0, f"goes on with {KILN} in pottery\n")  # go on with it
    shared = installed.run("open", KILN[:8], "--markdown", "--redacted")
    assert ("## Assistant" in shared.out, "relay" in shared.out, SECRET in shared.out) == (
        True,
        True,
        False,
    )  # share it
    wrong = installed.run("failures")
    assert (wrong.code, "parse" in wrong.out) == (0, True)  # see what is wrong
    assert installed.run("forget", "--conversation", KILN, "--yes").code == 0  # forget it
    assert installed.run("open", KILN).code == 2
    assert KILN[:8] not in installed.run("list").out


class Tmux:
    """A terminal in which the browser runs, and what stands on it."""

    def __init__(self, installed: Importer) -> None:
        self._tmux = ["tmux", "-S", str(installed.base / "tmux.sock"), "-f", "/dev/null"]
        words = ["browse"]
        environ = {"PYTHONWARNINGS": "ignore", "LANG": "C.UTF-8", **installed.environment(words, {})}
        typed = shlex.join([*installed.command, *words])
        command = f"cd {shlex.quote(str(installed.base))}; {typed}; echo ended with $?; exec cat"
        subprocess.run(
            [*self._tmux, "new-session", "-d", "-x", "110", "-y", "40", command], env=environ, check=True, timeout=60
        )

    def type(self, *keys: str) -> None:
        """Press keys, named as tmux names them, or type a text."""
        subprocess.run([*self._tmux, "send-keys", *keys], check=True, timeout=60)

    def until(self, words: str, *, gone: bool = False) -> str:
        """Wait until the screen shows these words, or shows them no more; return it."""

        def looked() -> str:
            done = subprocess.run(
                [*self._tmux, "capture-pane", "-p", "-J"], capture_output=True, text=True, check=True, timeout=60
            )
            return done.stdout if (words in done.stdout) != gone else ""

        return str(until(looked))

    def end(self) -> None:
        """End the terminal and all in it."""
        subprocess.run([*self._tmux, "kill-server"], check=False, timeout=60)


@pytest.fixture
def screen(installed: Importer) -> Iterator[Tmux]:
    """Run the browser on a terminal."""
    pytest.importorskip("textual", reason="textual is not installed: it is the extra `tui`")
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    if sys.platform != "linux":
        pytest.skip("tmux elsewhere draws otherwise")
    terminal = Tmux(installed)
    yield terminal
    terminal.end()


IN_LIST = "s share"  # in the footer, where letters are keys


def test_in_the_browser(installed: Importer, screen: Tmux) -> None:
    """All are keys; what is shared, masked and forgotten is so on the disk."""
    screen.until("3 conversations")
    screen.type("kiln stops")
    screen.until("1 conversation, the best")  # find
    assert "relay sticks" in screen.until("▶ You")  # read
    screen.type("Enter")
    screen.until(IN_LIST)
    screen.type("s")
    screen.until("without secrets in")  # share it
    (shared,) = installed.base.glob("conversation-*.md")
    assert ("relay" in shared.read_text(), SECRET in shared.read_text()) == (True, False)
    screen.type("w")
    assert "parse" in screen.until("any key goes back")  # see what is wrong
    screen.type("Enter")
    screen.until("1 conversation, the best")
    screen.type("d")
    screen.until("for good?")  # forget it
    screen.type("y", "Enter")
    assert "do not come back" in screen.until("any key goes back")
    screen.type("Enter")
    screen.until("was found")
    assert installed.run("open", KILN).code == 2
    screen.type("/")
    screen.until(IN_LIST, gone=True)
    screen.type("C-u", "Enter")
    screen.until(IN_LIST)
    screen.type("f")
    screen.until(IN_LIST, gone=True)
    screen.type(f"since:{DAY} until:{DAY}")
    assert "boat" in screen.until("1 conversation, the newest")  # what did I do on a day
    screen.until("spring lines")
    screen.type("Enter")
    screen.until(IN_LIST)
    screen.type("Enter")
    assert f"goes on with {BOAT} in harbour" in screen.until("ended with 0")  # go on with it

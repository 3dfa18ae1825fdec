"""Faults are carried out where they are ordered, as often as ordered, and cost nothing where none is."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys

import pytest

from importer.errors import UsageError
from importer.protocol import failpoints
from importer.protocol.failpoints import VARIABLE, Failpoint, parse

PROGRAM = """
import sys
from importer.protocol import failpoints
for name in sys.argv[1:]:
    seam, _, text = name.partition("=")
    failpoints.hit(seam, [text])
print("alive", failpoints.spoil("reply", b"frame"))
"""


def ran(orders: str, *seams: str) -> subprocess.CompletedProcess[str]:
    """A process that passes the seams in order."""
    environ = {**os.environ, VARIABLE: orders}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *seams], env=environ, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("orders", "points"),
    [
        ("", []),
        ("embed=kill", [Failpoint("embed", "kill")]),
        ("embed=kill@3 ; receipt=exit", [Failpoint("embed", "kill", nth=3), Failpoint("receipt", "exit")]),
        ("store=sleep:2", [Failpoint("store", "sleep", "2")]),
        ("chunk:WORD=kill@2%/tmp/x", [Failpoint("chunk", "kill", word="WORD", nth=2, once="/tmp/x")]),
        ("reply=corrupt%/a", [Failpoint("reply", "corrupt", once="/a")]),
    ],
)
def test_orders_are_words(orders: str, points: list[Failpoint]) -> None:
    """SEAM[:WORD]=ACTION[:ARGUMENT][@N][%FILE], several with semicolons between."""
    assert parse(orders) == points


@pytest.mark.parametrize("orders", ["embed", "embed=burn", "embed=kill@x", "=", "embed=kill;;x"])
def test_an_order_nobody_understands_is_refused(orders: str) -> None:
    """A test with a slip of the pen must not pass because nothing was ordered."""
    with pytest.raises(UsageError, match="no order"):
        parse(orders)


def test_without_orders_nothing_happens() -> None:
    """The seams of the running process are silent, and frames pass as they are."""
    failpoints.hit("embed", ["text"])
    assert failpoints.spoil("reply", b"frame") == b"frame"


@pytest.mark.parametrize(
    ("orders", "seams", "code"),
    [
        ("embed=kill", ("read",), 0),
        ("embed=kill", ("embed",), -signal.SIGKILL),
        ("embed=exit", ("embed",), 1),
        ("embed=exit:7", ("embed",), 7),
        ("embed=exit:7@2", ("embed",), 0),
        ("embed=exit:7@2", ("embed", "read", "embed"), 7),
        ("chunk:bad=exit:7", ("chunk=a good one",), 0),
        ("chunk:bad=exit:7", ("chunk=a bad one",), 7),
        ("chunk:bad=exit:7@2", ("chunk=bad", "chunk=good", "chunk=bad"), 7),
    ],
)
def test_a_process_ends_where_it_is_ordered(orders: str, seams: tuple[str, ...], code: int) -> None:
    """At its seam, at its turn, at its word; nowhere else."""
    assert ran(orders, *seams).returncode == code


@pytest.mark.parametrize(
    ("action", "said"), [("raise", "RuntimeError"), ("away", "StoreUnreachable"), ("full", "OSError")]
)
def test_errors_can_be_ordered(action: str, said: str) -> None:
    """What goes wrong without ending the process."""
    assert said in ran(f"commit={action}", "commit").stderr


def test_once_is_once_over_all_processes(tmp_path: pathlib.Path) -> None:
    """A fault that is to happen a single time does not happen to the one who goes on."""
    orders = f"embed=exit:7%{tmp_path}/once"
    assert [ran(orders, "embed").returncode for _ in range(3)] == [7, 0, 0]


def test_frames_can_be_spoilt() -> None:
    """A corrupt frame differs in its last byte, so that its checksum tells."""
    assert "b'fram\\x9a'" in ran("reply=corrupt").stdout


def test_a_stray_print_can_be_ordered() -> None:
    """Something on standard output that begins like a frame."""
    assert ran("embed=print", "embed").stdout.startswith("IMP1")

"""The control socket takes any bytes: an error is answered, and nothing ends of it."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import pathlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from processes import Importer, until

from importer.service import client
from importer.service.maintenance import WORKER_QUESTIONS

TALK = '{"role": "user", "content": "is the kettle on?"}\n'
OPS = ("ping", "search", "status", "pause", "resume", "import", "progress", "rest", "unrest", "remember")
OPS += ("forget", "unforget", "failures_retry", "failures_drop", *WORKER_QUESTIONS)
FIELDS = ("text", "limit", "project", "since", "conversation", "before", "after", "roots", "number", "reason", "ids")
FIELDS += ("chunks", "key", "to", "alias", "path", "op", "self")
DEEP: Any = []
for _ in range(300):
    DEEP = [DEEP]
RULE = ("project", "conversation", "path", "before")
TAKEN = {"pause": ("reason",), "rest": ("reason",), "forget": RULE, "unforget": RULE}  # as text; they do what they say
VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 10**30, -(10**30), 2**63, 0.5, 1e308, "", "\0", "\ud800", "x" * 100_000, [], [[]], [None]),
    *([1, "a"], {}, {"a": {"b": []}}, [{"id": 1}], DEEP, {"path": 1}, [{"path": "/", "format": 3}], float("nan")),
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Importer, Any]]:
    """A daemon with one point and its process."""
    base = tmp_path_factory.mktemp("control")
    (base / "said").mkdir()
    (base / "said" / "talk.jsonl").write_text(TALK)
    installed = Importer(base)
    with installed.daemon("--source", f"auto={base}/said") as process:
        until(lambda: asked(installed, "count")["value"] == 1)
        yield installed, process


def sent(installed: Importer, *parts: bytes, end: bool = True, seconds: float = 60) -> dict[str, Any]:
    """Send bytes; return the reply, {} when the connection is closed without one."""
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(seconds)
        with client.short_path(installed.state) as path:
            one.connect(path)
        for part in parts:
            one.sendall(part)
        if end:
            one.shutdown(socket.SHUT_WR)
        with one.makefile("rb") as stream:
            return json.loads(stream.readline() or b"{}")


def asked(installed: Importer, op: Any, args: Any = None) -> dict[str, Any]:
    """Put one question, well formed or not."""
    return sent(installed, json.dumps({"op": op, "args": {} if args is None else args}).encode() + b"\n")


def well(installed: Importer, process: Any) -> None:
    """Fail unless the daemon lives and answers as before."""
    assert process.poll() is None
    assert asked(installed, "resume")["ok"]
    assert "kettle" in asked(installed, "search", {"text": "kettle"})["value"].__repr__()


@pytest.mark.parametrize("op", OPS)
def test_a_field_of_a_wrong_type_is_told_and_ends_nothing(served: tuple[Importer, Any], op: str) -> None:
    """Each op with each field of each type: the error is one of usage, not one of ours."""
    installed, process = served
    worker = asked(installed, "ping")["value"]["pid"], set(installed.worker_pids())
    for field in FIELDS:
        for value in VALUES:
            if isinstance(value, str) and field in TAKEN.get(op, ()):
                continue
            reply = asked(installed, op, {field: value})
            bug = "failed to answer" in reply.get("error", "") or f"{op} failed" in reply.get("error", "")
            assert reply["ok"] or not bug, (op, field, str(value)[:80], reply)
    asked(installed, "unrest")
    well(installed, process)
    assert (asked(installed, "ping")["value"]["pid"], set(installed.worker_pids())) == worker


@pytest.mark.parametrize(
    "line",
    [
        *(
            b"\n",
            b"{}\n",
            b"[]\n",
            b"3\n",
            b"null\n",
            b'"op"\n',
            b"\xff\xfe\n",
            b"{\n",
            b'{"op": []}\n',
            b'{"op": {}}\n',
        ),
        *(b'{"op": "ping", "args": []}\n', b'{"op": "ping", "args": 3}\n', b'{"op": "ping", "args": [["a", 1]]}\n'),
        *(b'{"op": "nothing"}\n', b'{"op": null, "args": null}\n', b"[" * 100_000 + b"\n", b'{"a":' * 50_000 + b"\n"),
        *(b'{"op": %s}\n' % (b"9" * 5_000), b"x" * 1_000_000 + b"\n", b'{"op": "ping"', b"\0" * 70_000),
        b'{"op": "search", "args": {"text": "' + b"kettle " * 150_000 + b'"}}\n',
    ],
)
def test_a_line_that_is_no_question_is_answered(served: tuple[Importer, Any], line: bytes) -> None:
    """Also one without an end, or of a megabyte: a reply comes, and the next question is answered as ever."""
    installed, process = served
    reply = sent(installed, line)
    assert reply["ok"] == (b"kettle" in line)
    assert reply["ok"] or reply["exit_code"] == 2
    well(installed, process)


def test_a_question_without_end_is_refused_before_it_fills_the_memory(served: tuple[Importer, Any]) -> None:
    """It is told when it is longer than any question."""
    installed, process = served
    block = b"x" * (1 << 20)
    with contextlib.suppress(OSError):  # it may be closed while we still write
        assert sent(installed, *[block] * 64)["exit_code"] == 2
    well(installed, process)


def test_a_burst_of_connections_is_served(served: tuple[Importer, Any]) -> None:
    """Two hundred at once, beside a hundred that say nothing or one byte at a time."""
    installed, process = served
    idle = [socket.socket(socket.AF_UNIX) for _ in range(100)]
    dripping = threading.Event()

    def drip() -> None:
        while not dripping.wait(0.05):
            for one in idle[50:]:
                one.send(b"x")

    try:
        for one in idle:
            with client.short_path(installed.state) as path:
                one.connect(path)
        threading.Thread(target=drip).start()
        with concurrent.futures.ThreadPoolExecutor(200) as pool:
            start = threading.Barrier(200)

            def one_question(number: int) -> Any:
                start.wait()
                op, args = ("search", {"text": "kettle"}) if number % 4 == 0 else ("ping", {})
                return client.ask_daemon(installed.state, op, **args)

            assert len(list(pool.map(one_question, range(200)))) == 200
    finally:
        dripping.set()
        time.sleep(0.1)
        for one in idle:
            one.close()
    well(installed, process)


def test_a_client_that_does_not_read_its_answer_disturbs_nobody_else(served: tuple[Importer, Any]) -> None:
    """Fifty of them, with answers that fill their sockets."""
    installed, process = served
    deaf = [socket.socket(socket.AF_UNIX) for _ in range(50)]
    for one in deaf:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        with client.short_path(installed.state) as path:
            one.connect(path)
        one.sendall(b'{"op": "status"}\n')
    well(installed, process)
    for one in deaf:
        one.close()


def test_a_client_waits_while_the_queue_is_full(tmp_path: pathlib.Path) -> None:
    """A full queue is a daemon that has much to do, not one that is absent."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / client.SOCKET_NAME))
        server.listen(0)
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(str(tmp_path / client.SOCKET_NAME))
        with pytest.raises(TimeoutError):
            client.ask_daemon(str(tmp_path), "ping", timeout_s=0.2)
        for one in waiting:
            one.close()

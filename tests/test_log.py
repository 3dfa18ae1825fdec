"""Logs: one parsable line per event, readable on a terminal, never a secret, never a reason to stop."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.log import MASK, MOST_CHARS, configure, is_journal, logger, printable


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging is global to the process: each test leaves it as it was."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    structlog.reset_defaults()
    root.handlers[:], root.level = before


def written(format: str = "json", level: str = "info", secrets: tuple[str, ...] = ()) -> io.StringIO:
    stream = io.StringIO()
    configure(level, format, stream=stream, secrets=secrets, environ={})
    return stream


def only(stream: io.StringIO) -> dict[str, Any]:
    (line,) = stream.getvalue().splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_json_lines() -> None:
    """Off a terminal an event is one JSON object: time in RFC 3339 UTC, level, event, then its keys in order."""
    stream = written("auto")
    logger(pid=7).info("worker.recycled", reason="rss", files=41)
    event = only(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", event["at"])
    assert list(event) == ["at", "level", "event", "pid", "reason", "files"]
    assert (event["level"], event["event"], event["files"]) == ("info", "worker.recycled", 41)


def test_readable_lines() -> None:
    """On a terminal an event is words and pairs; what could break the line or the terminal is escaped."""
    stream = written("console")
    logger().warning("file.skipped", path=b"/a/new\nline \x1b[2J", size_bytes=3, reason="")
    line = stream.getvalue()
    assert re.fullmatch(r"\d\d:\d\d:\d\d warning file\.skipped path='.*' size_bytes=3 reason=''\n", line)
    assert "\x1b" not in line
    assert "new\\nline" in line


@pytest.mark.parametrize(("wish", "coloured"), [("", True), ("0", False)])
def test_colours_on_a_terminal(wish: str, coloured: bool) -> None:
    """Unless NO_COLOR, of any value but an empty one, says otherwise."""
    stream = io.StringIO()
    stream.isatty = lambda: True  # type: ignore[method-assign]
    configure(stream=stream, environ={"NO_COLOR": wish})
    logger().info("worker.recycled")
    assert ("\x1b" in stream.getvalue()) == coloured


def test_the_level_can_change() -> None:
    """What is below the level is not written; configuring again, as after a re-read, changes that for known loggers."""
    stream = written(level="warning")
    log = logger()
    log.info("batch.stored")
    assert not stream.getvalue()
    stream = written(level="debug")
    log.debug("batch.stored")
    assert only(stream)["event"] == "batch.stored"


@pytest.mark.parametrize("name", ["api_key", "OPENAI_API_KEY", "token", "client_secret", "password", "Authorization"])
def test_what_is_called_a_secret_is_masked(name: str) -> None:
    """The value of a key with such a name is masked wherever it is nested; counts of tokens are no secrets."""
    stream = written()
    logger().info("worker.configured", settings={"x": [{name: "hunter2"}]}, tokens=53, **{name: "hunter2"})
    assert "hunter2" not in stream.getvalue()
    assert only(stream)["tokens"] == 53


def test_known_secrets_are_masked_inside_any_text() -> None:
    """A key that a library put into an error, a URL with a password, a traceback: none shows it."""
    stream = written(secrets=("sk-abcdef", "ab", ""))
    try:
        raise ValueError("401 for sk-abcdef at https://ann:pw@db/x")
    except ValueError as error:
        logger().exception("store.refused", message=str(error), short="ab", cab="cab")
    event = only(stream)
    assert "sk-abcdef" not in stream.getvalue()
    assert "ann:pw" not in stream.getvalue()
    assert event["message"] == f"401 for {MASK} at https://{MASK}@db/x"
    assert (event["short"], event["cab"]) == (MASK, "cab")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ann:p@ss@db/x", f"https://{MASK}@db/x"),
        ("redis://:pw@cache:6379", f"redis://{MASK}@cache:6379"),
        ("https://0a1b2c3d4e@host/x", f"https://{MASK}@host/x"),
        ("at (amqp://u:p@q/) and http://h/a@b", f"at (amqp://{MASK}@q/) and http://h/a@b"),
        ("https://h/x?page=2&api_key=abc&sig=d%2Fe", f"https://h/x?page=2&api_key={MASK}&sig={MASK}"),
        ("http://localhost:6333/collections", "http://localhost:6333/collections"),
    ],
)
def test_a_login_in_a_url_is_masked(url: str, shown: str) -> None:
    """User, password or token before the host, and keys and signatures of its query; the rest stays."""
    stream = written()
    logger().warning("store.unreachable", url=url)
    assert only(stream)["url"] == shown


@settings(max_examples=50)
@given(st.recursive(st.text() | st.binary() | st.floats() | st.integers() | st.none(), st.lists))
def test_anything_becomes_printable(value: Any) -> None:
    """Names that are not UTF-8, halves of surrogate pairs, NaN: the result is strict JSON and valid UTF-8."""
    json.dumps(printable(value), allow_nan=False, ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize("name", [b"/a/\xff\xc3\xa9", os.fsdecode(b"/a/\xff\xc3\xa9")])
def test_paths_show_their_bytes(name: Any) -> None:
    """A path looks the same as bytes and as the text the system makes of it; only the bad byte is escaped."""
    assert printable(name) == "/a/\\xffé"


def test_a_value_is_bounded() -> None:
    """A log is no place for a transcript: a huge value keeps its beginning and its end."""
    stream = written()
    logger().info("line.quarantined", sample="a" + "x" * 10_000_000 + "z")
    sample = only(stream)["sample"]
    assert len(sample) <= MOST_CHARS + 3
    assert (sample[0], sample[-1]) == ("a", "z")


def test_a_broken_stream_stops_nothing() -> None:
    """A closed pipe or a full disk behind the log is no reason to end an import."""
    stream = written()
    stream.close()
    logger().error("store.refused")
    assert stream.closed


def test_a_reader_that_stops_reading_stops_nothing() -> None:
    """What the full pipe does not take is dropped at once, and counted as soon as it takes something again."""
    read, write = os.pipe()
    with os.fdopen(read, "rb", buffering=0) as reader, os.fdopen(write, "w") as stream:
        configure("info", "json", stream=stream)
        for number in range(2000):
            logger().info("tested", number=number)
        kept = [json.loads(line) for line in reader.read(1 << 20).splitlines()]
        logger().info("tested", number=2000)
        told = [json.loads(line) for line in reader.read(1 << 20).splitlines()]
    assert [event["number"] for event in kept] == list(range(len(kept)))
    assert 0 < len(kept) < 2000
    assert [(event["event"], event.get("lines"), event.get("number")) for event in told] == [
        ("log.dropped", 2000 - len(kept), None),
        ("tested", None, 2000),
    ]


def test_a_long_line_waits_for_nobody() -> None:
    """The reader who stopped gets its beginning, and from the next line on whole ones again."""
    read, write = os.pipe()
    with os.fdopen(read, "rb", buffering=0) as reader, os.fdopen(write, "w") as stream:
        configure("info", "json", stream=stream)
        long = {f"part{number}": "ä" * 1000 for number in range(100)}  # more than the 64 KiB of a pipe
        logger().info("tested", **long)
        logger().info("tested", number=1)
        torn = reader.read(1 << 20)
        logger().info("tested", number=2)
        told = reader.read(1 << 20).splitlines()
        logger().info("tested", number=3)
        last = reader.read(1 << 20).splitlines()
    assert torn.startswith(b'{"at"')
    assert b"\n" not in torn
    assert [json.loads(line).get("lines") for line in told[1:]] == [2, None]
    assert [json.loads(line)["number"] for line in last] == [3]


def test_the_journal_gets_priorities(tmp_path: Any) -> None:
    """When the journal listens, each line begins with its syslog priority, as sd-daemon(3) says."""
    with (tmp_path / "journal").open("w+") as stream:
        stat = os.fstat(stream.fileno())
        environ = {"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"}
        configure("info", "auto", stream=stream, environ=environ)
        logger().warning("watch.polling")
        assert is_journal(stream, environ)
        assert not is_journal(io.StringIO(), environ)
        assert (tmp_path / "journal").read_text().startswith('<4>{"at"')


def test_libraries_are_heard() -> None:
    """A warning of asyncio or watchfiles becomes an event of ours; their chatter does not."""
    stream = written()
    logging.getLogger("watchfiles.main").info("3 changes detected")
    logging.getLogger("asyncio").error("task %s was never awaited", 7)
    event = only(stream)
    assert (event["event"], event["library"], event["message"]) == (
        "library.logged",
        "asyncio",
        "task 7 was never awaited",
    )


def test_the_log_is_light() -> None:
    """structlog is loaded by the first event alone, and without rich, which stays importable."""
    probe = """
import sys
from importer.log import configure, logger
configure("warning", "json")
print("structlog" in sys.modules)
logger().error("worker.died")
print("structlog" in sys.modules, "rich" in sys.modules)
import rich.console
"""
    run = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "True", "False"]
    assert json.loads(run.stderr)["event"] == "worker.died"

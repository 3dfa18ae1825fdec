"""Bad input has a clear outcome, an exit code and no traceback, and the good input beside it is imported."""

from __future__ import annotations

import json
import os
import pathlib
import shutil

import oracle
import pytest
import store_backends
import store_diff
from processes import Done, Importer

from importer.bench.corpus import corpus

LARGE_LINE_BYTES = 50 << 20
SNAPSHOT = b'{"type":"file-history-snapshot","messageId":"m","snapshot":{},"isSnapshotUpdate":false}\n'


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = str(tmp_path_factory.mktemp("good"))
    corpus.write(folder, files=2, seed=3, bytes_per_file=4000)
    return folder


@pytest.fixture
def folder(good: str, tmp_path: pathlib.Path) -> str:
    """The good input, for bad input to be put beside it."""
    return shutil.copytree(good, str(tmp_path / "said"))


@pytest.fixture
def installed(tmp_path: pathlib.Path) -> Importer:
    return Importer(tmp_path)


def line(text: str, number: int = 1, kind: str = "user") -> bytes:
    """Return a message as Claude Code writes it."""
    at = f"2026-02-03T04:05:{number:02d}.000Z"
    chain = {"uuid": f"u{number}", "parentUuid": None, "sessionId": "s", "cwd": "/home/ann/app", "timestamp": at}
    return json.dumps({"type": kind, "message": {"role": kind, "content": text}, **chain}).encode() + b"\n"


FIRST, LAST = line("The first saffron question."), line("The last saffron answer.", 9, "user")


def put(folder: str, raw: bytes, name: str = "bad.jsonl") -> str:
    path = f"{folder}/-home-ann-app/{name}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(raw)
    return path


def no_traceback(done: Done) -> Done:
    assert "Traceback" not in done.err + done.out, done.err
    return done


def imported(installed: Importer, folder: str, *arguments: str) -> Done:
    """Import the folder and check that all the files say is stored, the good one's words above all."""
    done = no_traceback(installed.run("backlog", folder, "--json", *arguments))
    expected = oracle.expect(folder)
    assert expected.files > 2
    with oracle.opened(installed.state) as store:
        assert not store_diff.compare(expected, store).wrong
    told = done.json
    assert told["lines"] == told["stored"] + told["skipped"] + told["quarantined"] == expected.tally.lines_read
    return done


@pytest.mark.parametrize(
    ("raw", "code", "quarantined"),
    [
        pytest.param(b"", 0, 0, id="an empty file"),
        pytest.param(b"\n\n\n", 0, 0, id="empty lines"),
        pytest.param(SNAPSHOT * 40, 0, 0, id="snapshots only"),
        pytest.param(FIRST + LAST[:50], 0, 0, id="a last line that is not complete yet"),
        pytest.param(FIRST + line("cut", 2)[:60] + b"\n" + LAST, 1, 1, id="a cut line"),
        pytest.param(FIRST + b"\0" * 70_000 + LAST, 0, 0, id="a run of NUL before a line"),
        pytest.param(FIRST + b"\0" * 70_000 + b"\n" + LAST, 0, 0, id="a line of NUL"),
        pytest.param(FIRST.rstrip() + LAST, 0, 0, id="glued records"),
        pytest.param(FIRST + b'{"type":"user","x":"\xff\xfe\x80"}\n' + LAST, 0, 0, id="invalid UTF-8"),
        pytest.param(
            FIRST + line("so \\ud83d half").replace(b"\\\\u", b"\\u") + LAST, 0, 0, id="half a surrogate pair"
        ),
        pytest.param(b"\xef\xbb\xbf" + FIRST + LAST, 0, 0, id="a byte order mark"),
        pytest.param((FIRST + LAST).replace(b"\n", b"\r\n"), 0, 0, id="CRLF"),
        pytest.param(FIRST + b"[" * 100_000 + b"\n" + LAST, 1, 1, id="depth 100,000"),
        pytest.param(
            FIRST + b'{"type":"user","n":' + b"9" * 100_000 + b"}\n" + LAST, 0, 0, id="an integer of 10^5 digits"
        ),
        pytest.param(FIRST + os.urandom(3000).replace(b"\n", b"") + b"\n" + LAST, 1, 1, id="noise"),
    ],
)
def test_damaged_files(installed: Importer, folder: str, raw: bytes, code: int, quarantined: int) -> None:
    """What is broken is set aside by itself; what stands before and behind it in the file is imported."""
    put(folder, raw)
    done = imported(installed, folder)
    assert (done.code, done.json["quarantined"]) == (code, quarantined), done.err
    if LAST.strip() in raw:
        hits = installed.run("search", "--mode", "keyword", "--json", "saffron", "answer").json["hits"]
        assert any("The last saffron answer." in hit["document"] for hit in hits)


def test_a_line_of_50_mb(installed: Importer, folder: str) -> None:
    """It is passed over without being held in memory, and stands in quarantine with its offset and length."""
    put(folder, FIRST + b'{"x":"' + b"y" * LARGE_LINE_BYTES + b'"}\n' + LAST)
    done = imported(installed, folder)
    assert (done.code, done.json["quarantined"]) == (1, 1)
    assert done.json["daemon"]["peak_rss_bytes"] < 64 << 20
    (row,) = json.loads(installed.run("failures", "--json").out)["failures"]
    assert (row["offset"], row["length"] > LARGE_LINE_BYTES, row["stage"]) == (len(FIRST), True, "read")


def test_a_folder_without_permission(tmp_path: pathlib.Path, folder: str) -> None:
    """It is named with the reason, the rest is imported, and the exit code says that something is left."""
    installed = Importer(tmp_path, bound=True)
    shut = f"{folder}/-home-ann-shut"
    os.mkdir(shut, 0o000)
    try:
        done = no_traceback(installed.run("backlog", folder))
    finally:
        os.chmod(shut, 0o700)
    assert done.code == 1
    assert shut in done.err and "Permission denied" in done.err
    with oracle.opened(installed.state) as store:
        assert not store_diff.compare(oracle.expect(folder), store).wrong


def test_a_file_without_permission(tmp_path: pathlib.Path, folder: str) -> None:
    """As with a folder: named, and nothing else suffers."""
    installed = Importer(tmp_path, bound=True)
    path = put(folder, FIRST)
    os.chmod(path, 0o000)
    done = no_traceback(installed.run("backlog", folder))
    assert (done.code, path in done.err) == (1, True)
    with oracle.opened(installed.state) as store:
        assert not store_diff.compare(oracle.expect(folder, without=[path]), store).wrong


@pytest.mark.parametrize("name", ["missing", "missing.jsonl"])
def test_a_missing_path(installed: Importer, folder: str, name: str) -> None:
    """It is a mistake of the caller: exit 2 that names it, and nothing was begun."""
    done = no_traceback(installed.run("backlog", folder, f"{folder}/{name}"))
    assert (done.code, f"{folder}/{name}" in done.err) == (2, True)
    assert not store_backends.there(installed.state)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--store edgy backlog", "edgy"),
        ("--store ftp://host backlog", "ftp://host"),
        ("--store no.such.module backlog", "no.such.module"),
        ("backlog --source claude=/tmp", "claude"),
        ("--config /no/such.toml backlog", "/no/such.toml"),
        ("--log-level loud backlog", "loud"),
        ("backlog --no-such-flag", "--no-such-flag"),
        ("import", "import"),
    ],
)
def test_words_nobody_knows(installed: Importer, folder: str, words: str, told: str) -> None:
    """An unknown store, format, file, level, flag or command is refused at once, by its name."""
    done = no_traceback(installed.run(*words.split(), folder))
    assert (done.code, told in done.err) == (2, True), done.err


def test_a_corrupt_model_file(tmp_path: pathlib.Path, folder: str, model_dir: str) -> None:
    """Exit 4 with the name of the damaged file; nothing is taken for imported, and a sound model finishes the job."""
    models = str(tmp_path / "models")
    damaged = shutil.copytree(model_dir, f"{models}/{os.path.basename(model_dir)}")
    with open(f"{damaged}/model.onnx", "r+b") as file:
        file.seek(1000)
        file.write(b"damaged" * 1000)
    installed = Importer(tmp_path, {"IMPORTER_MODEL_DIR": models, "HF_HUB_OFFLINE": "1"})
    done = no_traceback(installed.run("backlog", folder))
    assert (done.code, "model" in done.err) == (4, True)
    installed.environ["IMPORTER_MODEL_DIR"] = os.path.dirname(model_dir)
    assert imported_by_model(installed, folder) == 0


def imported_by_model(installed: Importer, folder: str) -> int:
    done = no_traceback(installed.run("backlog", folder))
    with oracle.opened(installed.state) as store:
        assert not store_diff.compare(oracle.expect(folder), store).wrong
    return done.code


def test_a_store_that_is_not_there(installed: Importer, folder: str) -> None:
    """An address without a server: exit 75, try again later, and what was read is not taken for imported."""
    done = no_traceback(installed.run("--store", "http://127.0.0.1:9", "backlog", folder))
    assert done.code == 75, done.err
    assert "Connection refused" in done.err
    assert oracle.rows_of(installed.state) == []


def test_a_state_that_is_a_file(installed: Importer, folder: str) -> None:
    """The state directory must be one: exit 3."""
    pathlib.Path(installed.state).write_text("no folder")
    done = no_traceback(installed.run("backlog", folder))
    assert (done.code, installed.state in done.err) == (3, True)


def test_two_importers(installed: Importer, folder: str) -> None:
    """The second one says who holds the state and exits 3; the first one is not disturbed."""
    first = installed.start("backlog", folder, IMPORTER_FAILPOINTS="received=sleep:6@1")
    from processes import until

    until(lambda: os.path.exists(f"{installed.state}/checkpoints.sqlite3"))
    second = no_traceback(installed.run("backlog", folder))
    assert (second.code, str(first.pid) in second.err) == (3, True)
    assert first.wait(60) == 0
    first.communicate()

"""Files are written and given back through links, beside other programs, and after a kill at every seam."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import settings_texts as texts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from processes import ROOT

from importer.assistants.wiring import files, here, record, wire
from importer.assistants.wiring.places import AssistantPlace, places
from importer.protocol import failpoints

WORDS = ["/opt/importer", "mcp"]
# Sets up or gives back everything below a home, in a process of its own for each time, which a failpoint may kill.
PROGRAM = """
import os, sys
from importer.assistants.wiring import here, record, wire
from importer.protocol import failpoints

def do(what, home, state):
    if what == "write":
        found = here.assistants(("codex", "qwen", "claude-code"), {}, home)
        for one in here.to_write(found, ["/opt/importer", "mcp"], state, hooked=True):
            wire.write(one.plan, state)
    else:
        for one in here.to_give_back(record.read(state), {}, home, unnoted=False):
            wire.undo(one.plan, one.written, state)
        record.drop(state, "")

for line in sys.stdin:
    what, order = line.rstrip().split("|")
    if not (child := os.fork()):
        failpoints._ordered = failpoints.parse(order)
        do(what, *sys.argv[1:])
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
Run = Callable[..., int]


def tree(home: pathlib.Path) -> dict[str, Any]:
    """Return everything below a folder: bytes, links and modes."""
    found = {}
    for path in sorted(home.rglob("*")):
        said = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        found[str(path.relative_to(home))] = (said, path.lstat().st_mode)
    return found


@pytest.fixture
def run(home: pathlib.Path) -> Iterator[Run]:
    """Start the program; each call has it write or give back once more, and returns how that ended."""
    words = [sys.executable, "-c", PROGRAM, str(home), str(home / "there/state")]
    environ = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    with subprocess.Popen(words, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        told, asked = process.stdout, process.stdin

        def once(what: str, order: str = "") -> int:
            asked.write(f"{what}|{order}\n")
            asked.flush()
            return int(told.readline())

        yield once
        asked.close()


@pytest.fixture
def home(tmp_path: pathlib.Path) -> pathlib.Path:
    """Make a home with a file, a link that leads nowhere, and assistants without settings."""
    (tmp_path / ".codex").mkdir()
    (tmp_path / ".codex/config.toml").write_text('# mine\nmodel = "o"')
    (tmp_path / ".qwen").mkdir()
    (tmp_path / ".qwen/settings.json").symlink_to("../dotfiles/deep/qwen.json")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("seam", ["noted", "folder", "beside", "written"])
def test_killed_while_it_writes(home: pathlib.Path, run: Run, seam: str) -> None:
    """Wherever it is killed, taking back leaves nothing; setting up again finishes it, and that is taken back, too."""
    before = tree(home)
    for at in range(1, 99):
        killed = run("write", f"wiring.{seam}=kill@{at}") == -signal.SIGKILL
        assert run("write") == 0
        assert len(list(home.rglob(".importer-*"))) == 0
        assert run("back") == 0
        assert tree(home) == before
        if not killed:
            break
        run("write", f"wiring.{seam}=kill@{at}")
        assert run("back") == 0
        assert tree(home) == before
    assert at > 3


@pytest.mark.slow
@pytest.mark.parametrize("seam", ["beside", "undone"])
def test_killed_while_it_gives_back(home: pathlib.Path, run: Run, seam: str) -> None:
    """The same command finishes it."""
    before = tree(home)
    for at in range(1, 99):
        assert run("write") == 0
        killed = run("back", f"wiring.{seam}=kill@{at}") == -signal.SIGKILL
        assert run("back") == 0
        assert tree(home) == before
        if not killed:
            break
    assert at > 3


def qwen(home: pathlib.Path) -> AssistantPlace:
    """Return one assistant's place."""
    return next(place for place in places({}, str(home)) if place.assistant == "qwen")


def write(place: AssistantPlace, state: str, words: list[str] = WORDS) -> wire.Change:
    """Set up one assistant."""
    return wire.write(lambda: wire.planned(place, words, record.read(state)), state)


def back(place: AssistantPlace, state: str) -> wire.Change:
    """Give one assistant's settings back."""
    written = record.read(state).files[place.path]
    return wire.undo(lambda: wire.taken_out(place.path, written, place), written, state)


def test_a_file_that_changes_while_a_person_thinks(tmp_path: pathlib.Path) -> None:
    """What another program writes between plan, question and writing is never given back an older content."""
    place, state = qwen(tmp_path), str(tmp_path / "state")
    path = pathlib.Path(place.path)
    path.parent.mkdir()
    path.write_text('{"a": 1}')
    shown = wire.planned(place, WORDS, record.read(state))
    path.write_text('{"a": 2}')
    meanwhile = iter(['{"a": 3}', None])

    def plan() -> wire.Change:
        change = wire.planned(place, WORDS, record.read(state))
        if (text := next(meanwhile, None)) is not None:
            path.write_text(text)  # after it was read, before it is written
        return change

    wire.write(plan, state)
    assert json.loads(path.read_text())["a"] == 3 and "conversations" in path.read_text() and shown.before == '{"a": 1}'
    written = record.read(state).files[place.path]
    again = iter([path.read_text().replace("3", "4"), None])

    def plan_back() -> wire.Change:
        change = wire.taken_out(place.path, written, place)
        if (text := next(again, None)) is not None:
            path.write_text(text)
        return change

    wire.undo(plan_back, written, state)
    assert path.read_text() == '{"a": 4}'


def test_a_file_that_never_rests(tmp_path: pathlib.Path) -> None:
    """It is given up after some tries, with nothing noted or left behind."""
    place, state = qwen(tmp_path), str(tmp_path / "state")
    path = pathlib.Path(place.path)
    path.parent.mkdir()
    before = tree(tmp_path)
    times = iter(range(99))

    def plan() -> wire.Change:
        change = wire.planned(place, WORDS, record.read(state))
        path.write_text(json.dumps({"a": next(times)}))
        return change

    with pytest.raises(OSError, match="keeps changing"):
        wire.write(plan, state)
    path.unlink()
    assert tree(tmp_path) == before


def test_what_is_not_ours_to_write(tmp_path: pathlib.Path) -> None:
    """Read-only files, those with other names, folders, pipes and other encodings are left, and it is said why."""
    place, state = qwen(tmp_path), str(tmp_path / "state")
    path = pathlib.Path(place.path)
    path.parent.mkdir()
    path.write_text("{}")
    os.link(path, tmp_path / "other")
    assert "hard links" in write(place, state).why
    (tmp_path / "other").unlink()
    path.chmod(0o400)
    assert "read-only" in write(place, state).why
    path.chmod(0o600)
    path.write_bytes('{"a": "é"}'.encode("utf-16"))
    assert "UTF-8" in write(place, state).why
    path.unlink()
    path.mkdir()
    assert "left as it is" in write(place, state).why
    path.rmdir()
    os.mkfifo(tmp_path / "pipe")
    for leads in (path, tmp_path / "pipe", "/dev/full"):  # nowhere, to what never comes, and to what has no end
        path.symlink_to(leads)
        assert write(place, state).left
        path.unlink()
    assert not record.read(state).written


def test_a_full_disk(tmp_path: pathlib.Path) -> None:
    """A write that fails leaves neither file, folder nor note."""
    place, state = qwen(tmp_path), str(tmp_path / "state")
    before = tree(tmp_path)
    failpoints._ordered = failpoints.parse("wiring.folder=full")
    try:
        with pytest.raises(OSError, match="space"):
            write(place, state)
    finally:
        failpoints._ordered = []
    assert tree(tmp_path) == before


def test_a_place_that_moved(home: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """With another CODEX_HOME than then, the file is known by what was noted of it."""
    state = str(tmp_path / "state")
    place = next(place for place in places({}, str(home)) if place.assistant == "codex")
    write(place, state)
    for one in here.to_give_back(record.read(state), {"CODEX_HOME": "/elsewhere"}, "/nowhere", unnoted=False):
        wire.undo(one.plan, one.written or record.Written(""), state)
    assert (home / ".codex/config.toml").read_text() == '# mine\nmodel = "o"'


def test_an_entry_that_an_assistant_took_along(tmp_path: pathlib.Path) -> None:
    """Settings that were moved to another place, ours among them, are given back there as well."""
    old, new = tmp_path / ".gemini/antigravity/mcp_config.json", tmp_path / ".gemini/config/mcp_config.json"
    state, mine = str(tmp_path / "state"), '{"mcpServers": {"mine": {"command": "x"}}}'
    old.parent.mkdir(parents=True)
    old.write_text(mine)
    write(next(place for place in places({}, str(tmp_path)) if place.assistant == "antigravity"), state)
    new.parent.mkdir()
    new.write_text(old.read_text())
    (new.parent / ".migrated").touch()
    for one in here.to_give_back(record.read(state), {}, str(tmp_path), unnoted=False):
        wire.undo(one.plan, one.written or record.Written(""), state)
    assert old.read_text() == mine and json.loads(new.read_text()) == json.loads(mine)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=25)
@given(texts.json_texts(), st.sampled_from([0o600, 0o644, 0o400]), st.booleans(), st.booleans())
def test_any_file(
    tmp_path_factory: pytest.TempPathFactory, text: texts.Text, mode: int, link: bool, deep: bool
) -> None:
    """In any layout, of any mode, through a link or not: in between it has us, afterwards every byte is as before."""
    home = tmp_path_factory.mktemp("home")
    place, state = qwen(home), str(home / "state")
    path = home / "dotfiles/x.json" if link else pathlib.Path(place.path)
    path.parent.mkdir()
    path.write_bytes(text.text.encode())
    path.chmod(mode)
    if link:
        pathlib.Path(place.path).parent.mkdir()
        pathlib.Path(place.path).symlink_to(path if deep else "../dotfiles/x.json")
    before = tree(home)
    done = write(place, state)
    assert done.left == (mode == 0o400)
    if done.left:
        assert tree(home) == before
        return
    between = place.spot.entry_in(json_of(place))
    assert between == place.entry(WORDS) and write(place, state).why == wire.HAS
    back(place, state)
    assert tree(home) == before


def json_of(place: AssistantPlace) -> Any:
    """Return what an assistant's settings say."""
    from importer.assistants.wiring import editing

    return editing.parsed(files.read(place.path) or "", place.kind)

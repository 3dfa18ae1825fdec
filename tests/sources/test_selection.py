"""`include` and `exclude`: by path and by project; what is not selected is read, counted as skipped and not stored."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import signal
from collections.abc import Iterator

import oracle
import pytest
import transcripts
from portions import portion
from processes import Importer, idle, until

from importer.chunking.fold import Cutting
from importer.consistency import baseline
from importer.protocol.records import Span
from importer.reading.gather import Reading
from importer.reading.pipeline import Pipeline
from importer.sources.queue import Pending
from importer.sources.selection import ALL, Selection, everything
from importer.state.checkpoints import Checkpoints

ROOT = b"/data/projects"
FILE = b"/data/projects/-home-ben-recipes-app/s.jsonl"
APP = "/home/ben/recipes-app"


@pytest.mark.parametrize(
    ("pattern", "project", "held"),
    [
        ("recipes-app", APP, True),
        (APP, APP, True),
        (f"{APP}/", APP, True),
        (APP, f"{APP}/", True),
        ("/home/ben/*", APP, True),
        ("/home/ben/**", APP, True),
        ("**/recipes-app", APP, True),
        ("ben/recipes-*", APP, True),  # with a slash, but from no root
        ("recipes-app", f"{APP}/web", True),  # what lies below it
        ("recipes", APP, False),
        ("/recipes-app", APP, False),  # another folder than that
        ("/home/ann/*", APP, False),
        ("recipes", "recipes", True),  # some assistants tell no more than a name
        ("recipes-app", "C:\\Users\\ben\\recipes-app", True),
        ("C:\\Users\\ben\\*", "C:\\Users\\ben\\recipes-app", True),
        ("C:/Users/ben", "C:\\Users\\ben\\recipes-app", True),
        ("recipes-app", "/home/ben/\ud800/recipes-app", True),  # no file system has such a name
    ],
)
def test_a_pattern_holds_for_a_project(pattern: str, project: str, held: bool) -> None:
    """To exclude it, and to include it where the path does not."""
    assert Selection(exclude=(pattern,)).judge(FILE, ROOT)(project) is not held
    assert Selection(include=(pattern,)).judge(b"/data/projects/x/s.jsonl", ROOT)(project) is held


def test_a_path_is_included_whatever_its_project() -> None:
    """By the path below its root; an excluded project stays away all the same."""
    chosen = Selection(include=("-home-ben-*", "/home/ann/*"), exclude=("secret",))
    here, there = chosen.judge(FILE, ROOT), chosen.judge(b"/data/projects/-x/s.jsonl", ROOT)
    assert [here(project) for project in ("", APP, "/home/ann/a", "/x/secret")] == [True, True, True, False]
    assert [there(project) for project in ("", APP, "/home/ann/a", "/home/ann/secret")] == [False, False, True, False]


def test_a_named_file_is_included() -> None:
    """A single file given as a root is wanted under any name."""
    assert Selection(include=("x",)).judge(FILE, FILE) is everything


def test_without_patterns_nothing_is_asked() -> None:
    """Which costs nothing for each chunk; and what has no project is judged by its path alone."""
    assert ALL.judge(FILE, ROOT) is ALL.judge(FILE) is everything
    assert Selection(exclude=("*",)).judge(FILE, ROOT)("")


def test_what_is_sure_without_a_root() -> None:
    """By the roots that are known, where they agree; of a file below none of them only its projects are sure."""
    chosen = Selection(include=("-home-ben-*", "/x"), roots=(ROOT,))
    assert chosen.judge(FILE)("")
    assert [chosen.judge(b"/mnt/-home-ben-a/s")(project) for project in ("", "/x")] == [False, True]
    assert not dataclasses.replace(chosen, roots=(ROOT, os.path.dirname(FILE))).judge(FILE)("")


@pytest.mark.parametrize(
    ("former", "now", "wider"),
    [
        (ALL, Selection(exclude=("a",)), False),
        (Selection(exclude=("a",)), ALL, True),
        (Selection(exclude=("a",)), Selection(exclude=("a", "b")), False),
        (Selection(exclude=("a",)), Selection(exclude=("b",)), True),
        (ALL, Selection(include=("a",)), False),
        (Selection(include=("a",)), ALL, True),
        (Selection(include=("a", "b")), Selection(include=("b",)), False),
        (Selection(include=("a",)), Selection(include=("a", "b")), True),
    ],
)
def test_wider(former: Selection, now: Selection, wider: bool) -> None:
    """Only then must what was read be read again."""
    assert now.wider_than(former) is wider


@pytest.fixture
def state(tmp_path: pathlib.Path) -> Iterator[Checkpoints]:
    with Checkpoints.open(f"{tmp_path}/state.sqlite3") as checkpoints:
        yield checkpoints


def said(folder: pathlib.Path, project: str, *, name: str = "s", late: bool = False) -> pathlib.Path:
    """A conversation in a project: two exchanges; `late`: the first knows of no project yet."""
    path = folder / project.replace("/", "-") / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for n in range(2):
        key, facts = (
            f"{project}{name}{n}",
            {"cwd": None if late and not n else project, "sessionId": f"{project}{name}"},
        )
        prompt = transcripts.prompt(f"question {key}", n=2 * n + 1, **facts) | {"uuid": f"p{key}"}
        answer = transcripts.answer(transcripts.text(f"reply {key}"), n=2 * n + 2, **facts) | {"uuid": f"a{key}"}
        lines += [prompt, answer | {"message": {**answer["message"], "id": f"m{key}"}}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def span_of(path: pathlib.Path, state: Checkpoints, selection: Selection) -> Span:
    reading = Reading(Cutting(1000, 200), "here", selection=selection)
    found = Pipeline(reading, state).read(Pending(os.fsencode(path), os.fsencode(path.parent.parent), "auto")).span
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("selection", "late", "stored"),
    [
        (ALL, False, 4),
        (Selection(exclude=("recipes-app",)), False, 0),
        (Selection(include=("other",)), False, 0),
        (Selection(include=("/home/ben",)), False, 4),
        (Selection(include=("-home-ben-*",)), False, 4),
        (Selection(exclude=("recipes-app",)), True, 2),  # what holds when it is cut counts
        (Selection(include=("/home/ben",)), True, 2),
    ],
)
def test_every_line_has_one_outcome(
    tmp_path: pathlib.Path, state: Checkpoints, selection: Selection, late: bool, stored: int
) -> None:
    """Lines of a project that is not selected are read and skipped; none of their text becomes a chunk."""
    span = span_of(said(tmp_path, APP, late=late), state, selection)
    tally = span.commit.tally
    assert (tally.lines_stored, tally.lines_skipped, tally.lines_quarantined) == (stored, 4 - stored, 0)
    assert (tally.messages, len(span.chunks)) == (stored, stored // 2)


def test_files_are_read_again_when_more_is_wanted(tmp_path: pathlib.Path, state: Checkpoints) -> None:
    """What was left out of them is found then; where less is wanted they stay read."""
    span = span_of(said(tmp_path, APP), state, ALL)
    state.commit([span.commit])
    without, other = Selection(exclude=("a",)), Selection(exclude=("b",))
    assert [baseline.select(state, one) for one in (ALL, without, without, other, other)] == [0, 0, 0, 1, 0]


# ------------------------------------------------------------------------------------------------ for real


@pytest.fixture
def installed(tmp_path: pathlib.Path) -> Importer:
    """With conversations of three projects."""
    for project in (APP, "/home/ben/work/site", "/home/ann/notes"):
        said(tmp_path / "said", project)
    return Importer(tmp_path)


def imported(installed: Importer, **environ: str) -> set[str]:
    """The projects in the store after an import, every line of which is accounted for."""
    done = installed.run("backlog", str(installed.base / "said"), "--json", **environ)
    assert done.code == 0, done.err
    assert done.json["lines"] == done.json["stored"] + done.json["skipped"] + done.json["quarantined"]
    with oracle.opened(installed.state) as store:
        return {point.payload["metadata"]["project_name"] for point in oracle.points_of(store)}


def healthy(installed: Importer, **environ: str) -> tuple[int, int, int, int]:
    """The exit code of verify, and how many points are matching, kept, deleted."""
    done = installed.run("verify", "--repair", "--json", **environ)
    return done.code, done.json["matching"], done.json["kept"], done.json["erased"]


@pytest.mark.parametrize("pattern", portion(["recipes-app", APP, f"{APP}/", "~/recipes-app"], 3))
def test_an_excluded_project_stays_out(installed: Importer, pattern: str) -> None:
    """Nothing of it is stored, and verify misses nothing; taken back, it is imported."""
    excluded = {"IMPORTER_EXCLUDE": pattern, "HOME": "/home/ben"}
    assert imported(installed, **excluded) == {"site", "notes"}
    assert healthy(installed, **excluded) == (0, 4, 0, 0)
    assert imported(installed) == {"recipes-app", "site", "notes"}


def test_only_included_projects_are_stored(installed: Importer) -> None:
    """By project or by path; what is excluded is not."""
    chosen = {"IMPORTER_INCLUDE": "recipes-app,-home-ann-*,/home/ben/work", "IMPORTER_EXCLUDE": "site"}
    assert imported(installed, **chosen) == {"recipes-app", "notes"}
    sources = {"IMPORTER_SOURCES": f"auto={installed.base}/said"}
    assert healthy(installed, **chosen, **sources) == (0, 4, 0, 0)
    assert healthy(installed, **chosen) == (0, 2, 2, 0)  # below which root a path was named is not known any more
    assert imported(installed, IMPORTER_INCLUDE="site,recipes-app") == {"recipes-app", "notes", "site"}


def test_what_is_excluded_later_is_kept(installed: Importer) -> None:
    """The store is healthy, and no repair deletes it; it goes when it is forgotten."""
    assert imported(installed) == {"recipes-app", "site", "notes"}
    excluded = {"IMPORTER_EXCLUDE": "recipes-app"}
    assert imported(installed, **excluded) == {"recipes-app", "site", "notes"}
    assert healthy(installed, **excluded) == (0, 4, 2, 0)
    assert installed.run("forget", "--project", APP, "--yes", **excluded).code == 0
    assert healthy(installed, **excluded) == (0, 4, 0, 0)


def test_a_running_daemon_is_told(installed: Importer) -> None:
    """SIGHUP: what is excluded from now on is not stored, what is no longer is read again."""
    settings = installed.base / "settings.toml"
    settings.write_text('exclude = ["recipes-app"]\n')
    folder = installed.base / "said"
    environ = {"IMPORTER_CONFIG": str(settings), "IMPORTER_TAIL_RESCAN_S": "0.3"}

    def points(project: str) -> int:
        return int(installed.run("forget", "--project", project, "--dry-run", "--json", **environ).json["points"])

    with installed.daemon("--source", f"claude-code={folder}", **environ) as daemon:
        until(lambda: idle(installed) and points("site"))
        assert points(APP) == 0
        settings.write_text('exclude = ["/home/ann"]\n')
        daemon.send_signal(signal.SIGHUP)
        until(lambda: points(APP) == 2)
        said(folder, "/home/ann/diary")
        said(folder, APP, name="more")
        until(lambda: points(APP) == 4)
        assert (points("diary"), points("notes")) == (0, 2)

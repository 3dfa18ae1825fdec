"""`importer search` as a process, also through a daemon: every query finds hits or says why there are none."""

from __future__ import annotations

import json
import pathlib
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from processes import Importer, until
from transcripts import answer, prompt, raw, text

from importer.bench.corpus import corpus
from importer.state import lock

PROJECT = "/home/zoë/thesis"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    """Import one conversation of one project."""
    base = tmp_path_factory.mktemp("search")
    folder = base / ".claude" / "projects" / "-p"
    folder.mkdir(parents=True)
    said = [prompt("why is the sky blue", cwd=PROJECT), answer(text("because the air scatters it"), cwd=PROJECT)]
    (folder / "a.jsonl").write_bytes(b"".join(raw(line) + b"\n" for line in said))
    found = Importer(base)
    assert found.run("backlog").code == 0
    return found


@pytest.fixture(scope="module", params=["alone", "beside a daemon"])
def asked(installed: Importer, request: pytest.FixtureRequest) -> Iterator[Importer]:
    """Search with a worker of its own, and through a daemon."""
    if request.param == "alone":
        yield installed
        return
    with installed.daemon():
        yield installed


@pytest.mark.parametrize("project", [PROJECT, f"{PROJECT}/", "thesis/", "THESIS", "zoë/the", "hes", f"{PROJECT}/src"])
def test_a_project_by_name_path_or_part(asked: Importer, project: str) -> None:
    """In any case, and with the slash that tab completion adds."""
    assert len(asked.run("search", "sky", "--project", project, "--json").json["hits"]) == 1


def test_a_project_that_does_not_exist(asked: Importer) -> None:
    """It ends with 2 and tells which there are."""
    done = asked.run("search", "sky", "--project", "tehsis", "--json")
    assert (done.code, done.out) == (2, "")
    assert "no project fits 'tehsis'" in done.err
    assert f"{PROJECT} (1)" in done.err


def test_a_part_of_several_projects(tmp_path: pathlib.Path) -> None:
    """All that fit are searched, and told on standard error with their points."""
    folder = tmp_path / "said"
    folder.mkdir()
    for name in ("web", "api"):
        said = prompt(f"the {name} of the shop", cwd=f"/srv/shop-{name}", uuid=name, sessionId=name)
        (folder / f"{name}.jsonl").write_bytes(raw(said) + b"\n")
    installed = Importer(tmp_path)
    assert installed.run("backlog", str(folder)).code == 0
    done = installed.run("search", "shop", "--project", "Shop", "--json")
    assert {hit["metadata"]["project_name"] for hit in done.json["hits"]} == {"shop-web", "shop-api"}
    assert "'Shop' fits 2 projects: /srv/shop-api (1), /srv/shop-web (1)" in done.err
    assert not installed.run("search", "shop", "--project", "shop web", "--json").err


def test_a_relative_project(installed: Importer, tmp_path: pathlib.Path) -> None:
    """A path such as `.` means the folder that the command runs in."""
    done = installed.run("search", "sky", "--project", "~/..", "--json")
    assert (done.code, f"no project fits '{installed.base.parent}'" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("flag", "moment", "hits"),
    [
        ("--since", "0001-01-01", 1),
        ("--until", "9999-12-31", 1),
        ("--until", "9999-12-31T23:59:59-14:00", 1),
        ("--until", "0001-01-01", 0),
    ],
)
def test_the_ends_of_the_calendar(asked: Importer, flag: str, moment: str, hits: int) -> None:
    """Such times find everything or nothing, and never give a traceback."""
    assert len(asked.run("search", "sky", flag, moment, "--json").json["hits"]) == hits


@pytest.mark.parametrize(("zone", "day", "time"), [("XXX-10", "2026-10-01", "06:30"), ("YYY5", "2026-09-30", "15:30")])
def test_times_are_local(tmp_path: pathlib.Path, zone: str, day: str, time: str) -> None:
    """A hit shows when it was said here, is found by the day and the month it shows, and by no other."""
    folder = tmp_path / "said"
    folder.mkdir()
    said = {"timestamp": "2026-09-30T20:30:00.000Z"}
    (folder / "a.jsonl").write_bytes(raw(prompt("why is the sky blue", **said)) + b"\n")
    installed = Importer(tmp_path)
    assert installed.run("backlog", str(folder)).code == 0

    def found(*words: str) -> int:
        return len(installed.run("search", "sky", *words, "--json", TZ=zone).json["hits"])

    shown = installed.run("search", "sky", TZ=zone).out
    assert f"{day} {time}" in shown
    assert f"times are {zone[:3]} (UTC" in shown
    spans = (day, day[:7], f"{day} {time}", day[:4])
    assert [found("--since", span, "--until", span) for span in spans] == [1, 1, 1, 1]
    other = "2026-09" if day.startswith("2026-10") else "2026-10"
    assert found("--since", other, "--until", other) == 0


def test_a_wrong_time(installed: Importer) -> None:
    """A text that is no time ends with 2 and examples."""
    done = installed.run("search", "sky", "--since", "the other day")
    assert (done.code, "2 weeks ago" in done.err) == (2, True)


def test_a_terminal_without_the_letters(installed: Importer) -> None:
    """Letters that it cannot show are escaped; JSON is the same in any encoding."""
    done = installed.run("search", "größe 😀", "sky", "--json", PYTHONIOENCODING="latin-1")
    assert (done.code, done.json["query"], len(done.json["hits"])) == (0, "größe 😀 sky", 1)
    shown = installed.run("search", "sky 😀", "--since", "2999", PYTHONIOENCODING="latin-1")
    assert (shown.code, r"sky \U0001f600" in shown.out, "without --since" in shown.out) == (0, True, True)


def test_bytes_that_are_no_text(asked: Importer) -> None:
    """They are replaced, in the query and in filters, and the rest is searched for."""
    done = asked.run("search", "sky", "\udcff\udcfe", "--json")
    assert (done.code, done.json["query"], len(done.json["hits"])) == (0, "sky ??", 1)
    done = asked.run("search", "sky", "--conversation", "\udcff")
    assert (done.code, "nothing is stored of a conversation" in done.err) == (2, True)


@pytest.mark.parametrize("flag", ["source", "kind", "host"])
def test_a_filter_that_nothing_can_pass(installed: Importer, flag: str) -> None:
    """It is said that nothing stored has this value, and which there are."""
    done = installed.run("search", "sky", f"--{flag}", "nonsuch")
    assert (done.code, f"has the {flag} 'nonsuch'" in done.out, "there are" in done.out) == (0, True, True)
    assert f"has the {flag} 'nonsuch'" in installed.run("search", f"--{flag}", "nonsuch").out


def test_assistants_get_all_of_this(asked: Importer) -> None:
    """The same holds over MCP for times, half characters, slashes and nesting; every request in flight is answered."""
    given: list[dict[str, Any]] = [
        {"query": "sky", "since": "0001-01-01"},
        {"query": "sky \ud83d"},
        {"query": "sky", "project": f"{PROJECT}/"},
    ]
    requests = [
        {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": "search", "arguments": one}}
        for number, one in enumerate(given)
    ]
    lines = [*(json.dumps(one).encode() for one in requests[:2]), b"[" * 20_000, json.dumps(requests[2]).encode()]
    words = ["mcp"]
    done = subprocess.run(
        [*asked.command, *words],
        env=asked.environment(words, {}),
        input=b"\n".join(lines) + b"\n",
        capture_output=True,
        check=False,
        timeout=100,
    )
    answers = {one["id"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert (done.returncode, done.stderr) == (0, b"")
    assert set(answers) == {0, 1, 2, None}
    assert all("scatters" in answers[number]["result"]["content"][0]["text"] for number in range(3))
    assert "nested" in answers[None]["error"]["message"]


def test_beside_an_import(tmp_path: pathlib.Path) -> None:
    """Stored points are found while `backlog` works; other commands report that no daemon runs."""
    installed = Importer(tmp_path)
    folder = str(tmp_path / "said")
    corpus.write(folder, files=40, seed=4)
    slowly = {"IMPORTER_FAILPOINTS": "embed=sleep:1", "MEMORY_BATCH_SIZE": "4"}
    process = installed.start("backlog", folder, "--json", **slowly)
    until(lambda: lock.holder(installed.state) and (tmp_path / "state" / "control.sock").exists())
    found = until(lambda: installed.run("search", "what was said", "--json").json["hits"])
    status = installed.run("status", "--json").json
    paused, other = installed.run("pause"), installed.run("backlog", folder)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert found
    assert (status["state"], "backlog" in status["reason"]) == ("importing", True)
    assert (paused.code, other.code) == (3, 3), (paused.err, other.err)
    assert process.returncode == 75, err
    assert (json.loads(out)["stopped"], json.loads(out)["worker"]["crashes"]) == (True, 0)
    assert not (tmp_path / "state" / "control.sock").exists()


def test_how_near_it_is_and_the_passage_that_answers(asked: Importer) -> None:
    """JSON has the word, the hits in any case, and the places of the words in the passage."""
    found = asked.run("search", "why is the sky blue", "--json").json
    (hit,) = found["hits"]
    marked = [hit["passage"]["text"][start:end] for start, end in hit["passage"]["marks"]]
    assert (found["near"], marked) == ("strong", ["sky", "blue"])
    assert hit["reasons"]["words"] > 0
    far = asked.run("search", "zebras eat marmalade quietly", "--json").json
    assert (far["near"], len(far["hits"])) == ("nothing", 1)


def test_what_is_far_is_shown_when_asked_for(installed: Importer) -> None:
    """People are told that nothing close was found; --all shows the nearest."""
    words = ("search", "zebras eat marmalade quietly")
    told, every = installed.run(*words), installed.run(*words, "--all")
    assert (told.code, "nothing close" in told.out, "scatters" in told.out) == (0, True, False)
    assert (every.code, "scatters" in every.out) == (0, True)

"""A machine with the stores of every assistant: one run imports all, says so by store, and leaves no trace in them."""

from __future__ import annotations

import pathlib
import shutil

import pytest
from many_stores import make, picture
from processes import Done, Importer

AT_LEAST = 30  # assistants with places of their own
OUTSIDE = (".ssh/id_rsa", "Documents/conversations.json", ".codeium/windsurf/cascade/a.jsonl")
WRITING = ("O_WRONLY", "O_RDWR", "O_CREAT", "unlink", "rename", "truncate", "utime", "chmod", "mkdir", "link(")


@pytest.fixture
def machine(tmp_path: pathlib.Path) -> Importer:
    """Give an installation whose state is not in the home that it reads."""
    return Importer(tmp_path, embedded=True)


def touched(trace: pathlib.Path, home: pathlib.Path) -> tuple[set[str], set[str]]:
    """Return what was opened outside of the stores, and what was written anywhere in the home, as the system saw it."""
    calls = trace.read_text(errors="replace").splitlines() if trace.exists() else []
    ours = [line for line in calls if f'"{home}/' in line and "execve(" not in line]
    outside = {name for name in OUTSIDE for line in ours if f'"{home}/{name}"' in line and "openat(" in line}
    return outside, {line for line in ours if any(sign in line for sign in WRITING)}


def test_all_are_imported_in_one_run(machine: Importer) -> None:
    """`sources`, the summary and `status` tell each store; a second run embeds nothing; the owners' files stay."""
    home = machine.base / "home"
    home.mkdir()
    stores = make(home)
    assert len(stores) >= AT_LEAST
    for name in OUTSIDE:
        (home / name).parent.mkdir(parents=True)
        (home / name).write_text('{"role": "user", "content": "nothing to be read"}\n')
    before = picture(home)

    def run(*words: str) -> Done:
        done = machine.run(*words, HOME=str(home), XDG_CACHE_HOME=str(machine.base / "cache"))
        assert done.code == 0, done.err
        return done

    trace = machine.base / "trace"
    if strace := shutil.which("strace"):
        machine.under = (strace, "-f", "-qq", "--seccomp-bpf", "-e", "trace=%file", "-o", str(trace))
    told = run("backlog", "--json").json
    machine.under = ()
    assert touched(trace, home) == (set(), set())
    assert not strace or f'"{home}/.claude/history.jsonl", O_RDONLY' in trace.read_text(errors="replace")
    assert told["files_pending"] == told["files_refused"] == told["quarantined"] == 0, told
    assert set(stores) <= set(told["stores"]), sorted(set(stores) - set(told["stores"]))
    for name in stores:
        of = told["stores"][name]
        assert of["files"] and of["messages"] and of["chunks"], (name, of)
        assert of["lines"] >= of["skipped"] and not of["unknown"], (name, of)
    again = run("backlog", "--json").json
    assert (again["embedded"], again["stores"]) == (0, told["stores"])
    status = run("status", "--json").json
    assert (status["stores"], status["suspicious"]) == (told["stores"], [])
    shown = run("status").out
    assert all(f" {name} " in shown for name in stores)
    listed = run("sources", "list", "--json").json
    assert listed["stores"] == told["stores"]
    found = {one["name"]: one for one in listed["sources"]}
    assert set(stores) <= set(found)
    assert all(found[name]["files"] and found[name]["enabled"] for name in stores)
    assert picture(home) == before

"""Completion in a shell: what Tab offers, from the table of commands and from the state, and what it never offers."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
from collections.abc import Callable

import pytest
from processes import Importer
from transcripts import answer, prompt, raw, text

from importer.cli import completing

SESSION = "11111111-2222-4333-8444-555555555555"
HOSTILE = "$(reboot)"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    """Import two conversations, one of which has an id and a project that a shell would run."""
    base = tmp_path_factory.mktemp("completed")
    folder = base / ".claude" / "projects" / "-p"
    folder.mkdir(parents=True)
    for number, (session, project) in enumerate(((SESSION, "/srv/infra"), (HOSTILE, "/srv/$(halt)"))):
        where = {"cwd": project, "sessionId": session}
        said = [
            prompt(f"why {number}?", uuid=f"a{number}", **where),
            answer(text(f"so {number}"), uuid=f"b{number}", **where),
        ]
        (folder / f"{number}.jsonl").write_bytes(b"".join(raw(line) + b"\n" for line in said))
    found = Importer(base, embedded=True)
    assert found.run("backlog").code == 0
    return found


@pytest.fixture
def offered(installed: Importer) -> Callable[..., list[str]]:
    """Return a function that gives what bash is offered for the last of these words."""

    def values(*words: str) -> list[str]:
        line = " ".join(["importer", "--state-dir", installed.state, *words])
        done = installed.run(COMP_WORDS=line, COMP_CWORD=str(len(words) + 2), _IMPORTER_COMPLETE="bash_complete")
        assert (done.code, done.err) == (0, "")
        return [one.partition(",")[2] for one in done.out.split()]

    return values


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["sea"], ["search"]),
        (["search", "--form"], ["--format"]),
        (["search", "--format", "t"], ["text", "tsv"]),
        (["search", "--role", "u"], ["user"]),
        (["search", "--source", "codex"], ["codex"]),
        (["search", "--kind", "sub"], ["subagent"]),
        (["list", "--project", "IN"], ["infra"]),
        (["list", "--project", "/srv/"], ["/srv/infra"]),
        (["open", "1111"], [SESSION]),
        (["resume", SESSION, "--with", "cod"], ["codex"]),
        (["failures", "re"], ["retry"]),
        (["open", "zzz"], []),
    ],
    ids=lambda one: " ".join(one),
)
def test_what_tab_offers(offered: Callable[..., list[str]], words: list[str], expected: list[str]) -> None:
    """Commands, options and their choices; projects and ids of the state that the line names."""
    assert offered(*words) == expected


@pytest.mark.parametrize("words", [["open", ""], ["open", "$"], ["list", "--project", ""]], ids=str)
def test_what_a_shell_would_run_is_not_offered(offered: Callable[..., list[str]], words: list[str]) -> None:
    """Ids and projects come from files: one that is more than a word never gets onto the line."""
    assert not [one for one in offered(*words) if not completing.PLAIN.fullmatch(one) or "$" in one]


def test_without_a_state(tmp_path: pathlib.Path) -> None:
    """Nothing is offered, nothing is said, and no state is made."""
    line = f"importer --state-dir {tmp_path}/state open 1"
    done = Importer(tmp_path).run(COMP_WORDS=line, COMP_CWORD="4", _IMPORTER_COMPLETE="bash_complete")
    assert (done.code, done.out.strip(), done.err) == (0, "", "")
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_is_printed_is_a_script(installed: Importer, shell: str) -> None:
    """The shell itself reads it without a fault, where it is installed; it asks by the name that is answered."""
    done = installed.run("completion", shell)
    assert (done.code, f"_IMPORTER_COMPLETE={shell}_complete" in done.out) == (0, True)
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    assert subprocess.run([shell, "-n"], input=done.out, text=True, check=False, timeout=60).returncode == 0


def test_fish_shows_all_of_it(installed: Importer, tmp_path: pathlib.Path) -> None:
    """A comma ends neither a value nor what is said of it."""
    script = installed.run("completion", "fish").out
    assert 'string split --max 1 ","' in script
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    told = tmp_path / "importer"
    told.write_text("#!/bin/sh\nprintf 'plain,a,b\\tone, two\\n'\n")
    told.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path)}
    asked = ["fish", "-c", f"{script}\ncomplete -C 'importer '"]
    done = subprocess.run(asked, env=environ, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "a,b\tone, two\n"


def test_a_mistyped_command(installed: Importer) -> None:
    """It ends with 2 and says which was meant."""
    done = installed.run("serch", "x")
    assert (done.code, "Did you mean 'search'" in done.err) == (2, True)
    assert "Did you mean" not in installed.run("xyzzy").err


def test_a_mistyped_project(installed: Importer) -> None:
    """The error says which was meant, and which there are."""
    done = installed.run("search", "why", "--project", "infrra")
    assert done.code == 2
    assert "did you mean infra? there are /srv/infra (" in done.err

"""The filters of `search` and `list` on what a conversation carried, and the titles of its hits."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest
from processes import Importer
from transcripts import answer, call, prompt, raw, text


@pytest.fixture(scope="module")
def filtered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Importer]:
    """Import two conversations on two branches, one with a tool and a file, beside a daemon."""
    base = tmp_path_factory.mktemp("filtered")
    folder = base / ".claude" / "projects" / "-p"
    folder.mkdir(parents=True)
    edit = call("Edit", file_path="/srv/sky/src/blue.py")
    on_main = {"gitBranch": "main", "sessionId": "aaaa-1", "cwd": "/srv/sky"}
    on_fix = {"gitBranch": "fix/rain", "sessionId": "bbbb-2", "cwd": "/srv/sky"}
    painted = [prompt("paint the sky", **on_main), answer(edit, text("the sky is painted"), **on_main)]
    for name, said in {"aaaa-1": painted, "bbbb-2": [prompt("does the sky rain", 7, **on_fix)]}.items():
        (folder / f"{name}.jsonl").write_bytes(b"".join(raw(line) + b"\n" for line in said))
    installed = Importer(base)
    assert installed.run("backlog").code == 0
    with installed.daemon():
        yield installed


CARRIED = [
    (["--branch", "main"], {"aaaa-1"}),
    (["--branch", "fix/rain"], {"bbbb-2"}),
    (["--branch", "fix"], set()),
    (["--file", "blue.py"], {"aaaa-1"}),
    (["--file", "/srv/sky/src/blue.py"], {"aaaa-1"}),
    (["--file", "lue.py"], set()),
    (["--tool", "Edit"], {"aaaa-1"}),
    (["--tool", "Bash"], set()),
    (["--model", "nonsuch"], set()),
    (["--host", "nonsuch"], set()),
    (["--without-kind", "subagent", "--without-kind", "plan"], {"aaaa-1", "bbbb-2"}),
    (["--without-kind", "exchange"], set()),
    (["--role", "user"], {"aaaa-1", "bbbb-2"}),
    (["--role", "assistant"], {"aaaa-1"}),
]


@pytest.mark.parametrize(("words", "expected"), CARRIED, ids=[" ".join(words) for words, _ in CARRIED])
def test_filters_on_what_was_carried(filtered: Importer, words: list[str], expected: set[str]) -> None:
    """Through the daemon's socket, a filter holds for the conversations that carry it, whole."""
    hits = filtered.run("search", "sky", *words, "--json").json["hits"]
    assert {hit["metadata"]["conversation_id"] for hit in hits} == expected


def test_the_filters_of_a_hit_find_it(filtered: Importer) -> None:
    """What a hit's metadata say is what its filters take; a kind that is none is refused with those there are."""
    (hit,) = filtered.run("search", "sky", "--branch", "main", "--json").json["hits"]
    known = hit["metadata"]
    words = [
        "--host",
        known["host"],
        "--model",
        known["model"],
        "--file",
        known["files"][0],
        "--tool",
        known["tools"][0],
    ]
    assert [one["id"] for one in filtered.run("search", "sky", *words, "--json").json["hits"]] == [hit["id"]]
    refused = filtered.run("search", "sky", "--without-kind", "nonsuch")
    assert (refused.code, "subagent" in refused.err) == (2, True)


@pytest.mark.parametrize(("words", "expected"), CARRIED, ids=[" ".join(words) for words, _ in CARRIED])
def test_a_list_takes_the_same_filters(filtered: Importer, words: list[str], expected: set[str]) -> None:
    """One chunk must pass; a search without a query lists by the same."""
    listed = filtered.run("list", *words, "--json").json["conversations"]
    assert {one["id"] for one in listed} == expected
    assert filtered.run("search", *words, "--json").json["conversations"] == listed
    assert filtered.run("list", *words, "--source", "codex", "--json").json["conversations"] == []


def test_without_a_query_and_filters_all_are_listed(filtered: Importer) -> None:
    """As `list` does it; a query that is empty, as of a variable that is not set, is told as such."""
    listed = filtered.run("list", "--json").json["conversations"]
    assert listed and filtered.run("search", "--json").json["conversations"] == listed
    for words in (("",), ("", " "), ("--conversation", listed[0]["id"])):
        refused = filtered.run("search", *words)
        assert (refused.code, "try: importer" in refused.err) == (2, True), words


def test_a_hit_of_a_fork_has_the_title_of_its_conversation(tmp_path: pathlib.Path) -> None:
    """Limited to one, that one's; else that of the conversation which the hit names."""
    folder = tmp_path / "said"
    folder.mkdir()
    for number, name in enumerate(("first", "second"), 20):
        own = {"sessionId": name}
        shared = [prompt("paint the sky", **own), answer(text("the sky is painted"), **own)]
        said = [*shared, prompt(f"the {name} cloud", number, **own), answer(text("done"), n=number + 10, **own)]
        lines = [*said, {"type": "custom-title", "customTitle": f"Title of {name}", "sessionId": name}]
        (folder / f"{name}.jsonl").write_bytes(b"".join(raw(line) + b"\n" for line in lines))
    installed = Importer(tmp_path)
    assert installed.run("backlog", str(folder)).code == 0

    def told(*words: str) -> list[tuple[str, str]]:
        hits = installed.run("search", "paint the sky", *words, "--json").json["hits"]
        return [(hit["metadata"]["conversation_id"], hit["metadata"]["title"]) for hit in hits]

    for name in ("first", "second"):
        assert told("--conversation", name) == [(name, f"Title of {name}")] * 2
    assert len(told()) == 3
    assert all(title == f"Title of {name}" for name, title in told())

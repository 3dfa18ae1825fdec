"""Titles, renames, forks, worktrees and summaries planted in a corpus: after each step every point tells the right.

The conversations come in several orders; in each the points end up with the same facts, and what comes late
changes payloads alone: nothing is embedded again.
"""

from __future__ import annotations

import itertools
import json
import pathlib
import shutil
from typing import Any

import oracle
import pytest
from portions import portion
from processes import Importer, until
from transcripts import answer, prompt, raw, text

Facts = dict[str, tuple[str, str, tuple[str, ...]]]
"""Of each question the title, the project and the conversations that its point tells."""


class Corpus:
    """Conversations in `said`, held in folders below `code`, each written in steps."""

    def __init__(self, base: pathlib.Path) -> None:
        self.installed, self.said, self.code = Importer(base), base / "said", base / "code"
        self.said.mkdir()
        self.shop = self.code / "shop"
        (self.shop / ".git").mkdir(parents=True)
        (self.shop / "src").mkdir()
        self.tree = self.code / "elsewhere" / "fix-cart"
        self.tree.mkdir(parents=True)
        (self.tree / ".git").write_text(f"gitdir: {self.shop}/.git/worktrees/fix-cart\n")

    def add(self, name: str, *lines: dict[str, Any]) -> None:
        """Append lines to the file of a session."""
        with open(self.said / f"{name}.jsonl", "ab") as file:
            file.write(b"".join(raw({**line, "sessionId": name}) + b"\n" for line in lines))

    def talk(self, name: str, cwd: pathlib.Path, *, first: int = 1, tag: str = "") -> list[dict[str, Any]]:
        """Return two exchanges; a fork of the conversation has the same words and times."""
        tag = tag or name
        return [
            line
            for n in range(first, first + 4, 2)
            for line in (
                prompt(f"question {tag} {n}", n, cwd=str(cwd), uuid=f"{n:03}-{tag}"),
                answer(text(f"answer {tag} {n}"), n=n + 1, cwd=str(cwd), uuid=f"{n + 1:03}-{tag}"),
            )
        ]

    def summary(self, file: str, title: str, leaf: str) -> None:
        """Write a summary line, which names no session, into a file of its own."""
        line = {"type": "summary", "summary": title, "leafUuid": leaf}
        (self.said / f"{file}.jsonl").write_bytes(json.dumps(line).encode() + b"\n")

    def imported(self) -> int:
        """Import; return how many chunks were embedded."""
        done = self.installed.run("backlog", str(self.said), "--json")
        assert done.code == 0, done.err
        return int(done.json["embedded"])

    def facts(self) -> Facts:
        """Return what every point in the store tells."""
        with oracle.opened(self.installed.state) as store:
            points = oracle.points_of(store)
        found = {}
        for point in points:
            known = point.payload["metadata"]
            names = tuple(known.get("conversations", [known["conversation_id"]]))
            found[point.payload["document"].split("\n")[0]] = (known.get("title", ""), known["project"], names)
        return found


@pytest.fixture
def corpus(tmp_path: pathlib.Path) -> Corpus:
    return Corpus(tmp_path)


def test_every_step(corpus: Corpus) -> None:
    """A folder of a repository, a worktree, a rename, a summary elsewhere, a fork: each step is told at once."""
    shop = str(corpus.shop)
    corpus.add("main", *corpus.talk("main", corpus.shop / "src"))
    corpus.add("tree", *corpus.talk("tree", corpus.tree))
    assert corpus.imported() == 4
    expected: Facts = {f"question {name} {n}": ("", shop, (name,)) for name in ("main", "tree") for n in (1, 3)}
    assert corpus.facts() == expected

    corpus.add("main", {"type": "ai-title", "aiTitle": "Baskets"})
    corpus.summary("titles", "Cart repair", "004-tree")
    assert corpus.imported() == 0
    expected |= {f"question main {n}": ("Baskets", shop, ("main",)) for n in (1, 3)}
    expected |= {f"question tree {n}": ("Cart repair", shop, ("tree",)) for n in (1, 3)}
    assert corpus.facts() == expected

    shutil.rmtree(corpus.tree)
    corpus.add("main", {"type": "custom-title", "customTitle": "Baskets 2026"})
    corpus.add("tree", *corpus.talk("tree", corpus.tree, first=5))
    assert corpus.imported() == 2
    expected |= {f"question main {n}": ("Baskets 2026", shop, ("main",)) for n in (1, 3)}
    expected |= {f"question tree {n}": ("Cart repair", shop, ("tree",)) for n in (5, 7)}
    assert corpus.facts() == expected

    corpus.add("fork", *corpus.talk("fork", corpus.shop, tag="main"), *corpus.talk("fork", corpus.shop, first=9))
    corpus.add("fork", {"type": "custom-title", "customTitle": "Forked"})
    assert corpus.imported() == 2
    expected["question main 1"] = ("Baskets 2026", shop, ("fork", "main"))
    expected["question main 3"] = ("Forked", shop, ("fork", "main"))  # it stood open; the fork went on and closed it
    expected |= {f"question fork {n}": ("Forked", shop, ("fork",)) for n in (9, 11)}
    assert corpus.facts() == expected
    told = {
        (name, hit["metadata"]["conversation_id"], hit["metadata"]["title"])
        for name in ("main", "fork")
        for hit in corpus.installed.run("search", "question", "--conversation", name, "--json").json["hits"]
    }
    assert told == {("main", "main", "Baskets 2026"), ("fork", "fork", "Forked")}
    assert corpus.installed.run("verify").code == 0


@pytest.mark.parametrize("every", portion([2, 1], 2))
def test_any_order_gives_the_same_points(tmp_path: pathlib.Path, every: int) -> None:
    """Transcript, summaries of another file and a fork, imported one after the other in each order."""

    def transcript(corpus: Corpus) -> None:
        corpus.add("main", *corpus.talk("main", corpus.tree))

    def titles(corpus: Corpus) -> None:
        corpus.summary("titles", "Cart repair", "004-main")

    def fork(corpus: Corpus) -> None:
        corpus.add("fork", *corpus.talk("fork", corpus.tree, tag="main"), *corpus.talk("fork", corpus.tree, first=9))
        corpus.add("fork", {"type": "custom-title", "customTitle": "Forked"})

    for number, steps in enumerate(list(itertools.permutations([transcript, titles, fork]))[::every]):
        (tmp_path / str(number)).mkdir()
        corpus = Corpus(tmp_path / str(number))
        embedded = 0
        for step in steps:
            step(corpus)
            embedded += corpus.imported()
        assert embedded == 4
        assert corpus.installed.run("verify").code == 0
        # Which of the two a shared point names depends on the order; that it tells that one's title does not.
        assert {"main": "Cart repair", **titles_by_name(corpus)} == {"main": "Cart repair", "fork": "Forked"}
        facts = corpus.facts()
        assert {project for _, project, _ in facts.values()} == {str(corpus.shop)}
        assert {question: names for question, (*_, names) in facts.items()} == {
            **{f"question main {n}": ("fork", "main") for n in (1, 3)},
            **{f"question fork {n}": ("fork",) for n in (9, 11)},
        }


def titles_by_name(corpus: Corpus) -> dict[str, str]:
    """Return the titles that points tell, by the conversation that they name; one conversation has one title."""
    with oracle.opened(corpus.installed.state) as store:
        facts = [point.payload["metadata"] for point in oracle.points_of(store)]
    told = {(known["conversation_id"], known.get("title", "")) for known in facts}
    assert len(told) == len(dict(told)), told
    return dict(told)


@pytest.mark.parametrize("seam", ["retell", "upsert.after"])
def test_a_kill_between_the_write_and_what_it_tells(corpus: Corpus, seam: str, tmp_path: pathlib.Path) -> None:
    """The worker is killed when points are written and older ones are not told yet; then all tell the same."""
    corpus.add("main", *corpus.talk("main", corpus.shop))
    assert corpus.imported() == 2
    corpus.add("main", {"type": "custom-title", "customTitle": "Late"}, *corpus.talk("main", corpus.shop, first=5))
    order = {"IMPORTER_FAILPOINTS": f"{seam}=kill%{tmp_path}/once"}
    done = corpus.installed.run("backlog", str(corpus.said), "--json", **order)
    assert (done.code, done.json["worker"]["crashes"]) == (0, 1), done.err
    assert {facts[0] for facts in corpus.facts().values()} == {"Late"}
    assert corpus.installed.run("verify").code == 0


def test_both_processes_killed_there(corpus: Corpus, tmp_path: pathlib.Path) -> None:
    """When the daemon dies with its worker, the next import tells it: the checkpoint was not written."""
    corpus.add("main", *corpus.talk("main", corpus.shop))
    assert corpus.imported() == 2
    corpus.add("main", {"type": "custom-title", "customTitle": "Late"})
    order = {"IMPORTER_FAILPOINTS": f"retell=orphan%{tmp_path}/once"}
    assert corpus.installed.run("backlog", str(corpus.said), **order).code != 0
    until(lambda: not corpus.installed.worker_pids())  # the killed worker's store is free when it has gone
    assert {facts[0] for facts in corpus.facts().values()} == {""}
    assert corpus.imported() == 0
    assert {facts[0] for facts in corpus.facts().values()} == {"Late"}


def test_a_running_daemon_tells_at_once(corpus: Corpus) -> None:
    """A title and a summary that are appended while it runs reach the points without another text."""
    corpus.add("main", *corpus.talk("main", corpus.shop))
    corpus.add("tree", *corpus.talk("tree", corpus.tree))

    def titles() -> set[str]:
        hits = corpus.installed.run("search", "question", "--json").json["hits"]
        return {hit["metadata"].get("title", "") for hit in hits} if len(hits) == 4 else set()

    with corpus.installed.daemon("--source", f"claude-code={corpus.said}"):
        until(lambda: titles() == {""})
        corpus.add("main", {"type": "custom-title", "customTitle": "Baskets"})
        corpus.summary("titles", "Cart repair", "004-tree")
        until(lambda: titles() == {"Baskets", "Cart repair"})

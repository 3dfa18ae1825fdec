"""The sheet beside a Copilot session: its name in any form that YAML has for one."""

from __future__ import annotations

import pytest
from fold_lines import feed, raw

from importer.formats import copilot_cli
from importer.formats.copilot_cli import workspace

PATH = b"/home/ann/.copilot/session-state/10fb/workspace.yaml"


def told(text: str) -> dict[str, tuple[str, str, str]]:
    """Return the title, folder and branch that the lines leave each session with."""
    known: dict[str, tuple[str, str, str]] = {}
    for fed in feed("copilot-cli", *text.splitlines(), path=PATH):
        assert not (fed.turns or fed.unknown or fed.problems)
        for fact in fed.facts:
            former = known.get(fact.conversation_id, ("", "", ""))
            new = (fact.title, fact.cwd, fact.git_branch)
            known[fact.conversation_id] = tuple(b or a for a, b in zip(former, new, strict=True))  # type: ignore[assignment]
    return known


SHEET = "id: 10fb\ncwd: /home/ann/app\ngit_root: /home/ann/app\nbranch: main\n{}\nsummary_count: 0\n"


@pytest.mark.parametrize(
    ("lines", "title"),
    [
        ("summary: Mend the nets", "Mend the nets"),
        ('summary: "Mend: the \\"nets\\""', 'Mend: the "nets"'),
        ("summary: 'Mend the skipper''s nets'", "Mend the skipper's nets"),
        ("summary: |-\n  Mend the nets", "Mend the nets"),
        ("summary: >-\n  Mend\n  the nets", "Mend the nets"),
        ("summary: Mend\n  the nets", "Mend the nets"),
        ('summary: "Mend\n  the nets"', "Mend the nets"),
        ("name: Nets\nsummary: Mend the nets", "Nets"),
        ("summary: Mend the nets\nname: Nets\nuser_named: true", "Nets"),
        ("summary: null", ""),
        ("summary:", ""),
    ],
)
def test_the_name_of_a_session(lines, title):
    """A person's name goes before the summary, wherever they stand."""
    assert told(SHEET.format(lines)) == {"10fb": (title, "/home/ann/app", "main")}


def test_the_folder_names_the_session_until_its_id_does():
    """The id in the sheet is the one that the events have."""
    assert told("summary: Nets") == {"10fb": ("Nets", "", "")}
    assert told("id: 20fc\nsummary: Nets") == {"20fc": ("Nets", "", "")}


def test_the_sheet_is_wanted_and_recognised():
    """By its name in the folder, and by its lines."""
    assert copilot_cli.wanted(b"10fb/workspace.yaml") and not copilot_cli.wanted(b"10fb/other.yaml")
    assert workspace.recognises(raw(SHEET.format("summary: Nets")))
    assert not workspace.recognises(b"id: 1\nname: a list\n")
    assert not workspace.recognises(b"# notes\ncwd: x\n")

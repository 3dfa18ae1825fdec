"""Claude Code's prompt history: which rows are prompts, of which conversation, and what was pasted into them."""

from __future__ import annotations

from typing import Any

import pytest
from fold_lines import raw

from importer import formats
from importer.protocol.records import Turn

SESSION = "5f0e3d3a-62f1-4b0f-9a1e-0d8f8f3c7b11"
AT_MS = 1_770_101_000_000


def row(display: Any, **fields: Any) -> dict[str, Any]:
    """Make a row of a newer version."""
    known = {"pastedContents": {}, "timestamp": AT_MS, "project": "/home/ann/pier", "sessionId": SESSION}
    return {"display": display, **known, **fields}


def turns(*rows: dict[str, Any]) -> tuple[list[Turn], int]:
    """Return the prompts of rows, and how much of them could not be read."""
    format_ = formats.load("claude-history")
    context, found, unknown = format_.begin(b"/x/history.jsonl"), list[Turn](), 0
    for one in rows:
        fed = format_.feed(context, raw(one), formats.Options())
        context, unknown = fed.context, unknown + fed.unknown
        found += fed.turns
    return found, unknown


def test_a_prompt() -> None:
    """It says that nothing else is left of it, by its kind and its title, and where and when it was typed."""
    (found,), unknown = turns(row("why do the gulls scream?\nSince when?"))
    assert (found.conversation_id, found.role, found.at) == (SESSION, "user", "2026-02-03T06:43:20.000Z")
    assert (found.text, unknown) == ("why do the gulls scream?\nSince when?", 0)
    facts = found.facts
    assert (facts.kind, facts.project, facts.title) == (
        "prompt",
        "/home/ann/pier",
        "Prompts alone: why do the gulls scream? Since when?",
    )


def test_a_conversation_keeps_the_title_of_its_first_prompt() -> None:
    """Also where rows of two sessions take turns."""
    found, _ = turns(row("gulls"), row("terns", sessionId="other"), row("and waves"))
    assert [one.facts.title for one in found] == [f"Prompts alone: {word}" for word in ("gulls", "terns", "gulls")]


@pytest.mark.parametrize("shown", ["/init", "/compact keep the table", "/plugin:do it", "!make", "! make", " ", ""])
def test_no_prompt(shown: Any) -> None:
    """Commands and shell lines are left out, and what is empty."""
    assert turns(row(shown)) == ([], 0)


def test_a_row_without_what_was_displayed_is_counted() -> None:
    """A newer version may call it otherwise."""
    assert turns(row(None)) == ([], 1)


@pytest.mark.parametrize("shown", ["/home/ann/pier.csv is empty", "# remember the tide", "what is /init for?", "1/2"])
def test_looks_like_a_command(shown: str) -> None:
    """A path at the beginning is no command."""
    assert [one.text for one in turns(row(shown))[0]] == [shown]


@pytest.mark.parametrize(
    ("shown", "pasted", "text", "unknown"),
    [
        ("[Pasted text #1 +3 lines] why?", {"1": {"id": 1, "type": "text", "content": "a\nb"}}, "a\nb why?", 0),
        ("why?", {"1": {"type": "text", "content": "a"}, "2": {"type": "text", "content": "b"}}, "why?\n\na\n\nb", 0),
        ("[Pasted text #1]", {"1": {"type": "text", "contentHash": "ab12"}}, "[Pasted text #1]", 1),
        ("look [Image #1]", {"1": {"id": 1, "type": "image", "mediaType": "image/png"}}, "look [Image #1]", 0),
        ("why?", "a", "why?\n\na", 0),
        (["why?", {"text": "so"}], None, "why?\n\nso", 0),
        ({"hologram": 1}, {}, "", 1),
    ],
)
def test_pasted(shown: Any, pasted: Any, text: str, unknown: int) -> None:
    """It stands where it was pasted; what is kept under its hash alone is counted."""
    found, counted = turns(row(shown, pastedContents=pasted))
    assert ("".join(one.text for one in found), counted) == (text, unknown)


def test_rows_without_a_session() -> None:
    """Those of one project and day are one conversation."""
    old = {"sessionId": None}
    day = 24 * 60 * 60 * 1000
    rows = [row("a", **old), row("b", **old, timestamp=AT_MS + 60_000), row("c", **old, timestamp=AT_MS + day)]
    found, _ = turns(*rows, row("d", **old, project="/home/ann/boat"), row("e", **old, timestamp="soon", project=7))
    names = [one.conversation_id for one in found]
    assert names[0] == names[1]
    assert len({*names}) == 4
    assert [name[:18] for name in names[::2]] == [
        "prompts-2026-02-03",
        "prompts-2026-02-04",
        "prompts-undated-" + names[4][16:18],
    ]


@pytest.mark.parametrize(
    ("path", "is_wanted"),
    [
        (b"history.jsonl", True),
        (b".claude/history.jsonl", True),
        (b".codex/history.jsonl", False),
        (b"chat_history.jsonl", False),
        (b"history.json", False),
    ],
)
def test_where_it_is(path: bytes, is_wanted: bool) -> None:
    """A file of the name, but for that of another assistant."""
    assert formats.load("claude-history").wanted(path) is is_wanted


def test_each_folder_of_settings_has_one() -> None:
    """A list of folders replaces the usual ones."""
    found = formats.load("claude-history").roots({"CLAUDE_CONFIG_DIR": "/a, /b"}, "/home/ann")
    assert found == ("/a/history.jsonl", "/b/history.jsonl")

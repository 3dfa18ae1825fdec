"""What is known of whole conversations is written with the checkpoint of the file that told it."""

from __future__ import annotations

import pathlib
from dataclasses import replace

from importer.protocol.records import Checkpoint, Commit, ConversationFacts, HeadPrint, Tally
from importer.state.checkpoints import Checkpoints

EMPTY = HeadPrint(0, b"")
FILE = Checkpoint(b"/t/a.jsonl", 1, 2, 0, 10, EMPTY, b"", 10, 1, 1, "claude-code")


def test_the_last_title_wins_and_the_rest_fills_what_was_unknown(tmp_path: pathlib.Path) -> None:
    """A record without a title keeps the one there was; another source's conversation is another."""
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as checkpoints:
        for facts in (("kiln", "First", "/k"), ("kiln", "Second", "/other", "/cwd"), ("kiln",)):
            checkpoints.commit([Commit(FILE, Tally(), (), (ConversationFacts(*facts),))])
        assert checkpoints.conversation("claude-code", "kiln") == ConversationFacts("kiln", "Second", "/k", "/cwd")
        assert not checkpoints.conversation("codex", "kiln").title
        checkpoints.commit([Commit(replace(FILE, format="codex"), Tally(), (), (ConversationFacts("kiln", "Else"),))])
        assert checkpoints.conversation("claude-code", "kiln").title == "Second"

"""The table of what is known of whole conversations, by their source and id."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from importer.protocol.conversations import NOTHING, merged
from importer.protocol.records import Commit, ConversationFacts
from importer.state.database import Database

READ = "SELECT conversation, title, project, cwd, git_branch FROM conversations WHERE source = ? AND conversation = ?"


def put(connection: sqlite3.Connection, commit: Commit) -> None:
    """Write what a commit tells of conversations over what is known of them."""
    source = commit.checkpoint.format
    for told in commit.facts:
        rows = connection.execute(READ, (source, told.conversation_id)).fetchall()
        now = merged(read(rows), told)
        values = (source, now.conversation_id, now.title, now.project, now.cwd, now.git_branch)
        connection.execute("INSERT OR REPLACE INTO conversations VALUES (?, ?, ?, ?, ?, ?)", values)


def every(database: Database) -> list[ConversationFacts]:
    """Return what is known of every conversation."""
    sql = "SELECT conversation, title, project, cwd, git_branch FROM conversations"
    return [ConversationFacts(*row) for row in database.rows(sql)]


def drop(connection: sqlite3.Connection, names: Iterable[str]) -> None:
    """Delete, inside a transaction, what is known of these conversations."""
    connection.executemany("DELETE FROM conversations WHERE conversation = ?", [(name,) for name in names])


def read(rows: list[tuple[str, ...]]) -> ConversationFacts:
    """Return the facts of the row there is; empty ones without it."""
    return ConversationFacts(*rows[0]) if rows else NOTHING

"""The tables of what is known of whole conversations: by their source and id, and by their last lines."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable

from importer.protocol.conversations import NOTHING, merged
from importer.protocol.records import Commit, ConversationFacts
from importer.state.database import Database

MOST_TIPS = 16  # of a conversation: an appended line makes a new one, and a summary may name one before it
SUMMARY = "SELECT title FROM summaries WHERE source = ? AND leaf = ?"
SUMMARIES = "SELECT leaf, title FROM summaries WHERE source = ?"
AT_TIP = "SELECT conversation FROM tips WHERE source = ? AND leaf = ? ORDER BY rowid LIMIT 1"
_THEIR_SUMMARIES = """
DELETE FROM summaries WHERE EXISTS
(SELECT 1 FROM tips WHERE tips.source = summaries.source AND tips.leaf = summaries.leaf
 AND conversation = ? AND ? IN ('', tips.source))
"""
_OLD_TIPS = """
DELETE FROM tips WHERE source = ? AND conversation = ? AND rowid NOT IN
(SELECT rowid FROM tips WHERE source = ? AND conversation = ? ORDER BY rowid DESC LIMIT ?)
"""
READ = "SELECT conversation, title, project, cwd, git_branch FROM conversations WHERE source = ? AND conversation = ?"


def put(connection: sqlite3.Connection, commit: Commit) -> None:
    """Write what a commit tells of conversations over what is known of them."""
    source = commit.checkpoint.format
    for told in commit.facts:
        if told.leaf:
            _put_leaf(connection, source, told)
        if not told.is_news:
            continue
        rows = connection.execute(READ, (source, told.conversation_id)).fetchall()
        now = merged(read(rows), told)
        values = (source, now.conversation_id, now.title, now.project, now.cwd, now.git_branch)
        connection.execute("INSERT OR REPLACE INTO conversations VALUES (?, ?, ?, ?, ?, ?)", values)


def every(database: Database) -> list[tuple[str, ConversationFacts]]:
    """Return what is known of every conversation, with its source."""
    sql = "SELECT source, conversation, title, project, cwd, git_branch FROM conversations"
    return [(source, ConversationFacts(*row)) for source, *row in database.rows(sql)]


def rewrite(connection: sqlite3.Connection, changed: Callable[[ConversationFacts], ConversationFacts]) -> None:
    """Change, inside a transaction, what is known of every conversation; its id stays."""
    sql = "SELECT conversation, title, project, cwd, git_branch, source FROM conversations"
    for *known, source in connection.execute(sql).fetchall():
        now = changed(ConversationFacts(*known))
        values = (now.title, now.project, now.cwd, now.git_branch, source, known[0])
        connection.execute(
            "UPDATE conversations SET title = ?, project = ?, cwd = ?, git_branch = ?"
            " WHERE source = ? AND conversation = ?",
            values,
        )


def mask(connection: sqlite3.Connection, masked: Callable[[str], str]) -> None:
    """Mask, inside a transaction, titles that wait for their conversation, and what is listed of conversations."""
    waiting = connection.execute("SELECT title, source, leaf FROM summaries").fetchall()
    connection.executemany(
        "UPDATE summaries SET title = ? WHERE source = ? AND leaf = ?",
        [(masked(title), *place) for title, *place in waiting],
    )
    listed = connection.execute("SELECT title, opening, conversation, source, path FROM spoken").fetchall()
    connection.executemany(
        "UPDATE spoken SET title = ?, opening = ? WHERE conversation = ? AND source = ? AND path = ?",
        [(masked(title), masked(opening), *place) for title, opening, *place in listed],
    )


def drop(connection: sqlite3.Connection, names: Iterable[tuple[str, str]]) -> None:
    """Delete, inside a transaction, what is known of these conversations, by source ("" for any) and id."""
    rows = [(name, source) for source, name in names]
    connection.executemany(_THEIR_SUMMARIES, rows)
    connection.executemany("DELETE FROM tips WHERE conversation = ? AND ? IN ('', source)", rows)
    connection.executemany("DELETE FROM conversations WHERE conversation = ? AND ? IN ('', source)", rows)


def _put_leaf(connection: sqlite3.Connection, source: str, told: ConversationFacts) -> None:
    """Note the last line of a conversation, the newest few of which are kept, or a title that waits for such a line."""
    if not told.conversation_id:
        connection.execute("INSERT OR REPLACE INTO summaries VALUES (?, ?, ?)", (source, told.leaf, told.title))
        return
    at = (source, told.conversation_id)
    connection.execute("DELETE FROM tips WHERE source = ? AND conversation = ? AND leaf = ?", (*at, told.leaf))
    connection.execute("INSERT INTO tips VALUES (?, ?, ?)", (*at, told.leaf))
    connection.execute(_OLD_TIPS, (*at, *at, MOST_TIPS))


def read(rows: list[tuple[str, ...]]) -> ConversationFacts:
    """Return the facts of the row there is; empty ones without it."""
    return ConversationFacts(*rows[0]) if rows else NOTHING

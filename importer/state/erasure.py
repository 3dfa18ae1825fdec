"""What is to be erased, remembered until all of it is done, and the state's own part of it.

A command is written down before it begins and struck out when nothing is left of it in any file. What a kill has left
undone is then found by the next process that opens the state, and doing it all again is right.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from importer.protocol.records import ConversationFacts
from importer.state import checkpoint_rows, conversations, ledger, open_database, quarantine, spoken
from importer.state.checkpoints import Checkpoints

TASKS = "erasing"  # the fact of the state that holds the tasks


@dataclass(frozen=True, slots=True)
class Silenced:
    """What is blanked in the state: contexts by number of row, files whose samples go, conversations whose facts go.

    Of those `begun` before a rule's time only what their first prompt said goes. Conversations are named by source, ""
    for any, and id.
    """

    contexts: Mapping[int, bytes]
    paths: Iterable[bytes] = ()
    conversations: Iterable[tuple[str, str]] = ()
    begun: Iterable[tuple[str, str]] = ()


def tasks(checkpoints: Checkpoints) -> list[dict[str, str]]:
    """Return what was begun and is not done, in order."""
    found: list[dict[str, str]] = json.loads(checkpoints.meta(TASKS) or "[]")
    return found


def begin(checkpoints: Checkpoints, task: Mapping[str, str], tombstone: tuple[str, str] | None = None) -> None:
    """Write a task down, and the tombstone (kind and value) that keeps what it erases from coming back, in one go."""
    todo = [*(one for one in tasks(checkpoints) if one != dict(task)), dict(task)]
    with checkpoints.database.transaction() as connection:
        ledger.put_facts(connection, {TASKS: json.dumps(todo)})
        if tombstone is not None:
            ledger.put_tombstone(connection, *tombstone, time.time())


def strike_out(checkpoints: Checkpoints, task: Mapping[str, str]) -> None:
    """Remove a task that is done, or was taken back."""
    left = [one for one in tasks(checkpoints) if one != dict(task)]
    checkpoints.remember(**{TASKS: json.dumps(left)}) if left else checkpoints.drop_facts(TASKS)


def silence(checkpoints: Checkpoints, silenced: Silenced) -> None:
    """Blank texts in the state, in one transaction. To be called when nothing is in flight."""
    with checkpoints.database.transaction() as connection:
        for number, context in silenced.contexts.items():
            checkpoint_rows.write_context(connection, number, context)
        for path in silenced.paths:
            quarantine.silence(connection, path)
        conversations.drop(connection, silenced.conversations)
        spoken.drop(connection, silenced.conversations, silenced.begun)


def conversations_of(checkpoints: Checkpoints) -> list[tuple[str, ConversationFacts]]:
    """Return what is known of every conversation, with its source."""
    return conversations.every(checkpoints.database)


def folder(checkpoints: Checkpoints) -> str:
    """Return the folder that the state's file is in."""
    return os.path.dirname(checkpoints.database.path)


def mask(
    checkpoints: Checkpoints,
    masked: Callable[[str], str],
    masked_facts: Callable[[ConversationFacts], ConversationFacts],
) -> None:
    """Mask what is known of conversations and the samples of lines in quarantine. When nothing is in flight."""
    with checkpoints.database.transaction() as connection:
        conversations.rewrite(connection, masked_facts)
        conversations.mask(connection, masked)
        quarantine.mask(connection, masked)


def wipe(checkpoints: Checkpoints) -> list[str]:
    """Write the database anew, without what was deleted, and delete those set aside; return the names of these."""
    checkpoints.database.rewrite()
    return open_database.drop_aside(checkpoints.database.path)

"""The changes of the state that commands ask for: what was remembered, forgotten, and set aside in quarantine.

Plain functions on the checkpoints. A command that holds the state calls them itself; a daemon that holds it calls them
for the command (`maintenance`), and those that touch a file's checkpoint only while no batch is in flight.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from importer import formats
from importer.consistency import erase, forget
from importer.consistency import redact_stored as redaction
from importer.errors import UsageError
from importer.protocol.foreign.arguments import converted
from importer.state import erasure
from importer.state.checkpoints import Checkpoints
from importer.state.quarantine import Quarantine

Operation = Callable[..., dict[str, Any]]


def remember(checkpoints: Checkpoints, **facts: str) -> dict[str, Any]:
    """Write single facts into the state."""
    checkpoints.remember(**facts)
    return {}


def forget_rule(checkpoints: Checkpoints, **rule: str) -> dict[str, Any]:
    """Add a rule of what is not to be imported from now on, and note that what is there already is to be erased."""
    made = converted(rule, forget.ForgetRule)
    if not made.named:
        raise UsageError("a rule without a condition would forget everything")
    erasure.begin(checkpoints, erase.task_of(made), forget.tombstone(made))
    return {}


def leave_out(checkpoints: Checkpoints, source: str, conversation: str) -> None:
    """Add the rule that a conversation asks for itself, and note that what is there of it is to be erased."""
    for one in filter(None, (source, getattr(formats.load(source), "SHADOW", ""))):
        made = forget.ForgetRule(conversation=conversation, source=one, own=True)
        erasure.begin(checkpoints, erase.task_of(made), forget.tombstone(made))


def unforget_rule(checkpoints: Checkpoints, **rule: str) -> dict[str, Any]:
    """Take a rule back and have all files read again, so that what it kept out comes back; return how many files."""
    made = converted(rule, forget.ForgetRule)
    for one in forget.standing(checkpoints, made):
        erasure.strike_out(checkpoints, erase.task_of(one))
        forget.remove_rule(checkpoints, one)
    if made.conversation:  # it may ask not to be indexed, and would be forgotten again as soon as that is read
        forget.insist(checkpoints, made)
    return {"files": checkpoints.forget_all_files()}


def redact_stored(checkpoints: Checkpoints) -> dict[str, Any]:
    """Note that what is stored is to be masked as today's redaction does."""
    erasure.begin(checkpoints, redaction.task())
    return {}


def retry_failures(checkpoints: Checkpoints, ids: Sequence[int] | None = None) -> dict[str, Any]:
    """Mark rows of the quarantine; the next import reads their files from the start and embeds nothing twice.

    `ids` None means all. Raises UsageError, before anything is changed, for unknown ids. No batch may be in flight: its
    commit would put the checkpoint back behind the line, and the row would count as done without having been read.
    """
    refuse_unknown(checkpoints.quarantine, ids)
    rows = checkpoints.quarantine.count(ids)
    paths = checkpoints.quarantine.retry(ids)
    return {"rows": rows, "paths": [os.fsdecode(path) for path in paths]}


def drop_failures(checkpoints: Checkpoints, ids: Sequence[int] | None = None) -> dict[str, Any]:
    """Delete rows of the quarantine, None for all; their lines stay passed over. Raises UsageError for unknown ids."""
    refuse_unknown(checkpoints.quarantine, ids)
    return {"rows": checkpoints.quarantine.drop(ids)}


def refuse_unknown(quarantine: Quarantine | None, ids: Sequence[int] | None) -> None:
    """Raise UsageError for ids that are not in quarantine, so that a mistyped id is no success. None means all."""
    unknown = [str(number) for number in ids or () if not (quarantine and quarantine.count([number]))]
    if unknown:
        raise UsageError(f"not in quarantine: {', '.join(unknown)}", hint="`importer failures` shows what is")


OPERATIONS: Mapping[str, Operation] = {
    "remember": remember,
    "forget": forget_rule,
    "redact_stored": redact_stored,
    "unforget": unforget_rule,
    "failures_retry": retry_failures,
    "failures_drop": drop_failures,
}
"""The operations by the names they have on the control socket."""

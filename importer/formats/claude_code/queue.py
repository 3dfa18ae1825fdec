"""Follow the queue of what a person typed while the assistant worked; older versions write it to this log only.

    enqueue -> waits      dequeue -> will come as an ordinary user line
    popAll  -> taken back remove  -> delivered in the middle of an answer: said now

Newer versions write a `queued_command` attachment as well. Both are one turn.
"""

from __future__ import annotations

import msgspec

from importer.formats._shared.turns import key
from importer.formats.claude_code.sessions import TranscriptSession

QUEUE_BYTES = 1_500  # encoded, all waiting texts of a session together
QUEUE_LENGTH = 24  # entries; of a session, too
DIGESTS = 8  # kept of each kind, the newest: they stand in the context, which is bounded
DIGEST_CHARS = 16


def digest(text: str) -> str:
    """Return a short hash by which a text is known again, for lists of at most `DIGESTS`."""
    return key(text)[:DIGEST_CHARS]


def operate(session: TranscriptSession, operation: str | None, text: str) -> tuple[TranscriptSession, tuple[str, ...]]:
    """Apply a queue operation: return the session after it, and the texts that count as said by it.

    `text` is what a person typed of the operation's content, "" for nothing or none.
    """
    if operation == "enqueue":
        return _enqueue(session, text)
    if operation == "popAll":
        return msgspec.structs.replace(session, queue=()), ()
    if operation not in ("dequeue", "remove"):
        return session, ()
    session, waiting = _take(session, text)
    return say(session, text or waiting) if operation == "remove" else (session, ())


def say(session: TranscriptSession, text: str) -> tuple[TranscriptSession, tuple[str, ...]]:
    """Count a text as said now, unless it was said since the last prompt; it waits no longer."""
    mark = digest(text)
    if mark in session.early:
        return prompted(session, text, session.prompt)[0], ()  # said when it was typed
    if not text or mark in session.steered:
        return _without(session, text), ()
    steered = (*session.steered, mark)[-DIGESTS:]
    return msgspec.structs.replace(_without(session, text), steered=steered), (text,)


def prompted(session: TranscriptSession, text: str, prompt: str) -> tuple[TranscriptSession, bool]:
    """Note an ordinary prompt with key `prompt`; return True with the session if it was said already.

    `steered` begins anew: it only has to tell the two records of one delivery apart from the same words said again.
    """
    session, mark = _without(session, text), digest(text) if session.early else ""
    if mark in session.early:
        return msgspec.structs.replace(session, early=tuple(m for m in session.early if m != mark)), True
    return msgspec.structs.replace(session, prompt=prompt, steered=()), False


def _enqueue(session: TranscriptSession, text: str) -> tuple[TranscriptSession, tuple[str, ...]]:
    """Put a text into the queue; a text there is no room for is said now."""
    if len(msgspec.json.encode((*session.queue, text))) > QUEUE_BYTES:
        # No room to keep it until its delivery: better said early than lost.
        early = (*session.early, digest(text))[-DIGESTS:]
        return msgspec.structs.replace(session, early=early), (text,)
    queue = (*session.queue, text)
    overflow = queue[: max(0, len(queue) - QUEUE_LENGTH)]  # the rest of a queue that died with its process
    return msgspec.structs.replace(session, queue=queue[len(overflow) :]), tuple(filter(None, overflow))


def _take(session: TranscriptSession, text: str) -> tuple[TranscriptSession, str]:
    """Take `text` out of the queue, or its first entry if the operation does not say which."""
    if text:
        # Newer versions log the text of what they remove; it need not be the first.
        return _without(session, text), ""
    return msgspec.structs.replace(session, queue=session.queue[1:]), session.queue[0] if session.queue else ""


def _without(session: TranscriptSession, text: str) -> TranscriptSession:
    """Return the session with the first such text taken out of its queue."""
    if text not in session.queue:
        return session
    at = session.queue.index(text)
    return msgspec.structs.replace(session, queue=session.queue[:at] + session.queue[at + 1 :])

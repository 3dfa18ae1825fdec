"""Follow the queue of what a person typed while the assistant worked; older versions write it to this log only.

    enqueue -> waits      dequeue -> will come as an ordinary user line
    popAll  -> taken back remove  -> delivered in the middle of an answer: said now

Newer versions write a `queued_command` attachment as well. Both are one turn.

Not every entry is a text: "" stands for what no person typed, and a mark for a text there was no room for. Notices
often leave the queue without a word in the log, so what is removed unnamed is the first that a person typed.
"""

from __future__ import annotations

import msgspec

from importer.formats._shared.turns import key
from importer.formats.claude_code.sessions import TranscriptSession

QUEUE_BYTES = 1_500  # encoded, all waiting texts of a session together
QUEUE_LENGTH = 24  # entries; of a session, too
DIGESTS = 8  # kept of each kind, the newest: they stand in the context, which is bounded
DIGEST_CHARS = 16
OPERATIONS = frozenset(("enqueue", "dequeue", "remove", "popAll"))
MARK = "\0"  # begins the entry of a text that is not kept, which goes on with its digest; no text has a NUL

Said = tuple[TranscriptSession, tuple[str, ...]]


def digest(text: str) -> str:
    """Return a short hash by which a text is known again, for lists of at most `DIGESTS`."""
    return key(text)[:DIGEST_CHARS]


def operate(session: TranscriptSession, operation: str | None, text: str | None) -> Said:
    """Apply a queue operation: return the session after it, and the texts that count as said by it.

    `text` is what a person typed of the operation's content, "" for nothing, None where it has no content.
    """
    if operation == "enqueue":
        return _enqueue(session, text or "")
    if operation == "popAll":
        return msgspec.structs.replace(session, queue=()), ()
    if operation == "dequeue":
        return (_without(session, text) if text else _after(session, 0)), ()
    if operation != "remove":
        return session, ()
    if text is not None:  # newer versions log what they remove; it need not be the first
        return say(session, text) if text else (_without(session, ""), ())
    at = next((at for at, entry in enumerate(session.queue) if entry), 0)
    waiting = session.queue[at] if session.queue else ""
    session = _after(session, at)
    return say(session, waiting) if waiting and not waiting.startswith(MARK) else (session, ())


def say(session: TranscriptSession, text: str) -> Said:
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

    Several that waited may come as one prompt. `steered` begins anew: it only has to tell the two records of one
    delivery apart from the same words said again.
    """
    session, mark = _without(session, text), digest(text) if session.early else ""
    if any(map(bool, session.queue)):
        lined = f"\n{text}\n"
        queue = tuple(entry for entry in session.queue if not entry or f"\n{entry}\n" not in lined)
        session = msgspec.structs.replace(session, queue=queue)
    if mark in session.early:
        return msgspec.structs.replace(session, early=tuple(m for m in session.early if m != mark)), True
    return msgspec.structs.replace(session, prompt=prompt, steered=()), False


def _enqueue(session: TranscriptSession, text: str) -> Said:
    """Put a text into the queue; a text there is no room for is said now, better early than lost.

    Not if it begins the session: nothing can be steered yet, so it will come as an ordinary line, which knows its place
    and time.
    """
    said: tuple[str, ...] = ()
    entry = text
    if len(msgspec.json.encode((*session.queue, text))) > QUEUE_BYTES:
        entry = MARK + digest(text)
        if session.prompt or session.began or any(waiting.startswith(MARK) for waiting in session.queue):
            said = (text,)
            session = msgspec.structs.replace(session, early=(*session.early, digest(text))[-DIGESTS:])
    queue = (*session.queue, entry)
    while len(queue) > QUEUE_LENGTH or (len(queue) > 1 and len(msgspec.json.encode(queue)) > QUEUE_BYTES):
        # The rest of a queue that died with its process.
        said += () if not queue[0] or queue[0].startswith(MARK) else queue[:1]
        queue = queue[1:]
    return msgspec.structs.replace(session, queue=queue), said


def _after(session: TranscriptSession, at: int) -> TranscriptSession:
    """Return the session without the first entries of its queue, up to the one at `at`."""
    return msgspec.structs.replace(session, queue=session.queue[at + 1 :]) if session.queue else session


def _without(session: TranscriptSession, text: str) -> TranscriptSession:
    """Return the session with the first such text taken out of its queue."""
    if not session.queue:
        return session
    entry = text if text in session.queue else MARK + digest(text)
    if entry not in session.queue:
        return session
    at = session.queue.index(entry)
    return msgspec.structs.replace(session, queue=session.queue[:at] + session.queue[at + 1 :])

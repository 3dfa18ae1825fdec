"""Make turns under a Claude Code line's identity, with all that is known around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from importer.formats._shared.turns import key, moment, since_1970
from importer.formats.claude_code import queue
from importer.formats.claude_code.lines import ApiMessage, TranscriptLine
from importer.formats.claude_code.sessions import TranscriptSession
from importer.protocol.records import Facts, Turn

AGENT_CHARS = 100  # they become part of the conversation's id
PLANS = 4  # digests of plans that a session remembers


def joined(texts: Iterable[str]) -> str:
    """Join the texts as paragraphs, empty ones left out."""
    found = [text for text in texts if text]
    return found[0] if len(found) == 1 else "\n\n".join(found)


def is_subagent(line: TranscriptLine) -> bool:
    """Return True if a line belongs to a sub-agent or to a member of an agent team."""
    return bool(line.is_sidechain or line.team_name or line.parent_call)


def instant(line: TranscriptLine) -> str:
    """Return what a key takes for a line's time: its stamp as written, or its id where it has none.

    A stamp that is no text does not count while there is an id, which copies of the line keep as well.
    """
    stamp = line.timestamp
    return (stamp if isinstance(stamp, str) else "") or line.uuid or ("" if stamp is None else str(stamp))


def make_turn(
    session: TranscriptSession,
    line: TranscriptLine,
    role: str,
    text: str,
    *,
    kind: str = "exchange",
    mark: str = "",
    tools: tuple[str, ...] = (),
    files: tuple[str, ...] = (),
) -> Turn:
    """Make a turn; `mark` is its key where role, time and text are not to make it.

    A sub-agent's lines carry the session of its parent; a conversation of its own keeps the two apart.
    """
    agent = _agent(line) if is_subagent(line) else ""
    # Two calls may share a millisecond: what has no text is told apart by what it did.
    mark = mark or key(role, instant(line), text, *(() if text else (*tools, *files)))
    facts = Facts(
        kind="subagent" if agent else kind,
        project=session.project,
        title=session.title,
        cwd=session.cwd,
        git_branch=session.git_branch,
        model=(line.message.model or "") if isinstance(line.message, ApiMessage) else "",
        agent=agent,
        tools=tools,
        files=files,
    )
    conversation = f"{session.id}/{agent}" if agent else session.id
    return Turn(conversation, line.uuid or mark, role, text, _at(line), mark, facts)


def make_plans(
    session: TranscriptSession, line: TranscriptLine, texts: Sequence[str]
) -> tuple[TranscriptSession, tuple[Turn, ...]]:
    """Make the turns of plans that the session does not know yet: one is written, shown, and repeated when approved."""
    turns: tuple[Turn, ...] = ()
    for text in texts:
        if (mark := queue.digest(text)) in session.plans:
            continue
        session = msgspec.structs.replace(session, plans=(*session.plans, mark)[-PLANS:])
        mark = key("plan", session.prompt or session.id, text)
        turns += (make_turn(session, line, "assistant", text, kind="plan", mark=mark),)
    return session, turns


def make_steered(session: TranscriptSession, line: TranscriptLine, texts: Sequence[str]) -> tuple[Turn, ...]:
    """Make the turns of texts that were typed while the assistant worked."""
    # Queue log and attachment have different times, and a fork copies only the latter: the key takes the prompt's.
    # Before any prompt it takes the session's id, for sessions that begin alike are not the same.
    after = session.prompt or session.id
    return tuple(make_turn(session, line, "user", text, mark=key("user", "steering", after, text)) for text in texts)


def _agent(line: TranscriptLine) -> str:
    """Return the name of a sub-agent; streams of the SDK name only the call that began it."""
    return (line.agent_id or line.agent_name or line.parent_call or "sidechain")[:AGENT_CHARS]


def _at(line: TranscriptLine) -> str:
    """Return a line's time; a number of seconds or milliseconds may stand as text."""
    stamp = line.timestamp
    if isinstance(stamp, str) and stamp.isdecimal() and len(stamp) > 8:  # fewer digits are a date
        return since_1970(float(stamp[:20]))
    return moment(stamp)

"""Remember between two lines of a Claude Code transcript what later lines need, bounded for any lines.

A file can hold several sessions (copies made by a resume), each with its first folder, its title and its queue.
"""

from __future__ import annotations

from typing import Any

import msgspec

from importer.formats import MAX_CONTEXT_BYTES, Fed
from importer.formats._shared.turns import clip
from importer.formats.claude_code.lines import TranscriptLine
from importer.protocol.records import ConversationFacts

# Encoded bytes of one session stay below 3.5 KB, so one always fits; further ones are dropped, least recent first.
ID_BYTES = 100
PATH_BYTES = 512
BRANCH_BYTES = 128
TITLE_BYTES = 240
CALL_ID_BYTES = 32
LEAF_CHARS = 12  # of a line's id, its end: enough to tell the lines of a file apart
ROOM_BYTES = MAX_CONTEXT_BYTES - 6 * LEAF_CHARS - len(',"leaf":""')  # the last line's id comes without measuring
OWN_CALLS = 8  # the last calls to our own search, whose results are still to come

CUSTOM, GENERATED = 2, 1  # ranks of titles: a lower one never replaces a higher one


class TranscriptSession(msgspec.Struct, frozen=True, omit_defaults=True):
    """One session: `project` is its first folder, `cwd` its present one.

    `prompt` is the key of the last ordinary prompt. `queue` holds what was typed while the assistant worked and is not
    delivered yet (see `queue`), `steered` the digests of what was delivered since that prompt, `early` of what was said
    before its delivery because the queue had no room. `began` tells that the assistant was at work once, `plans` are
    the digests of the last plans.
    """

    id: str
    project: str = ""
    cwd: str = ""
    git_branch: str = ""
    title: str = ""
    title_rank: int = 0
    prompt: str = ""
    queue: tuple[str, ...] = ()
    steered: tuple[str, ...] = ()
    early: tuple[str, ...] = ()
    began: bool = False
    plans: tuple[str, ...] = ()


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """The context of a Claude Code file's fold; sessions most recent first.

    `stem` names the conversation of lines that do not. `summaries` are titles for the sessions of lines that are still
    to come, each behind the end of its line's id. `own_calls` are ids of calls to our own search, whose results must
    not be indexed again. `leaf` is the end of the id of the last line with words, which was of the first session.
    `sheet`: the file is no transcript, but tells of one.
    """

    stem: str = ""
    leaf: str = ""
    summaries: tuple[tuple[str, str], ...] = ()
    own_calls: tuple[str, ...] = ()
    sessions: tuple[TranscriptSession, ...] = ()
    sheet: bool = False


class Sheet(msgspec.Struct, gc=False, rename="camel"):
    """What Claude Desktop notes of a session that it runs."""

    cli_session_id: Any = None
    title: Any = None
    cwd: Any = None


def described(context: Context, raw: bytes) -> Fed:
    """Return the facts that a sheet tells of a session."""
    try:
        found = msgspec.json.decode(raw, type=Sheet)
    except (ValueError, RecursionError) as error:
        return Fed(context, problems=(str(error),) if raw.strip() else ())
    name, title, cwd = (one if isinstance(one, str) else "" for one in (found.cli_session_id, found.title, found.cwd))
    folder = clip(cwd, PATH_BYTES)
    told = ConversationFacts(clip(name, ID_BYTES), clip(title.strip(), TITLE_BYTES), folder, folder)
    return Fed(context, facts=(told,) if name and (title or cwd) else ())


def session_of(context: Context, line: TranscriptLine) -> TranscriptSession:
    """Return the line's session as it is after the line: same object if the line says nothing new of it."""
    name = line.session_id or line.sdk_session or context.stem
    sessions = context.sessions
    session = sessions[0] if sessions and sessions[0].id == name else _find(sessions, name)
    # So it is with nearly every line: comparing costs less than making the session anew.
    if (line.cwd or session.cwd) == session.cwd and (line.git_branch or session.git_branch) == session.git_branch:
        return session
    cwd = clip(line.cwd, PATH_BYTES) if line.cwd else session.cwd
    branch = clip(line.git_branch, BRANCH_BYTES) if line.git_branch else session.git_branch
    # The first folder: sessions wander.
    return msgspec.structs.replace(session, project=session.project or cwd, cwd=cwd, git_branch=branch)


def _find(sessions: tuple[TranscriptSession, ...], name: str) -> TranscriptSession:
    """Return the session of that name, a new one if it is not remembered."""
    name = clip(name, ID_BYTES)
    return next((session for session in sessions if session.id == name), TranscriptSession(name))


def titled(session: TranscriptSession, line: TranscriptLine) -> TranscriptSession:
    """Return the session under the title the line gives.

    A person's title stays before a generated one, else the last wins.
    """
    rank = CUSTOM if line.type == "custom-title" else GENERATED
    title = (line.custom_title or line.ai_title or line.agent_name or "").strip()
    if not title or rank < session.title_rank:
        return session
    return msgspec.structs.replace(session, title=clip(title, TITLE_BYTES), title_rank=rank)


def summarised(context: Context, line: TranscriptLine) -> tuple[Context, TranscriptSession | None]:
    """Take the title of a summary line for the session that holds the line it names, and return that session.

    Where no session is known to hold it the title waits for such a line: it may as well be one of another file.
    """
    title, leaf = clip((line.summary or "").strip(), TITLE_BYTES), leaf_of(line.leaf_uuid)
    named = line.session_id or line.sdk_session
    session = next((session for session in context.sessions if session.id == named), None)
    if not session and context.sessions and leaf and context.leaf == leaf:
        session = context.sessions[0]
    if session and title and not session.title_rank:
        session = msgspec.structs.replace(session, title=title)
        return with_session(context, session), session
    if session or not (title and leaf):
        return context, None
    waiting = (*(each for each in context.summaries if each[0] != leaf), (leaf, title))
    return bounded(msgspec.structs.replace(context, summaries=waiting)), None


def elsewhere(line: TranscriptLine) -> tuple[ConversationFacts, ...]:
    """Return the title of a summary line for the session, perhaps of another file, that holds the line it names."""
    title, leaf = clip((line.summary or "").strip(), TITLE_BYTES), leaf_of(line.leaf_uuid)
    return (ConversationFacts("", title, leaf=leaf),) if title and leaf else ()


def claimed(context: Context, session: TranscriptSession, line: TranscriptLine) -> tuple[Context, TranscriptSession]:
    """Give a session the title that waits for this line of it; called where any waits."""
    leaf = leaf_of(line.uuid)
    title = next((title for waited, title in context.summaries if waited == leaf), "")
    if not title:
        return context, session
    context = msgspec.structs.replace(context, summaries=tuple(s for s in context.summaries if s[0] != leaf))
    return context, session if session.title_rank else msgspec.structs.replace(session, title=title)


def leaf_of(uuid: str | None) -> str:
    """Return the end of a line's id, by which it is known again."""
    return (uuid or "")[-LEAF_CHARS:]


def news(context: Context, session: TranscriptSession) -> tuple[ConversationFacts, ...]:
    """Return what a session knows of itself now and did not before, as far as it holds for all that it said.

    A folder matters only where something may have been said before it was known.
    """
    former = next((known for known in context.sessions if known.id == session.id), None)
    titled = session.title if session.title != (former.title if former else "") else ""
    placed = bool(former and session.project and not former.project)
    if not (titled or placed):
        return ()
    place = (session.project, session.cwd, session.git_branch) if placed else ()
    return (ConversationFacts(session.id, titled, *place),)


def with_leaf(context: Context, line: TranscriptLine) -> Context:
    """Return the context whose last line with words is this one, of the session that stands first."""
    leaf = leaf_of(line.uuid)
    return msgspec.structs.replace(context, leaf=leaf) if leaf else context


def with_own_calls(context: Context, ids: tuple[str, ...]) -> Context:
    """Return the context that also knows these calls to our own search."""
    if not ids:
        return context
    own_calls = (*context.own_calls, *(clip(id_, CALL_ID_BYTES) for id_ in ids))[-OWN_CALLS:]
    return bounded(msgspec.structs.replace(context, own_calls=own_calls))


def is_own_call(context: Context, id_: str | None) -> bool:
    """Return True if a call, given by its id, was one to our own search.

    A result names its call by id alone, and may come hours after it.
    """
    return bool(context.own_calls and id_) and clip(id_ or "", CALL_ID_BYTES) in context.own_calls


def with_session(context: Context, session: TranscriptSession) -> Context:
    """Return the context with this session first: the same object when nothing is new."""
    sessions = context.sessions
    if sessions and (sessions[0] is session or sessions[0] == session):
        return context
    others = tuple(other for other in sessions if other.id != session.id)
    leaf = context.leaf if sessions and sessions[0].id == session.id else ""  # it goes with the session that was first
    return bounded(msgspec.structs.replace(context, leaf=leaf, sessions=(session, *others)))


def bounded(context: Context) -> Context:
    """Return the context without what does not fit into its bound: waiting titles, then the least recent sessions.

    The session just read stands first, so it goes last; a session that comes back later begins anew, without its title
    and its queue.
    """
    while context.summaries and len(msgspec.json.encode(context)) >= ROOM_BYTES:
        context = msgspec.structs.replace(context, summaries=context.summaries[1:])
    while len(msgspec.json.encode(context)) >= ROOM_BYTES and context.sessions:
        context = msgspec.structs.replace(context, sessions=context.sessions[:-1])
    return context

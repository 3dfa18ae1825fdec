"""Aider: `.aider.chat.history.md` in a repository's root, markdown to which every session is appended.

    # aider chat started at 2024-08-05 19:33:02      a session; its time has no zone and is the only one there is
    > Added app.py to the chat.                      what Aider says
    #### rename foo to bar                           what a person says, each line of it marked
    Done, I renamed it: …                            all else is the assistant

Each line of Aider's own ends with two blanks, which tells a quotation in an answer from it where the file still has
them; other marks at the beginning of an answer's line cannot be told apart. A paragraph of an answer is a turn, given
out at the blank line behind it, or at the end of a file that is left alone, and so is a prompt of one line or more.
Keys are chained to the line that starts the session: a hash of the key before, role and text; a prompt has the key of
its first line, and each further one adds to the chain as an answer's would, as it was before prompts were put together.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from importer.formats import Fed, Options
from importer.formats._shared.turns import clip, key, utc
from importer.protocol.records import Facts, Turn

NAME = "aider"

FILE_NAME = b".aider.chat.history.md"
START = "# aider chat started at "
PROMPT, NOTE = "#### ", "> "
NOTHING_TYPED = "<blank>"
PARAGRAPH_BYTES = 2_000  # a longer one is given out in parts
PATH_BYTES = 600  # encoded: it stands in the context, which is bounded
NAME_BYTES = 120

_model = re.compile(r"> (?:Main model|Model|Models): (\S+)")
_edited = re.compile(r"> Applied edit to (.+)")


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """The session so far: when it began, its last key, and the lines of the paragraph that is not complete yet.

    `asking`: the paragraph is a prompt, with the key `asked`. `blanks`: Aider's lines end with two of them here.
    `ended`: the paragraph before was given out at the file's end.
    """

    project: str = ""
    session: str = ""
    at: str = ""
    model: str = ""
    last: str = ""
    asking: bool = False
    asked: str = ""
    paragraph: str = ""
    blanks: bool = False
    ended: bool = False


def roots(_: Mapping[str, str], __: str) -> tuple[str, ...]:
    """Return none: the files lie in people's repositories."""
    return ()


def wanted(relative: bytes) -> bool:
    """Return True for the name Aider gives, or a name that ends with it."""
    return relative.endswith(FILE_NAME)


def recognises_head(head: bytes) -> bool:
    """Return True if a line starts a session; it need not be the first."""
    return head.startswith(START.encode()) or f"\n{START}".encode() in head


def begin(path: bytes) -> Context:
    """Return the context before the first line; the project is the folder, which is the repository's root."""
    return Context(project=clip(os.path.dirname(path).decode("utf-8", "replace"), PATH_BYTES))


def feed(context: Context, raw: bytes, _: Options) -> Fed:
    """Return the turns of one line: the paragraph it completes, the prompt it is. Never raises.

    Each line is told by its beginning alone, as Aider's own reader does it.
    """
    text = raw.replace(b"\0", b"").decode("utf-8", "replace").lstrip("\ufeff").rstrip("\r")
    line = text.rstrip()
    context = replace(context, ended=False) if context.ended else context
    if line.startswith(START):
        context, turns = _complete(context)
        return Fed(_started(context, line.removeprefix(START).strip()), turns)
    # With the blank back that `rstrip` took: a line of a prompt may be empty.
    if f"{line} ".startswith(PROMPT):
        return _asked(context, line.removeprefix(PROMPT.strip()).strip())
    if f"{line} ".startswith(NOTE):
        return _noted(context, line) if text.endswith("  ") else _quoted(context, line)
    if not line:
        return Fed(*_complete(context))
    return _grown(context, line)


def ending(context: Context) -> Fed:
    """Return the paragraph that the end of the file leaves open, and the same context where there is none."""
    if not context.paragraph:
        return Fed(context)
    asking = context.asking
    context, turns = _complete(context)
    return Fed(replace(context, ended=True, asking=asking), turns)


def goes_on(context: Context, ahead: bytes) -> bool:
    """Return True if bytes that came behind the end belong to the paragraph that was given out there."""
    if context.asking:
        return context.ended and ahead.startswith(PROMPT.strip().encode())
    marks = (START.encode(), PROMPT.encode(), NOTE.encode(), b"\n", b"\r")
    return context.ended and bool(ahead) and not ahead.startswith(marks)


def _started(context: Context, stamp: str) -> Context:
    """Begin a new session: nothing of the last one is kept but the project.

    Two sessions begun in the same second have one name; their keys differ by what is said.
    """
    begun = key("aider", stamp)
    return Context(project=context.project, session=f"aider-{begun[:16]}", at=utc(stamp), last=begun)


def _asked(context: Context, text: str) -> Fed:
    """Take a line of a prompt: the first one, or one more, which may be empty.

    An answer in between ends the prompt: the next such line is another one. What does not fit any more is given out,
    and the rest is a prompt of its own.
    """
    further = context.asking
    turns: tuple[Turn, ...] = ()
    if not further:
        context, turns = _complete(context)
    if not text or text == NOTHING_TYPED:
        empty = further and context.paragraph and not context.paragraph.endswith("\n\n")
        return Fed(replace(context, paragraph=f"{context.paragraph}\n") if empty else context, turns)
    mark = key(context.last, "assistant" if further else "user", text)
    longer = f"{context.paragraph}\n{text}" if context.paragraph else text
    if context.paragraph and len(msgspec.json.encode(longer)) > PARAGRAPH_BYTES:
        context, turns = _complete(context)
        longer = text
    if len(msgspec.json.encode(longer)) > PARAGRAPH_BYTES:
        # A single line that does not fit is a turn of its own.
        return Fed(replace(context, last=mark, asking=True), (*turns, _turn(context, "user", text, mark)))
    asked = context.asked if context.paragraph else mark
    return Fed(replace(context, last=mark, asked=asked, paragraph=longer, asking=True), turns)


def _noted(context: Context, line: str) -> Fed:
    """Take a line of Aider's own: the model it names, the file it says was edited."""
    context, turns = _complete(context if context.blanks else replace(context, blanks=True))
    return _told(context, turns, line)


def _quoted(context: Context, line: str) -> Fed:
    """Take a line that begins as Aider's own and does not end so: the assistant quotes something.

    Its key hangs on the chain, which does not go on from it.
    """
    context, turns = _complete(context)
    text = line.removeprefix(NOTE.strip()).strip()
    if not context.blanks:
        return _told(context, turns, line)
    return Fed(
        context, (*turns, _turn(context, "assistant", text, key("quote", context.last, text))) if text else turns
    )


def _told(context: Context, turns: tuple[Turn, ...], line: str) -> Fed:
    """Take what Aider says: of use are the model and the files it edits."""
    if found := _model.match(line):
        return Fed(replace(context, model=clip(found[1], NAME_BYTES)), turns)
    if found := _edited.match(line):
        mark = key("edit", context.last, found[1])
        # No words: it tells a file of the exchange.
        turns += (_turn(context, "assistant", "", mark, (found[1][:PATH_BYTES],)),)
    return Fed(context, turns)


def _grown(context: Context, line: str) -> Fed:
    """Add a line of an answer to the paragraph; what does not fit any more is given out."""
    turns: tuple[Turn, ...] = ()
    if context.asking:
        context, turns = _complete(context)
    longer = f"{context.paragraph}\n{line}" if context.paragraph else line
    if context.paragraph and len(msgspec.json.encode(longer)) > PARAGRAPH_BYTES:
        context, turns = _complete(context)
        longer = line
    if len(msgspec.json.encode(longer)) > PARAGRAPH_BYTES:
        # A single line that does not fit is a turn of its own.
        context, more = _said(context, "assistant", longer)
        return Fed(replace(context, asking=False), turns + more)
    return Fed(replace(context, paragraph=longer, asking=False), turns)


def _complete(context: Context) -> tuple[Context, tuple[Turn, ...]]:
    """Give out the prompt or the paragraph read so far as a turn; return the same context where there was none."""
    if not context.paragraph:
        return (replace(context, asking=False), ()) if context.asking else (context, ())
    done = replace(context, paragraph="", asking=False, asked="")
    if context.asking:
        return done, (_turn(done, "user", context.paragraph.strip(), context.asked),)
    return _said(done, "assistant", context.paragraph)


def _said(context: Context, role: str, text: str) -> tuple[Context, tuple[Turn, ...]]:
    """Make a turn whose key is chained to the one before, and the context that remembers it."""
    mark = key(context.last, role, text)
    return replace(context, last=mark), (_turn(context, role, text.strip(), mark),)


def _turn(context: Context, role: str, text: str, mark: str, files: tuple[str, ...] = ()) -> Turn:
    """Make a turn of this session; the project is also where it ran."""
    facts = Facts(
        project=context.project,
        cwd=context.project,
        model=context.model if role == "assistant" else "",
        files=files,
    )
    return Turn(context.session or "aider", mark, role, text, context.at, mark, facts)

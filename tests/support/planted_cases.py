"""Fifteen peculiarities of real transcripts, each planted alone, with what must come of it.

    cases = plant(folder, seed=1)            all of them
    cases = plant(folder, seed=1, only=("fork",))

Each function plants one and returns its `Case`; the number is that of its place in `CASES`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping

from planting import Bed, Case, Later, exchange

from importer.bench.corpus.author import NOISE
from importer.bench.corpus.lines import JsonLine, encode

IMAGE_CHARS = 2_000_000  # of base64, on one line
RESULT_CHARS = 900_000
HALF_DAY_MS = 12 * 3600 * 1000  # about the longest that a result was seen to take


def plant(folder: str, seed: int = 0, *, only: Collection[str] = ()) -> Mapping[str, Case]:
    """Plants the cases named in `only`, or all of them, below `folder`. The same seed gives the same bytes."""
    chosen = only or tuple(CASES)
    return {
        name: sow(Bed(folder, seed, number), number, name)
        for number, (name, sow) in enumerate(CASES.items(), 1)
        if name in chosen
    }


def _blocks(bed: Bed, number: int, name: str) -> Case:
    """One reply in four lines, a tool result between them: all of it is kept, in order."""
    words = bed.words(3)
    s = bed.session()
    ids = s.reply()
    lines = [s.user(f"What about {words[0]}?")]
    thinking = {"type": "thinking", "thinking": NOISE["thinking"], "signature": "Eq"}
    lines += [s.block(ids, thinking), s.text(f"First {words[1]}.", ids)]
    lines += [call := s.call("Bash", {"command": "make"}, ids), s.result(call, NOISE["result"])]
    lines += [s.text(f"Then {words[2]}.", ids)]
    return Case(number, name, (bed.write(s, lines),), words, (NOISE["thinking"], NOISE["result"]))


def _damaged(bed: Bed, number: int, name: str) -> Case:
    """Two glued records, a run of NUL, a line cut short, a last line that is completed later."""
    words, lost, late = bed.words(5), bed.word(), bed.word()
    s = bed.session()
    glued = encode([s.user(f"Ask {words[0]}.")]).rstrip(b"\n") + encode([s.text(f"Say {words[1]}.")])
    nul = b"\0" * 4096 + encode([s.text(f"Say {words[2]}.")])
    cut = encode([s.text(f"Say {lost}.")])[:-40].rstrip(b"\n") + b"\n"
    good = encode([s.text(f"Say {words[3]}."), s.user(f"Ask {words[4]}.")])
    last = encode([s.text(f"Say {late}.")])
    path = bed.write(s, glued + nul + cut + good + last[:200])
    return Case(
        number, name, (path,), words, broken=1, never=(), later=Later(lambda: bed.append(path, last[200:]), (late,))
    )  # the cut record may be lost or saved in part: no promise about its word


def _duplicates(bed: Bed, number: int, name: str) -> Case:
    """The same lines sixteen times, byte for byte."""
    words = bed.words(2)
    s = bed.session()
    lines = [line for line in exchange(s, *words) for _ in range(16)]
    return Case(number, name, (bed.write(s, lines),), words)


def _fork(bed: Bed, number: int, name: str) -> Case:
    """A copy with the same uuids and times under another session id, which then goes on by itself."""
    words = bed.words(8)
    s = bed.session()
    lines = [line for i in range(0, 6, 2) for line in exchange(s, words[i], words[i + 1])]
    path = bed.write(s, lines)
    f = bed.session()
    f.parent, f.at_ms = s.parent, s.at_ms + 60_000
    title: JsonLine = {"type": "custom-title", "customTitle": "Another way", "sessionId": f.id}
    copies = [{**line, "sessionId": f.id, "slug": "calm-blue-heron"} for line in lines]
    fork = bed.write(f, [title, *copies, *exchange(f, words[6], words[7])])
    return Case(number, name, (path, fork), words)


def _compaction(bed: Bed, number: int, name: str) -> Case:
    """A boundary, a summary, and the last exchange written again under new uuids with its old times."""
    words, summary = bed.words(4), bed.word()
    s = bed.session()
    before = exchange(s, words[0], words[1])
    boundary = s.system("compact_boundary", content="Conversation compacted", logicalParentUuid=s.parent)
    text = f"This session is being continued from a previous conversation that ran out of context. About {summary}."
    told = s.user(text, isCompactSummary=True, isVisibleInTranscriptOnly=True)
    again = [{**line, "uuid": s.uuid()} for line in before]
    lines = [*before, boundary, told, *again, *exchange(s, words[2], words[3])]
    return Case(number, name, (bed.write(s, lines),), (*words, summary), metadata={summary: {"kind": "summary"}})


def _truncated(bed: Bed, number: int, name: str) -> Case:
    """Later the last eight lines are cut off in place and eighty others appended, past the old end."""
    words, late = bed.words(8), bed.words(40)
    s = bed.session()
    lines = [line for i in range(0, 8, 2) for line in exchange(s, words[i], words[i + 1])]
    path = bed.write(s, lines)

    def regrow() -> None:
        os.truncate(bed.full(path), len(encode(lines[:-8])))
        bed.append(path, [line for i in range(0, 40, 2) for line in exchange(s, late[i], late[i + 1])])

    return Case(number, name, (path,), words, later=Later(regrow, late))


def _moved(bed: Bed, number: int, name: str) -> Case:
    """Later one file moves to another project's folder, and another is deleted: what was said stays, once."""
    words = bed.words(4)
    first, second = bed.session(), bed.session()
    stays = bed.write(first, exchange(first, words[0], words[1]))
    goes = bed.write(second, exchange(second, words[2], words[3]))

    def move() -> None:
        to = bed.full(f"-home-ann-planted-elsewhere/{first.id}.jsonl")
        os.makedirs(os.path.dirname(to), exist_ok=True)
        os.rename(bed.full(stays), to)
        os.unlink(bed.full(goes))

    return Case(number, name, (stays, goes), words, later=Later(move))


def _heavy(bed: Bed, number: int, name: str) -> Case:
    """An image of two million characters beside a prompt, and a tool result of 900 thousand."""
    words, base64 = bed.words(2), "QUJDREVGquarkGSElK"  # with a word in it that must not be found
    s = bed.session()
    source = {"type": "base64", "media_type": "image/png", "data": base64 * (IMAGE_CHARS // len(base64))}
    prompt = s.user([{"type": "text", "text": f"Here is {words[0]}."}, {"type": "image", "source": source}])
    call = s.call("Read", {"file_path": f"{bed.cwd}/big.log"})
    result = s.result(call, f"{NOISE['result']} " * (RESULT_CHARS // (len(NOISE["result"]) + 1)))
    path = bed.write(s, [prompt, call, result, s.text(f"I see {words[1]}.")])
    return Case(number, name, (path,), words, (base64, NOISE["result"]))


def _silent(bed: Bed, number: int, name: str) -> Case:
    """A file of snapshots and a summary, and an empty one: nothing was said."""
    first, second, title = bed.session(), bed.session(), bed.word()
    summary: JsonLine = {"type": "summary", "summary": f"About {title}", "leafUuid": first.uuid()}
    paths = (bed.write(first, [summary, *(first.snapshot() for _ in range(5))]), bed.write(second, b""))
    return Case(number, name, paths, (), (title,))


def _steering(bed: Bed, number: int, name: str) -> Case:
    """Typed while the assistant works: delivered in the middle of a turn, and as an ordinary prompt afterwards."""
    words = bed.words(4)
    s = bed.session()
    delivered = [s.queued("enqueue", f"Mind {words[2]} too."), s.queued("remove")]
    ordinary = [s.queued("enqueue", f"Now {words[3]}."), s.queued("dequeue"), s.user(f"Now {words[3]}.")]
    lines = [*exchange(s, words[0], words[1]), *delivered, *ordinary, s.text("Done.")]
    return Case(number, name, (bed.write(s, lines),), words)


def _characters(bed: Bed, number: int, name: str) -> Case:
    """Half a surrogate pair, an emoji, CRLF and U+2028 inside a text: all of it is one line, and indexed."""
    words = bed.words(4)
    s = bed.session()
    lines = [s.user(f"Half of {words[0]} HALF ."), s.text(f"Whole \U0001f600 {words[1]}.")]
    lines += [s.user(f"One line\r\nand {words[2]}."), s.text(f"One\u2028and {words[3]}.")]
    raw = encode(lines).replace(b"HALF", rb"\ud83d")
    return Case(number, name, (bed.write(s, raw),), words)


def _injected(bed: Bed, number: int, name: str) -> Case:
    """Text that no person typed is left out; what stands before a system-reminder is kept."""
    words = bed.words(2)
    s = bed.session()
    never = tuple(NOISE[kind] for kind in ("meta", "command", "reminder"))
    lines = [
        s.user(f"Caveat: {never[0]}", isMeta=True),
        s.user(f"<command-name>/clear</command-name>\n<command-message>{never[1]}</command-message>"),
        s.user(f"<local-command-stdout>{never[1]}</local-command-stdout>"),
        s.user(f"Look at {words[0]}.\n<system-reminder>\n{never[2]}\n</system-reminder>"),
        s.text(f"That is {words[1]}."),
    ]
    return Case(number, name, (bed.write(s, lines),), words, never)


def _two_sessions(bed: Bed, number: int, name: str) -> Case:
    """A file with lines of two sessions, and a change of the working directory in the second."""
    words = bed.words(4)
    first, second = bed.session(), bed.session()
    second.parent, second.cwd = first.parent, f"{bed.cwd}/inner"
    lines = [*exchange(first, words[0], words[1]), *exchange(second, words[2], words[3])]
    metadata = {
        words[0]: {"conversation_id": first.id, "cwd": bed.cwd},
        words[2]: {"conversation_id": second.id, "cwd": second.cwd},
    }
    return Case(number, name, (bed.write(first, lines),), words, metadata=metadata)


def _windows(bed: Bed, number: int, name: str) -> Case:
    """A working directory with backslashes: the project comes from the lines, not from the folder's name."""
    words, cwd = bed.words(2), "D:\\work\\app"
    s = bed.session(cwd=cwd)
    path = bed.write(s, exchange(s, *words), cwd=cwd)
    return Case(number, name, (path,), words, metadata={words[0]: {"project": cwd, "project_name": "app"}})


def _waiting(bed: Bed, number: int, name: str) -> Case:
    """A tool result that comes twelve hours later, and a call that is never answered: nothing waits for them."""
    words = bed.words(3)
    s = bed.session()
    lines = [s.user(f"Start {words[0]}."), call := s.call("Bash", {"command": "make"})]
    s.at_ms += HALF_DAY_MS
    lines += [s.result(call, NOISE["result"]), s.text(f"After {words[1]}."), s.call("Bash", {"command": "sleep"})]
    lines += [s.user(f"And {words[2]}?")]
    return Case(number, name, (bed.write(s, lines),), words)


CASES: Mapping[str, Callable[[Bed, int, str], Case]] = {
    "blocks": _blocks,
    "damaged": _damaged,
    "duplicates": _duplicates,
    "fork": _fork,
    "compaction": _compaction,
    "truncated": _truncated,
    "moved": _moved,
    "heavy": _heavy,
    "silent": _silent,
    "steering": _steering,
    "characters": _characters,
    "injected": _injected,
    "two-sessions": _two_sessions,
    "windows": _windows,
    "waiting": _waiting,
}

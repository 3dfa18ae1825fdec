"""Hits as people read them: one entry a conversation, the passage with its words marked, a bar in place of a number.

1. Wildcard certificate does not renew                                ●●●●
   infra  claude-code  2026-10-14 08:28 (6 weeks ago)
   claude-code: The passage that answers, **with** the question's words marked.
   importer open 1   importer resume 1
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from importer.cli.conversation_view import NARROW
from importer.cli.text import cut
from importer.protocol import clock
from importer.protocol.foreign.quoting import line, printable
from importer.protocol.projects import last_part

DOTS = 4  # of a full bar
FAINT = 0.5  # of the best conversation's score: below it a hit is dimmed
CUT = 0.2  # below it a hit is left out, unless all are asked for
SHOWN_CHARS = 600
MARGIN = "   "
LEAST_COLUMNS = 20  # of a text; a narrower one is left to the terminal
YOU = "you: "
_COLOURS = {YOU: "green", "sub-agent: ": "magenta"}
COLUMNS = ("number", "id", "conversation", "time", "source", "project", "title", "text")

Hit = Mapping[str, Any]


def shown(found: Mapping[str, Any], columns: int, *, full: bool, every: bool, wrap: bool = False) -> Iterator[str]:
    """Yield the lines of an answer, best conversation first; hits keep the numbers that `importer open` takes.

    `wrap` breaks the lines of texts at the edge of the terminal, where in a pipe each stays one.
    """
    hits: Sequence[Hit] = found["hits"]
    best = max((worth(hit) for hit in hits), default=0.0)
    shares = [worth(hit) / best if best > 0 else 1.0 for hit in hits]
    kept = [place for place, share in enumerate(shares) if every or share >= CUT or place == 0]
    if found.get("near") == "weak":
        yield click.style(_weakness(hits), fg="yellow")
    former, hosts = "", {hit["metadata"].get("host") for hit in hits}
    for place in kept:
        hit, faint = hits[place], shares[place] < FAINT
        name = str(hit["metadata"].get("conversation_id", ""))
        if name != former or not name:
            yield from _head(place + 1, hit, shares[place], columns, faint=faint, host=len(hosts) > 1)
        else:
            yield click.style(f"   {place + 1}. in the same conversation:", dim=True)
        yield _text(hit, columns - len(MARGIN) if wrap else 0, full=full, faint=faint)
        next_ = f"{MARGIN}importer open {place + 1}   importer resume {place + 1}"
        more = f"   (hit {hit['id'][:8]})"
        yield click.style(next_ + (more if len(next_ + more) <= columns else ""), dim=True) + "\n"
        former = name
    if left := len(hits) - len(kept):
        yield click.style(f"{left} more {'is' if left == 1 else 'are'} farther from it: --all shows them", dim=True)
    if hits:
        yield click.style(f"times are {clock.zone_name()}", dim=True)


def worth(hit: Hit) -> float:
    """Return the score of a hit's conversation, by which an answer is in order; else that of the hit itself."""
    return max(0.0, float(hit.get("reasons", {}).get("conversation", hit["score"])))


def _weakness(hits: Sequence[Hit]) -> str:
    """Return in words what a weak answer is: whether the question's words stand in it at all."""
    if any(hit.get("reasons", {}).get("words") for hit in hits):
        return "no sure match; these come nearest:"
    return "none of its words was said; nearest by meaning:"


def _head(number: int, hit: Hit, share: float, columns: int, *, faint: bool, host: bool) -> Iterator[str]:
    """Yield the lines above a hit: what it is of, how near, where and when; cut at the edge of the terminal.

    With `host` also on which machine it was said.
    """
    known = hit["metadata"]
    full = max(1, round(share * DOTS))
    name = line(str(known.get("title") or known.get("project_name") or known.get("project") or "untitled"))
    room = max(8, columns - DOTS - 2)
    weight = {"dim": True} if faint else {"bold": True}  # each taken back would take the other back, too
    title = click.style(f"{cut(f'{number}. {name}', room)}  ", fg="cyan", **weight)
    yield title + click.style("●" * full + "○" * (DOTS - full), fg="green", dim=faint or None)
    stored, project = str(known.get("timestamp", "")), str(known.get("project", ""))
    narrow = columns < NARROW
    at = clock.ago(stored) or clock.shown(stored) if narrow else clock.dated(stored)
    place = last_part(project) if narrow else project
    told = (place, known.get("source", ""), at, known.get("host", "") if host else "")
    yield click.style(cut(f"   {'  '.join(line(str(one)) for one in told if one)}", columns), dim=True)


def _text(hit: Hit, columns: int, *, full: bool, faint: bool) -> str:
    """Return the passage of a hit, indented, with the question's words marked; with `full` the whole document.

    Before what each says stands who it is, where the hit tells it.
    """
    passage = hit.get("passage") or {}
    text, marks = (passage.get("text") or "", passage.get("marks") or ()) if not full else ("", ())
    if not text:
        text = hit["document"] if full or len(hit["document"]) <= SHOWN_CHARS else hit["document"][:SHOWN_CHARS] + " …"
    parts, begin = [], 0
    for label, end in _speakers(hit, text):
        begin = end - len(text[begin:end].lstrip())
        said = _wrapped(text[begin:end], columns, len(label) + 1)
        inside = [(first - begin, min(last, end) - begin) for first, last in marks if begin <= first < end]
        who = click.style(label, fg=_COLOURS.get(label, "cyan")) if label else ""
        parts.append(who + _marked(said, inside, faint=faint))
        begin = end
    lines = "\n".join(parts).split("\n")
    return "\n".join(f"{MARGIN}{one}" for one in lines if one.strip())


def _speakers(hit: Hit, text: str) -> list[tuple[str, int]]:
    """Return who says a part of a hit's document, and where in that part each ends; one without a name for unknown."""
    known, end = hit["metadata"], len(text)
    asked, at = known.get("asked_chars"), hit["document"].find(text.removesuffix(" …"))
    if known.get("kind") == "subagent":
        return [("sub-agent: ", end)]
    if not isinstance(asked, int) or at < 0:
        return [("", end)]
    name = line(str(known.get("source") or "assistant"))
    parts = [(YOU, min(end, asked - at)), (f"{name}: ", end)]
    return [(label, place) for label, place in parts if place > 0 and not (label != YOU and asked - at >= end)]


def _wrapped(text: str, columns: int, taken: int) -> str:
    """Return a text with line breaks in place of spaces at the edge of a terminal; as long as before, as marks count.

    `taken` columns of the first line are not free. 0 columns are none.
    """
    if columns < LEAST_COLUMNS:
        return text
    letters, begin, space, room = list(text), 0, -1, columns - taken
    for at, letter in enumerate(text):
        if letter == "\n":
            begin, space, room = at + 1, -1, columns
        elif letter == " ":
            space = at
        if at - begin >= room and space > begin:
            letters[space], begin, space, room = "\n", space + 1, -1, columns
    return "".join(letters)


def _marked(text: str, marks: Sequence[Sequence[int]], *, faint: bool) -> str:
    """Return a text with its marks `[start, end)` in bold; its parts are made harmless one by one, as marks count."""
    parts, at = [], 0
    for start, end in marks:
        parts.append(click.style(_harmless(text[at:start]), dim=faint) if faint else _harmless(text[at:start]))
        parts.append(click.style(_harmless(text[start:end]), bold=True, fg="yellow"))
        at = end
    rest = _harmless(text[at:])
    return "".join([*parts, click.style(rest, dim=True) if faint else rest])


def _harmless(text: str) -> str:
    """Return a part of a text as a terminal can show it."""
    return printable(text, keep="\n\t")


def tabbed(hits: Sequence[Hit]) -> Iterator[str]:
    """Yield a line of COLUMNS for each hit, parted by tabs, for fzf and cut; no value holds a tab or a line break."""
    for number, hit in enumerate(hits, 1):
        known = hit["metadata"]
        text = (hit.get("passage") or {}).get("text") or hit["document"]
        told = [known.get(name, "") for name in ("conversation_id", "timestamp", "source", "project", "title")]
        yield "\t".join(line(str(one)) for one in (number, hit["id"], *told, text))


def as_json(query: str, found: Mapping[str, Any], ways: Sequence[str]) -> str:
    """Return the answer for programs: every hit has `resume`, what is typed to go on with its conversation."""
    hits = [{**hit, "resume": way} for hit, way in zip(found["hits"], ways, strict=True)]
    return json.dumps({"query": query, **found, "hits": hits})

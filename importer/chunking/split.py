"""Cut a text into pieces: pure functions from one piece of an exchange to the next, which lose no character.

A piece that is not the first begins with a lead: the prompt's first line, a newline, and the overlap, which is the tail
of the piece before. What follows the lead is new, and the new parts of all pieces, one after the other, are the text.

    | prompt's first line \\n | overlap | new … new | whitespace that the cut fell on
    |<-------------- lead ------------>|           |
    |<------------------ size_chars -------------->|
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import msgspec

from importer.errors import UsageError

PROMPT_CHARS = 160  # of the prompt's first line: measured to help finding (R@5 0.58 against 0.55 without)
SMALLEST_CHARS = 100  # below this the lead would be most of every piece
SLACK_CHARS = 64  # looked at beyond the size, so that a break which begins exactly there is seen
GRAPHEME_CHARS = 32  # how far a hard cut looks for the beginning of what is seen as one character

_EDGE = re.compile(r"^[ \t]*(?P<fence>```|~~~)[ \t]*(?P<language>[^\s`]*)[^\n]*|\n(?=[ \t\r]*\n)", re.MULTILINE)
_SENTENCE = re.compile(r"[.!?…][\"'”’)\]]*(?=\s)|[。！？][”’」』）]*")  # noqa: RUF001  full-width marks end sentences too
_SPACE = re.compile(r"\s")
_SPACES = re.compile(r"\s*")  # matches everywhere
_WORD = re.compile(r"\s+")
_START = re.compile(r"[.!?…][\"'”’)\]]*\s+|[。！？][”’」』）]*\s*|\n\s*")  # noqa: RUF001  as above


@dataclass(frozen=True, slots=True)
class Cutting:
    """The sizes of pieces, in characters: how long they are, and how much of the last one the next repeats.

    Raises UsageError for sizes that cannot work: every piece must have room for something new.
    """

    size_chars: int = 1000
    overlap_chars: int = 200

    def __post_init__(self) -> None:
        if self.size_chars < SMALLEST_CHARS:
            raise UsageError(
                f"chunk size of {self.size_chars} characters is too small",
                hint=f"set CHUNK_SIZE to {SMALLEST_CHARS} or more (1000 is the default)",
            )
        if not 0 <= self.overlap_chars <= self.size_chars // 2:
            raise UsageError(
                f"chunk overlap of {self.overlap_chars} characters does not fit a chunk size of {self.size_chars}",
                hint=f"set CHUNK_OVERLAP between 0 and half of CHUNK_SIZE ({self.size_chars // 2})",
            )

    @property
    def prompt_chars(self) -> int:
        """The most of a prompt's line that a continuation repeats; with the overlap never over 3/4 of the size."""
        return min(PROMPT_CHARS, self.size_chars // 4 - 4)


@dataclass(frozen=True, slots=True)
class Piece:
    """A finished piece: the `document`, stripped, and the `new` characters it accounts for, whitespace included.

    `fresh`: it reaches into the text that was added, so it is not merely what stood there before. `asked_chars` and
    `lead_chars` are as in `Rest`.
    """

    document: str
    new: str
    fresh: bool
    asked_chars: int = -1
    lead_chars: int = 0


class Rest(msgspec.Struct, frozen=True, omit_defaults=True):
    """The text not cut yet: its first `prompt_chars` are the prompt's line, its first `lead_chars` were said before.

    A person said its first `asked_chars`, an assistant the rest; -1 where that is not known, as in an older checkpoint.
    """

    text: str = ""
    prompt_chars: int = 0
    lead_chars: int = 0
    asked_chars: int = -1


def plain(text: str) -> str:
    """`text` stripped, lone surrogates replaced; "" when there is nothing in it that can be seen."""
    text = text.strip()
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text if any(character.isprintable() and not character.isspace() for character in text) else ""


def first_line(text: str, limit_chars: int) -> str:
    """Return the first line of a stripped text, ended at a word when it is longer than `limit_chars`."""
    line = text[: limit_chars + 1].split("\n", 1)[0].rstrip()
    if len(line) <= limit_chars:
        return line
    cut = max((match.start() for match in _SPACE.finditer(line, limit_chars // 2)), default=0)
    return line[: cut or _grapheme(line, limit_chars, limit_chars // 2)].rstrip()


def append(
    rest: Rest, text: str, prompt: str, cutting: Cutting, *, by_person: bool = False
) -> tuple[list[Piece], Rest]:
    """Add a stripped text to `rest`, and cut off pieces while it is longer than a piece may be.

    `prompt` is the line continuations begin with ("" for none). The work is linear in the length of the text.
    """
    prompt = first_line(prompt, cutting.prompt_chars)
    old = rest.text[rest.lead_chars :]
    whole = f"{old}\n\n{text}" if old and text else old or text
    lead, prompt_chars = rest.text[: rest.lead_chars], rest.prompt_chars
    old_chars, at = len(whole) - len(text), 0
    asked = len(whole) if by_person else _asked(rest)  # so far in `whole` goes what a person said
    stood = len(rest.text) if text else 0  # a piece ends here or later, so what it says of its newest text is exact
    pieces: list[Piece] = []
    # a lead that was made with larger settings must leave room for something new, or this would never end
    while len(lead) + len(whole) - at > (size := max(cutting.size_chars, len(lead) + cutting.size_chars // 4)):
        view = lead + whole[at : at + size - len(lead) + SLACK_CHARS]
        floor = max(len(lead) + (size - len(lead)) // 2, stood if stood <= size else 0)
        end, stood = _boundary(view, prompt_chars, floor, size), 0
        after = _after_spaces(whole, at + end - len(lead))
        document, new = view[:end].strip(), whole[at:after]
        told = _told(asked, at - len(lead), prompt_chars, len(document))
        pieces.append(Piece(document, new, after > old_chars, told, len(lead)))
        gap, spaces = _gap(whole[at + end - len(lead) : after]), after - at + len(lead) - len(document)
        lead, prompt_chars = _lead(view[prompt_chars:end], gap, prompt, cutting)
        # The overlap stands in front of what is new with the gap between them, not with all spaces there were.
        asked = asked if asked is None or asked >= after else min(after, asked + spaces - len(gap))
        at = after
    told = _told(asked, at - len(lead), prompt_chars, len(lead) + len(whole) - at)
    return pieces, Rest(lead + whole[at:], prompt_chars, len(lead), told)


def _asked(rest: Rest) -> int | None:
    """Return how far into the text behind the lead of `rest` goes what a person said, None where it is not known."""
    if not rest.text:
        return 0
    return rest.asked_chars - rest.lead_chars if rest.asked_chars >= 0 else None


def _told(asked: int | None, start: int, prompt_chars: int, length: int) -> int:
    """Return how much of a piece that begins at `start` a person said: the prompt's line at least. -1 for unknown."""
    return -1 if asked is None else min(length, max(prompt_chars, asked - start))


def _lead(said: str, gap: str, prompt: str, cutting: Cutting) -> tuple[str, int]:
    """Return the text the next piece begins with, and how much of it is the prompt's line."""
    overlap = _tail(said.strip(), cutting.overlap_chars)
    repeated = overlap + gap if overlap else ""
    if not prompt or overlap.startswith(prompt):
        return repeated, 0
    return f"{prompt}\n{repeated}", len(prompt) + 1


def _tail(text: str, limit_chars: int) -> str:
    """Return the end of `text`, at most `limit_chars`, from where a sentence or else a word begins, if one does."""
    if limit_chars <= 0 or len(text) <= limit_chars:
        return text if limit_chars > 0 else ""
    start = len(text) - limit_chars
    for pattern in (_START, _WORD):
        # from one before, so that a sentence or word counts that begins just here
        found = pattern.search(text, start - 1, start + limit_chars // 2)
        if found:
            return text[found.end() :].lstrip()
    while start < len(text) - 1 and not _is_break(text, start):
        start += 1
    return text[start:]


def _boundary(text: str, prompt_chars: int, floor: int, size: int) -> int:
    """Find where the content of a piece ends: the last place of the best kind, from `floor` to `size`."""
    outside, inside = _edges(text, prompt_chars, floor, size)
    for end in (outside, inside, text.rfind("\n", floor, size + 1), _last(_SENTENCE, text, floor, size)):
        if end > 0:
            return end
    space = max((match.start() for match in _SPACE.finditer(text, floor, size + 1)), default=0)
    return space or _grapheme(text, size, floor)


def _edges(text: str, start: int, floor: int, size: int) -> tuple[int, int]:
    """Find the last end of a paragraph or code block outside of code, and the last blank line inside; 0 for none."""
    ends, code = [0, 0], False
    for match in _EDGE.finditer(text, start, size + SLACK_CHARS):
        end, inside = match.start(), code
        if match["fence"]:
            # a fence that names a language opens, even where the one before it was never closed
            opens, inside = bool(match["language"]) or not code, False
            # -1: a piece ends before the line break in front of the fence
            end, code = (match.start() - 1, True) if opens else (match.end(), False)
        if floor <= end <= size:
            ends[inside] = end
    return ends[False], ends[True]


def _last(pattern: re.Pattern[str], text: str, floor: int, size: int) -> int:
    """Return where the last match ends, or 0; lookaheads see one character beyond `size`."""
    ends = (match.end() for match in pattern.finditer(text, floor, size + 1))
    return max((end for end in ends if end <= size), default=0)


def _grapheme(text: str, end: int, floor: int) -> int:
    """`end`, or a little before it, so that nothing that is seen as one character is divided."""
    for place in range(end, max(floor, end - GRAPHEME_CHARS), -1):
        if _is_break(text, place):
            return place
    return end


def _is_break(text: str, at: int) -> bool:
    """Return True if a text may be divided before `at`: not inside CRLF, surrogates, accents, joined emoji or flags."""
    before, after = text[at - 1], text[at]
    if after.isascii():
        return not (before == "\r" and after == "\n")
    if unicodedata.category(after) in {"Mn", "Mc", "Me"} or "\u200d" in (before, after):
        return False
    if "\udc00" <= after <= "\udfff" or "\U0001f3fb" <= after <= "\U0001f3ff":  # second half; skin colour
        return False
    return not (_is_flag(after) and len(_flags_before(text, at)) % 2)


def _is_flag(character: str) -> bool:
    """Return True for one of the 26 regional indicators; two of them are shown as a flag."""
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flags_before(text: str, at: int) -> str:
    """Return the run of flag letters that ends before `at`; two of them make one flag."""
    start = at
    while start > 0 and _is_flag(text[start - 1]):
        start -= 1
    return text[start:at]


def _after_spaces(text: str, at: int) -> int:
    """Return the first place from `at` on that is not whitespace."""
    match = _SPACES.match(text, at)
    return match.end() if match else at


def _gap(spaces: str) -> str:
    """Whitespace a cut fell on, in short: what stands between the overlap and what is new."""
    lines = spaces.count("\n")
    return "\n\n" if lines > 1 else "\n" if lines else " " if spaces else ""

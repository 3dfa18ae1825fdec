"""Find passphrases of several words behind a name that says so: `passphrase: …`, `password = "…"`."""

from __future__ import annotations

import re

CLOSING = "'\"`\\”“»«’」』"  # noqa: RUF001
_PHRASE = re.compile(
    r"(?:passphrase|password|passwd|pwd)\\?[\"'`]?\s{0,3}[:=]\s{0,3}(?P<quote>\\?[\"'`])?"
    r"(?P<phrase>[A-Za-z0-9'@!#&-]{1,30}+(?>(?: [A-Za-z0-9@!#&-]{1,30}+){1,15}))(?![A-Za-z0-9_(\[{=:/-])",
    re.IGNORECASE,
)
_SENTENCE = re.compile(  # holding one of these, words after "passphrase:" speak about it
    r"\b(?:an?|the|this|that|it|to|for|of|in|on|at|by|with|from|is|are|be|and|or|not?|if|when|as|you|your|must|should"
    r"|can|will|enter|see|used?|required|optional|min|max|minimum|maximum|length|chars?|characters|words|bits|bytes"
    r"|section|line|version|passphrase|password|none|null|true|false)\b",
    re.IGNORECASE,
)


def phrase(text: str, start: int) -> tuple[int, int] | None:
    """Find the words of a passphrase: with a number among them, or four and more in quotes; never a sentence."""
    match = _PHRASE.match(text, start) if text[start : start + 4].lower() in ("pass", "pwd ", "pwd=", "pwd:") else None
    if not match or _SENTENCE.search(match["phrase"]):
        return None
    if text[start : start + 5].lower() != "passp" and not (
        match["quote"] and text[match.end() : match.end() + 1] in {*CLOSING}
    ):
        return None
    many = match["quote"] and match["phrase"].count(" ") >= 3
    return match.span("phrase") if many or any(map(str.isdigit, match["phrase"])) else None

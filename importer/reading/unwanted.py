"""Tell by a person's own words that a conversation is not to be indexed (pure)."""

from __future__ import annotations

import re

_ASKED = "do not index this c"  # in the small letters of every wish, and of nearly no other text
# A line of its own, so that a text about these words means nothing; peers use the same ones. There may be a bullet in
# front, and quotes, stars and full stops around it. What stands in backticks is code, and a question asks.
_wish = re.compile(
    r"^(?:[^\w`\n]|_)*(?:\d{1,3}[.)](?:[^\w`\n]|_)*)?(?:please,? )?do not index this (?:chat|conversation)"
    r"(?:,? please)?(?:[^\w`?\n]|_)*$",
    re.I | re.M,
)
# Code between lines of three or more backticks or tildes, which may be indented, quoted, or never be closed.
_fence = re.compile(r"^[ \t>]*(`{3,}(?=[^`\n]*$)|~{3,}).*?(?:^[ \t>]*\1[`~]*[ \t\r]*$|\Z)", re.M | re.S)


def is_unwanted(text: str) -> bool:
    """Return True if a person's text asks not to index the conversation; code that holds the words does not."""
    if _ASKED not in text.lower():  # nearly all texts, at the speed of memory
        return False
    return bool(_wish.search(text)) and bool(_wish.search(_fence.sub("", text)))

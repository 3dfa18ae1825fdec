"""Tell by a person's own words that a conversation is not to be indexed (pure)."""

from __future__ import annotations

import re

# A line of its own, so that a text about these words means nothing. Peers use the same ones.
_wish = re.compile(r"^[ \t>*_]*do not index this (?:chat|conversation)[ \t.!*_]*$", re.I | re.M)
_FENCE = re.compile(r"^```.*?(?:^```|\Z)", re.M | re.S)


def is_unwanted(text: str) -> bool:
    """Return True if a person's text asks not to index the conversation; code that holds the words does not."""
    if "ndex" not in text and "NDEX" not in text:  # nearly all texts, at the speed of memory
        return False
    return bool(_wish.search(text)) and bool(_wish.search(_FENCE.sub("", text)))

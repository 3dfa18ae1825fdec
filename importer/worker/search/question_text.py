"""Cut a question to what the model reads: a pasted file must not hold up the questions and batches behind it.

10,000 words took a small model 9.5 s as averaged windows, and found nothing that their beginning does not find.
"""

from __future__ import annotations

from importer.worker.embedders import Embedder

MOST_CHARS = 8_000  # looked at before anything is counted: four windows of a common model
NEAR_CHARS = 40  # a cut this near to a word's beginning moves there


def cut(text: str, embedder: Embedder | None) -> str:
    """Return the longest beginning of a question that fits into one window of the model; `None` splits by length alone.

    The embedder's own `split` says what fits. It is asked a dozen times at most, for a question that is too long.
    """
    text = text[:MOST_CHARS]
    if embedder is None or _fits(text, embedder):
        return text
    fitting, beyond = 1, len(text)  # one character always fits, or nothing does
    while beyond - fitting > 1:
        middle = (fitting + beyond) // 2
        if _fits(text[:middle], embedder):
            fitting = middle
        else:
            beyond = middle
    return _at_a_word(text, fitting)


def _fits(text: str, embedder: Embedder) -> bool:
    """Return True if the text is one window."""
    return len(embedder.split([text])[0]) < 2


def _at_a_word(text: str, chars: int) -> str:
    """Return so many characters, or a few less where that spares a word."""
    space = text[:chars].rfind(" ", max(0, chars - NEAR_CHARS))
    return text[: chars if space <= 0 or text[chars].isspace() else space]

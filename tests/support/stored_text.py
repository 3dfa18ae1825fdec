"""All text that is stored of a sample, to look for what was said in it."""

from __future__ import annotations

from pathlib import Path

from read_units import content, raws

from importer import formats
from importer.chunking import fold

WHOLE = fold.Cutting(1_000_000, 0)


def chunks(name: str, path: Path) -> str:
    """Return all that is stored of a file, with single blanks."""
    format_ = formats.load(name)
    context, folding, origin = format_.begin(bytes(path)), fold.Folding(), fold.Origin(name, "host")
    stored = []
    said = list(raws(name, content(str(path))))
    ending = getattr(format_, "ending", formats.Fed)  # what the end leaves open is given out, too
    for raw in (*said, None):
        fed = format_.feed(context, raw, formats.Options()) if raw is not None else ending(context)
        context = fed.context
        for turn in fed.turns:
            step = fold.feed(folding, turn, WHOLE, origin)
            folding = step.folding
            stored += step.chunks
    stored += fold.surface(folding, WHOLE, origin, at_end=True).chunks
    return even("\n".join([chunk.text for chunk in stored]))


def even(text: str) -> str:
    """Return a text with single blanks."""
    return " ".join(text.split())

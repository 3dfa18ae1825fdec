"""What a stored point becomes when it is masked as today's redaction does."""

from __future__ import annotations

from importer.chunking.redact import mask
from importer.consistency import redact_stored

KEY = "AKIA" + "QZ7TEXAMPLE4KILN"


def test_it_still_tells_who_speaks() -> None:
    """A mask is of another length than the secret: what the person said ends where it ended."""
    asked, answered = f"why is {KEY} refused", f"because {KEY} has expired"
    known = {"roles": ["user", "assistant"], "asked_chars": len(asked)}
    point = {"id": "p", "document": f"{asked}\n\n{answered}", "metadata": known, "voices": {}}
    masked = redact_stored.masked(point)
    assert KEY not in masked["document"]
    assert masked["document"][: masked["metadata"]["asked_chars"]] == mask(asked)


def test_a_point_without_a_secret_stays_as_it_is() -> None:
    """It is equal to what it was, with or without the name of its speaker."""
    for known in ({}, {"roles": ["user"], "asked_chars": 3}):
        point = {"id": "p", "document": "why", "metadata": known, "voices": {}}
        assert redact_stored.masked(point) == point

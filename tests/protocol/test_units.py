"""Numbers of things agree with their word."""

from importer.protocol.units import counted


def test_counts_agree_with_their_word() -> None:
    """One thing is told in the singular."""
    assert [counted(n, "file") for n in (0, 1, 1200)] == ["0 files", "1 file", "1,200 files"]
    assert counted(2, "copy", "copies") == "2 copies"

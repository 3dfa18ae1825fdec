"""The note of what was installed is read in every form it had, and a damaged one says so and is kept aside."""

from __future__ import annotations

import pathlib

import pytest

from importer.assistants.wiring import record


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"a": 1}', '{"a": {"inserted": 3}}', "\udce9", "[" * 99_999])
def test_a_damaged_note(tmp_path: pathlib.Path, damage: str) -> None:
    """It says so, and is set aside before another is written."""
    note = tmp_path / record.NAME
    note.write_bytes(damage.encode(errors="surrogateescape"))
    assert "cannot be read" in record.read(str(tmp_path)).damaged
    record.note(str(tmp_path), "/x", record.Written("y"))
    assert record.read(str(tmp_path)).files == {"/x": record.Written("y")}
    assert (tmp_path / (record.NAME + record.ASIDE)).exists()


def test_a_note_of_the_first_version(tmp_path: pathlib.Path) -> None:
    """It knew neither whether a file was written nor for which assistant."""
    (tmp_path / record.NAME).write_text('{"/x": {"inserted": "y", "created": true, "folders": ["/f"]}}')
    assert record.read(str(tmp_path)).files == {"/x": record.Written("y", True, ("/f",))}

"""Durable: what is synced went through the strongest call that the system and the file system have."""

from __future__ import annotations

import fcntl
import os

import pytest

from importer.protocol import durable
from importer.protocol.system import capabilities

FULL = 51  # F_FULLFSYNC of macOS


@pytest.mark.parametrize("refused", [False, True])
def test_the_disk_s_own_cache_is_emptied_where_that_can_be_asked(monkeypatch, tmp_path, refused):
    """By F_FULLFSYNC alone; by fsync where the file system refuses it."""
    asked = []

    def control(_descriptor: int, command: int) -> int:
        asked.append(command)
        if refused:
            raise OSError("not supported")
        return 0

    monkeypatch.setattr(fcntl, "F_FULLFSYNC", FULL, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", control)
    monkeypatch.setattr(os, "fsync", lambda _descriptor: asked.append("fsync"))
    capabilities.has.cache_clear()
    monkeypatch.delenv(capabilities.SWITCH, raising=False)
    durable.sync(str(tmp_path))
    capabilities.has.cache_clear()
    assert asked == ([FULL, "fsync"] if refused else [FULL])

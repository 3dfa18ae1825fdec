"""The names that a format of one's own may import; see `importer.formats` for what a format is."""

from __future__ import annotations

from importer.formats import Document, Fed, Format, Options, Tables
from importer.formats._shared.turns import clip, key, utc
from importer.protocol.records import Facts, Turn

__all__ = ["Document", "Facts", "Fed", "Format", "Options", "Tables", "Turn", "clip", "key", "utc"]

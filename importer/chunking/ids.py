"""Point ids that depend on what was said, never on where it was read."""

from __future__ import annotations

import base64
import hashlib
import uuid

# fixed for ever: another one would store everything twice
NAMESPACE = uuid.UUID("6f1c2f4e-3b0a-5d53-9f0e-8a7d1b6c2e90")
RING_CHARS = 11  # 8 bytes in base64, without padding


def chunk_id(source: str, anchor: str, ordinal: int, text: str) -> str:
    """Return a piece's id: uuid5 over source, the exchange's anchor, the piece's ordinal and the sha256 of its text."""
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return str(uuid.uuid5(NAMESPACE, f"{source}\0{anchor}\0{ordinal}\0{digest}"))


def ring_key(*parts: str) -> str:
    """Hash the parts into `RING_CHARS` characters, for a ring of the last turns."""
    digest = hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return base64.urlsafe_b64encode(digest).decode("ascii")[:RING_CHARS]

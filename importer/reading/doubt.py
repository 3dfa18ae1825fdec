"""Have a file give its open chunks out again, where the store may not hold them as its checkpoint says (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from importer.chunking import fold
from importer.protocol.records import Checkpoint, Release
from importer.reading.pipeline import ResumeState

_states = msgspec.json.Decoder(ResumeState)


def unsure(checkpoint: Checkpoint, opened: Iterable[Release]) -> Checkpoint:
    """Return a checkpoint that is looked at again; what it `opened` since goes, unless the file gives it again."""
    state = _states.decode(checkpoint.context)
    folding = fold.unsure(state.fold, [one for one in opened if one.holder.endswith(f"#{state.fold.mark}")])
    return replace(checkpoint, ctime_ns=0, context=msgspec.json.encode(msgspec.structs.replace(state, fold=folding)))

"""What the state remembers beside the status of now: memory over time, what is set aside, which workers were lost."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from importer.delivery.policy import Recycle
from importer.protocol.units import MB
from importer.state.checkpoints import Checkpoints
from importer.state.history import COARSE_S

LAST_S = 3600.0  # shown by the second; where nothing was measured in it, the last weeks, or a short import long ago
MOST_ENDINGS = 200  # of workers that are looked through


@dataclass(frozen=True, slots=True)
class RememberedMemory:
    """`memory` is `(at, worker, daemon)` in UTC seconds and MB, `lost` are workers as `(at, reason, files)`."""

    memory: tuple[tuple[float, float, float], ...] = ()
    quarantine: tuple[Mapping[str, Any], ...] = ()
    lost: tuple[tuple[float, str, int], ...] = ()


def look_back(checkpoints: Checkpoints, most: int) -> RememberedMemory:
    """Return what is remembered, of each list so many rows at most."""
    history, planned = checkpoints.history, {str(reason) for reason in Recycle}
    curves = (history.curve(since=time.time() - LAST_S), history.curve(step_s=COARSE_S), history.curve())
    moments = next((one for one in curves if len(one) > 1), [])
    memory = ((one.at, one.worker_anon_bytes / MB, one.daemon_rss_bytes / MB) for one in moments)
    rows = checkpoints.quarantine.page(limit=most)
    set_aside = (
        {"id": one.id, "path": os.fsdecode(one.reject.path), "offset": one.reject.offset, "reason": one.reject.reason}
        | {"at": one.at}
        for one in rows
    )
    lost = [(one.at, one.reason, one.files) for one in history.endings(MOST_ENDINGS) if one.reason not in planned]
    return RememberedMemory(tuple(memory), tuple(set_aside), tuple(lost[:most]))

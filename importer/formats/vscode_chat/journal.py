"""Replay the journal of a chat: what each line sets, appends, cuts off or removes, in a document of requests.

    kind 0  the whole document     kind 2  cut the list at `k` to length `i`, where that is given, and append `v`
    kind 1  set `v` at the path `k`     kind 3  remove what stands at `k`

A request counts once it is settled: complete, cancelled, failed, or left alone. What was taken back, is hidden, or was
typed and not sent is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote

import msgspec

from importer.formats._journal import BLANKS, MARK
from importer.formats._shared.told import member, parted, string, value
from importer.formats._shared.words import listed

WHOLE, SET, PUSH, REMOVE = 0, 1, 2, 3
GOING_ON = (0, 4)  # states of a request: pending, and waiting for input
MOST_ITEMS = 1_000_000  # an index beyond is damage
KEPT = ("requestId", "message", "variableData", "isSystemInitiated", "response", "timestamp", "modelId")
FOLDERS = (b"chatSessions", b"emptyWindowChatSessions", b"transferredChatSessions")
MARKS = (b'{"kind":0,', b'{"kind": 0,')
HIDDEN = ("shouldBeRemovedOnSend", "isHidden")


def is_called_so(path: bytes) -> bool:
    """Return True if a file is called like a journal, and lies where journals do."""
    folder, _, name = path.rpartition(b"/")
    return name.endswith(b".jsonl") and folder.rpartition(b"/")[2] in FOLDERS


def opens(head: bytes) -> bool:
    """Return True for the line that sets the whole document."""
    return head.removeprefix(MARK).lstrip(BLANKS).startswith(MARKS)


def replayed(lines: Iterable[bytes], sheet: bytes = b"") -> Iterator[Any]:
    """Yield the document's head and its requests; of a damaged line a text that says so. Never raises."""
    document, damaged = _document(lines)
    if not isinstance(document, dict):
        yield "a journal of something else than a chat"
        return
    yield _head(document, sheet)
    requests, strange = parted(document.get("requests"))
    if strange:
        yield f"{strange} requests that cannot be read"
    for request in requests:
        if not any(request.get(name) for name in HIDDEN):
            if _goes_on(request):
                yield {"held": True, "requestId": string(request, "requestId")}
            yield {name: request[name] for name in KEPT if name in request}
    if damaged:
        yield f"{damaged} lines of the journal cannot be read"


def _document(lines: Iterable[bytes]) -> tuple[Any, int]:
    """Return what the lines make, and how many of them are damaged: the last one may be half written."""
    document: Any = {}
    damaged = 0
    for raw in lines:
        if raw.strip(b" \t\r\n\0"):
            try:
                document = _applied(document, msgspec.json.decode(raw.removeprefix(MARK)))
            except (ValueError, RecursionError, TypeError, LookupError):
                damaged += 1
    return document, damaged


def _head(document: dict[str, Any], sheet: bytes) -> dict[str, Any]:
    """Return the head, with the folder that the window's sheet names."""
    folder = string(value(sheet.decode("utf-8", "replace")), "folder")
    folder = unquote(folder.removeprefix("file://")) if folder.startswith("file://") else ""
    folder = folder[1:] if folder[2:4] == ":/" else folder  # of a drive of Windows
    title = string(document, "customTitle")
    return {"sessionId": string(document, "sessionId"), "customTitle": title, "workspaceFolder": folder}


def _goes_on(request: dict[str, Any]) -> bool:
    """Return True while an answer is being written; older versions say so by the lack of a result."""
    state = member(request, "modelState", "value")
    return state in GOING_ON if state is not None else request.get("result") is None


def _applied(document: Any, entry: Any) -> Any:
    """Return the document after an entry. Raises TypeError, LookupError and ValueError for one that does not fit."""
    kind, path = entry["kind"], entry.get("k") or []
    if kind == WHOLE:
        return entry["v"]
    place = document
    for step in path[:-1]:
        place = place[step]
    last = path[-1]
    if kind == SET:
        _set(place, last, entry.get("v"))
    elif kind == PUSH:
        _push(place, last, entry)
    elif kind == REMOVE and isinstance(place, dict):
        place.pop(last, None)
    return document


def _set(place: Any, last: Any, new: Any) -> None:
    """Set a member, or an element that may stand just behind the end of its list."""
    if isinstance(place, list):
        if not 0 <= last <= min(len(place), MOST_ITEMS):
            raise IndexError(last)
        place[last : last + 1] = [new]
    else:
        place[last] = new


def _push(place: Any, last: Any, entry: dict[str, Any]) -> None:
    """Cut a list, then append to it; one that is not there begins empty."""
    held = place.get(last) if isinstance(place, dict) else place[last]
    held = held if isinstance(held, list) else []
    cut = entry.get("i")
    kept = held[:cut] if isinstance(cut, int) and cut >= 0 else held
    _set(place, last, [*kept, *listed(entry.get("v"))])

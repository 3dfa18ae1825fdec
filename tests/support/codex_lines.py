"""Lines as Codex writes them, for tests."""

from __future__ import annotations

from typing import Any

THREAD = "019f03e0-321f-7eb2-83cc-b54ecd71be23"


def envelope(type_: str, n: int = 1, **payload: Any) -> dict[str, Any]:
    return {"timestamp": f"2026-06-26T12:24:{n:02}.000Z", "type": type_, "payload": payload}


def head(**fields: Any) -> dict[str, Any]:
    known = {"id": THREAD, "cwd": "/home/ann/app", "git": {"branch": "main"}, "source": "cli"}
    return envelope("session_meta", **{**known, **fields})


def item(type_: str, n: int = 1, **fields: Any) -> dict[str, Any]:
    return envelope("response_item", n, type=type_, **fields)


def asked(*words: str, n: int = 1) -> dict[str, Any]:
    return item("message", n, role="user", content=[{"type": "input_text", "text": text} for text in words])


def answered(words: str, n: int = 2, **fields: Any) -> dict[str, Any]:
    return item("message", n, role="assistant", content=[{"type": "output_text", "text": words}], **fields)


def event(type_: str, message: str = "", n: int = 1, **fields: Any) -> dict[str, Any]:
    return envelope("event_msg", n, type=type_, message=message, **fields)

"""The filters that the stand-ins for a Qdrant server understand."""

from __future__ import annotations

from typing import Any


def passes(point: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Return True if a point passes a filter of ids, vectors, and matches of one payload value."""
    if "has_id" in wanted:
        return point["id"] in wanted["has_id"]
    if "has_vector" in wanted:
        return wanted["has_vector"] in point["vector"]
    if "key" in wanted:
        return _matches(point["payload"], wanted["key"], wanted["match"]["value"])
    must, should, never = (_listed(wanted.get(name)) for name in ("must", "should", "must_not"))
    return (
        all(passes(point, one) for one in must)
        and (not should or any(passes(point, one) for one in should))
        and not any(passes(point, one) for one in never)
    )


def value_at(payload: dict[str, Any], key: str) -> Any:
    """Return the value under a key with dots, None without one."""
    value: Any = payload
    for name in key.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _matches(payload: dict[str, Any], key: str, wanted: Any) -> bool:
    value = value_at(payload, key)
    return wanted in value if isinstance(value, list) else value == wanted


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given] if given else []

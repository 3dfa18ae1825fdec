"""Rules of what was forgotten on purpose and must not come back, kept as tombstones in the state.

A rule names a project, a conversation, files by a pattern, a time before which; all that it names must hold. It stands
as one tombstone. A conversation that asks not to be indexed makes such a rule itself; that it was taken back is a
tombstone as well, for the words that asked still stand in the file. Pure but for the tombstones' own table.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from importer.consistency.shadows import original_of
from importer.protocol.query import without_slash
from importer.reading.gather import Reading, nothing
from importer.sources.patterns import absolute, matcher
from importer.state.checkpoints import Checkpoints

Forgotten = Callable[[bytes, Mapping[str, Any]], bool]
"""Test of a chunk of the file at a path (b"" for unknown), with this metadata: True if it is not to be imported."""

SEVERAL = "several"  # kind of a tombstone whose value is the JSON of a rule that names more than one thing
OWN_WISH = "wish"  # of one whose value is the JSON of a rule that a conversation asked for itself
INSISTED = "insisted"  # of one that is no rule: such wishes of a conversation do not count


@dataclass(frozen=True, slots=True)
class ForgetRule:
    """Rule of what to forget; "" for any. `before` is RFC 3339 UTC: what was said earlier.

    `project` is a whole path or its last component; `path` a pattern as in .gitignore, on whole paths. `source` is the
    format of the conversation: those of two tools may have one id. `own`: the conversation asked for it itself.
    """

    project: str = ""
    conversation: str = ""
    path: str = ""
    before: str = ""
    source: str = ""
    own: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "project", without_slash(self.project))

    @property
    def named(self) -> dict[str, str]:
        """Conditions that the rule names."""
        return {name: value for name, value in asdict(self).items() if value and name != "own"}

    def scope(self) -> dict[str, str]:
        """Return the filter of points in a store that it means; a path stands in no payload."""
        until = _just_before(self.before) if self.before else ""
        scope = {"project": self.project, "conversation": self.conversation, "until": until, "source": self.source}
        return {name: value for name, value in scope.items() if value}

    def covers(self, path: bytes, metadata: Mapping[str, Any]) -> bool:
        """Return True if the rule means this chunk."""
        return bool(self.named) and all(_JUDGES[name](value, path, metadata) for name, value in self.named.items())


def add_rule(checkpoints: Checkpoints, rule: ForgetRule) -> None:
    """Add a rule; twice is once."""
    checkpoints.add_tombstone(*tombstone(rule))


def remove_rule(checkpoints: Checkpoints, rule: ForgetRule) -> None:
    """Remove a rule."""
    checkpoints.remove_tombstone(*tombstone(rule))


def rules(checkpoints: Checkpoints) -> list[tuple[ForgetRule, float]]:
    """Return all rules, with when they were made (UTC seconds)."""
    return [(_rule(kind, value), at) for kind, value, at in checkpoints.tombstones() if kind != INSISTED]


def standing(checkpoints: Checkpoints, wish: ForgetRule) -> list[ForgetRule]:
    """Return the rules that a wish to take one back means: the same one, and what its conversation asked for itself."""
    asked = wish.conversation if wish.named.keys() <= {"conversation", "source"} else ""
    made = [rule for rule, _ in rules(checkpoints)]
    return [one for one in made if one == wish or (one.own and one.conversation == asked and _is_of(one, wish.source))]


def left_out(checkpoints: Checkpoints | None) -> int:
    """Return how many conversations are left out because they ask for it themselves."""
    own = [rule for rule, _ in rules(checkpoints) if rule.own] if checkpoints else []
    return len({(original_of(rule.source) or rule.source, rule.conversation) for rule in own})


def insist(checkpoints: Checkpoints, rule: ForgetRule) -> None:
    """Note that a conversation is wanted although it asks itself not to be indexed."""
    value = json.dumps({"conversation": rule.conversation, "source": rule.source})
    checkpoints.add_tombstone(INSISTED, value)


def predicate(checkpoints: Checkpoints) -> Forgotten:
    """Return a test of whether a chunk is forgotten, by the tombstones there are now."""
    made = [rule for rule, _ in rules(checkpoints)]
    if not made:
        return nothing
    return lambda path, metadata: any(rule.covers(path, metadata) for rule in made)


def with_rules(reading: Reading, checkpoints: Checkpoints) -> Reading:
    """Return the same reading, by the tombstones there are now."""
    insisted = [json.loads(value) for kind, value, _ in checkpoints.tombstones() if kind == INSISTED]
    wanted = frozenset((one["source"], one["conversation"]) for one in insisted)
    return replace(reading, forgotten=predicate(checkpoints), insisted=wanted)


def without_rules(reading: Reading) -> Reading:
    """Return the same reading, as if nothing was forgotten: to find what is to be deleted."""
    return replace(reading, forgotten=nothing)


def tombstone(rule: ForgetRule) -> tuple[str, str]:
    """Return kind and value in the state's table; equal rules give equal ones."""
    named = rule.named
    if rule.own:
        return OWN_WISH, json.dumps(named, sort_keys=True)
    if len(named) == 1:
        return next(iter(named.items()))
    return SEVERAL, json.dumps(named, sort_keys=True)


def _rule(kind: str, value: str) -> ForgetRule:
    """Return the rule of a tombstone."""
    if kind == OWN_WISH:
        return ForgetRule(**json.loads(value), own=True)
    return ForgetRule(**(json.loads(value) if kind == SEVERAL else {kind: value}))


def _is_of(rule: ForgetRule, source: str) -> bool:
    """Return True if a rule is of this source, "" for any."""
    return source in ("", rule.source)


def _in_project(value: str, _path: bytes, metadata: Mapping[str, Any]) -> bool:
    """Compare the whole path or its last component, as searches filter."""
    return value in {metadata.get("project"), metadata.get("project_name")}


def _in_conversation(value: str, _path: bytes, metadata: Mapping[str, Any]) -> bool:
    return bool(metadata.get("conversation_id") == value)


def _from_source(value: str, _path: bytes, metadata: Mapping[str, Any]) -> bool:
    return bool(metadata.get("source") == value)


def _in_file(value: str, path: bytes, _metadata: Mapping[str, Any]) -> bool:
    """Compare the path of the chunk's file; the file of a stored chunk may be unknown, and is not forgotten then."""
    match = matcher((absolute(value),))
    return bool(path) and match is not None and match(path.lstrip(b"/"))


def _earlier(value: str, _path: bytes, metadata: Mapping[str, Any]) -> bool:
    """Compare the time of a chunk's newest message; a chunk without a time is not older than anything."""
    said = _moment(str(metadata.get("timestamp", "")))
    wanted = _moment(value)
    return said is not None and wanted is not None and said < wanted


_JUDGES: Mapping[str, Callable[[str, bytes, Mapping[str, Any]], bool]] = {
    "project": _in_project,
    "conversation": _in_conversation,
    "path": _in_file,
    "before": _earlier,
    "source": _from_source,
}


@functools.lru_cache(maxsize=1024)  # every rule asks for the time of every chunk
def _moment(text: str) -> datetime | None:
    """Return a time with its zone (UTC where it names none), None for what is no time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _just_before(text: str) -> str:
    """Return the last moment before a time: stores compare inclusively, to the microsecond."""
    moment = _moment(text)
    if moment is None:
        return text
    return (
        (moment - timedelta(microseconds=1)).astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    )

"""Say of values typed for a filter that nothing stored has them, and which there are; pure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from importer.errors import UsageError
from importer.protocol.foreign.quoting import line

MOST_TOLD = 12  # values, in a hint
MOST_NAMED = 9  # ids, in a hint: more are too many to choose from
LEAST_PREFIX = 4  # characters that the beginning of an id must have to be looked for


def unknown(name: str, value: str, counts: Mapping[str, int]) -> str:
    """Return why a filter's value finds nothing; `counts` are the values there are, each with how often it is there."""
    ranked = sorted(counts, key=lambda one: (-counts[one], one))
    near = difflib.get_close_matches(value.lower(), ranked, n=1)
    begun = [one for one in ranked if value and one.lower().startswith(value.lower())]
    meant = f"did you mean {line((begun or near)[0])}? " if begun or near else ""
    what = f"nothing that is stored has the {name} {value!r}"
    told = ", ".join(f"{line(one)} ({counts[one]:,})" for one in ranked[:MOST_TOLD])
    more = f" and {len(ranked) - MOST_TOLD} more" if len(ranked) > MOST_TOLD else ""
    return f"{what}; {meant}there are {told}{more}"


def begins_several(word: str, found: Sequence[str]) -> UsageError:
    """Return the error for the beginning of several ids."""
    more = ", …" if len(found) > MOST_NAMED else ""
    return UsageError(f"{word!r} begins several ids", hint=f"{', '.join(map(line, found[:MOST_NAMED]))}{more}")

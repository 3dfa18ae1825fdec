"""Mask secrets before text is stored or sent: `mask(text)` is pure, deterministic and idempotent.

    sk-ant-api03-…               [secret:anthropic-key]
    password = "hunter22!"       password = "[secret:password]"
    postgres://me:s3cr3t@db/x    postgres://me:[secret:url-password]@db/x

The tables of `masking/` say what is one: tokens by their prefix (`rules`), values of services by shape (`services`),
places (`rows/`), passwords of commands (`commands`), values given to a name such as `api_key` (`names`), cards and
accounts by their check digits (`numbers`). Where the place alone does not tell, a value counts when it looks drawn at
random: hashes, prose and code stay. In paths and branches only tokens are masked, since filters compare them.

Time is linear in the text: a pattern is tried only where its marker occurs, and is bounded or repeats possessively.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from importer.chunking.masking import assignments, commands, names, near, numbers, services, tables, tokens
from importer.chunking.masking.marked import SecretPlaces
from importer.chunking.masking.rows import asides, calls, lines, logins, places, told
from importer.chunking.masking.spans import SecretSpan, beside_labels, joined, original, replaced, whole_words
from importer.chunking.masking.views import views
from importer.protocol.records import ConversationFacts, Facts

MOST_ROUNDS = 8


def mask(text: str) -> str:
    """Replace the secrets of a text by `[secret:<kind>]`; `mask(mask(text)) == mask(text)`."""
    return replaced(text, found) if (found := find(text)) else text


def find(text: str) -> list[SecretSpan]:
    """Return the secrets that `mask` replaces, from left to right, none within another.

    Repeated until nothing is found: what stands beside a masked secret may be one only now. A text without secrets
    takes one round, the longest known one of real texts three. A chain of secrets without a space between them may show
    one a round: after MOST_ROUNDS the words they stand in are masked whole, and as many rounds later it is given up, so
    that time stays linear.
    """
    found: list[SecretSpan] = []
    masked = text
    for number in range(2 * MOST_ROUNDS):
        more = beside_labels(masked, joined(_found_once(masked)))
        if not more:
            break
        if number >= MOST_ROUNDS:
            more = joined(whole_words(masked, more))
        found = joined([*found, *original(found, more)])
        masked = replaced(text, found)
    return found


def _found_once(text: str) -> list[SecretSpan]:
    """Return the secrets seen at once, in the text and in its views without wrappings, the surest kinds first."""
    found = _seen(text)
    for view in views(text):
        found += map(view.back, _seen(view.text))
    return found


def _seen(text: str) -> list[SecretSpan]:
    """Return what the tables find in a text."""
    words = list(tokens.long_words(text))
    found = [*tokens.find(text, words), *services.find(text, words)]
    found += _PLACES.spans(text)
    found += places.signatures(text)
    for table in (tables, numbers):
        found += table.find(text)
    if named := names.named_places(text):
        found += assignments.find(text, named)
        found += near.find(text, named)
    return found


def mask_conversation(facts: ConversationFacts) -> ConversationFacts:
    """Mask what `mask_facts` masks in the facts of a whole conversation."""
    return replace(
        facts,
        title=mask(facts.title) if facts.title else "",
        project=_mask_name(facts.project),
        cwd=_mask_name(facts.cwd),
        git_branch=_mask_name(facts.git_branch),
    )


def mask_facts(facts: Facts) -> Facts:
    """Mask tokens in names, and any secret in the title; return the same object when there is none."""
    names = (facts.project, facts.cwd, facts.git_branch, *facts.files)
    masked = [_mask_name(name) for name in names]
    title = _mask_title(facts.title) if facts.title else ""
    if title == facts.title and all(map(str.__eq__, masked, names)):  # so it is with nearly all
        return facts
    project, cwd, git_branch, *files = masked
    return replace(facts, title=title, project=project, cwd=cwd, git_branch=git_branch, files=tuple(files))


_PLACES = SecretPlaces(
    (
        *places.PLACES,
        *places.WORDS,
        *logins.LOGINS,
        *told.TOLD,
        *calls.CALLS,
        *lines.LINES,
        *asides.ASIDES,
        *commands.COMMANDS,
    )
)
_mask_title = lru_cache(maxsize=64)(mask)


@lru_cache(maxsize=512)  # a conversation names the same few again and again
def _mask_name(name: str) -> str:
    """Mask tokens in a path or branch: only what no name looks like, so that other names stay byte for byte."""
    found = tokens.found_tokens(name, tokens.long_words(name))
    return replaced(
        name, [SecretSpan(at, end, token.kind) for token, at, end in found if not _named(token, name[at:end])]
    )


def _named(token: tokens.TokenShape, value: str) -> bool:
    """Return True if a token may be a part of a name: its rest is words and numbers, or of letters of one case."""
    rest = value[len(token.prefix) :]
    return bool(_NAMED.fullmatch(rest)) or (token.careful and (rest.islower() or rest.isupper()))


_NAMED = re.compile(r"(?:(?:[A-Z]?[a-z]+|[A-Z]+)\d{0,4}|\d{1,8})(?:[-_.](?:(?:[A-Z]?[a-z]+|[A-Z]+)\d{0,4}|\d{1,8}))+")

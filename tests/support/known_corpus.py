"""A corpus with a known content: words that stand in one prompt each, and exchanges that a question can ask for."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import astuple, dataclass

from importer.bench.corpus import corpus
from importer.bench.corpus.lines import SessionWriter, folder_of
from importer.bench.corpus.talk import FORMS

KNOWN = frozenset(word.lower() for forms in FORMS.values() for word in forms)
SYLLABLES = [c + v for c in "bdfghklmnprstz" for v in "aeiou"]


def coin(seed: int, number: int) -> str:
    """A pronounceable word of no language: four syllables and a k, another for each number below 24 million."""
    of = len(SYLLABLES) ** 4
    rest = (zlib.crc32(str(seed).encode()) + number * 7_368_787) % of  # coprime, so that no two numbers meet
    syllables = []
    for _ in range(4):
        rest, which = divmod(rest, len(SYLLABLES))
        syllables.append(SYLLABLES[which])
    return "".join(syllables) + "k"


@dataclass(frozen=True, slots=True)
class SessionFile:
    """The file below the corpus' folder in which something was said, its session and first working directory."""

    path: str
    session_id: str
    project: str


@dataclass(frozen=True, slots=True)
class Pair:
    """An exchange at a place, and a `question` that asks for it in other words."""

    prompt: str
    answer: str
    question: str
    place: SessionFile


@dataclass(frozen=True, slots=True)
class KnownCorpus(corpus.Manifest):
    """A corpus in which each of `words` stands in one prompt; `pairs` are for searches by meaning."""

    words: dict[str, SessionFile]
    pairs: list[Pair]


def write(folder: str, *, files: int, seed: int = 0, bytes_per_file: int = 24_000) -> KnownCorpus:
    """Writes a corpus as `corpus.write` does; every session begins with a word of its own, some with a pair, too."""
    words: dict[str, SessionFile] = {}
    pairs: list[Pair] = []

    def known(number: int, session: SessionWriter) -> Iterator[tuple[str, str]]:
        place = SessionFile(f"{folder_of(session.cwd)}/{session.id}.jsonl", session.id, session.cwd)
        word = coin(seed, number)
        words[word] = place
        yield f"This is about {word}.", "I will look into it."
        which, rest = divmod(number, max(1, files // len(PAIRS)))
        if rest == 0 and which < len(PAIRS):
            pairs.append(Pair(*PAIRS[which], place))
            yield pairs[-1].prompt, pairs[-1].answer

    made = corpus.write(folder, files=files, seed=seed, bytes_per_file=bytes_per_file, known=known)
    return KnownCorpus(*astuple(made), words, pairs)


# (prompt, answer, question): the question asks for the exchange in other words.
PAIRS: tuple[tuple[str, str, str], ...] = (
    (
        "People get logged out after ten minutes although they are still typing. Can we keep the session alive?",
        "The session cookie had a fixed lifetime of ten minutes. I made it sliding: each request renews it, and it "
        "only expires after thirty minutes without activity.",
        "users are signed out too early while working",
    ),
    (
        "Our invoices show one cent too much whenever there are three line items. Where does that come from?",
        "Each line was rounded before adding up. I now sum exact decimals and round the total once, half to even.",
        "rounding error in the bill total",
    ),
    (
        "The map on the delivery page is blank on old iPhones, everywhere else it works.",
        "Safari before version 15 has no ResizeObserver, so the map container stayed at zero height. A small polyfill "
        "fixes it.",
        "empty map in an outdated mobile browser",
    ),
    (
        "Nightly backups of the warehouse take nine hours now and collide with the morning load.",
        "Full dumps every night are the reason. I switched to weekly full dumps with incremental archives in between; "
        "a night takes twenty minutes now.",
        "database dump is too slow and overlaps with working hours",
    ),
    (
        "How can I stop the newsletter from being sent twice when the queue restarts?",
        "Messages were acknowledged only at the end of the whole run. I gave each recipient an idempotency key that is "
        "stored before sending, so a replay skips those who have got theirs.",
        "subscribers get duplicate mails after a crash of the queue",
    ),
    (
        "The French translation overflows the buttons in the checkout. Make the layout cope with longer words.",
        "I replaced the fixed widths by a flexible grid and let the labels wrap; the longest French string fits at 320 "
        "pixels.",
        "long localized labels do not fit",
    ),
    (
        "Uploading a photo from the camera rotates it by ninety degrees. Portraits lie on their side.",
        "The orientation tag of the EXIF header was ignored when we made the thumbnail. It is applied before resizing "
        "now.",
        "pictures appear sideways",
    ),
    (
        "Which of our endpoints could be abused to guess passwords? Add protection where it is missing.",
        "Only the sign-in form had a limit. I added a token bucket per address and account to password reset and to "
        "the API login, with growing delays.",
        "brute force attacks on accounts",
    ),
    (
        "Daylight saving time shifts all recurring meetings by an hour. Please fix the calendar export.",
        "We expanded the series in UTC. I now keep the organiser's zone in the rule and expand in local time, so nine "
        "o'clock stays nine o'clock in summer.",
        "appointments move when the clocks change",
    ),
    (
        "The search box freezes the browser when a user pastes a whole paragraph into it.",
        "Every keystroke started a fuzzy match over all titles in the main thread. I debounce the input, cut it to "
        "eighty characters and moved the matching into a web worker.",
        "typing a long query makes the page hang",
    ),
    (
        "Can you make the container image smaller? Pulling 2.4 gigabytes on every deploy hurts.",
        "A multi-stage build leaves the compilers behind, and the slim base drops the documentation: it is 310 "
        "megabytes now.",
        "reduce docker download size",
    ),
    (
        "Accessibility review: the screen reader announces our modal dialogs as empty groups.",
        "The dialogs had no role and no label. They are proper dialog elements now, with aria-labelledby and the focus "
        "trapped inside.",
        "blind customers cannot read the popups with their screen reader",
    ),
    (
        "Sensor readings from the greenhouse arrive out of order, and the humidity chart zigzags.",
        "I sort the readings by their own measuring time in a window of five minutes, and late ones correct the point "
        "they belong to.",
        "moisture measurements come in the wrong sequence and spoil the graph",
    ),
    (
        "A colleague deleted a customer by mistake yesterday. Can deletions be undone in future?",
        "Rows are marked as deleted now and purged after thirty days; an undo button restores them with their orders.",
        "recover accidentally removed records",
    ),
    (
        "The import of bank statements chokes on umlauts since the new bank joined.",
        "Their files are in Latin-1 while we assumed UTF-8. The reader detects the charset from the header and falls "
        "back to Windows-1252.",
        "wrong character encoding in account files",
    ),
    (
        "Our end-to-end tests in the browser take fifty minutes. I want the suite to finish within ten.",
        "I split it into six shards that run in parallel, reuse one seeded database snapshot, and wait for conditions "
        "where it used to sleep.",
        "slow browser test suite, make it faster",
    ),
    (
        "Why does the music keep playing when the driver answers a phone call?",
        "We never asked for audio focus. The player now pauses on a transient loss of focus and resumes afterwards.",
        "mute sound during telephone conversation",
    ),
    (
        "The recommendation page shows the same three books to everybody.",
        "The cache key lacked the reader's id, so the first visitor's list was served to all. It is part of the key "
        "now, and entries live for five minutes.",
        "personalised suggestions are identical for all visitors",
    ),
    (
        "Prices in the shop are sometimes shown without tax to private customers in Norway.",
        "The country came from the language setting. I take it from the shipping address now, and from the network "
        "address only before one is known.",
        "VAT missing for consumers abroad",
    ),
    (
        "Write a migration that moves our feature flags out of environment variables into the admin console.",
        "The flags have a table of their own with an audit trail, and the old variables still win during a grace "
        "period of one release.",
        "keep feature switches in the back office rather than in env vars",
    ),
)

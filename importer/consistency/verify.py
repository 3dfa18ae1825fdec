"""Verify the store: compare it with what the files give, a page at a time, and repair exactly what differs.

    matching    stored as a file gives it (one of several copies of a conversation: the first writer's facts count)
    missing     committed, and not in the store      differing   another text, metadata or holders than files give
    extra       no file gives it, although its conversation stands whole in files; or it was forgotten on purpose
    kept        of files that are gone or were rewritten, or of projects that are not selected any more: keeping them is
                the point, `importer forget` deletes
    elsewhere   imported by another host             foreign     not written by an importer, and never touched

Files are folded up to what was committed; what stands behind that is the next import's business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from importer.consistency.refold import Refold, Unread, fold_state, known_files
from importer.protocol import prints
from importer.protocol.records import Chunk
from importer.reading.gather import Reading
from importer.sources import census
from importer.sources.scan import Root
from importer.state.checkpoints import Checkpoints
from importer.state.expected import Expected, Form

Ask = Callable[..., Awaitable[Any]]
"""A question to the worker: `ask(op, **arguments)`."""

PAGE_POINTS = 512  # prints of as many points are 200 KB on their way
MEND_CHUNKS = 64  # embedded in one go: some seconds at most
SAMPLES = 5
MOST_CONVERSATIONS = 64  # as many does a point name
FOUND = ("missing", "differing", "extra")


@dataclass(frozen=True, slots=True)
class StoredPoint:
    """Point in the store: prints of its text and metadata, what its metadata tells, and the files that hold it open.

    `conversations` are all that it names.
    """

    id: str
    text: str
    facts: str
    told: Mapping[str, str]
    holders: Sequence[str] = ()
    conversations: Sequence[str] = ()


@dataclass(slots=True)
class Findings:
    """Number of points of each kind, a few of those that are wrong, and the files behind them.

    `passed_over` names a few files of which nothing was imported, with the reason.
    """

    counts: Counter[str] = field(default_factory=Counter)
    samples: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    files: Counter[str] = field(default_factory=Counter)
    passed_over: dict[bytes, str] = field(default_factory=dict)

    def note(self, verdict: str, point: str, told: Mapping[str, str]) -> None:
        """Count one point."""
        self.counts[verdict] += 1
        if verdict in FOUND and len(self.samples.setdefault(verdict, [])) < SAMPLES:
            self.samples[verdict].append({"id": point, **told})

    @property
    def wrong(self) -> int:
        """Number of points that are not as they should be."""
        return sum(self.counts[verdict] for verdict in FOUND)


def gather(expected: Expected, checkpoints: Checkpoints, reading: Reading, findings: Findings) -> Iterator[int]:
    """Fold every known file again; yield how many files are done."""
    for done, (number, checkpoint) in enumerate(known_files(checkpoints), 1):
        fold = Refold(checkpoint, reading, checkpoints.conversation)
        known = fold_state(checkpoint)
        selected = reading.selection.judge(checkpoint.path)
        expected.add_conversations(known.left, kept=True)
        rewritten, begun = checkpoint.generation > 0, False
        try:
            for chunks in fold:
                expected.add(number, chunks, rewritten=rewritten, wanted=selected)
                begun = True
            expected.add_conversations([s.conversation for s in fold.folding.streams[-1:]], kept=rewritten)
            findings.files["read"] += 1
        except Unread as error:
            if begun:  # it is not the file that was committed, so what it gave so far proves nothing
                expected.drop(number)
            expected.add_conversations([s.conversation for s in known.streams], kept=True)
            findings.files["gone" if error.gone else "pending"] += 1
        yield done


def add_files(checkpoints: Checkpoints, roots: Sequence[Root], findings: Findings, *, follow_links: bool) -> None:
    """Count the files of the roots that have not been read yet, or not since they changed, and all passed over."""
    findings.files["pending"] += census.take(roots, checkpoints, follow_links=follow_links).counts[census.PENDING]
    summary = checkpoints.files_summary()
    findings.files |= {"unrecognised": summary.unrecognised, "refused": summary.refused}
    findings.passed_over = {path: reason for path, _, reason in checkpoints.passed_over(census.MOST_NAMED)}


def add_quarantine(expected: Expected, checkpoints: Checkpoints, findings: Findings) -> None:
    """Note the chunks in quarantine, which are known not to be in the store."""
    after = 0
    while rows := checkpoints.quarantine.page(after=after):
        after = rows[-1].id
        ids = [row.reject.chunk_id for row in rows if row.reject.chunk_id]
        expected.saw(ids)
        findings.counts["quarantined"] += len(ids)


async def compare(
    expected: Expected,
    ask: Ask,
    reading: Reading,
    findings: Findings,
    shown: Callable[[int], None] = lambda _points: None,
) -> None:
    """Judge every point of the store, then note what was not among them."""
    after: str | None = None
    while True:
        page = await ask("prints", after=after, limit=PAGE_POINTS)
        stored = [StoredPoint(*row) for row in page["points"]]
        for point in stored:
            forms = expected.forms(point.id)
            verdict = judge(point, forms, reading, expected.whole)
            findings.note(verdict, point.id, point.told)
            if verdict == "differing":
                expected.mend([point.id])
            # An import writes nothing but names over what stands in the store already.
            if verdict == "differing" and not _matches(point, forms, expected.whole):
                (expected.retell if point.text == forms[0].text else expected.erase)([point.id])
            if verdict == "extra":
                expected.erase([point.id])
        expected.saw(point.id for point in stored)
        shown(len(stored))
        after = page["next"]
        if after is None:
            break
    for missing in expected.missing():
        findings.note("missing", missing, {})
    expected.mend_missing()


def judge(stored: StoredPoint, forms: Sequence[Form], reading: Reading, whole: Callable[[str], bool]) -> str:
    """Return the verdict on a point; `whole` tests whether all of a conversation stands in files."""
    if forms:
        spare = all(form.spare for form in forms)
        matching = _matches(stored, forms, whole) and _names_all(stored, forms)
        return "kept" if spare else "matching" if matching else "differing"
    told = stored.told
    if not (told.get("source") and told.get("conversation_id")):
        return "foreign"
    if not prints.ours(stored.id):
        return "extra"
    if told.get("host", reading.host) != reading.host:
        return "elsewhere"
    if reading.forgotten(b"", told):
        return "extra"
    return "extra" if whole(told["conversation_id"]) else "kept"


def _matches(stored: StoredPoint, forms: Sequence[Form], whole: Callable[[str], bool]) -> bool:
    """Return True if a point is as one of the files gives it, and held open as all of them together want it.

    Facts of a conversation that no file holds any more were written first, by a copy that is gone: they count.
    """
    if stored.text != forms[0].text or "host" not in stored.told:
        return False
    conversation = stored.told.get("conversation_id", "")
    by_another = conversation and conversation not in {form.conversation for form in forms} and not whole(conversation)
    if not by_another and not any(form.rewritten or form.facts == stored.facts for form in forms):
        return False
    holders = {form.holder for form in forms if not form.spare}
    if "" in holders:
        return not stored.holders
    # closed by a file that is gone, it may stand closed where the files that are left hold it open
    return not stored.holders or holders <= set(stored.holders)


def _names_all(stored: StoredPoint, forms: Sequence[Form]) -> bool:
    """Return True if a point names all conversations that say it, as far as a point names any."""
    named = set(stored.conversations)
    all_named = {form.conversation for form in forms if not form.spare} <= named
    return all_named or not named or len(named) >= MOST_CONVERSATIONS


async def repair(expected: Expected, checkpoints: Checkpoints, reading: Reading, ask: Ask) -> dict[str, int]:
    """Delete what is extra or of another text, import again what is missing or differs; return how many were each.

    Points that only need other metadata count as both, and as `retold`: nothing of them is embedded.
    """
    erased = mended = retold = 0
    after = ""
    while ids := expected.to_erase(PAGE_POINTS, after):
        after = ids[-1]
        erased += await ask("erase_ids", ids=ids)
    for number in expected.files_to_mend():
        for part in _parts(expected, checkpoints, number, reading):
            over = expected.to_retell([chunk.id for chunk in part])
            done = await ask("mend", chunks=[asdict(chunk) for chunk in part], over=over)
            mended, retold = mended + done["imported"] + done["retold"], retold + done["retold"]
            erased += len(over)
    return {"erased": erased, "imported": mended, "retold": retold}


def _parts(expected: Expected, checkpoints: Checkpoints, number: int, reading: Reading) -> Iterator[list[Chunk]]:
    """Yield what is to be imported again of a file, in parts; nothing of one that has changed meanwhile."""
    waiting: list[Chunk] = []
    checkpoint = checkpoints.by_number(number)
    try:
        for chunks in Refold(checkpoint, reading, checkpoints.conversation) if checkpoint else ():
            waiting += [chunk for chunk in chunks if expected.to_mend(chunk.id)]
            while len(waiting) >= MEND_CHUNKS:
                yield waiting[:MEND_CHUNKS]
                del waiting[:MEND_CHUNKS]
    except Unread:
        return
    if waiting:
        yield waiting

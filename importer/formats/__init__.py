"""Conversation formats: pure folds from raw lines to turns, one module of this folder each.

A format is a module with the members of `Format`. Adding one is adding a file here (or naming a dotted
`package.module` in the settings) and a sample in `tests/corpus/<name>/`: it is found by its name, and the contract
tests pick it up. Modules whose name begins with an underscore are parts that formats share.

The fold: `context = begin(path)`, then `fed = feed(context, line, options)` for each line in order, going on with
`fed.context`. It does no I/O, never raises for any bytes, and its context is small JSON that can be stored between
any two lines, so the result does not depend on how the file arrived.

A file may also be one JSON document (a chat export): a format with a `DOCUMENT` says how it falls into *units*, such as
conversations or messages, and is fed those in place of lines. Or it is an SQLite database: a format with `TABLES` says
which queries give its conversations, and is fed their rows. Or it is told anew at each change: a format's `JOURNAL`.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, cast

import msgspec

from importer.errors import UsageError
from importer.formats._shared import json_text, salvage
from importer.protocol.records import ConversationFacts, Turn

HEAD_BYTES = 64 * 1024  # a first Codex line carries 20 KB of instructions; a Claude file may begin with metadata only
HEAD_RECORDS = 20
MEMBERS = ("NAME", "Context", "roots", "wanted", "begin", "feed")
SIGNS = ("recognises", "recognises_head", "recognises_document", "TABLES", "JOURNAL")
TOLD = ("database", "conversation", "chain")  # members of the first line of what was told of a database
MAX_CONTEXT_BYTES = 4096  # encoded: one stands in the checkpoint of every known file


class Options(msgspec.Struct, frozen=True):
    """The settings of what is indexed beside what people and assistants said to each other.

    An option adds texts, and changes no key of turns that have none of these: they would be stored twice.
    """

    subagents: bool = False
    thinking: bool = False
    tool_results: bool = False
    summaries: bool = True


class Fed(msgspec.Struct, frozen=True, gc=False):
    """The result of one line.

    `context` goes into the next call and is the same object when nothing changed. `unknown` counts records and blocks
    of types this version does not know; `problems` says why parts of the line were broken and passed over, which costs
    the others nothing. `facts` are those of whole conversations, such as a title; those `by_line` name one by a line.
    """

    context: Any
    turns: tuple[Turn, ...] = ()
    unknown: int = 0
    problems: tuple[str, ...] = ()
    facts: tuple[ConversationFacts, ...] = ()
    by_line: tuple[ConversationFacts, ...] = ()


class Document(msgspec.Struct, frozen=True):
    """The form of a file that is one JSON document: how it falls into units.

    `units` names the member of its object whose elements they are; "" where the document is a unit itself, or a list of
    them (unless it is `whole`: of a list in no order nothing can be told before all of it is there). With `head` the
    object's other members come first, as a unit of their own. `lined`: the format is one of JSON lines as well, so only
    a list is a document, or an object laid out over several lines. `sheet` names members of a small object beside the
    conversation, which is a unit itself if it stands alone and has one of them.
    """

    units: str = ""
    head: bool = False
    lined: bool = False
    whole: bool = False
    sheet: tuple[str, ...] = ()


class Tables(msgspec.Struct, frozen=True):
    """A form of SQLite database: what it must hold, and what to ask it. Queries only read, and name their columns.

    `needs` are tables with the columns that must be there. `members` gives a row for each conversation: its name, the
    milliseconds of its last change, and anything more that changes with it. `rows` are queries that give, one after the
    other, what the conversation `:member` consists of, in order. `{table.column}` in a query stands for a column that
    may be missing, and is NULL then.

    A row (its columns by name) becomes what `told(row)` of the format makes of it, a line of JSON each. A line with
    `held` ends the conversation until the owner has finished it, or left it alone for a while. `looked_up` are the
    indexes, as `table (column)`, by which rows are found: a copy gets them of a database that has not.
    """

    needs: Mapping[str, str]
    members: str
    rows: tuple[str, ...]
    looked_up: tuple[str, ...] = ()


class Format(Protocol):
    """The members of a format module. It also tells its files from others, at most one format for each file:

    JSON lines by `recognises(records: Sequence[Mapping[str, Any]]) -> bool`, asked about the first objects;
    text by `recognises_head(head: bytes) -> bool`;
    documents by `DOCUMENT` (a `Document`, or a tuple of the forms there are) and
    `recognises_document(keys: Collection[str]) -> bool`, asked about the first object of the text; where names are not
    enough, `recognises_opening(head: bytes) -> bool` as well;
    one with `LAST` takes what no other one claims; `ORIGINAL` names one whose prompts it repeats, whose `SHADOW` it is;
    text: `ending(context)`, what its end leaves open; `goes_on(context, ahead)`, whether bytes behind it belong there;
    `tip(context) -> Iterable[ConversationFacts]`: the last lines, where files title conversations by them;
    databases by `TABLES` (a tuple of the forms there are) and `told(row: Mapping[str, Any]) -> Iterable[Any]`;
    others by `JOURNAL` (see `_journal`) and `replayed(pieces) -> Iterable[Any]`. `EXCLUDE`: what is never looked for.
    """

    NAME: str
    Context: type[msgspec.Struct]

    def roots(self, environ: Mapping[str, str], home: str) -> tuple[str, ...]:
        """Return the folders where the tool keeps its files; they need not exist."""

    def wanted(self, relative: bytes) -> bool:
        """Return True if the path below a root (or a file's bare name) can be a conversation."""

    def begin(self, path: bytes) -> Any:
        """Return the context before the first line of the file at `path`."""

    def feed(self, context: Any, raw: bytes, options: Options) -> Fed:
        """Return the turns of one line (without its newline), and the context after it."""


others: list[str] = []  # modules of installed packages, see `reading.installed`
_plugged: list[str] = []  # further formats, as the settings name them; all else here is fixed


def plug(modules: Sequence[str]) -> None:
    """Make these modules, and no others, formats like those of this folder. Raises UsageError for one that is none."""
    for name in modules:
        check(name)
    _plugged[:] = modules


def check(name: str) -> None:
    """Raise UsageError for a module that is no format, or cannot be told from others."""
    if not any(hasattr(load(name), sign) for sign in SIGNS):
        raise UsageError(f"format {name!r} cannot be told from others: it has no `recognises`")


def names() -> tuple[str, ...]:
    """Return all formats: those of this folder, those of installed packages, then those that the settings name."""
    return tuple(dict.fromkeys((*_shipped(), *others, *_plugged)))


@functools.cache
def _shipped() -> tuple[str, ...]:
    """Return the formats of this folder, sorted, with hyphens: `claude-code`."""
    found = (module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return tuple(sorted(name.replace("_", "-") for name in found))


@functools.cache
def load(name: str) -> Format:
    """Return the format called `name`, or the module at a dotted path. Raises UsageError when there is none."""
    if name in _shipped():
        return cast(Format, importlib.import_module(f"{__name__}.{name.replace('-', '_')}"))
    hint = f"known are {', '.join(names())}, or a dotted package.module"
    if "." not in name:
        raise UsageError(f"there is no format called {name!r}", hint=hint)
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise UsageError(f"format {name!r} cannot be imported: {error}", hint=hint) from error
    missing = [member for member in MEMBERS if not hasattr(module, member)]
    if missing:
        raise UsageError(f"{name!r} is no format: it lacks {', '.join(missing)}", hint=hint)
    return cast(Format, module)


def detect(head: bytes) -> str | None:
    """Return the name of the format a file's first bytes are in, None while that cannot be told.

    Only complete lines of the first 64 KiB count, so the answer for a growing file goes from None to a name once.
    """
    return next(iter(claims(head)), None)


def claims(head: bytes) -> tuple[str, ...]:
    """Return all formats that recognise a file's first bytes: at most one, if their signs are chosen well."""
    head = head[:HEAD_BYTES]
    if documents := claims_outline(json_text.outline(head), head):  # whose lines may look like anything
        return documents
    *lines, last = head.split(b"\n")
    if is_record(last):  # else it may not be complete
        lines.append(last)
    return claims_lines(lines, _first_records(lines), spread=json_text.spread(head))


def claims_outline(outline: json_text.Outline, head: bytes) -> tuple[str, ...]:
    """Return the formats that recognise a document by its outline, and by `head`, the beginning of its text."""
    return _but_last(name for name in names() if _recognises_document(load(name), outline, head))


def claims_lines(
    lines: Sequence[bytes], records: Sequence[Mapping[str, Any]], *, spread: bool = False
) -> tuple[str, ...]:
    """Return the formats that recognise some lines of a file, or the records in them.

    `spread`: its first value is laid out over several lines, so that it is not in JSON lines.
    """
    if records and all(isinstance(records[0].get(member), str) for member in TOLD):
        return tuple(name for name in names() if name == records[0]["database"] and _is_told(load(name)))
    asked = (name for name in names() if not (spread and _is_lined(load(name))))
    return _but_last(name for name in asked if _recognises(load(name), lines, records))


def _is_told(format_: Format) -> bool:
    """Return True for a format of databases, or of journals that are replayed."""
    return hasattr(format_, "TABLES") or hasattr(format_, "JOURNAL")


def _but_last(claiming: Iterable[str]) -> tuple[str, ...]:
    """Return the formats that claim something, without those that take only what no other one claims."""
    found = tuple(claiming)
    return tuple(name for name in found if len(found) == 1 or not getattr(load(name), "LAST", False))


def is_record(raw: bytes) -> bool:
    """Return True if a line is one whole JSON object, so that nothing can be missing.

    Such a line counts without its newline: programs forget the last one.
    """
    if not raw.lstrip().startswith(b"{") or not raw.rstrip().endswith(b"}"):
        return False
    try:
        msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def document(format_: Format, head: bytes, outline: json_text.Outline | None = None) -> Document | None:
    """Return how a file of this format that begins like this falls into units, None if it is read by lines.

    `outline` is that of its first object where the head does not hold all of it.
    """
    forms = _forms(format_)
    if forms and not (forms[0].units or forms[0].lined or forms[0].sheet):
        return forms[0]
    named = (name for form in forms for name in form.sheet or (form.units,))
    if outline is None and not any(name.encode() in head for name in named):  # most are spared the outline by this
        return None
    outline = outline or json_text.outline(head)
    return next((form for form in forms if _holds(form, outline, head)), None)


def _forms(format_: Format) -> tuple[Document, ...]:
    """Return the forms of document that a format has."""
    declared: Document | tuple[Document, ...] = getattr(format_, "DOCUMENT", ())
    return (declared,) if isinstance(declared, Document) else declared


def _is_lined(format_: Format) -> bool:
    """Return True if text laid out over several lines can only be a document of the format, never its lines."""
    return any(form.lined for form in _forms(format_))


def _holds(form: Document, outline: json_text.Outline, head: bytes) -> bool:
    """Return True if a text can be such a document.

    It stands alone: with another value behind it, it is a line of JSON lines that has a member of that name.
    """
    if form.sheet:
        return outline.alone and not outline.listed and not set(form.sheet).isdisjoint(outline.keys)
    if form.units:
        named = form.units in outline.keys and outline.alone and not outline.listed
        return named and (not form.lined or json_text.spread(head))
    return not form.lined or (outline.listed and outline.alone and bool(outline.keys))


def _recognises_document(format_: Format, outline: json_text.Outline, head: bytes) -> bool:
    """Return True if a text is a document of this format."""
    by_keys, by_head = getattr(format_, "recognises_document", None), getattr(format_, "recognises_opening", None)
    if by_keys is None or not any(_holds(form, outline, head) for form in _forms(format_)):
        return False
    return bool(by_keys(outline.keys) and (by_head is None or by_head(head)))


def _recognises(format_: Format, lines: Sequence[bytes], records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True if one format knows the head, by its records or, where it is no JSON, by its text."""
    by_head, by_records = getattr(format_, "recognises_head", None), getattr(format_, "recognises", None)
    return bool((records and by_records and by_records(records)) or (by_head and by_head(b"\n".join(lines))))


def _first_records(lines: Sequence[bytes]) -> list[Mapping[str, Any]]:
    """Return the first JSON objects of these lines, damaged lines included; at most HEAD_RECORDS, and no later sign."""
    found = (record for line in lines for record in salvage.records(line))
    return list(itertools.islice(found, HEAD_RECORDS))

"""The contract of every format: this suite runs for each module in the folder, over its samples in `corpus/<name>/`."""

from __future__ import annotations

import contextlib
import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from read_units import content, raws

from importer import formats
from importer.errors import UsageError
from importer.protocol.records import Turn
from importer.sources.patterns import matcher

CORPUS = Path(__file__).parents[1] / "corpus"
EVERYTHING = formats.Options(subagents=True, thinking=True, tool_results=True, summaries=True)
NAMES = formats.names()
KINDS = {"exchange", "summary", "subagent", "plan", "artifact", "prompt"}


def samples(name: str) -> list[Path]:
    wanted = formats.load(name).wanted
    files = [path for path in sorted((CORPUS / name).rglob("*")) if path.is_file()]
    return [path for path in files if wanted(bytes(path.relative_to(CORPUS / name)).removesuffix(b".sql"))]


SAMPLES = [pytest.param(name, path, id=f"{name}-{path.stem[:8]}") for name in NAMES for path in samples(name)]


def lines(path: Path) -> list[bytes]:
    """Return what the format is fed of a sample: its lines, or a document's units."""
    raw = content(str(path))
    name = formats.detect(raw[: formats.HEAD_BYTES])
    return raws(name, raw) if name else raw.split(b"\n")[:-1]


def fold(
    name: str, raws: list[bytes], *, options=EVERYTHING, path=b"/x/one.jsonl", between=lambda _, c: c
) -> list[Turn]:
    """Return the turns of the lines, with `between(format, context)` applied to the context after each."""
    format_ = formats.load(name)
    context, turns = format_.begin(path), []
    for raw in raws:
        fed = format_.feed(context, raw, options)
        context = between(format_, fed.context)
        turns += fed.turns
    return turns


def reread(format_: formats.Format, context: msgspec.Struct) -> msgspec.Struct:
    return msgspec.json.decode(msgspec.json.encode(context), type=format_.Context)


@pytest.mark.parametrize("name", NAMES)
def test_is_found_by_its_name(name):
    """The module's NAME is its file's, with hyphens, and it has samples."""
    assert name == formats.load(name).NAME
    assert samples(name)


@pytest.mark.parametrize("name", NAMES)
def test_roots_are_absolute_and_follow_the_home(name):
    """Roots depend on nothing but the environment and the home given."""
    roots = formats.load(name).roots({}, "/home/ann")
    assert all(root.startswith("/home/ann/") for root in roots)


@pytest.mark.parametrize(("name", "path"), SAMPLES)
def test_sample_is_where_its_format_looks(name, path):
    """What a format never enters holds no conversation."""
    never = matcher(getattr(formats.load(name), "EXCLUDE", ()))
    below = bytes(path.relative_to(CORPUS / name)).removesuffix(b".sql")
    below = b"0a1b/" + below if name == "vscode-chat" else below  # a window's folder, which the samples are without
    assert never is None or not never(below)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("opencode", b"storage/part/msg_1/prt_1.json"),
        ("opencode", b"snapshot/0a/objects"),
        ("cline", b"1767258000000/checkpoints/.git"),
        ("antigravity", b"9f1e/recordings/one.webm"),
        ("cursor", b"some.extension/files"),
        ("hermes", b"skills/deep"),
        ("anythingllm", b"lancedb/vectors"),
        ("vscode-chat", b"0a1b/ms-python.python/cache"),
        ("vscode-chat", b"0a1b/chatEditingSessions/x"),
    ],
)
def test_folders_of_other_things_are_not_entered(name, path):
    """They may be huge, and each would take a watch."""
    never = matcher(formats.load(name).EXCLUDE)
    assert never is not None
    assert never(path)


def test_profiles_of_hermes_are_found():
    """Each has a database of its own."""
    never = matcher(formats.load("hermes").EXCLUDE)
    assert never is not None
    assert not never(b"profiles/work/state.db")


@pytest.mark.parametrize(("name", "path"), SAMPLES)
def test_sample_is_detected_as_its_own_format_only(name, path):
    """Detection goes by content, and never two formats claim one file."""
    head = content(str(path))[: formats.HEAD_BYTES]
    assert formats.detect(head) == name
    assert formats.claims(head) == (name,)


def tells_facts(name: str, path: Path) -> bool:
    """Return True for a file beside the transcripts, which names conversations and holds none."""
    format_ = formats.load(name)
    context, facts = format_.begin(bytes(path)), []
    for raw in lines(path):
        fed = format_.feed(context, raw, EVERYTHING)
        context = fed.context
        facts += fed.facts
    return bool(facts) and all(fact.conversation_id for fact in facts)


@pytest.mark.parametrize(("name", "path"), SAMPLES)
def test_sample_gives_well_formed_turns(name, path):
    """Every turn has role, key, conversation, a known kind and a time in UTC; text is trimmed and encodable."""
    turns = fold(name, lines(path))
    roles = {"user"} if hasattr(formats.load(name), "ORIGINAL") else {"user", "assistant"}
    assert {turn.role for turn in turns} == roles or (not turns and tells_facts(name, path))
    for turn in turns:
        assert turn.key and turn.conversation_id and turn.turn_id and turn.facts.kind in KINDS
        assert turn.at == "" or (len(turn.at) == 24 and turn.at.endswith("Z"))
        assert turn.text == turn.text.strip().encode().decode()
        assert turn.text or turn.facts.tools or turn.facts.files


def reads_cleanly(name: str, path: Path) -> bool:
    format_ = formats.load(name)
    context = format_.begin(bytes(path))
    for raw in lines(path):
        fed = format_.feed(context, raw, EVERYTHING)
        context = fed.context
        if fed.problems or fed.unknown:
            return False
    return True


@pytest.mark.parametrize(("name", "path"), SAMPLES)
def test_sample_has_nothing_unknown_and_no_problem(name, path):
    """What the samples hold is all known, so a count in production means something new."""
    assert reads_cleanly(name, path)


@pytest.mark.parametrize(("name", "path"), SAMPLES)
def test_resumes_between_any_two_lines(name, path):
    """A context that went through the checkpoint as JSON gives the same turns as one that never left memory."""
    assert fold(name, lines(path), between=reread) == fold(name, lines(path))


@pytest.mark.parametrize(("name", "path"), SAMPLES)
def test_context_stays_below_its_bound(name, path):
    """At every line the stored context is smaller than 4 KiB."""
    sizes: list[int] = []
    fold(name, lines(path), path=bytes(path), between=lambda _, c: (sizes.append(len(msgspec.json.encode(c))), c)[1])
    assert max(sizes) < formats.MAX_CONTEXT_BYTES


@pytest.mark.parametrize(("name", "path"), SAMPLES)
def test_keys_survive_copying_the_file(name, path):
    """Keys never come from where the file lies."""
    here = [turn.key for turn in fold(name, lines(path), path=b"/a/one.jsonl")]
    assert here == [turn.key for turn in fold(name, lines(path), path=b"/b/c/two.jsonl")]


@pytest.mark.parametrize("name", NAMES)
def test_blank_lines_change_nothing(name):
    """An empty line and a run of NULs give no turn, no problem and the same context object."""
    format_ = formats.load(name)
    context = format_.begin(b"/x/one.jsonl")
    for raw in (b"", b" \r", b"\0" * 5000):
        fed = format_.feed(context, raw, EVERYTHING)
        assert fed == formats.Fed(context)
        assert fed.context is context


def survives(name: str, raws: list[bytes]) -> bool:
    format_ = formats.load(name)
    context = format_.begin(b"/\xff/one.jsonl")
    for raw in raws:
        fed = format_.feed(context, raw, EVERYTHING)
        context = fed.context
        assert len(msgspec.json.encode(context)) < formats.MAX_CONTEXT_BYTES
        assert all(turn.text.encode() or turn.facts.tools or turn.facts.files for turn in fed.turns)
        assert reread(format_, context) == context
    return True


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(raws=st.lists(st.binary(max_size=200), max_size=4))
def test_any_bytes_are_survived(name, raws):
    """Random bytes never raise and never swell the context."""
    assert survives(name, [raw.replace(b"\n", b"") for raw in raws])


def mutated(raws: list[bytes], seed: int) -> list[bytes]:
    """Draw some of the lines, each cut, glued to the next, or with bytes changed."""
    chance, out = random.Random(seed), []
    for raw in chance.sample(raws, min(len(raws), 12)):
        at = chance.randrange(len(raw) + 1)
        noise = bytes(chance.choices(b'\0\xff{}[]":,\\u19ntx', k=chance.randrange(4)))
        out.append(
            chance.choice((raw[:at], raw[at:], raw[:at] + noise + raw[at + len(noise) :], raw[:at] + raw, raw * 2))
        )
    return out


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_mutated_lines_are_survived(name, seed):
    """Real lines cut, glued and overwritten never raise; the seed is what Hypothesis prints."""
    path = random.Random(seed).choice(samples(name))
    assert survives(name, mutated(lines(path), seed))


STRANGE: list[Any] = [None, 1, -1.5, True, [], {}, "x" * 5000, "", 1e30, [[]], [None, {"type": []}], {"id": {}}]


def bent(chance: random.Random, value: Any) -> Any:
    """Return a value with some of its parts replaced by those of other types, or left out."""
    if chance.random() < 0.08:
        return chance.choice(STRANGE)
    if isinstance(value, dict):
        return {name: bent(chance, one) for name, one in value.items() if chance.random() > 0.03}
    return [bent(chance, one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_values_of_other_types_are_survived(name, seed):
    """Real lines whose members are of types that no version has written yet."""
    chance, out = random.Random(seed), []
    for raw in lines(chance.choice(samples(name))):
        with contextlib.suppress(ValueError):
            out.append(json.dumps(bent(chance, json.loads(raw))).encode())
    assert survives(name, out)


BOMBS = [b'{"a":' * 100_000, b"[" * 100_000, b'{"type":"user","x":' + b"[" * 9_999 + b"]" * 9_999 + b"}", b"9" * 99_999]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bomb", BOMBS, ids=["objects", "arrays", "inside", "digits"])
def test_bombs_are_survived(name, bomb):
    """Depth of 100,000 and integers of 99,999 digits are a problem or nothing, not an exception."""
    assert survives(name, [bomb, b'{"n":' + bomb + b"}"])


def test_names_are_found_in_the_folder():
    """Modules with an underscore are parts, not formats."""
    assert "claude-code" in NAMES
    assert not [name for name in NAMES if name.startswith(("_", "-"))]


def test_unknown_name_is_refused_with_the_known_ones():
    """A wrong name is a usage error whose hint lists what there is."""
    with pytest.raises(UsageError) as caught:
        formats.load("clod-code")
    assert "claude-code" in caught.value.hint


@pytest.mark.parametrize("name", ["no.such.module", "importer.errors"])
def test_dotted_name_that_is_no_format_is_refused(name):
    """A dotted path must import, and must have the members of a format."""
    with pytest.raises(UsageError):
        formats.load(name)


def test_dotted_path_loads_from_anywhere():
    """A format may live in another package."""
    assert formats.load("importer.formats.claude_code") is formats.load("claude-code")


@pytest.mark.parametrize("head", [b"", b"hello\nworld\n", b'{"a":1}\n', b"\0\0\n", b'{"parentUuid":null,"uuid":"u"'])
def test_unknown_content_is_not_detected(head):
    """Nothing, prose, foreign JSON and an incomplete first line are not known (yet)."""
    assert formats.detect(head) is None

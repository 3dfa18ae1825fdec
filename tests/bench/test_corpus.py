"""The generated corpora: deterministic, realistic by the measured figures, and their manifests are true."""

from __future__ import annotations

import hashlib
import itertools
import os
import statistics
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from known_corpus import KNOWN, KnownCorpus, coin
from known_corpus import write as write_known
from planted_cases import CASES, plant
from tokenizers import Tokenizer

from importer.bench.corpus.author import NOISE
from importer.bench.corpus.corpus import Manifest, write
from importer.bench.corpus.mixes import MIXES
from importer.formats import Options, claude_code
from importer.protocol.records import Turn


def digest(folder: Path) -> str:
    """Names, contents and times of a tree."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*.jsonl")):
        found.update(f"{path.relative_to(folder)} {path.stat().st_mtime_ns}".encode() + path.read_bytes())
    return found.hexdigest()


def turns(path: Path) -> Iterator[Turn]:
    """What the format reads in a file, with its defaults; each turn once, as the chunk fold would take it."""
    context, seen = claude_code.begin(os.fsencode(path)), set()
    for raw in path.read_bytes().split(b"\n")[:-1]:
        fed = claude_code.feed(context, raw, Options())
        context = fed.context
        for turn in fed.turns:
            if turn.text and turn.key not in seen:
                seen.add(turn.key)
                yield turn


def said(folder: Path, paths: tuple[str, ...] = ()) -> dict[str, str]:
    """The texts of the distinct turns of a tree, or of some of its files, by key."""
    files = [folder / path for path in paths] or sorted(folder.rglob("*.jsonl"))
    return {turn.key: turn.text for path in files if path.exists() for turn in turns(path)}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> KnownCorpus:
    """Sixty short files."""
    return write_known(str(tmp_path_factory.mktemp("small")), files=60, seed=3)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Thirty files of the usual size of real ones."""
    return write(str(tmp_path_factory.mktemp("real")), files=30, seed=4, bytes_per_file=700_000)


def test_the_seed_decides_everything(tmp_path: Path) -> None:
    """Equal seeds give equal bytes, names and times; another seed gives other ones."""
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        write(str(tmp_path / name), files=8, seed=seed)
        plant(str(tmp_path / name), seed)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert digest(tmp_path / "a") != digest(tmp_path / "c")


@pytest.mark.slow
def test_the_acceptance_corpus(tmp_path: Path) -> None:
    """500 files by default: several thousand exchanges in about 12 MB."""
    manifest = write(str(tmp_path), files=500, seed=1)
    assert len(list(tmp_path.rglob("*.jsonl"))) == manifest.files == 500
    assert 11e6 < manifest.size_bytes < 13.5e6
    assert 2500 < sum(turn.role == "user" for path in tmp_path.rglob("*.jsonl") for turn in turns(path)) < 5000


def test_the_manifest_is_true(small: KnownCorpus) -> None:
    """Files, bytes, and what people and the assistant said are what a reader finds in the files."""
    files = list(Path(small.folder).rglob("*.jsonl"))
    assert len(files) == small.files
    assert sum(file.stat().st_size for file in files) == small.size_bytes
    texts = [turn.text for file in files for turn in turns(file)]
    assert len(texts) == small.messages
    assert sum(map(len, texts)) == pytest.approx(small.said_chars, rel=1e-4)


def test_each_word_is_said_once(small: KnownCorpus) -> None:
    """Every planted word stands in one prompt of the whole corpus, in the file the manifest names."""
    everything = said(Path(small.folder)).values()
    for word, place in small.words.items():
        assert sum(word in text for text in everything) == 1
        assert word in " ".join(said(Path(small.folder), (place.path,)).values())
    assert len(small.words) == small.files


def test_known_exchanges_stand_where_the_manifest_says(small: KnownCorpus) -> None:
    """Prompt and answer of each pair are in their file, next to each other; its question is nowhere."""
    for pair in small.pairs:
        texts = list(said(Path(small.folder), (pair.place.path,)).values())
        assert texts[texts.index(pair.prompt) + 1] == pair.answer
        assert all(pair.question not in text for text in texts)
    assert len(small.pairs) == 20


def test_noise_is_in_the_bytes_and_in_no_turn(real: Manifest) -> None:
    """Thinking, tool results, reminders and the like are in the bytes, and in no turn."""
    raw = b"".join(path.read_bytes() for path in Path(real.folder).rglob("*.jsonl"))
    everything = "\n".join(said(Path(real.folder)).values())
    assert all(word.encode() in raw for kind, word in NOISE.items() if kind != "attachment")
    assert not any(word in everything for word in NOISE.values())


def test_line_types_are_mixed_as_measured(real: Manifest) -> None:
    """Per 1,000 chain lines the types stand within a fifth of the measured figures."""
    mix = MIXES["ent"]
    files = Path(real.folder).rglob("*.jsonl")
    lines = Counter(msgspec.json.decode(raw)["type"] for file in files for raw in file.read_bytes().splitlines())
    chain = sum(lines[kind] for kind in ("user", "assistant", "progress", "attachment", "system"))
    for kind in ("user", "assistant", "progress", "system"):
        assert 1000 * lines[kind] / chain == pytest.approx(getattr(mix, kind), rel=0.2)


def test_what_was_said_is_a_small_part(real: Manifest) -> None:
    """In files of real size 0.5 to 3 % of the bytes are what people and assistants wrote."""
    assert 0.005 < real.said_chars / real.size_bytes < 0.03
    assert real.size_bytes / real.files == pytest.approx(700_000, rel=0.3)


@pytest.mark.parametrize("mix", MIXES.values(), ids=lambda mix: mix.name)
def test_lengths_follow_the_quantiles(mix: object) -> None:
    """Median and ninth decile of drawn lengths are the measured ones; none is beyond the largest."""
    sizes = mix.texts  # type: ignore[attr-defined]
    drawn = sorted(sizes.at(i / 2000) for i in range(2000))
    assert (drawn[1000], drawn[1800]) == (sizes.chars[2], sizes.chars[3])
    assert drawn[-1] <= sizes.chars[-1]


@pytest.mark.parametrize("mix", MIXES)
def test_every_mix_can_be_read(mix: str, tmp_path: Path) -> None:
    """The figures of each team give files in which the format finds what the manifest says."""
    manifest = write(str(tmp_path), files=6, mix=mix, seed=8)
    found = [turn for path in tmp_path.rglob("*.jsonl") for turn in turns(path)]
    assert {turn.role for turn in found} == {"user", "assistant"}
    assert len(found) == manifest.messages


def test_replies_span_lines_and_times_step_back(real: Manifest) -> None:
    """Replies take two lines on average, and a few lines in a hundred are older than the one before."""
    per_reply: list[int] = []
    steps: list[bool] = []
    for path in sorted(Path(real.folder).rglob("*.jsonl")):
        lines = [msgspec.json.decode(raw) for raw in path.read_bytes().splitlines()]
        per_reply += Counter(line["message"]["id"] for line in lines if line["type"] == "assistant").values()
        times = [line["timestamp"] for line in lines if "parentUuid" in line]
        steps += [later < before for before, later in itertools.pairwise(times)]
    assert 1.7 < statistics.mean(per_reply) < 2.5
    assert 0.01 < statistics.mean(steps) < 0.05


def test_text_costs_tokens_as_english_does(small: KnownCorpus, model_dir: str) -> None:
    """What was said has 3.7 to 4.6 characters per token of the model's tokenizer, as English with code has."""
    tokenizer = Tokenizer.from_file(os.path.join(model_dir, "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    texts = list(said(Path(small.folder)).values())
    tokens = sum(len(encoding.ids) - 2 for encoding in tokenizer.encode_batch(texts))
    assert 3.7 < sum(map(len, texts)) / tokens < 4.6
    assert len({word for text in texts for word in text.split()}) > 3000


def test_coined_words_are_unique() -> None:
    """No two numbers give one word, and none is a word of the vocabulary or of the noise."""
    words = {coin(7, number) for number in range(50_000)}
    assert len(words) == 50_000
    assert not words & (KNOWN | set(NOISE.values()))


@pytest.mark.parametrize("name", CASES)
def test_planted_cases_can_be_kept(name: str, tmp_path: Path) -> None:
    """What a case promises holds for the format: each word in one distinct turn, in order, and no noise in any."""
    (case,) = plant(str(tmp_path), 9, only=(name,)).values()
    texts = list(said(tmp_path, case.paths).values())
    places = [[i for i, text in enumerate(texts) if word in text] for word in case.once]
    assert all(len(place) == 1 for place in places)
    assert not any(word in text for word in case.never for text in texts)


@pytest.mark.parametrize("name", ["damaged", "truncated", "moved"])
def test_what_happens_later(name: str, tmp_path: Path) -> None:
    """After the case's second act its later words are there too, once each, and the files are as it says."""
    (case,) = plant(str(tmp_path), 9, only=(name,)).values()
    assert case.later is not None
    before = said(tmp_path)
    case.later.act()
    texts = (before | said(tmp_path)).values()
    assert all(sum(word in text for text in texts) == 1 for word in (*case.once, *case.later.once))

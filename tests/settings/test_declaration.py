"""Raw values become typed ones within their limits, or an error names the value and all that is allowed."""

from __future__ import annotations

from typing import Any

import pytest

from importer.settings.declaration import convert
from importer.settings.schema import DECLARED


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("worker.recycle_files", "1_000", 1000),
        ("tail.rescan_s", "2.5", 2.5),
        ("embed.offline", "1", True),
        ("redact.enabled", " Off ", False),
        ("exclude", "*/tmp/*, secret ,", ("*/tmp/*", "secret")),
        ("batch.max_chunks", "64", 64),
        ("host", "12", "12"),
    ],
)
def test_words_stand_for_values_in_variables(name: str, text: str, value: Any) -> None:
    """Variables and flags are text: numbers, yes and no, and lists with commas are understood."""
    assert convert(DECLARED[name], text, words=True) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [("tail.rescan_s", 5), ("worker.recycle_files", 7), ("include", ["a", "b"]), ("log.level", "debug")],
)
def test_typed_values_keep_their_type(name: str, value: Any) -> None:
    """From a file come typed values; a whole number is a number, and a list is kept as it is."""
    found = convert(DECLARED[name], value, words=False)
    assert type(found).__name__ in DECLARED[name].kind
    assert found == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("worker.recycle_files", "200", "'200' is not a whole number, 0 or more files"),
        ("tail.max_line_bytes", "x", "'x' is not a whole number from 65536 to 2147483648 bytes"),
        ("memory.warning_share", "x", "'x' is not a number from 0.1 to 1"),
        ("log.level", 3, "3 is not one of debug, "),
        ("worker.recycle_files", True, "True is not a whole number"),
        ("worker.recycle_files", 2.0, "2.0 is not a whole number"),
        ("tail.rescan_s", float("nan"), "nan is not a number"),
        ("worker.boot_s", float("inf"), "inf is not a number, 1 or more s"),
        ("redact.enabled", "yes", "'yes' is not true or false"),
        ("include", "one", "'one' is not a list of texts"),
        ("include", ["one", 2], "is not a list of texts"),
        ("worker.nice", 20, "20 is not a whole number from 0 to 19"),
        ("chunk.size_chars", 99, "99 is not a whole number from 100 to 100000 characters"),
        ("embed.precision", "fp16", "'fp16' is not one of fp32, int8"),
        ("store.location", "qdrant", "edge, local:PATH or the URL"),
        ("store.location", "http://db:port", "is no URL"),
        ("store.location", "grpc://", "nor grpc://HOST nor grpcs://HOST"),
        ("embed.openai_base_url", "grpc://db", "neither http://HOST nor https://HOST"),
        ("store.location", "local:", "edge, local:PATH or the URL"),
        ("store.collection", "a/b", "not usable as a collection's name"),
        ("embed.openai_base_url", "x", "neither http://HOST nor https://HOST"),
        ("metrics.listen", "9100", "not of the form HOST:PORT"),
        ("metrics.listen", "localhost:99999", "not of the form HOST:PORT"),
    ],
)
def test_wrong_values_are_refused(name: str, value: Any, wrong: str) -> None:
    """A value of another type or beyond its limits is refused, and the message says what is allowed."""
    with pytest.raises(ValueError, match=r".* is ") as caught:
        convert(DECLARED[name], value, words=False)
    assert wrong in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("store.location", "http://ann:pw123@db"), ("store.location", "https://pw123@db"), ("store.api_key", ["pw123"])],
)
def test_errors_repeat_no_secret(name: str, value: Any) -> None:
    """A password in a URL and a key of the wrong type are refused without being shown."""
    with pytest.raises(ValueError, match=" is ") as caught:
        convert(DECLARED[name], value, words=False)
    assert "pw123" not in str(caught.value)


@pytest.mark.parametrize(
    "location",
    ["edge", "local:/x", "http://localhost:6333", "https://[::1]:6333/prefix", "grpc://db:6334", "grpcs://db"],
)
def test_locations_of_a_store(location: str) -> None:
    """Embedded, a folder for qdrant-client, or the URL of a server."""
    assert convert(DECLARED["store.location"], location, words=True) == location


@pytest.mark.parametrize("words", [True, False])
def test_a_word_of_former_times_is_still_understood(words: bool) -> None:
    """A settings file with `watch = "events"` goes on working: it meant the same as auto, which is in its place now."""
    assert convert(DECLARED["tail.watch"], "events", words=words) == "auto"


def test_units_stand_in_the_names() -> None:
    """Every number with a unit has it at the end of its name; the others are counts, factors or choices by design."""
    without = {n for n, d in DECLARED.items() if d.kind.startswith(("int", "float")) and not d.unit}
    assert without == {
        "embed.threads", "embed.dimension", "store.grpc_port", "store.shard_number", "store.replication_factor",
        "store.write_consistency_factor", "worker.count", "worker.hard_factor", "worker.nice",
        "worker.malloc_arena_max", "embed.max_tokens_per_day", "embed.max_cost_per_month",
            "embed.price_per_million",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["embed.provider", "store.location"])
def test_plug_ins_are_named_by_their_module(name: str) -> None:
    """A provider or a store that is a plug-in is `package.module`; any other unknown word is refused."""
    assert convert(DECLARED[name], "mine.vectors", words=True) == "mine.vectors"
    for wrong in ("fastembd", "edg", "a..b", "a-b.c"):
        with pytest.raises(ValueError, match="is "):
            convert(DECLARED[name], wrong, words=True)

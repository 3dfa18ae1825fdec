"""Settings are loaded: precedence, all problems at once, secrets, the listing and the table in Markdown."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from importer.errors import UsageError
from importer.settings.load import (
    DECLARED,
    MASK,
    Loaded,
    Settings,
    changed_names,
    effective,
    load,
    markdown_table,
    read_secrets,
    value_of,
)

CONTRACT = """
    QDRANT_URL QDRANT_API_KEY COLLECTION_NAME EMBEDDING_PROVIDER EMBEDDING_MODEL OPENAI_API_KEY OPENAI_BASE_URL
    VOYAGE_API_KEY COHERE_API_KEY MALLOC_ARENA_MAX OPERATIONAL_MEMORY_MB MEMORY_PROFILE MEMORY_BATCH_SIZE CHUNK_SIZE
    CHUNK_OVERLAP HF_HUB_OFFLINE STATE_DIRECTORY IMPORTER_STATE_DIR IMPORTER_MODEL_DIR
"""


def loaded(
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    document: Mapping[str, Any] | None = None,
    **rest: Any,
) -> Loaded:
    return load(flags or {}, environ or {}, document or {}, home="/home/ann", host="box", **rest)


def problems(**sources: Any) -> str:
    with pytest.raises(UsageError) as caught:
        loaded(**sources)
    return caught.value.message


def test_defaults_are_the_declared_ones() -> None:
    """With nothing given, every setting but the computed ones has its declared default, and `default` as its origin."""
    one = loaded()
    computed = {"state_dir", "host", "embed.model_dir"}
    assert all(value_of(one.settings, n) == d.default for n, d in DECLARED.items() if n not in computed)
    assert set(one.origins) == set(DECLARED)
    assert set(one.origins.values()) == {"default"}


def test_precedence() -> None:
    """Flags win over the environment, that over the file, that over the default; each setting tells its origin."""
    document = {"chunk": {"size_chars": 600, "overlap_chars": 50}, "log": {"level": "error"}}
    environ = {"CHUNK_SIZE": "700", "IMPORTER_LOG_LEVEL": "debug"}
    one = loaded({"log.level": "warning", "log.format": None}, environ, document)
    assert (one.settings.log.level, one.origins["log.level"]) == ("warning", "flag")
    assert (one.settings.chunk.size_chars, one.origins["chunk.size_chars"]) == (700, "environment CHUNK_SIZE")
    assert (one.settings.chunk.overlap_chars, one.origins["chunk.overlap_chars"]) == (50, "file")
    assert one.origins["log.format"] == "default"


@pytest.mark.parametrize("variable", CONTRACT.split())
def test_variables_of_other_programs_set_one_setting_each(variable: str) -> None:
    """Every variable of the contract belongs to exactly one setting."""
    assert len([d for d in DECLARED.values() if variable in d.environment]) == 1


def test_the_importer_s_own_variable_counts_before_a_shared_one() -> None:
    """QDRANT_URL may be set for the whole machine; IMPORTER_STORE_LOCATION wins over it."""
    one = loaded(environ={"QDRANT_URL": "http://db:6333", "IMPORTER_STORE_LOCATION": "edge"})
    assert one.settings.store.location == "edge"
    assert one.origins["store.location"] == "environment IMPORTER_STORE_LOCATION"


def test_an_empty_variable_is_not_given() -> None:
    """Compose files pass QDRANT_API_KEY= on; an empty variable neither sets a value nor hides one."""
    one = loaded(environ={"QDRANT_API_KEY": "", "COLLECTION_NAME": "", "CHUNK_SIZE": ""})
    assert one.settings == loaded().settings


@pytest.mark.parametrize(
    ("document", "meant"),
    [
        ({"worker": {"recycle_file": 1}}, "worker.recycle_files"),
        ({"wroker": {"nice": 1}}, "worker"),
        ({"colection": "x"}, "store.collection"),
        ({"size_chars": 900}, "chunk.size_chars"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest_one(document: Mapping[str, Any], meant: str) -> None:
    """A name that is misspelt or stands in the wrong group: the message suggests the right one."""
    assert f"did you mean {meant}? (file)" in problems(document=document)


def test_a_group_is_no_value() -> None:
    """`log = 3` gives a value to a group; the message says how the settings of a group are written."""
    assert "write [log]" in problems(document={"log": 3})


def test_all_problems_come_at_once() -> None:
    """Three mistakes from three places are one error with exit code 2."""
    with pytest.raises(UsageError) as caught:
        loaded({"log.level": "loud"}, {"CHUNK_SIZE": "many"}, {"store": {"timeout_s": "1"}})
    assert all(name in caught.value.message for name in ("log.level", "chunk.size_chars", "store.timeout_s"))
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("sources", "places"),
    [
        ({"environ": {"CHUNK_SIZE": "many"}}, "correct CHUNK_SIZE; "),
        ({"document": {"wroker": {}}}, "correct /etc/importer.toml; "),
        ({"flags": {"store.location": "edgy"}}, "correct the flag; "),
        ({"environ": {"CHUNK_SIZE": "300"}, "document": {"chunk": {"overlap_chars": 200}}}, "toml, CHUNK_SIZE; "),
    ],
)
def test_an_error_names_where_to_correct_it(sources: dict[str, Any], places: str) -> None:
    """The hint names the variable, file or flag, and a command that works all the same and lists all settings."""
    with pytest.raises(UsageError) as caught:
        loaded(**sources, file="/etc/importer.toml")
    assert places in caught.value.hint
    assert "importer config --markdown" in caught.value.hint


def test_keys_come_from_files_and_credentials() -> None:
    """QDRANT_API_KEY_FILE is read, else systemd's credential; the variable itself counts before both."""
    files = {"/run/key": "from-file\n", "/cred/voyage_api_key": "from-credential", "/cred/openai_api_key": "hidden"}

    def read(path: str) -> str:
        if path not in files:
            raise FileNotFoundError(path)
        return files[path]

    environ = {"QDRANT_API_KEY_FILE": "/run/key", "CREDENTIALS_DIRECTORY": "/cred", "OPENAI_API_KEY": "direct"}
    one = loaded(environ=environ, keys=read_secrets(environ, read))
    assert (one.settings.store.api_key, one.origins["store.api_key"]) == ("from-file", "file of QDRANT_API_KEY_FILE")
    assert one.origins["embed.voyage_api_key"] == "credential voyage_api_key"
    assert set(one.secret_values) == {"from-file", "from-credential", "direct"}


@pytest.mark.parametrize("failure", [FileNotFoundError, PermissionError])
def test_a_named_key_file_must_be_readable(failure: type[OSError]) -> None:
    """A *_FILE that is missing or forbidden is an error that names its variable, not an empty key."""

    def read(path: str) -> str:
        raise failure(path)

    with pytest.raises(UsageError, match="QDRANT_API_KEY_FILE: /run/key"):
        read_secrets({"QDRANT_API_KEY_FILE": "/run/key"}, read)


def test_secrets_are_never_shown() -> None:
    """No listing, repr or error message repeats a key."""
    environ = {d.env[0]: "hunter2hunter2" for d in DECLARED.values() if d.secret}
    one = loaded(environ=environ)
    rows = effective(one)
    assert sum(row.value == MASK for row in rows) == len(environ) == 4
    assert "hunter2" not in repr(rows) + repr(one)
    assert "hunter2" not in problems(document={"store": {"api_key": ["hunter2"]}})


def test_effective_shows_what_the_profile_decides() -> None:
    """A setting that is not given shows the memory profile's value; one that is given shows its own."""
    one = loaded(environ={"MEMORY_BATCH_SIZE": "64"})
    rows = {row.name: row for row in effective(one, {"token_budget": 2048, "max_chunks": 256})}
    assert rows["embed.token_budget"][1:3] == ("2048", "profile balanced")
    assert rows["batch.max_chunks"][1:3] == ("64", "environment MEMORY_BATCH_SIZE")
    assert list(rows) == list(DECLARED)


def test_settings_cross_the_wire() -> None:
    """Settings that were sent as a mapping are the same settings when they are received."""
    s = loaded({"sources": ["auto=/x"]}, {"QDRANT_API_KEY": "k", "MEMORY_BATCH_SIZE": "7"}).settings
    packed = msgspec.msgpack.encode(dataclasses.asdict(s))
    assert msgspec.convert(msgspec.msgpack.decode(packed), Settings) == s


def test_a_second_load_tells_what_changed() -> None:
    """SIGHUP acts on the names of the settings that differ, and on no other."""
    assert changed_names(loaded().settings, loaded({"log.level": "debug", "chunk.size_chars": 1000}).settings) == (
        "log.level",
    )


def test_every_setting_is_documented() -> None:
    """The table in Markdown has one row per setting, in order, with four cells; no help text is empty."""
    rows = [line for line in markdown_table().splitlines() if line.startswith("| `")]
    assert [re.split(r" \| ", row)[0].strip("| `") for row in rows] == list(DECLARED)
    assert all(len(row.strip("|").split("|")) == 4 for row in rows)
    assert all(declared.about for declared in DECLARED.values())

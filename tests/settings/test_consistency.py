"""Rules about several settings together: computed defaults, combinations that cannot work, and warnings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from importer.errors import UsageError
from importer.settings.consistency import parse_source
from importer.settings.load import Loaded, load


def loaded(
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    document: Mapping[str, Any] | None = None,
) -> Loaded:
    return load(flags or {}, environ or {}, document or {}, home="/home/ann", host="box")


@pytest.mark.parametrize(
    ("document", "wrong"),
    [
        ({"chunk": {"size_chars": 300, "overlap_chars": 200}}, "more than half"),
        ({"store": {"write_consistency_factor": 2}}, "no write could ever be acknowledged"),
        ({"store": {"ca_file": "/ca.pem"}}, "store.ca_file"),
        ({"store": {"ca_file": "/ca.pem", "location": "grpc://db"}}, "store.ca_file"),
        ({"embed": {"provider": "openai"}}, "openai needs embed.openai_api_key (OPENAI_API_KEY)"),
        ({"embed": {"provider": "voyage", "voyage_api_key": "k", "precision": "int8"}}, "only for a local model"),
        ({"embed": {"provider": "cohere", "cohere_api_key": "k", "offline": True}}, "needs a network"),
        ({"sources": ["claude-code="]}, "names no path"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(document: Mapping[str, Any], wrong: str) -> None:
    """A combination that could never work is refused at start, not found out at run time."""
    with pytest.raises(UsageError) as caught:
        loaded(document=document)
    assert wrong in caught.value.message


def test_a_hosted_provider_is_one_setting_away() -> None:
    """EMBEDDING_PROVIDER and a key are enough: the provider's usual model is taken, unless a model is named."""
    environ = {"EMBEDDING_PROVIDER": "openai", "OPENAI_API_KEY": "sk"}
    assert loaded(environ=environ).settings.embed.model == "text-embedding-3-small"
    named = loaded(environ={**environ, "EMBEDDING_MODEL": "sentence-transformers/all-MiniLM-L6-v2"})
    assert named.settings.embed.model == "sentence-transformers/all-MiniLM-L6-v2"


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({}, "/home/ann/.local/state/importer"),
        ({"XDG_STATE_HOME": "/xdg"}, "/xdg/importer"),
        ({"XDG_STATE_HOME": "relative"}, "/home/ann/.local/state/importer"),
        ({"STATE_DIRECTORY": "/var/lib/importer:/var/lib/other", "XDG_STATE_HOME": "/xdg"}, "/var/lib/importer"),
        ({"STATE_DIRECTORY": "/var/lib/importer", "IMPORTER_STATE_DIR": "~/mine"}, "/home/ann/mine"),
    ],
)
def test_the_state_directory(environ: Mapping[str, str], folder: str) -> None:
    """It is IMPORTER_STATE_DIR, else systemd's (the first of a list), else XDG's; models lie in it."""
    s = loaded(environ=environ).settings
    assert (s.state_dir, s.embed.model_dir) == (folder, f"{folder}/models")


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("claude-code=/a=b", ("claude-code", "/a=b")),
        ("/a=b", ("auto", "/a=b")),
        ("/plain", ("auto", "/plain")),
        ("auto=~/x", ("auto", "/home/ann/x")),
    ],
)
def test_sources_are_names_and_paths(text: str, pair: tuple[str, str]) -> None:
    """NAME=PATH, or a path alone, which leaves the format to detection; ~ is the home directory."""
    (normal,) = loaded({"sources": [text]}).settings.sources
    assert parse_source(normal) == pair


def test_odd_settings_are_warned_about() -> None:
    """A key sent in clear text, metrics open to other machines and a variable that sets nothing are only warnings."""
    environ = {"QDRANT_URL": "http://db:6333", "QDRANT_API_KEY": "k", "IMPORTER_LOG_LEVLE": "debug"}
    one = loaded({"metrics.listen": "0.0.0.0:9100"}, environ)
    assert [w.partition(":")[0] for w in one.warnings] == ["store.api_key", "metrics.listen", "IMPORTER_LOG_LEVLE"]
    assert not loaded(environ={"QDRANT_URL": "http://localhost:6333", "QDRANT_API_KEY": "k"}).warnings


def test_a_certificate_goes_with_grpc() -> None:
    """TLS is TLS, over REST and gRPC."""
    document = {"store": {"ca_file": "/ca.pem", "location": "grpcs://db:6334"}}
    assert loaded(document=document).settings.store.ca_file == "/ca.pem"


def test_a_key_in_clear_text_is_told_over_grpc_too() -> None:
    """As over REST."""
    document = {"store": {"api_key": "k", "location": "grpc://db.example"}}
    assert any("clear text" in warning for warning in loaded(document=document).warnings)


def test_a_server_may_have_several_addresses() -> None:
    """With commas or spaces between them; each of them is looked at."""
    environ = {
        "QDRANT_URL": "http://localhost:6333, http://db:6333",
        "QDRANT_API_KEY": "k",
        "IMPORTER_STORE_CA_FILE": "",
    }
    (warning,) = loaded(environ=environ).warnings
    assert "goes to db in clear text" in warning
    assert not loaded(environ={"QDRANT_URL": "https://a https://b", "IMPORTER_STORE_CA_FILE": "/ca.pem"}).warnings


@pytest.mark.parametrize(
    "url", ["http://a,https://b", "http://a,b", "http://a, http://u:p@b", "http://a:port,http://b"]
)
def test_addresses_that_do_not_fit_are_refused(url: str) -> None:
    """One of them is wrong, or they are not spoken to alike."""
    with pytest.raises(UsageError):
        loaded(environ={"QDRANT_URL": url})

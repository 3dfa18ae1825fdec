"""Rules about several settings together: computed defaults, combinations that cannot work, and warnings.

What only the machine can tell (is a folder there, does a model fit, does a server answer) is left to `doctor`.
Values stand under their dotted names and are of the right type already.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from importer.settings.schema import DECLARED, LOCAL, MODELS

AUTO = "auto"  # the source name that leaves the format to detection
# Read elsewhere: path of the file; faults for tests, and what they are to do without.
NO_SETTINGS = ("IMPORTER_CONFIG", "IMPORTER_FAILPOINTS", "IMPORTER_TEST_WITHOUT")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def parse_source(text: str) -> tuple[str, str]:
    """Return `(name, path)` of NAME=PATH. A PATH alone, or one with a slash before its first "=", is `auto`."""
    name, equals, path = text.partition("=")
    return (name, path) if equals and not set(name) & set("/~") else (AUTO, text)


def fill_defaults(
    values: Mapping[str, Any], given: Container[str], environ: Mapping[str, str], *, home: str, host: str
) -> dict[str, Any]:
    """Return the values with ~ expanded and the computed defaults: folders, sources, host, the provider's model.

    `given` are the names of the settings that have a value from a flag, the environment or a file.
    """
    done = {
        name: _expand_home(value, home) if DECLARED[name].path or name == "store.location" else value
        for name, value in values.items()
    }
    xdg = environ.get("XDG_STATE_HOME", "")
    base = xdg if xdg.startswith("/") else f"{home}/.local/state"  # the XDG standard ignores relative ones
    done["state_dir"] = done["state_dir"] or f"{base}/importer"
    done["embed.model_dir"] = done["embed.model_dir"] or f"{done['state_dir']}/models"
    if "embed.model" not in given and done["embed.provider"] in MODELS:
        done["embed.model"] = MODELS[done["embed.provider"]]
    done["host"] = done["host"] or host
    pairs = [parse_source(text) for text in done["sources"]]
    done["sources"] = tuple(f"{name}={_expand_home(path, home)}" for name, path in pairs)
    return done


def _expand_home(path: str, home: str) -> str:
    """Return a path with a leading ~ expanded, also after `local:`. A ~user is left: other homes are not known here."""
    if path.startswith("local:"):
        return "local:" + _expand_home(path.removeprefix("local:"), home)
    return home + path[1:] if path == "~" or path.startswith("~/") else path


def contradictions(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield each combination that cannot work, with the names of its settings."""
    if values["chunk.overlap_chars"] * 2 > values["chunk.size_chars"]:
        yield "chunk.overlap_chars: more than half of chunk.size_chars"
    if values["store.write_consistency_factor"] > values["store.replication_factor"]:
        yield "store.write_consistency_factor: above store.replication_factor, no write could ever be acknowledged"
    if values["store.ca_file"] and not values["store.location"].startswith(("https://", "grpcs://")):
        yield "store.ca_file: store.location is no https:// or grpcs:// URL"
    yield from (f"sources: {text!r} names no path" for text in values["sources"] if text.endswith("="))
    yield from _provider_contradictions(values)


def _provider_contradictions(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a hosted provider lacks, and what is set that it cannot do."""
    provider = values["embed.provider"]
    if provider not in MODELS or provider == LOCAL:
        return
    key = f"embed.{provider}_api_key"
    if not values[key] and not (provider == "openai" and values["embed.openai_base_url"]):
        yield f"embed.provider: {provider} needs {key} ({DECLARED[key].env[0]})"
    if values["embed.precision"] != "fp32":
        yield f"embed.precision: only for a local model, and embed.provider is {provider}"
    if values["embed.offline"]:
        yield f"embed.offline: embed.provider {provider} needs a network (HF_HUB_OFFLINE counts as offline too)"


def oddities(values: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[str]:
    """Yield a warning for keys sent in clear text, metrics open to other machines, and variables that set nothing."""
    for url in values["store.location"].replace(",", " ").split() if values["store.api_key"] else ():
        host = urlsplit(url).hostname
        if host not in {None, *LOOPBACK} and url.startswith(("http://", "grpc://")):
            yield f"store.api_key: goes to {host} in clear text; use https:// or grpcs://"
    if values["metrics.listen"] and values["metrics.listen"].rpartition(":")[0].strip("[]") not in LOOPBACK:
        yield f"metrics.listen: {values['metrics.listen']} can be reached from other machines"
    known = {*NO_SETTINGS, *(variable for one in DECLARED.values() for variable in one.environment)}
    for variable in sorted(environ):
        if variable.startswith("IMPORTER_") and not {variable, variable.removesuffix("_FILE")} & known:
            yield f"{variable}: no such setting, it is ignored"

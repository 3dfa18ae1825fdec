"""Turn flags, variables and a settings file into one validated, frozen Settings, or name all problems at once.

    flags  >  environment (then *_FILE, then credentials)  >  file  >  defaults

Nothing here reads a file or the clock: the caller hands in what it has read. `schema` declares the settings.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from importer.errors import UsageError
from importer.settings.consistency import contradictions, fill_defaults, oddities, parse_source
from importer.settings.declaration import convert
from importer.settings.schema import DECLARED, GROUPS, Settings

__all__ = [
    "DECLARED",
    "EffectiveSetting",
    "Loaded",
    "RawValue",
    "Settings",
    "changed_names",
    "effective",
    "load",
    "markdown_table",
    "parse_source",
    "read_secrets",
]

MASK = "********"
MIGRATED = "importer migrate"  # the origin of a model that no setting names, see `chosen`


class RawValue(NamedTuple):
    """A value as it was given, and where it came from; `words` if it is text that may stand for a number or a list."""

    value: Any
    origin: str
    words: bool


class EffectiveSetting(NamedTuple):
    """One line of `importer config`: the value in effect, as text, and where it came from."""

    name: str
    value: str
    origin: str
    about: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, where each came from (dotted name -> words), and warnings about settings that work."""

    settings: Settings
    origins: Mapping[str, str]
    warnings: tuple[str, ...] = ()

    @property
    def secret_values(self) -> tuple[str, ...]:
        """The keys that are set, which must never be shown."""
        values = (value_of(self.settings, name) for name, declared in DECLARED.items() if declared.secret)
        return tuple(value for value in values if value)


def load(
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    document: Mapping[str, Any],
    *,
    home: str,
    host: str = "",
    keys: Mapping[str, RawValue] | None = None,
    file: str = "",
) -> Loaded:
    """Return the settings that `flags` (by dotted name, None is not given), `environ` and the parsed file give.

    `keys` is what `read_secrets` found, `home` the user's home directory, `host` the machine's name, `file` the path of
    the settings file. Raises UsageError that names every problem, one on a line, and where to correct it.
    """
    problems: list[str] = []
    raw = {  # the weakest first: a later one replaces it
        **_from_document(document, problems),
        **(keys or {}),
        **_from_environment(environ),
        **_from_flags(flags, problems),
    }
    values = {name: declared.default for name, declared in DECLARED.items()}
    # a value that cannot be converted leaves the default standing, so that one mistake does not hide the others
    for name, one in raw.items():
        try:
            values[name] = convert(DECLARED[name], one.value, words=one.words)
        except ValueError as error:
            problems.append(f"{name} ({one.origin}): {error}")
    values = fill_defaults(values, raw, environ, home=home, host=host)
    problems.extend(contradictions(values))
    if problems:
        raise UsageError("\n".join(["wrong settings:", *problems]), hint=_hint(problems, raw, file))
    origins = {name: raw[name].origin if name in raw else "default" for name in DECLARED}
    return Loaded(_build(values), origins, tuple(oddities(values, environ)))


def read_secrets(environ: Mapping[str, str], read: Callable[[str], str]) -> Mapping[str, RawValue]:
    """Read the keys that `*_FILE` variables name, and systemd's credentials, as `load` takes them.

    A credential is named like the variable, in lower case. `read(path)` returns a file's text or raises OSError. Raises
    UsageError for a named file that cannot be read; a missing credential is no error.
    """
    found: dict[str, RawValue] = {}
    problems: list[str] = []
    directory = environ.get("CREDENTIALS_DIRECTORY", "")
    for name, declared in DECLARED.items():
        variable = next((v for v in declared.environment if declared.secret and environ.get(v + "_FILE")), "")
        try:
            if variable:
                found[name] = RawValue(read(environ[variable + "_FILE"]).strip(), f"file of {variable}_FILE", True)
            elif declared.secret and directory:
                credential = declared.env[0].lower()
                found[name] = RawValue(read(f"{directory}/{credential}").strip(), f"credential {credential}", True)
        except FileNotFoundError as error:
            problems += [f"{variable}_FILE: {error}"] if variable else []
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{variable + '_FILE' if variable else name}: {error}")
    if problems:
        hint = "make them readable, or unset the variables that name them"
        raise UsageError("\n".join(["unreadable keys:", *problems]), hint=hint)
    return found


def effective(loaded: Loaded, profile: Mapping[str, Any] | None = None) -> list[EffectiveSetting]:
    """List the value in effect of every setting, secrets masked.

    `profile` holds the memory profile's values, by the last part of the setting's name, for settings that are None.
    """
    rows = []
    for name, declared in DECLARED.items():
        value, origin = value_of(loaded.settings, name), loaded.origins[name]
        if value is None:
            value, origin = (profile or {}).get(name.rpartition(".")[2]), f"profile {loaded.settings.memory.profile}"
        rows.append(
            EffectiveSetting(name, MASK if declared.secret and value else _in_words(value), origin, declared.about)
        )
    return rows


def markdown_table() -> str:
    """Return the table of all settings in Markdown, of which the README shows a part."""
    lines = ["| setting | default | environment | what |", "|---|---|---|---|"]
    for declared in DECLARED.values():
        default = declared.shown or ("by profile" if declared.profile else _in_words(declared.default)) or "none"
        unit = f" {declared.unit}" if declared.unit and not declared.profile else ""
        names = ", ".join(f"`{name}`" for name in declared.env)
        lines.append(f"| `{declared.name}` | {default}{unit} | {names} | {declared.about} |".replace("||", "| |"))
    return "\n".join(lines) + "\n"


def changed_names(before: Settings, after: Settings) -> tuple[str, ...]:
    """Return the dotted names of the settings that differ, after the file was read again."""
    return tuple(name for name in DECLARED if value_of(before, name) != value_of(after, name))


def value_of(settings: Settings, name: str) -> Any:
    """Return the value of a setting by its dotted name."""
    value: Any = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _in_words(value: Any) -> str:
    """Return a value as it would be written in a variable."""
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(value) if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else str(value)


def _hint(problems: list[str], raw: Mapping[str, RawValue], file: str) -> str:
    """Return which variables, flags or file to correct, and a command that works all the same and lists all settings.

    That command is `config --markdown`: `config` alone fails as well.
    """
    named = {word for problem in problems for word in re.findall(r"[\w.]+", problem)}
    origins = {one.origin.removeprefix("environment ") for name, one in raw.items() if name in named}
    origins |= {"file" for problem in problems if "(file)" in problem}
    places = sorted({"file": file or "the settings file", "flag": "the flag"}.get(one, one) for one in origins)
    correct = f"correct {', '.join(places)}; " if places else ""
    return f"{correct}`importer config --markdown` lists all settings and their defaults"


def _build(values: Mapping[str, Any]) -> Settings:
    """Return the Settings with its groups, made of values by dotted name."""

    def group(prefix: str) -> dict[str, Any]:
        return {name.rpartition(".")[2]: value for name, value in values.items() if name.rpartition(".")[0] == prefix}

    return Settings(**group(""), **{name: of(**group(name)) for name, of in GROUPS.items()})


def _from_flags(flags: Mapping[str, Any], problems: list[str]) -> dict[str, RawValue]:
    """Return the flags that were given: as text, or typed where the command line has converted them."""
    given = {name: value for name, value in flags.items() if value is not None}
    problems.extend(f"{_unknown(name, DECLARED)} (flag)" for name in given if name not in DECLARED)
    return {name: RawValue(value, "flag", True) for name, value in given.items() if name in DECLARED}


def _from_environment(environ: Mapping[str, str]) -> dict[str, RawValue]:
    """Return the variables that are set and not empty; of several names for one setting the first counts.

    systemd may list several folders in STATE_DIRECTORY, separated by colons; the first one counts.
    """
    found = {}
    for name, declared in DECLARED.items():
        variable = next((v for v in declared.environment if environ.get(v)), None)
        if variable:
            value = environ[variable].partition(":")[0] if variable == "STATE_DIRECTORY" else environ[variable]
            found[name] = RawValue(value, f"environment {variable}", True)
    return found


def _from_document(document: Mapping[str, Any], problems: list[str]) -> dict[str, RawValue]:
    """Return the values in the file, strictly typed; a name that is not declared becomes a problem."""
    found = {}
    for name, value in _flattened(document, problems):
        if name in DECLARED:
            found[name] = RawValue(value, "file", False)
        else:
            problems.append(f"{_unknown(name, DECLARED)} (file)")
    return found


def _flattened(document: Mapping[str, Any], problems: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield the file's values under dotted names; a table that is no group of settings becomes a problem."""
    for key, value in document.items():
        if key in GROUPS and not isinstance(value, Mapping):
            problems.append(f"{key} (file): is a group, write [{key}] and its settings below")
        elif key in GROUPS:
            yield from ((f"{key}.{name}", inner) for name, inner in value.items())
        elif isinstance(value, Mapping) and key not in DECLARED:
            problems.append(f"{_unknown(key, GROUPS)} (file)")
        else:
            yield key, value


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    """Return a message about an unknown name, with the nearest known one: by the whole name, then by its last part."""
    last = {one.rpartition(".")[2]: one for one in known}
    near = difflib.get_close_matches(name, known, 1, 0.7) or difflib.get_close_matches(name.rpartition(".")[2], last, 1)
    return f"{name}: no such setting" + (f"; did you mean {last.get(near[0], near[0])}?" if near else "")

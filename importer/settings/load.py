"""A mapping of flags, variables and a settings file becomes one validated, frozen Settings; all problems at once.

    flags  >  environment (then *_FILE, then credentials)  >  file  >  defaults

Nothing here reads a file or the clock: the caller hands in what it has read. `declared` says what settings there are.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from importer.errors import UsageError
from importer.settings.consistency import complete, odd, senseless, source
from importer.settings.declaration import convert
from importer.settings.schema import DECLARED, GROUPS, Settings

__all__ = [
    "DECLARED",
    "Found",
    "Loaded",
    "Row",
    "Settings",
    "changed",
    "effective",
    "load",
    "markdown_table",
    "secrets",
    "source",
]

MASK = "********"


class Found(NamedTuple):
    """A raw value and where it came from; `words` if it is text that may stand for a number or a list."""

    value: Any
    origin: str
    words: bool


class Row(NamedTuple):
    """One line of `importer config`."""

    name: str
    value: str
    origin: str
    about: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, where each came from (dotted name -> words), and what looks odd without being wrong."""

    settings: Settings
    origins: Mapping[str, str]
    warnings: tuple[str, ...] = ()

    @property
    def secret_values(self) -> tuple[str, ...]:
        """The values that must never be shown."""
        values = (value_of(self.settings, name) for name, declared in DECLARED.items() if declared.secret)
        return tuple(value for value in values if value)


def load(
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    document: Mapping[str, Any],
    *,
    home: str,
    host: str = "",
    keys: Mapping[str, Found] | None = None,
    file: str = "",
) -> Loaded:
    """One Settings of `flags` (by dotted name, None is not given), the environment and the parsed settings file.

    `keys` is what `secrets` found, `home` the user's home directory, `host` the machine's name, `file` what the
    settings file is called. Raises UsageError that names every problem, one on a line, and where to mend them.
    """
    problems: list[str] = []
    found = {  # the weakest first: what comes later takes its place
        **_from_document(document, problems),
        **(keys or {}),
        **_from_environment(environ),
        **_from_flags(flags, problems),
    }
    values = {name: declared.default for name, declared in DECLARED.items()}
    # a value that cannot be converted leaves the default standing, so that one mistake does not hide the others
    for name, one in found.items():
        try:
            values[name] = convert(DECLARED[name], one.value, words=one.words)
        except ValueError as error:
            problems.append(f"{name} ({one.origin}): {error}")
    values = complete(values, found, environ, home=home, host=host)
    problems.extend(senseless(values))
    if problems:
        raise UsageError("\n".join(["wrong settings:", *problems]), hint=_remedy(problems, found, file))
    origins = {name: found[name].origin if name in found else "default" for name in DECLARED}
    return Loaded(_build(values), origins, tuple(odd(values, environ)))


def secrets(environ: Mapping[str, str], read: Callable[[str], str]) -> Mapping[str, Found]:
    """Keys for `load` from `*_FILE` variables and systemd's credentials (named like the variable, in lower case).

    `read(path)` gives a file's text or raises OSError. Raises UsageError for a named file that cannot be read;
    a missing credential is no error.
    """
    found: dict[str, Found] = {}
    problems: list[str] = []
    directory = environ.get("CREDENTIALS_DIRECTORY", "")
    for name, declared in DECLARED.items():
        variable = next((v for v in declared.environment if declared.secret and environ.get(v + "_FILE")), "")
        try:
            if variable:
                found[name] = Found(read(environ[variable + "_FILE"]).strip(), f"file of {variable}_FILE", True)
            elif declared.secret and directory:
                credential = declared.env[0].lower()
                found[name] = Found(read(f"{directory}/{credential}").strip(), f"credential {credential}", True)
        except FileNotFoundError as error:
            problems += [f"{variable}_FILE: {error}"] if variable else []
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{variable + '_FILE' if variable else name}: {error}")
    if problems:
        hint = "make them readable, or unset what names them"
        raise UsageError("\n".join(["unreadable keys:", *problems]), hint=hint)
    return found


def effective(loaded: Loaded, profile: Mapping[str, Any] | None = None) -> list[Row]:
    """Each setting as it counts, secrets masked. `profile` gives the values (by last name) that None stands for."""
    rows = []
    for name, declared in DECLARED.items():
        value, origin = value_of(loaded.settings, name), loaded.origins[name]
        if value is None:
            value, origin = (profile or {}).get(name.rpartition(".")[2]), f"profile {loaded.settings.memory.profile}"
        rows.append(Row(name, MASK if declared.secret and value else _shown(value), origin, declared.about))
    return rows


def markdown_table() -> str:
    """The settings table of the README."""
    lines = ["| setting | default | environment | what |", "|---|---|---|---|"]
    for declared in DECLARED.values():
        default = declared.shown or ("by profile" if declared.profile else _shown(declared.default)) or "none"
        unit = f" {declared.unit}" if declared.unit and not declared.profile else ""
        names = ", ".join(f"`{name}`" for name in declared.env)
        lines.append(f"| `{declared.name}` | {default}{unit} | {names} | {declared.about} |".replace("||", "| |"))
    return "\n".join(lines) + "\n"


def changed(before: Settings, after: Settings) -> tuple[str, ...]:
    """The dotted names of the settings that differ, for a re-read."""
    return tuple(name for name in DECLARED if value_of(before, name) != value_of(after, name))


def value_of(settings: Settings, name: str) -> Any:
    """The value of a setting by its dotted name."""
    value: Any = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _shown(value: Any) -> str:
    """A value as it could be written in a variable."""
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(value) if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else str(value)


def _remedy(problems: list[str], found: Mapping[str, Found], file: str) -> str:
    """Where the values came from that problems name, and where all settings stand: `config` alone would fail, too."""
    named = {word for problem in problems for word in re.findall(r"[\w.]+", problem)}
    origins = {one.origin.removeprefix("environment ") for name, one in found.items() if name in named}
    origins |= {"file" for problem in problems if "(file)" in problem}
    places = sorted({"file": file or "the settings file", "flag": "the flag"}.get(one, one) for one in origins)
    mend = f"correct {', '.join(places)}; " if places else ""
    return f"{mend}`importer config --markdown` lists all settings and their defaults"


def _build(values: Mapping[str, Any]) -> Settings:
    """The groups and the whole of values by dotted name."""

    def group(prefix: str) -> dict[str, Any]:
        return {name.rpartition(".")[2]: value for name, value in values.items() if name.rpartition(".")[0] == prefix}

    return Settings(**group(""), **{name: of(**group(name)) for name, of in GROUPS.items()})


def _from_flags(flags: Mapping[str, Any], problems: list[str]) -> dict[str, Found]:
    """Flags that were given; they are text, or typed where the command line has converted them."""
    given = {name: value for name, value in flags.items() if value is not None}
    problems.extend(f"{_unknown(name, DECLARED)} (flag)" for name in given if name not in DECLARED)
    return {name: Found(value, "flag", True) for name, value in given.items() if name in DECLARED}


def _from_environment(environ: Mapping[str, str]) -> dict[str, Found]:
    """Variables that are set and not empty; of several names for one setting the first counts.

    systemd may list several folders in STATE_DIRECTORY, separated by colons; the first one is ours.
    """
    found = {}
    for name, declared in DECLARED.items():
        variable = next((v for v in declared.environment if environ.get(v)), None)
        if variable:
            value = environ[variable].partition(":")[0] if variable == "STATE_DIRECTORY" else environ[variable]
            found[name] = Found(value, f"environment {variable}", True)
    return found


def _from_document(document: Mapping[str, Any], problems: list[str]) -> dict[str, Found]:
    """What the file sets, strictly typed; names nobody declared become problems."""
    found = {}
    for name, value in _flattened(document, problems):
        if name in DECLARED:
            found[name] = Found(value, "file", False)
        else:
            problems.append(f"{_unknown(name, DECLARED)} (file)")
    return found


def _flattened(document: Mapping[str, Any], problems: list[str]) -> Iterator[tuple[str, Any]]:
    """Tables of the file as dotted names; only the groups there are may be tables."""
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
    """That there is no such name, with the nearest one there is: by the whole name, then by its last part."""
    last = {one.rpartition(".")[2]: one for one in known}
    near = difflib.get_close_matches(name, known, 1, 0.7) or difflib.get_close_matches(name.rpartition(".")[2], last, 1)
    return f"{name}: no such setting" + (f"; did you mean {last.get(near[0], near[0])}?" if near else "")

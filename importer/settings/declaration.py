"""What the declaration of a setting is: a dataclass field that carries its name, limits, environment names and help."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from math import isfinite
from typing import Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

USERINFO = re.compile(r"://[^/@\s]*@")  # of a URL; error messages leave it out

UNITS = {  # the end of a name -> what is shown for it
    "_s": "s", "_ms": "ms", "_ms_per_token": "ms", "_mb": "MB", "_bytes": "bytes", "_chars": "characters",
    "_tokens": "tokens", "_budget": "tokens", "_files": "files", "_points": "points", "_chunks": "chunks",
    "_batches": "batches", "_days": "days", "_share": "0 to 1", "_samples": "samples",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Declared:
    """One setting. `kind` is its annotation, such as "int | None", whose None stands for the memory profile's value.

    `path` values may begin with ~; `among` are the words it may be, a `plugin` also any `package.module`; `least` and
    `most` are inclusive. `check` returns what is wrong with a value, or "". `shown` is the default in words, where it
    is computed.
    """

    about: str
    env: tuple[str, ...] = ()
    secret: bool = False
    path: bool = False
    plugin: bool = False
    among: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    check: Callable[[str], str] | None = None
    shown: str = ""
    name: str = ""
    kind: str = ""
    default: Any = None

    @property
    def profile(self) -> bool:
        """Whether the memory profile decides when nobody else does."""
        return self.kind.endswith("| None")

    @property
    def unit(self) -> str:
        """The unit its name ends in, or ""."""
        return next((unit for end, unit in UNITS.items() if self.name.endswith(end)), "")

    @property
    def environment(self) -> tuple[str, ...]:
        """The environment names that set it, first one first."""
        return ("IMPORTER_" + self.name.replace(".", "_").upper(), *self.env)


def setting(default: T, about: str, *, env: str = "", secret: bool = False, **rest: Any) -> T:
    """A field that carries its declaration; `env` is a space separated list. Secrets never show in a repr."""
    declared = Declared(about, env=tuple(env.split()), secret=secret, **rest)
    return field(default=default, repr=not secret, metadata={"declared": declared})


def wrong_location(value: str) -> str:
    """What is wrong with the place of a store, or ""."""
    kind, _, path = value.partition(":")
    if value == "edge" or is_module(value) or (kind in {"edge", "local"} and path):
        return ""
    return wrong_url(value) and f"{wrong_url(value)}; give edge, local:PATH or the URL of a Qdrant server"


def is_module(value: str) -> bool:
    """Whether it names a plug-in, `package.module`; whether there is one is found out when it is loaded."""
    return "." in value and all(part.isidentifier() for part in value.split("."))


def wrong_url(value: str) -> str:
    """What is wrong with an http(s) URL, or "". One with a password inside is refused, because locations are shown."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  # raises ValueError when it is no number
    except ValueError as error:
        return f"no URL ({error})"
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "neither http://HOST nor https://HOST"
    return "a URL with a password inside; keys have a setting of their own" if "@" in parts.netloc else ""


def wrong_listen(value: str) -> str:
    """What is wrong with a HOST:PORT to listen on, or ""."""
    host, _, port = value.rpartition(":")
    return "" if host and port.isdecimal() and int(port) < 65536 else "not of the form HOST:PORT"


def wrong_name(value: str) -> str:
    """What is wrong with the name of a collection, or ""."""
    usable = value not in {"", ".", ".."} and not set(value) & set(' <>:"/\\|?*\0\x1f') and len(value) <= 255
    return "" if usable else "not usable as a collection's name"


def declarations(of: type, prefix: str = "") -> Iterator[Declared]:
    """The declarations of a group's fields, in order, with dotted names; fields that are groups are left out."""
    for entry in fields(of):
        declared: Declared | None = entry.metadata.get("declared")
        if declared is not None:
            yield replace(declared, name=prefix + entry.name, kind=str(entry.type), default=entry.default)


def convert(declared: Declared, value: Any, *, words: bool) -> Any:
    """A raw value as the setting's type, within its limits.

    With `words`, text may stand for numbers and lists, as in variables and flags; in a file it may not. Raises
    ValueError that says what is wrong; a secret is not repeated in it.
    """
    kind = declared.kind.removesuffix(" | None")
    called, strictly, from_words = _KINDS[kind]
    said = "the value" if declared.secret else USERINFO.sub("://…@", repr(value))
    try:
        result = strictly(from_words(value) if words and isinstance(value, str) else value)
    except ValueError:
        raise ValueError(f"{said} is not {called}{_within(declared)}") from None
    # a default is always allowed: an empty URL, for one, says that there is none
    wrong = "" if result == declared.default else _beyond(declared, result)
    if wrong:
        raise ValueError(f"{said} is {wrong}")
    return result


def _beyond(declared: Declared, value: Any) -> str:
    """Which limit of its setting a value of the right type breaks, or ""."""
    if declared.among and value not in declared.among and not (declared.plugin and is_module(value)):
        return f"none of {', '.join(declared.among)}"
    if declared.least is not None and value < declared.least:
        return f"below the least value, {declared.least:.12g}"
    if declared.most is not None and value > declared.most:
        return f"above the largest value, {declared.most:.12g}"
    return declared.check(value) if declared.check else ""


def _within(declared: Declared) -> str:
    """The words that a text may be, the limits and the unit of a number; "" where anything goes."""
    if declared.among:
        return f" ({', '.join(declared.among)})"
    unit = f" {declared.unit}" if declared.unit and not declared.unit[0].isdigit() else ""  # a share's is its limits
    if declared.least is None:
        return ""
    least = f"{declared.least:.12g}"
    return f" ({f'at least {least}' if declared.most is None else f'{least} to {declared.most:.12g}'}{unit})"


def _exactly(*types: type) -> Callable[[Any], Any]:
    """A conversion that takes these types alone; True is no number, and a number must be finite."""

    def strictly(value: Any) -> Any:
        finite = not isinstance(value, float) or isfinite(value)
        if type(value) not in types or not finite:
            raise ValueError
        return float(value) if float in types else value

    return strictly


def _texts(value: Any) -> tuple[str, ...]:
    """A list of texts, typed or split from words. Raises ValueError for anything else in it."""
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ValueError
    return tuple(value)


def _yes_or_no(words: str) -> bool:
    """As people write it in variables. Raises ValueError for any other word: a typing error must not mean "no"."""
    word = words.strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise ValueError


def _split(words: str) -> list[str]:
    """What stands between commas; empty items are dropped, so a comma at the end does no harm."""
    return [item for item in (part.strip() for part in words.split(",")) if item]


_KINDS: Mapping[str, tuple[str, Callable[[Any], Any], Callable[[str], Any]]] = {
    "int": ("a whole number", _exactly(int), int),
    "float": ("a number", _exactly(int, float), float),
    "bool": ("true or false", _exactly(bool), _yes_or_no),
    "str": ("a text", _exactly(str), str),
    "tuple[str, ...]": ("a list of texts", _texts, _split),
}  # annotation -> what it is called, the conversion of a typed value, what turns words into one

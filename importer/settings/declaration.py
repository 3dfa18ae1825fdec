"""The declaration of one setting, a dataclass field with its limits and its help, and the conversion of raw values."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from math import isfinite
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

USERINFO = re.compile(r"://[^/@\s]*@")  # of a URL; error messages leave it out
ARGUMENTS = re.compile(r"([?&][^=&\s']{1,64}=)[^&\s']+")  # and what a query holds

UNITS = {  # the end of a name -> what is shown for it
    "_s": "s", "_ms": "ms", "_ms_per_token": "ms", "_mb": "MB", "_bytes": "bytes", "_chars": "characters",
    "_tokens": "tokens", "_budget": "tokens", "_files": "files", "_points": "points", "_chunks": "chunks",
    "_batches": "batches", "_days": "days", "_share": "0 to 1", "_samples": "samples",
}  # fmt: skip
KINDS: Mapping[str, tuple[Any, str]] = {  # annotation -> its type, what an error message calls it
    "int": (int, "a whole number"),
    "float": (float, "a number"),
    "bool": (bool, "true or false"),
    "str": (str, "a text"),
    "tuple[str, ...]": (tuple[str, ...], "a list of texts"),
}
YES_OR_NO = {"yes": "true", "on": "true", "no": "false", "off": "false"}  # beside 1, 0, true and false


@dataclass(frozen=True, slots=True)
class Declaration:
    """One setting. `kind` is its annotation, such as "int | None", where None means the memory profile's value.

    `path` values may begin with ~; `among` are the words it may be, and `formerly` maps words that older settings files
    may hold to those of today. `least` and `most` are inclusive. `check` returns what is wrong with a value, or "".
    `shown` is the default in words, where it is computed.
    """

    about: str
    env: tuple[str, ...] = ()
    secret: bool = False
    path: bool = False
    among: tuple[str, ...] = ()
    formerly: Mapping[str, str] = field(default_factory=dict)
    least: float | None = None
    most: float | None = None
    check: Callable[[str], str] | None = None
    shown: str = ""
    name: str = ""
    kind: str = ""
    default: Any = None

    @property
    def profile(self) -> bool:
        """True if the memory profile decides where the setting is not given."""
        return self.kind.endswith("| None")

    @property
    def unit(self) -> str:
        """The unit that the name ends in, or ""."""
        return next((unit for end, unit in UNITS.items() if self.name.endswith(end)), "")

    @property
    def environment(self) -> tuple[str, ...]:
        """The environment variables that set it; the first one that is set counts."""
        return ("IMPORTER_" + self.name.replace(".", "_").upper(), *self.env)

    @property
    def bare_kind(self) -> str:
        """The annotation without the None of the memory profile; a key of KINDS."""
        return self.kind.removesuffix(" | None")

    @property
    def allowed(self) -> str:
        """The values that the type and the limits allow, in words for an error message."""
        if self.among:
            return f"one of {', '.join(self.among)}"
        called = KINDS[self.bare_kind][1]
        if self.least is None:
            return called
        unit = f" {self.unit}" if self.unit and not self.unit[0].isdigit() else ""  # a share's unit is its limits
        least = f"{self.least:.12g}"
        return f"{called}{f', {least} or more' if self.most is None else f' from {least} to {self.most:.12g}'}{unit}"


def setting(default: T, about: str, *, env: str = "", secret: bool = False, **rest: Any) -> T:
    """Return a dataclass field with its declaration; `env` is a space separated list. A secret is left out of reprs."""
    declaration = Declaration(about, env=tuple(env.split()), secret=secret, **rest)
    return field(default=default, repr=not secret, metadata={"declaration": declaration})


def declarations(group: type, prefix: str = "") -> Iterator[Declaration]:
    """Yield the declarations of a group's fields, in order, with dotted names; fields that are groups are left out."""
    for entry in fields(group):
        declaration: Declaration | None = entry.metadata.get("declaration")
        if declaration is not None:
            yield replace(declaration, name=prefix + entry.name, kind=str(entry.type), default=entry.default)


def convert(declaration: Declaration, value: Any, *, words: bool) -> Any:
    """Return a raw value as the setting's type, within its limits.

    With `words`, text may stand for numbers and lists, as in variables and flags; in a file it may not. Raises
    ValueError that says what is wrong; a secret is not repeated in it.
    """
    import msgspec  # noqa: PLC0415  # 20 ms; a help text needs the declarations and converts nothing

    told = "the value" if declaration.secret else ARGUMENTS.sub(r"\1…", USERINFO.sub("://…@", repr(value)))
    spoken = words and isinstance(value, str)
    raw = _parse_words(declaration.bare_kind, value) if spoken else value
    try:
        result = msgspec.convert(declaration.formerly.get(str(raw), raw), _limited_type(declaration), strict=not spoken)
        if isinstance(result, float) and not isfinite(result):
            raise ValueError
    except ValueError:
        raise ValueError(f"{told} is not {declaration.allowed}") from None
    # a default is always allowed: an empty URL, for one, says that there is none
    problem = declaration.check(result) if declaration.check and result != declaration.default else ""
    if problem:
        raise ValueError(f"{told} is {problem}")
    return result


def _limited_type(declaration: Declaration) -> Any:
    """Return the setting's type with its limits, as msgspec checks them."""
    from msgspec import Meta  # noqa: PLC0415  # see `convert`

    if declaration.among:
        return Literal[declaration.among]
    return Annotated[KINDS[declaration.bare_kind][0], Meta(ge=declaration.least, le=declaration.most)]


def _parse_words(kind: str, text: str) -> str | list[str]:
    """Return a text in the form that msgspec converts: lists split at commas, numbers without spaces and underscores.

    Empty items of a list are dropped, so that a comma at its end does no harm.
    """
    if kind == "str":
        return text
    if kind.startswith("tuple"):
        return [item for item in map(str.strip, text.split(",")) if item]
    word = text.strip().lower()
    return YES_OR_NO.get(word, word) if kind == "bool" else word.replace("_", "")


def location_problem(value: str) -> str:
    """Return what is wrong with the location of a store, or ""."""
    kind, _, path = value.partition(":")
    if value == "edge" or is_module(value) or (kind in {"edge", "local"} and path):
        return ""
    given = value.replace(",", " ").split() or [value]
    problem = next(filter(None, (url_problem(url, (*WEB, "grpc", "grpcs")) for url in given)), "")
    if not problem and len({urlsplit(url).scheme for url in given}) > 1:
        problem = "addresses of one server begin alike, all with http:// for example"
    return problem and f"{problem}; give edge, local:PATH or the URL of a Qdrant server, or those of several nodes"


def locations_problem(values: Collection[str]) -> str:
    """Return what is wrong with the locations of further stores, or ""."""
    unnamed = "; edge is this machine's own store: give edge:PATH" if "edge" in values else ""
    return next(filter(None, (location_problem(value) for value in values)), "") or unnamed.removeprefix("; ")


def is_module(value: str) -> bool:
    """Return True if a value has the form `package.module` of a plug-in; loading it shows if there is such a module."""
    return "." in value and all(part.isidentifier() for part in value.split("."))


WEB = ("http", "https")


def url_problem(value: str, schemes: Collection[str] = WEB) -> str:
    """Return what is wrong with a URL, or "". One with a password is refused, because locations are shown."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  # raises ValueError when it is no number
    except ValueError as error:
        return f"no URL ({error})"
    if parts.scheme not in schemes or not parts.hostname:
        return f"neither {' nor '.join(f'{scheme}://HOST' for scheme in schemes)}"
    return "a URL with a password inside; keys have a setting of their own" if "@" in parts.netloc else ""


def listen_problem(value: str) -> str:
    """Return what is wrong with a HOST:PORT to listen on, or ""."""
    host, _, port = value.rpartition(":")
    return "" if host and port.isdecimal() and int(port) < 65536 else "not of the form HOST:PORT"


def collection_problem(value: str) -> str:
    """Return what is wrong with the name of a collection, or ""."""
    usable = value not in {"", ".", ".."} and not set(value) & set(' <>:"/\\|?*\0\x1f') and len(value) <= 255
    return "" if usable else "not usable as a collection's name"

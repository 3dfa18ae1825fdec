"""Draw the pages as HTML (pure) from the values that the commands' JSON has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import quote, urlencode

from importer.protocol import clock
from importer.protocol.query import KINDS, ROLES, left_out
from importer.protocol.units import counted
from importer.serve.html import Safe, join, marked, spoken, tag
from importer.service.conversations.values import Listed, Opened

PLACES = (("Search", "/"), ("Days", "/days"), ("Projects", "/projects"), ("Health", "/health"))
DOTS, FAINT, CUT = 4, 0.5, 0.2
FILTERS = (
    ("project", "Project"), ("source", "Assistant"), ("since", "From (7d, tuesday, May …)"), ("until", "Up to"),
    ("branch", "Branch"), ("file", "File"), ("tool", "Tool"), ("model", "Model"), ("host", "Machine"),
)  # fmt: skip
CHOICES = (("kind", "Kind", KINDS), ("role", "Said by", ROLES), ("mode", "Mode", ("hybrid", "dense", "keyword")))
NOTE = {"nothing": "Nothing close was found.", "weak": "No sure match; these come nearest."}


def page(title: str, place: str, *inside: Any, refresh: int | None = None) -> str:
    """Return a whole page."""
    links = [tag("a", name, href=path, aria_current="page" if path == place else None) for name, path in PLACES]
    head = join(
        [
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("title", f"{title} · importer"),
            tag("link", rel="stylesheet", href="/static/page.css"),
        ]
    )
    keys = join(
        [
            tag("kbd", "/"),
            " search · ",
            tag("kbd", "j"),
            " ",
            tag("kbd", "k"),
            " next, last · ",
            tag("kbd", "Enter"),
            " open",
        ]
    )
    body = join(
        [
            tag("header", tag("b", "importer"), tag("nav", *links)),
            tag("main", *inside),
            tag("footer", keys, f" · Times are {clock.zone_name()}. Everything stays on this machine."),
            tag("script", src="/static/page.js", defer="defer"),
        ]
    )
    return f'<!doctype html><html lang="en"><head>{head}</head>{tag("body", body, data_refresh=refresh)}</html>'


def search_form(given: Mapping[str, str]) -> Safe:
    """Return the search field with its filters, filled as they were."""
    fields = [tag("label", label, tag("input", name=name, value=given.get(name, ""))) for name, label in FILTERS]
    chosen = [
        tag("label", label, tag("select", *(_option(one, given.get(name, "")) for one in ("", *values)), name=name))
        for name, label, values in CHOICES
    ]
    used = any(given.get(name) for name, *_ in (*FILTERS, *CHOICES))
    words = tag(
        "input",
        type="search",
        name="q",
        value=given.get("q", ""),
        placeholder="What was said about …",
        aria_label="Search",
    )
    more = tag("details", tag("summary", "Filters"), tag("div", *fields, *chosen), class_="filters", open=used or None)
    return tag("form", tag("div", words, tag("button", "Search")), more, action="/", method="get", class_="search")


def _option(value: str, chosen: str) -> Safe:
    """Return one choice."""
    return tag("option", value or "any", value=value, selected="selected" if value == chosen else None)


def away(stores: Mapping[str, str]) -> Safe:
    """Say which of several stores were not among what was read."""
    return join(tag("p", words, class_="note") for words in left_out(stores))


def hits(found: Mapping[str, Any], every: str) -> Safe:
    """Return the hits of a search, one entry a conversation; `every` is the address that shows far ones, too."""
    shown = found["hits"] if every == "" or found["near"] != "nothing" else []
    worths = [max(0.0, float(hit.get("reasons", {}).get("conversation", hit["score"]))) for hit in shown]
    best = max(worths, default=0.0) or 1.0
    grouped = groupby(zip(shown, worths, strict=True), key=lambda each: each[0]["metadata"].get("conversation_id"))
    entries = [list(group) for _, group in grouped]
    several = len({hit["metadata"].get("host") for hit in shown}) > 1
    kept = [_entry(group, best, host=several) for group in entries if every == "" or group[0][1] >= CUT * best]
    note = [tag("p", NOTE[found["near"]], class_=f"note {found['near']}")] if found["near"] in NOTE else []
    note += [tag("p", found["unknown"], class_="note")] if found.get("unknown") else []
    left = (len(entries) - len(kept)) or (found["near"] == "nothing" and len(found["hits"]))
    more = [tag("p", tag("a", "Show what is farther away", href=every), class_="note")] if left and every else []
    return join([*note, *kept, *more])


def _entry(group: Sequence[tuple[Mapping[str, Any], float]], best: float, *, host: bool) -> Safe:
    """Return the hits of one conversation, with the machine on which it was said or without."""
    (hit, worth), known = group[0], group[0][0]["metadata"]
    share = worth / best
    dots = max(1, round(share * DOTS))
    name = known.get("title") or known.get("project_name") or known.get("project") or "untitled"
    where = [known.get("project"), known.get("source"), known.get("host") if host else ""]
    facts = [*where, clock.dated(str(known.get("timestamp", "")))]
    said = {str(one["passage"]["text"] or one["document"][:600]): one["passage"]["marks"] for one, _ in reversed(group)}
    passages = [tag("p", marked(text, marks)) for text, marks in reversed(said.items())]
    strength = tag("span", "●" * dots + "○" * (DOTS - dots), class_="bar", title=f"{dots} of {DOTS}")
    head = tag("h2", tag("a", name, href=_address(known.get("conversation_id", ""), hit["id"])))
    told = tag("div", *(tag("span", fact) for fact in facts if fact), class_="facts")
    return tag("article", strength, head, told, *passages, class_="hit far" if share < FAINT else "hit")


def _address(conversation: Any, hit: str = "") -> str:
    """Return the address of a conversation, at a hit."""
    return f"/c/{quote(str(conversation), safe='')}" + (f"?{urlencode({'at': hit})}#here" if hit else "")


def newest(found: Sequence[Listed], most: int) -> Safe:
    """Return the newest conversations, and where the older ones are."""
    older = tag("p", "These are the newest; a search and the days reach older ones.", class_="note")
    return join([rows(found), older] if len(found) == most else [rows(found)])


def rows(found: Iterable[Listed], *, project: bool = True) -> Safe:
    """Return a list of conversations, with their projects or without."""
    told = list(found)
    several = len({one.host for one in told}) > 1
    return tag("ul", *(_row(one, project=project, host=several) for one in told), class_="rows")


def _row(one: Listed, *, project: bool, host: bool) -> Safe:
    """Return one conversation of a list."""
    turns = counted(one.turns, "turn") if one.turns else ""
    where = [one.project if project else "", one.source, one.host if host else ""]
    facts = [*where, clock.dated(one.last), turns]
    told = tag("div", *(tag("span", fact) for fact in facts if fact), class_="facts")
    return tag("li", tag("a", one.title or "untitled", href=_address(one.id)), told)


def projects(found: Sequence[Mapping[str, Any]]) -> Safe:
    """Return the projects, the one spoken of last first."""
    told = [
        tag(
            "li",
            tag("a", one["project"] or "(no project)", href=f"/days?{urlencode({'project': one['project']})}"),
            tag(
                "div",
                tag("span", counted(one["conversations"], "conversation")),
                tag("span", counted(one["turns"], "turn")),
                tag("span", clock.dated(one["last"])),
                tag("span", ", ".join(one["sources"])),
                class_="facts",
            ),
        )
        for one in found
    ]
    return join([tag("h1", "Projects"), tag("ul", *told, class_="rows")])


def conversation(opened: Opened, way: str, *, redacted: bool) -> Safe:
    """Return a conversation, whole, with what can be done with it."""
    address = _address(opened.conversation)
    facts = [opened.project, opened.source, counted(len(opened.turns), "turn"), opened.conversation]
    resume = (
        [tag("span", "Go on: ", tag("code", way)), tag("button", "copy", type="button", data_copy=way)] if way else []
    )
    links = [
        tag(
            "a",
            "with secrets shown" if redacted else "redacted, to share",
            href=address + ("" if redacted else "?redacted=1"),
        ),
        tag("a", "as Markdown", href=f"{address}/markdown{'?redacted=1' if redacted else ''}"),
        tag("a", "forget it", href=f"/forget/{quote(opened.conversation, safe='')}"),
    ]
    turns = [
        tag(
            "section",
            tag(
                "h3",
                tag("a", _who(turn.role, opened.source), href=f"#{_anchor(place, opened)}"),
                f"  {clock.dated(turn.timestamp)}",
            ),
            spoken(turn.text),
            class_=f"turn {'user' if turn.role == 'user' else 'assistant'}{' here' if place == opened.at else ''}",
            id=_anchor(place, opened),
        )
        for place, turn in enumerate(opened.turns)
    ]
    told = tag("div", *(tag("span", fact) for fact in facts if fact), class_="facts")
    return join([tag("h1", opened.title or "untitled"), told, tag("div", *resume, *links, class_="actions"), *turns])


def _anchor(place: int, opened: Opened) -> str:
    """Return the name that a turn has in the address of its page."""
    return "here" if place == opened.at else f"t{place}"


def _who(role: str, source: str) -> str:
    """Return who says a turn."""
    return {"user": "you", "assistant": source or "assistant", "exchange": "said"}.get(role, role)


def forget(opened: Opened, token: str) -> Safe:
    """Return the question before a conversation is forgotten."""
    about = (
        f"{len(opened.turns)} turns of {opened.title or opened.conversation} leave the store and every file of the "
        "state, and never come back. The assistant's own file stays as it is."
    )
    form = tag(
        "form",
        tag("input", type="hidden", name="token", value=token),
        tag("button", "Forget it", class_="bad"),
        method="post",
        action=f"/forget/{quote(opened.conversation, safe='')}",
    )
    return join(
        [
            tag("h1", "Forget this conversation?"),
            tag("p", about),
            form,
            tag("p", tag("a", "No, go back", href=_address(opened.conversation))),
        ]
    )

"""The tools of the MCP server as clients see them: names, texts, schemas of what goes in and of what comes out."""

from __future__ import annotations

from typing import Any, NamedTuple

from importer.protocol.foreign.quoting import ABOUT
from importer.protocol.query import KINDS, ROLES
from importer.serve.fitting import LEAST_TOKENS

MOST_HITS = 50
MOST_AROUND = 50
MOST_LISTED = 200
MOST_TOKENS = 20_000
TOKENS, OPEN_TOKENS = 900, 2_000  # of an answer, and of one that reads a conversation
HITS = 10
Schema = dict[str, Any]

INSTRUCTIONS = (
    "The user's own past conversations with AI assistants, on this machine. Call search_conversations before asking "
    "the user for what was decided, tried or fixed earlier; open_conversation reads on around a hit; "
    f"list_conversations and list_projects tell what there is and when. {ABOUT}"
)


class Spec(NamedTuple):
    """One tool: what it is called, what it does, and its schemas."""

    name: str
    title: str
    about: str
    given: Schema
    told: Schema


def _text(about: str, **more: Any) -> Schema:
    return {"type": "string", "description": about, **more}


def _count(about: str, default: int | None, most: int, least: int = 0) -> Schema:
    told = {} if default is None else {"default": default}
    return {"type": "integer", "description": about, **told, "minimum": least, "maximum": most}


def _object(properties: Schema, *required: str) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required)}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


FILTERS: Schema = {
    "project": _text("Only this project: its name, its path or a part of them, in any case."),
    "source": _text("Only this assistant's conversations, such as claude-code or codex."),
    "since": _text("Only from then on: yesterday, 7d, 2 weeks ago, October, a date or an RFC 3339 time."),
    "until": _text("Only up to then, in the same words; a day or a month counts whole."),
    "branch": _text("Only what was said on this git branch."),
    "file": _text("Only where this file was read or edited: a whole path or the end of one, such as src/app.py."),
    "tool": _text("Only where this tool was used, such as Bash."),
    "model": _text("Only answers of this model."),
    "host": _text("Only what was said on this machine."),
}
ANSWER = {"max_tokens": _count("Most tokens of the answer.", TOKENS, MOST_TOKENS, LEAST_TOKENS)}
SEARCH: Schema = {
    "query": _text("What to look for, in plain words, or an exact identifier or error message."),
    "limit": _count("Most hits that are looked at.", HITS, MOST_HITS, 1),
    **FILTERS,
    "kind": _text("Only this kind.", enum=list(KINDS)),
    "without_kind": _text("Not this kind.", enum=list(KINDS)),
    "role": _text("Only what the user, or the assistant, said.", enum=list(ROLES)),
    "conversation": _text("Only this conversation, by id."),
    "mode": _text(
        "dense finds meaning, keyword finds words, hybrid both.", enum=["hybrid", "dense", "keyword"], default="hybrid"
    ),
    "context": _count("How many neighbouring pieces to show around the best hit.", 0, MOST_AROUND),
    "all": {"type": "boolean", "description": "Show what is found also when nothing is close.", "default": False},
    **ANSWER,
}
OPEN: Schema = {
    "conversation": _text("The conversation's id, or its first letters; or the id of a hit."),
    "id": _text("The hit to read around; without it the conversation is read from its beginning."),
    "query": _text("What you look for: other places that speak of it are shown, too. Else what you last searched for."),
    "before": _count("How many turns before it; left out, as many as fit.", None, MOST_AROUND),
    "after": _count("How many turns after it; left out, as many as fit.", None, MOST_AROUND),
    "max_tokens": _count("Most tokens of the answer.", OPEN_TOKENS, MOST_TOKENS, LEAST_TOKENS),
}
LIST: Schema = {**FILTERS, "limit": _count("Most conversations.", 20, MOST_LISTED, 1), **ANSWER}
PROJECTS: Schema = {name: FILTERS[name] for name in ("source", "since", "until")} | ANSWER
CUT: Schema = {"more": {"type": "boolean", "description": "More was left out."}}
TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
CONVERSATION = dict.fromkeys(("conversation", "title", "project", "source", "at", "age", "resume"), TEXT)
SPECS = (
    Spec(
        "search_conversations",
        "Search past conversations",
        "Finds what was said in the user's past conversations with AI assistants, by meaning and by exact words.",
        _object(SEARCH, "query"),
        _object(
            {
                "near": _text("How close the best hit is.", enum=["strong", "weak", "nothing"]),
                "conversations": _list(
                    _object({**CONVERSATION, "id": TEXT, "passages": _list(TEXT)}, "conversation", "id")
                ),
                "around": _list(_text("A piece beside the best hit, in the order of speaking.")),
                "freshness": TEXT,
                **CUT,
            },
            "near",
            "conversations",
        ),
    ),
    Spec(
        "open_conversation",
        "Read a past conversation",
        "Reads a conversation, around a hit or from its beginning, turn by turn in the order things were said.",
        _object(OPEN, "conversation"),  # and yet `id` alone is enough: see `INSTEAD`
        _object(
            {
                **CONVERSATION,
                "first": NUMBER,
                "of": NUMBER,
                "turns": _list(_object({"place": NUMBER, "role": TEXT, "at": TEXT, "text": TEXT}, "role", "text")),
                **CUT,
            },
            "conversation",
            "turns",
        ),
    ),
    Spec(
        "list_conversations",
        "List past conversations",
        "Lists conversations, the newest first: of a project, a day, a branch, a file.",
        _object(LIST),
        _object(
            {"conversations": _list(_object({**CONVERSATION, "turns": NUMBER}, "conversation")), **CUT}, "conversations"
        ),
    ),
    Spec(
        "list_projects",
        "List projects",
        "Lists the projects that were talked about, the one spoken of last first.",
        _object(PROJECTS),
        _object({"projects": _list(_object({"project": TEXT, "conversations": NUMBER}, "project")), **CUT}, "projects"),
    ),
    Spec(
        "import_status",
        "Import status",
        "Tells how fresh this memory is: whether an import runs, what is not imported yet, and what is in the way.",
        _object({}),
        _object({"state": TEXT, "points": {"type": ["integer", "null"]}, "freshness": TEXT}, "state", "freshness"),
    ),
)
INSTEAD = {"conversation": "id"}  # what is required may be left out where this is given
ALIASES = {"search": "search_conversations", "open": "open_conversation"}  # what the tools were called before
BY_NAME = {spec.name: spec for spec in SPECS} | {old: s for old, new in ALIASES.items() for s in SPECS if s.name == new}

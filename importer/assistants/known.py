"""List what goes on with a conversation of each format, by its name: a command, a page, or nothing and why.

From the tools' documentation, their help texts, and programs that start them; they were not run. Where several products
share a format, the place of the conversation tells which one it is (`at`).

An id is what the format calls the conversation. `take` makes of it what the tool calls it; "" where it is none of the
tool's, such as a task of an editor's extension that its command-line program does not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

EDITOR = "it is in the editor's own list of chats"
APP = "it is in the application's own list of chats"
EXPORT = "an export does not tell where it stands"
_uuid = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def same(conversation: str) -> str:
    """Return the id as it is."""
    return conversation


def _uuid_only(conversation: str) -> str:
    """Return an id that the service gave; some exports have none, and the format makes one."""
    return conversation if _uuid.fullmatch(conversation) else ""


def _dashed(conversation: str) -> str:
    """Return the id of OpenHands, whose folders are called by its digits alone."""
    found = re.fullmatch(r"(.{8})(.{4})(.{4})(.{4})(.{12})", conversation)
    return "-".join(found.groups()) if found else conversation


def _session_of_cline(conversation: str) -> str:
    """Return the id of a session in the terminal; one of digits alone is a task of the extension."""
    return "" if conversation.isdigit() else conversation


def _short(conversation: str) -> str:
    """Return the end of the name of a folder of Vibe, by which it finds a session."""
    return conversation.rpartition("_")[2]


@dataclass(frozen=True, slots=True)
class Way:
    """What goes on with a conversation: the arguments `resume` behind `program`, or a `page`; else `why` there is none.

    `{id}` in them stands for the conversation, `{text}` in `begin` for what a new one begins with. `at` are parts of
    paths, each with the way of the product that keeps its conversations there.
    """

    program: str = ""
    resume: str = ""
    begin: str = ""
    page: str = ""
    why: str = ""
    take: Callable[[str], str] = same
    at: tuple[tuple[str, Way], ...] = ()


WAYS: dict[str, Way] = {
    "claude-code": Way("claude", "--resume {id}", "{text}"),
    "codex": Way("codex", "resume {id}", "{text}"),
    "gemini": Way("gemini", "--resume {id}", "--prompt-interactive {text}"),
    "aider": Way("aider", "--restore-chat-history", "--message {text}"),  # of the folder: sessions have no ids
    "amp": Way("amp", "threads continue {id}"),
    "antigravity": Way(why=EDITOR, at=(("/antigravity-cli/", Way("agy", "--conversation {id}")),)),
    "cline": Way("cline", "--id {id}", why=EDITOR, take=_session_of_cline),
    "continue-dev": Way("cn", "--fork {id}"),  # goes on with a copy: `--resume` knows the newest alone
    "copilot-cli": Way("copilot", "--resume {id}"),
    "crush": Way("crush", "--session {id}"),
    "cursor": Way("cursor-agent", "", "{text}", why=EDITOR, at=(("/chats/", Way("cursor-agent", "--resume {id}")),)),
    "devin": Way("devin", "--resume {id}"),
    "droid": Way("droid", "--resume {id}", "{text}"),
    "forge": Way("forge", "conversation resume {id}"),
    "goose": Way("goose", "session --resume --session-id {id}", "run --interactive --text {text}"),
    "grok-build": Way("grok", "--resume {id}"),
    "hermes": Way("hermes", "--resume {id}"),
    "junie": Way("junie", "--resume --session-id={id}"),
    "kimi": Way("kimi", "--session {id}"),
    "kiro": Way("kiro-cli", "chat --resume-id {id}", "chat {text}"),
    "opencode": Way(
        *("opencode", "--session {id}", "--prompt {text}"),
        at=(
            ("/kilo/", Way("kilo", "--session {id}")),
            ("/mimocode/", Way("mimo", "--session {id}")),
            ("/icodemate/", Way(why="its command is not known")),
        ),
    ),
    "openhands": Way("openhands", "--resume {id}", take=_dashed),
    "pi": Way(
        *("pi", "--session {id}", "{text}"),
        at=(
            *((part, Way(why="it goes on in its channel")) for part in ("/.openclaw/", "/.clawdbot/", "/.moltbot/")),
            *((part, Way("omp", "--resume {id}")) for part in ("/.omp/", "/omp/sessions/")),
            ("/.prime/", Way(why="its command is not known")),
        ),
    ),
    "qwen": Way("qwen", "--resume {id}", "--prompt-interactive {text}"),
    "vibe": Way("vibe", "--resume {id}", "{text}", take=_short),
    "chatgpt": Way(page="https://chatgpt.com/c/{id}"),
    "claude-ai": Way(page="https://claude.ai/chat/{id}"),
    "deepseek": Way(page="https://chat.deepseek.com/a/chat/s/{id}", why=EXPORT, take=_uuid_only),
    "grok": Way(page="https://grok.com/c/{id}", why=EXPORT, take=_uuid_only),
    "le-chat": Way(page="https://chat.mistral.ai/chat/{id}", why=EXPORT, take=_uuid_only),
    "ai-studio": Way(why=EXPORT),
    "takeout": Way(why="an activity is no conversation that could go on"),
    "librechat": Way(why=EXPORT),
    "open-webui": Way(why="it is on the server's own page"),
    "claude-history": Way(why="its transcript is gone, so the tool has nothing to go on with"),
    "jsonl-chat": Way(why="no tool is known to have written it"),
    "vscode-chat": Way(why=EDITOR),
    "zed": Way(why=EDITOR),
    "warp": Way(why="it is in the terminal's own list of conversations"),
    **dict.fromkeys(("anythingllm", "jan", "lm-studio", "ollama"), Way(why=APP)),
}

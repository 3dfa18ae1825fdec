"""Every assistant's way back to a conversation: a list of arguments that nothing in a file can bend."""

from __future__ import annotations

import pytest

from importer import formats
from importer.assistants.known import WAYS
from importer.assistants.registry import WayBack, beginners, begun, way_back

UUID = "4bb60f63-0000-4000-8000-000000000001"


def test_each_format_has_a_way_or_a_reason() -> None:
    """Nothing else is listed; what begins with a text can be typed by its name."""
    assert set(WAYS) == set(formats.names())
    for name, way in WAYS.items():
        for one in (way, *(other for _, other in way.at)):
            assert bool(one.why) or bool(one.resume) != bool(one.page), name
            assert all("{text}" in begin for begin in filter(None, [one.begin])), name
    assert {"claude", "codex"} <= set(beginners())


@pytest.mark.parametrize(
    ("source", "conversation", "path", "words"),
    [
        ("codex", "4bb60f63", "", "codex resume 4bb60f63"),
        ("goose", "20260101_1", "", "goose session --resume --session-id 20260101_1"),
        ("kiro", UUID, "", f"kiro-cli chat --resume-id {UUID}"),
        ("opencode", "ses_1", "", "opencode --session ses_1"),
        ("opencode", "ses_1", "/home/ann/.local/share/kilo/kilo.db/ses_1", "kilo --session ses_1"),
        ("cursor", UUID, "", ""),
        ("cursor", UUID, "/home/ann/.config/Cursor/User/globalStorage/state.vscdb", ""),
        ("cursor", UUID, "/home/ann/.cursor/chats/0a/1b/store.db", f"cursor-agent --resume {UUID}"),
        ("cursor", UUID, r"C:\Users\ann\.cursor\chats\0a\store.db", f"cursor-agent --resume {UUID}"),
        ("antigravity", UUID, "/home/ann/.gemini/antigravity/brain/x", ""),
        ("antigravity", UUID, "/home/ann/.gemini/antigravity-cli/brain/x", f"agy --conversation {UUID}"),
        ("pi", "0190aa", "/home/ann/.pi/agent/sessions/x.jsonl", "pi --session 0190aa"),
        ("pi", "0190aa", "/home/ann/.omp/agent/sessions/x.jsonl", "omp --resume 0190aa"),
        ("pi", "0190aa", "/home/ann/.openclaw/agents/main/sessions/x.jsonl", ""),
        ("cline", "1780000000000_ab1cd", "", "cline --id 1780000000000_ab1cd"),
        ("cline", "1780000000000", "", ""),
        ("openhands", UUID.replace("-", ""), "", f"openhands --resume {UUID}"),
        ("vibe", "session_20260101_090000_ab12cd34", "", "vibe --resume ab12cd34"),
        ("junie", "session-260601-100000-abcd", "", "junie --resume --session-id=session-260601-100000-abcd"),
        ("chatgpt", "c0ffee", "", "https://chatgpt.com/c/c0ffee"),
        ("grok", UUID, "", f"https://grok.com/c/{UUID}"),
        ("grok", "conversation-17", "", ""),
        ("vscode-chat", UUID, "", ""),
        ("of.a.plugin", "x", "", ""),
    ],
)
def test_words(source: str, conversation: str, path: str, words: str) -> None:
    """Products that share a format are told by the place; where no way is known, the reason stands in its place."""
    way = way_back(source, conversation, path=path)
    assert way.words == words
    assert bool(way.why) != bool(words)


def test_the_folder_is_quoted() -> None:
    """The command is run where the conversation was held."""
    way = way_back("claude-code", "4bb60f63", "/home/zoë/my thesis")
    assert way.command == ("claude", "--resume", "4bb60f63")
    assert way.words == "cd '/home/zoë/my thesis' && claude --resume 4bb60f63"


@pytest.mark.parametrize("name", ["--yolo", "-p", "", "a b", "a;b", "a\nb", "../x", "a/b", "x_-p"])
@pytest.mark.parametrize("source", sorted(WAYS))
def test_an_id_is_no_option(source: str, name: str) -> None:
    """An id that a program could take for anything else leads nowhere, also where a part of it is taken."""
    way = way_back(source, name)
    assert name == "x_-p" or way == WayBack(why=WAYS[source].why)
    assert not any(word.startswith("-p") for word in way.command)


def test_a_text_is_one_argument() -> None:
    """Spaces, braces and quotes stay in it."""
    assert begun("gemini", "go {on} 'now'") == ("gemini", "--prompt-interactive", "go {on} 'now'")
    assert begun("goose", "a b") == ("goose", "run", "--interactive", "--text", "a b")

"""Every assistant's way back to a conversation: a list of arguments that nothing in a file can bend."""

from __future__ import annotations

import pytest

from importer import formats
from importer.assistants.registry import WayBack, beginners, known, way_back


def test_each_belongs_to_a_format() -> None:
    """A module names a format that there is, and one of the ways."""
    assert set(known()) <= set(formats.names())
    for module in known().values():
        assert any(hasattr(module, way) for way in ("resume", "page"))


def test_the_words_can_be_typed() -> None:
    """The folder is quoted; a page is an address."""
    way = way_back("claude-code", "4bb60f63", "/home/zoë/my thesis")
    assert way.command == ("claude", "--resume", "4bb60f63")
    assert way.words == "cd '/home/zoë/my thesis' && claude --resume 4bb60f63"
    assert way_back("codex", "4bb60f63").words == "codex resume 4bb60f63"
    assert way_back("chatgpt", "c0ffee").words == "https://chatgpt.com/c/c0ffee"


@pytest.mark.parametrize("name", ["--dangerously-skip-permissions", "-p", "", "a b", "a;b", "a\nb", "../x", "a/b"])
@pytest.mark.parametrize("source", sorted(known()))
def test_an_id_is_no_option(source: str, name: str) -> None:
    """An id that a program could take for anything else leads nowhere."""
    assert way_back(source, name) == WayBack()


def test_an_unknown_format_has_no_way() -> None:
    """Nothing is invented."""
    assert not way_back("jsonl-chat", "x").words
    assert {"claude", "codex"} <= set(beginners())

"""Exports of chats in the browser, and threads kept as documents: what of each sample reaches the memory, exactly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fold_lines import EVERYTHING, PLAIN, turns
from read_units import content, raws

from importer import formats

CORPUS = Path(__file__).parents[1] / "corpus"
GROK = "grok/export/ttl/30d/export_data/8a1c/prod-grok-backend.json"
TAKEOUT = "takeout/My Activity/Gemini Apps/MyActivity.json"
AMP = "amp/T-0190aaaa-0000-7000-8000-000000000001.json"
THREAD = "T-0190aaaa-0000-7000-8000-000000000001"
WEIR, CATS = "gemini-2026-06-02-e0f9d2f7a7a5", "gemini-2026-06-01-9d3c3f9d8d3f"
SAID: dict[str, list[tuple[str, str, str]]] = {
    GROK: [
        ("g1", "user", "How often is a millstone dressed?"),
        ("g1", "assistant", "Every few weeks. It depends on the grain."),
        ("g1", "user", "And with rye?"),
        ("g1", "assistant", "A little less often."),
        ("grok-", "user", "What is a quern?"),
        ("grok-", "assistant", "A small mill that is turned by hand."),
    ],
    "deepseek/conversations.json": [
        ("ds-1", "user", "Which wheel suits a slow stream?"),
        ("ds-1", "assistant", "An undershot wheel."),
        ("ds-1", "user", "And its breadth?"),
        ("ds-1", "assistant", "A breastshot wheel, if there is a weir."),
        ("d2", "user", "What is a leat?"),
        ("d2", "assistant", "A channel that leads water to a mill."),
    ],
    "le-chat/chat-5f0e1a2b.json": [
        ("5f0e1a2b", "user", "Which wood is a mill wheel made of?"),
        ("5f0e1a2b", "assistant", "Oak, as a rule."),
        ("5f0e1a2b", "user", "And the parts under water?"),
        ("5f0e1a2b", "assistant", "Elm lasts under water."),
    ],
    TAKEOUT: [
        ("gemini-2026-06-02-", "user", "How is a weir built?\nIn short."),
        (
            "gemini-2026-06-02-",
            "assistant",
            "Of stone & clay:\n\n- lay the footing,\n- where depth < 1 m, puddle it.",
        ),
        ("gemini-2026-06-01-", "user", "why do cats purr?"),
        ("gemini-2026-06-01-", "assistant", "To calm themselves."),
        ("gemini-2026-06-01-", "assistant", "For several reasons."),
        ("gemini-2026-06-01-", "user", "an answer that failed"),
    ],
    "librechat/LibreChat/flour.json": [
        ("l1", "user", "How fine is flour ground?"),
        ("l1", "assistant", "To a tenth of a millimetre."),
    ],
    "librechat/LibreChat/bran.json": [
        ("l2", "user", "What is bran?"),
        ("l2", "assistant", "The husk of the grain."),
        ("l2", "user", "Is it sifted out?"),
        ("l2", "assistant", "What is left of the hull."),
    ],
    "ai-studio/Google AI Studio/Tide mills": [
        ("Tide mills", "user", "How does a tide mill work?"),
        ("Tide mills", "assistant", "A basin fills at high tide and drains through the wheel."),
        ("Tide mills", "user", "Twice a day?"),
        ("Tide mills", "assistant", "Yes."),
    ],
    AMP: [
        (THREAD, "user", "Why is the ledger slow?"),
        (THREAD, "assistant", "It asks once a row."),
        (THREAD, "assistant", "It asks once now."),
    ],
}
FACTS = {
    GROK: ("Millstones", ""),
    "deepseek/conversations.json": ("Water wheels", ""),
    TAKEOUT: ("How is a weir built?", "weir.jpg"),
    "le-chat/chat-5f0e1a2b.json": ("", "wheel.png"),
    "librechat/LibreChat/flour.json": ("Flour", ""),
    AMP: ("Slow query", "/home/ann/mill/ledger.sql"),
}


def of_sample(name: str, options: formats.Options = PLAIN) -> list[Any]:
    """Return the turns of a sample, read under its own name."""
    format_, _, below = name.partition("/")
    return turns(format_, *raws(format_, content(str(CORPUS / name))), options=options, path=b"/x/" + below.encode())


@pytest.mark.parametrize("name", SAID)
def test_what_each_side_said_and_nothing_else(name: str) -> None:
    """In order, each conversation by its name (or how that begins); no thought, no draft, no error, no other deed."""
    found = [(one.conversation_id, one.role, one.text) for one in of_sample(name) if one.text]
    assert [(role, text) for _, role, text in found] == [(role, text) for _, role, text in SAID[name]]
    assert all(known.startswith(begun) for (known, *_), (begun, *_) in zip(found, SAID[name], strict=True))


@pytest.mark.parametrize("name", FACTS)
def test_titles_and_files_are_known(name: str) -> None:
    """The first turn tells its conversation's title, and some turn the file that was enclosed or edited."""
    title, file = FACTS[name]
    found = of_sample(name)
    assert found[0].facts.title == title
    assert {path for one in found for path in one.facts.files} == ({file} if file else set())


@pytest.mark.parametrize("name", SAID)
def test_options_add_texts_and_change_no_key(name: str) -> None:
    """Thoughts and results come where they are wanted, beside the same turns."""
    plain, more = {one.key for one in of_sample(name)}, {one.key for one in of_sample(name, EVERYTHING)}
    assert plain <= more
    assert len(more) > len(plain) or name in (TAKEOUT, "le-chat/chat-5f0e1a2b.json", "librechat/LibreChat/bran.json")


@pytest.mark.parametrize("name", SAID)
def test_a_newer_export_repeats_no_turn(name: str) -> None:
    """The same export again, written more tightly, gives the same keys."""
    format_ = name.partition("/")[0]
    tight = json.dumps(json.loads((CORPUS / name).read_text())).encode()
    again = turns(format_, *raws(format_, tight), path=b"/x/" + name.partition("/")[2].encode())
    assert [one.key for one in again] == [one.key for one in of_sample(name)]


@pytest.mark.parametrize("header", ["Search", "YouTube", "Gemini in Chrome"])
def test_other_activities_are_refused(header: str) -> None:
    """A Takeout holds one such file for each product."""
    activity = {"header": header, "title": "Searched for mills", "time": "2026-06-01T10:00:00Z", "products": [header]}
    assert formats.detect(json.dumps([activity]).encode()) is None
    assert turns("takeout", activity) == []


def test_takeout_in_another_language_keeps_its_verb() -> None:
    """Which word is the verb cannot be told from one activity; what was asked must not be cut."""
    activity = {"header": "Gemini-Apps", "title": "Eingegeben: wie mahlt man?", "time": "2026-06-01T10:00:00Z"}
    found = turns("takeout", {**activity, "safeHtmlItem": [{"html": "<p>Langsam.</p>"}]})
    assert [one.text for one in found] == ["Eingegeben: wie mahlt man?", "Langsam."]


def test_a_chat_of_le_chat_is_told_in_the_order_of_time() -> None:
    """However its messages are shuffled, the keys come in one order."""
    messages = json.loads((CORPUS / "le-chat/chat-5f0e1a2b.json").read_text())
    orders = [messages, messages[::-1], messages[2:] + messages[:2]]
    found = [[one.key for one in turns("le-chat", *raws("le-chat", json.dumps(one).encode()))] for one in orders]
    assert found[0] == found[1] == found[2]


def test_a_tree_in_a_circle_ends() -> None:
    """Nodes that name each other as parents are told once."""
    said = {"fragments": [{"type": "REQUEST", "content": "round"}], "inserted_at": "2026-06-01T10:00:00Z"}
    nodes = {one: {"id": one, "parent": other, "message": said} for one, other in (("a", "b"), ("b", "a"))}
    found = turns("deepseek", {"id": "d", "title": "t", "inserted_at": "x", "mapping": nodes})
    assert [one.text for one in found] == ["round", "round"]


def test_deepseek_is_not_taken_for_chatgpt() -> None:
    """Both are trees below `mapping`."""
    talk = {"id": "d", "title": "t", "inserted_at": "2026-06-01T10:00:00+08:00", "mapping": {"root": {"id": "root"}}}
    assert formats.claims(json.dumps([talk]).encode()) == ("deepseek",)

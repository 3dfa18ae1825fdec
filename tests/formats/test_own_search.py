"""Our own search is known by name, and nothing else is."""

from __future__ import annotations

import json

import pytest
from fold_lines import EVERYTHING, turns

from importer.formats._shared.own_search import is_own_call, is_own_command, is_own_tool


@pytest.mark.parametrize(
    "name",
    [
        *(
            "mcp__importer__search",
            "importer__open",
            "mcp__my-importer__search",
            "qdrant-find",
            "mcp__mem__qdrant-find",
        ),
        *("importer_search", "my_importer_open", "importer_memory_search", "mem_qdrant-find"),
        *("mcp__conversations__search_conversations", "conversations-open_conversation", "list_conversations"),
    ],
)
def test_own_tools(name):
    """Our tools are known under any name of the server."""
    assert is_own_tool(name)


OTHERS = [
    "",
    "Bash",
    "importer",
    "mcp__csv__search",
    "qdrant-store",
    "mcp__qdrant__list",
    "importer_list",
    "csv_search",
]


@pytest.mark.parametrize("name", OTHERS)
def test_other_tools(name):
    """Calls of another search are kept."""
    assert not is_own_tool(name)


@pytest.mark.parametrize(
    "command",
    [
        "importer search x",
        "cd a && python -m importer --state-dir s search 'x'",
        "importer mcp",
        "importer --state-dir s open 4bb60f63",
        "importer fix 'no such file'",
    ],
)
def test_own_commands(command):
    """Our command is known with flags between name and verb."""
    assert is_own_command(command)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "importer status",
        "cat importer.py; grep search x",
        "rg search importer/",
        "ls importer/list",
        "importer status list",
    ],
)
def test_other_commands(command):
    """Work on a project of that name is no search of the memory."""
    assert not is_own_command(command)


SEARCH = "conversations__search_conversations"
AT = "2026-01-01T09:00:00.000Z"


def called(kind: str, given: str, **more: object) -> list[dict[str, object]]:
    """Return two calls of this memory at once, the second one through a tool that calls others, and one of another."""
    general = {given: {"server": "conversations", "toolName": "search_conversations"}}
    own = [{"id": "t1", "name": SEARCH, given: {}}, {"id": "t2", "name": "call_mcp_tool", **general}]
    return [{"type": kind, **more, **one} for one in (*own, {"id": "t3", "name": "bash", given: {"command": "ls"}})]


def function(call: dict[str, object]) -> dict[str, object]:
    return {"id": call["id"], "function": {"name": call["name"], "arguments": json.dumps(call["input"])}}


def in_pi() -> list[object]:
    answers = [{"role": "toolResult", "toolCallId": f"t{n}", "content": f"answer {n}"} for n in (1, 2, 3)]
    said = [{"role": "assistant", "content": called("toolCall", "arguments")}, *answers]
    head = {"type": "session", "id": "s", "timestamp": AT}
    return [head, *({"type": "message", "id": f"m{n}", "timestamp": AT, "message": one} for n, one in enumerate(said))]


def in_droid() -> list[object]:
    use = {"role": "assistant", "content": called("tool_use", "input")}
    results = [{"type": "tool_result", "tool_use_id": f"t{n}", "content": f"answer {n}"} for n in (1, 2, 3)]
    said = [use, {"role": "user", "content": results}]
    head = {"type": "session_start", "id": "s"}
    return [head, *({"type": "message", "id": f"m{n}", "timestamp": AT, "message": one} for n, one in enumerate(said))]


def in_captures_of_droid() -> list[object]:
    calls = [
        {"type": "tool_call", "toolCallId": one["id"], "toolName": one["name"], "parameters": one["input"]}
        for one in called("", "input")
    ]
    results = [{"type": "tool_result", "toolCallId": f"t{n}", "value": f"answer {n}"} for n in (1, 2, 3)]
    return [{**one, "session_id": "s", "timestamp": AT} for one in (*calls, *results)]


def in_vibe() -> list[object]:
    calls = [function(one) for one in called("", "input")]
    results = [{"role": "tool", "tool_call_id": f"t{n}", "content": f"answer {n}"} for n in (1, 2, 3)]
    said = [{"role": "assistant", "content": "I look.", "tool_calls": calls}, *results]
    return [{**one, "message_id": f"m{n}"} for n, one in enumerate(said)]


def in_qwen() -> list[object]:
    calls = [{"functionCall": one} for one in called("", "args")]
    results = [
        {"functionResponse": {"id": f"t{n}", "name": "x", "response": {"output": f"answer {n}"}}} for n in (1, 2, 3)
    ]
    common = {"sessionId": "stem", "timestamp": AT}
    return [
        {**common, "uuid": "u1", "type": "assistant", "message": {"role": "model", "parts": calls}},
        {**common, "uuid": "u2", "type": "tool_result", "message": {"role": "user", "parts": results}},
    ]


@pytest.mark.parametrize(
    ("name", "records"),
    [
        ("pi", in_pi()),
        ("droid", in_droid()),
        ("droid", in_captures_of_droid()),
        ("vibe", in_vibe()),
        ("qwen", in_qwen()),
    ],
)
def test_several_calls_at_once_are_known(name, records):
    """What the memory answered stays out, also of calls side by side and through a general tool; others' stays."""
    told = " ".join(turn.text for turn in turns(name, *records, options=EVERYTHING))
    assert "answer 3" in told
    assert "answer 1" not in told and "answer 2" not in told


def test_a_general_tool_is_known_by_what_it_calls():
    """The name of the tool that is called stands in an argument; any other argument tells nothing."""
    assert is_own_call("use_mcp_tool", {"server_name": "x", "tool_name": "search_conversations"})
    assert is_own_call("mcp", {"tool": "conversations:open_conversation"})
    assert not is_own_call("use_mcp_tool", {"tool_name": "search_issues"})
    assert not is_own_call("write_file", {"name": "list_projects"})
    assert not is_own_call("call_mcp_tool", {"tool_name": ["search_conversations"]})

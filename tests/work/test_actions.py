"""Calls and results of every assistant are found by their shape, and no value breaks the search."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importer.work.actions import Result, WorkCall, actions

CODEX = '{"command": ["bash", "-lc", "make"]}'
PATCH = "*** Begin Patch\n*** Update File: src/a.py\n+x = 1\n*** End Patch"


@pytest.mark.parametrize(
    ("record", "kind", "command", "paths"),
    [
        ({"type": "tool_use", "id": "1", "name": "Bash", "input": {"command": "make"}}, "command", "make", ()),
        ({"type": "tool_use", "id": "1", "name": "Read", "input": {"file_path": "/a"}}, "read", "", ("/a",)),
        (
            {"type": "tool_use", "id": "1", "name": "Write", "input": {"file_path": "/a", "content": "x"}},
            "edit",
            "",
            ("/a",),
        ),
        ({"type": "function_call", "call_id": "1", "name": "shell", "arguments": CODEX}, "command", "make", ()),
        (
            {"type": "custom_tool_call", "call_id": "1", "name": "apply_patch", "input": PATCH},
            "edit",
            "",
            ("src/a.py",),
        ),
        ({"type": "local_shell_call", "call_id": "1", "action": {"command": ["make"]}}, "command", "make", ()),
        ({"id": "1", "function": {"name": "run_shell", "arguments": '{"cmd": "make"}'}}, "command", "make", ()),
        ({"callID": "1", "tool": "bash", "state": {"input": {"command": "make"}}}, "command", "make", ()),
        ({"toolCallId": "1", "toolName": "edit", "arguments": {"path": "/a"}}, "edit", "", ("/a",)),
        ({"id": "1", "name": "replace", "args": {"file_path": "/a", "new_string": "x"}}, "edit", "", ("/a",)),
    ],
)
def test_calls(record: dict[str, Any], kind: str, command: str, paths: tuple[str, ...]) -> None:
    """Each form gives its kind, command and files."""
    (found,) = [one for one in actions({"payload": [record]}) if isinstance(one, WorkCall)]
    assert (found.id, found.kind, found.command, found.paths) == ("1", kind, command, paths)


@pytest.mark.parametrize(
    ("record", "failed"),
    [
        ({"tool_use_id": "1", "content": "no such file", "is_error": True}, True),
        ({"tool_use_id": "1", "content": [{"type": "text", "text": "fine"}], "is_error": False}, False),
        ({"tool_use_id": "1", "content": "Exit code 2\nboom"}, True),
        ({"tool_use_id": "1", "content": "said something"}, None),
        ({"call_id": "1", "output": '{"output": "x", "metadata": {"exit_code": 1}}'}, True),
        ({"call_id": "1", "output": "Exit code: 0\nWall time: 1\nOutput:\nx"}, False),
        ({"call_id": "1", "aggregated_output": "x", "exit_code": 0}, False),
        ({"toolCallId": "1", "success": False, "result": {"content": "x"}}, True),
        ({"id": "1", "name": "t", "args": {}, "status": "error", "result": [{"x": "y"}]}, True),
        ({"callID": "1", "tool": "bash", "state": {"input": {}, "output": "x", "metadata": {"exit": 3}}}, True),
    ],
)
def test_results(record: dict[str, Any], failed: bool | None) -> None:
    """A code wins over a word of the tool, that over the output's own words; without any it is open."""
    (found,) = [one for one in actions(record) if isinstance(one, Result)]
    assert (found.id, found.failed) == ("1", failed)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "name", "input", "output", "content", "state", "function", "x"]), inner
        )
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # a busy machine is no fault
@given(values)
def test_any_value(value: Any) -> None:
    """With anything in a record, the search ends without an error."""
    assert all(isinstance(one, WorkCall | Result) for one in actions(value))

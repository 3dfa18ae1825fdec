"""Pure: find the tool calls and their results in a record of any assistant, by their shape.

    Claude Code   {"type": "tool_use", "id", "name", "input": {…}}     {"type": "tool_result", "tool_use_id", "content", "is_error"}
    Codex         {"name", "call_id", "arguments": "{…}"}              {"call_id", "output"}, {"call_id", "exit_code", …}
    OpenAI-like   {"id", "function": {"name", "arguments"}}            {"role": "tool", "tool_call_id", "content"}
    OpenCode      {"callID", "tool", "state": {"input", "output", "metadata": {"exit"}, "status"}}
    Gemini        {"id", "name", "args", "result": […], "status"}      in one
    Copilot, pi   {"toolCallId", "toolName", "arguments"}              {"toolCallId", "success" or "isError", "result"}

All of them name the call by an id, the tool by a name, and give arguments as an object or as JSON in a string. So one
reading serves all; a format needs nothing of its own here.
"""  # noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

MOST_DEPTH, MOST_CHARS = 12, 20_000  # how deep calls lie in a record; how much of a result is read, half at each end
IDS = ("tool_use_id", "tool_call_id", "toolCallId", "toolUseId", "call_id", "callID", "callId", "id")
NAMES = ("name", "toolName", "tool_name", "tool")
ARGUMENTS = ("input", "arguments", "args", "parameters", "action", "params")
INSIDE = (*ARGUMENTS, "function", "state")  # members of a call that are no calls themselves
OUTPUTS = ("output", "result", "content", "aggregated_output", "resultDisplay", "response", "error")
CODES = ("exit_code", "exitCode", "exit")
COMMANDS = ("command", "cmd", "CommandLine", "script")
PATHS = (
    *("file_path", "filePath", "notebook_path", "path", "absolute_path", "target_file", "TargetFile", "file"),
    *("relative_path", "filename"),
)
SHELL = re.compile(r"bash|shell|terminal|exec|command|powershell|console", re.I)
EDITS = re.compile(r"edit|write|patch|replace|create|insert|update|save", re.I)
_PATCHED = re.compile(r"^(?:\*\*\* (?:Update|Add|Delete) File: |\+\+\+ b/)(.+)$", re.M)
_EXIT = re.compile(r"\bexit(?:ed)?(?: with)?(?: code| status)?\s*[:= ]\s*(\d{1,3})\b", re.I)
_WRONG = re.compile(
    r"\b(?:error|exception|traceback|fail(?:ed|ure|s)?|fatal|panic(?:ked)?|not found|denied|abort\w*)\b", re.I
)
HEAD_CHARS = 200  # of a result, where tools name the exit code


@dataclass(frozen=True, slots=True)
class WorkCall:
    """What an assistant did: `kind` is command, edit, read or tool; `written` is the text that an edit brings."""

    id: str
    tool: str
    kind: str
    command: str
    paths: tuple[str, ...]
    written: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a call. `failed` is None where neither a code nor a word of the tool tells."""

    id: str
    output: str
    failed: bool | None


def actions(record: Any, depth: int = 0) -> Iterator[WorkCall | Result]:
    """Yield the calls and results anywhere in a record, in its order."""
    if isinstance(record, list):
        for one in record if depth < MOST_DEPTH else ():
            yield from actions(one, depth + 1)
    elif isinstance(record, dict):
        call, result = call_of(record), result_of(record)
        yield from (one for one in (call, result) if one is not None)
        for name, value in record.items() if depth < MOST_DEPTH else ():
            if isinstance(value, dict | list) and not (call and name in INSIDE):
                yield from actions(value, depth + 1)


def call_of(record: Mapping[str, Any]) -> WorkCall | None:
    """Return the call that an object is, None for one that is none."""
    inner = record.get("function")
    holder = inner if isinstance(inner, dict) else record
    state = record.get("state")
    name = _first(holder, NAMES) or _unnamed(record)
    given = _arguments(holder) or (_arguments(state) if isinstance(state, dict) else None)
    if not isinstance(name, str) or given is None:
        return None
    command, paths = _command(given), _paths(given)
    return WorkCall(_id(record), name, _kind(name, command, paths), command, paths, _written(given))


def result_of(record: Mapping[str, Any]) -> Result | None:
    """Return the result that an object is, None for one that is none. A bare `id` names a call beside its arguments."""
    state = record.get("state")
    holder = {**record, **state} if isinstance(state, dict) else dict(record)
    id = _id(record, IDS if _arguments(holder) is not None else IDS[:-1])
    told = [_opened(holder[name]) for name in OUTPUTS if holder.get(name) is not None]
    if not id or not told:
        return None
    for one in told:  # Codex: {"output": …, "metadata": {"exit_code": 1}} as a text
        holder |= {"metadata": one["metadata"]} if isinstance(one, dict) and "metadata" in one else {}
    output = _clipped("\n".join(filter(None, map(_text, told))))
    return Result(id, output, _failed(holder, output))


def seems_wrong(output: str) -> bool:
    """Return True if words of an output say that something went wrong."""
    return bool(_WRONG.search(output))


def _unnamed(record: Mapping[str, Any]) -> str:
    """Return the type of a call that names no tool, such as `local_shell_call`."""
    kind = record.get("type")
    return kind if isinstance(kind, str) and kind.endswith("_call") else ""


def _opened(value: Any) -> Any:
    """Return an output that is an object written as JSON in a text as that object."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            return msgspec.json.decode(value)
        except (ValueError, RecursionError):
            return value
    return value


def _first(record: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """Return the first of the members that is there."""
    return next((record[name] for name in names if record.get(name)), None)


def _id(record: Mapping[str, Any], names: tuple[str, ...] = IDS) -> str:
    """Return the id of a call as its object has it, "" for none."""
    id = _first(record, names)
    return id if isinstance(id, str) else ""


def _arguments(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the arguments of a call; text that is no JSON, such as a patch, counts as its command."""
    given = next((record[name] for name in ARGUMENTS if isinstance(record.get(name), dict | str)), None)
    if not isinstance(given, str):
        return given
    try:
        decoded = msgspec.json.decode(given)
    except (ValueError, RecursionError):
        return {"patch": given}
    return decoded if isinstance(decoded, dict) else {"patch": given}


def _command(given: Mapping[str, Any]) -> str:
    """Return the shell command of a call; a list is its words, of which a shell's own are left out."""
    command = _first(given, COMMANDS)
    if isinstance(command, list):
        words = [word for word in command if isinstance(word, str)]
        return words[-1] if len(words) > 2 and words[1].startswith("-") and "c" in words[1] else " ".join(words)
    return command if isinstance(command, str) else ""


def _paths(given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the files that a call names, those of a patch too."""
    named = [given[name].strip('"') for name in PATHS if isinstance(given.get(name), str)]
    return tuple(dict.fromkeys([*named, *_PATCHED.findall(_written(given))]))


def _kind(name: str, command: str, paths: tuple[str, ...]) -> str:
    """Return what a call does, by its tool's name and by what it is given."""
    if command and (SHELL.search(name) or not paths):
        return "edit" if _PATCHED.search(command) else "command"
    if not paths:
        return "tool"
    return "edit" if EDITS.search(name) else "read"


def _written(given: Any, depth: int = 0) -> str:
    """Return the texts of a call's arguments except its paths and what they replace."""
    if isinstance(given, str):
        return given
    if isinstance(given, list) and depth < MOST_DEPTH:
        return "\n".join(filter(None, (_written(one, depth + 1) for one in given)))
    if isinstance(given, dict) and depth < MOST_DEPTH:
        kept = [value for name, value in given.items() if name not in PATHS and not name.lower().startswith("old")]
        return _written(kept, depth + 1)
    return ""


def _text(value: Any, depth: int = 0) -> str:
    """Return the texts of a result in any shape, one a line."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and depth < MOST_DEPTH:
        return "\n".join(filter(None, (_text(one, depth + 1) for one in value)))
    if isinstance(value, dict) and depth < MOST_DEPTH:
        return "\n".join(filter(None, (_text(v, depth + 1) for k, v in value.items() if k not in ("type", *IDS))))
    return ""


def _clipped(text: str) -> str:
    """Return a long output's two ends: errors stand at the end, exit codes at the beginning."""
    half = MOST_CHARS // 2
    return text if len(text) <= MOST_CHARS else f"{text[:half]}\n…\n{text[-half:]}"


def _failed(holder: Mapping[str, Any], output: str) -> bool | None:
    """Return whether a call failed, by what its object says, else by the exit code in its output."""
    metadata = holder.get("metadata")
    codes = (told.get(name) for told in (holder, metadata) if isinstance(told, dict) for name in CODES)
    code = next((one for one in codes if isinstance(one, int) and not isinstance(one, bool)), None)
    if code is not None:
        return bool(code)
    if holder.get("is_error") is True or holder.get("isError") is True or holder.get("success") is False:
        return True
    if str(holder.get("status")).lower() in ("error", "failed", "failure"):
        return True
    if found := _EXIT.search(output[:HEAD_CHARS]) or _EXIT.search(output[-HEAD_CHARS:]):
        return found[1] != "0"
    return False if holder.get("is_error") is False or holder.get("success") is True else None

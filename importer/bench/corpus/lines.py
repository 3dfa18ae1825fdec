"""A writer of one Claude Code session: each call gives the next line, with the envelope that real ones have.

Lines are dicts in the order of the real fields; `encode` makes them bytes. A chain line (user, assistant, system,
progress, attachment) has a uuid and points to the one before; metadata lines have neither.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

JsonLine = dict[str, Any]
Block = Mapping[str, Any]


def encode(lines: Iterable[JsonLine]) -> bytes:
    """Return the lines as they stand in a file, each with its newline."""
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def stamp(at_ms: int) -> str:
    """Return milliseconds since 1970 as the transcripts write them: 2026-02-11T20:31:54.120Z."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_ms // 1000)) + f".{at_ms % 1000:03d}Z"


def folder_of(cwd: str) -> str:
    """Return the folder of a working directory's sessions: all but ASCII letters and digits becomes "-"."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in cwd)


class SessionWriter:
    """The writer of one session. `backwards` is the share of lines with a time before the last one's.

    All randomness comes from `rng`, ids included: the same seed gives the same bytes.
    """

    def __init__(
        self,
        rng: random.Random,
        *,
        cwd: str,
        at_ms: int,
        version: str = "2.1.39",
        backwards: float = 0.0,
        session_id: str = "",
    ) -> None:
        self._rng = rng
        self._backwards = backwards
        self._version = version
        self.cwd = cwd
        self.branch = "main"
        self.at_ms = at_ms
        self.parent: str | None = None
        self.id = session_id or self.uuid()

    def uuid(self) -> str:
        """Return a new random uuid, version 4."""
        h = f"{self._rng.getrandbits(128):032x}"
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-8{h[17:20]}-{h[20:]}"

    def chain(self, kind: str, body: Mapping[str, Any], **more: Any) -> JsonLine:
        """Return the next chain line: envelope, `body`, `more`. The clock goes on by a moment, or seems to step back.

        `self.at_ms` never steps back: only what is written does, as in real files.
        """
        rng = self._rng.random
        self.at_ms += int(150 + 3000 * rng() ** 3)  # milliseconds, mostly a few hundred
        at_ms = self.at_ms - int(5000 * rng()) if rng() < self._backwards else self.at_ms
        line: JsonLine = {
            "parentUuid": self.parent,
            "isSidechain": False,
            "userType": "external",
            "cwd": self.cwd,
            "sessionId": self.id,
            "version": self._version,
            "gitBranch": self.branch,
            "type": kind,
            **body,
            "uuid": self.uuid(),
            "timestamp": stamp(at_ms),
            **more,
        }
        self.parent = line["uuid"]
        return line

    def user(self, content: str | list[Block], **more: Any) -> JsonLine:
        """Return a user line: a prompt, injected text, or tool results."""
        return self.chain("user", {"message": {"role": "user", "content": content}}, **more)

    def reply(self) -> tuple[str, str]:
        """Return the message id and request id that the lines of one reply share."""
        return f"msg_01{self._rng.getrandbits(96):024x}", f"req_01{self._rng.getrandbits(96):024x}"

    def block(self, reply: tuple[str, str], block: Block, **more: Any) -> JsonLine:
        """Return an assistant line: one block of a reply."""
        message = {
            "model": "claude-sonnet-5",
            "id": reply[0],
            "type": "message",
            "role": "assistant",
            "content": [block],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {
                "input_tokens": 3,
                "cache_read_input_tokens": 18_000,
                "output_tokens": 8,
                "service_tier": "standard",
            },
        }
        return self.chain("assistant", {"message": message, "requestId": reply[1]}, **more)

    def text(self, text: str, reply: tuple[str, str] | None = None) -> JsonLine:
        """Return an assistant line with a text."""
        return self.block(reply or self.reply(), {"type": "text", "text": text})

    def call(self, name: str, arguments: Mapping[str, Any], reply: tuple[str, str] | None = None) -> JsonLine:
        """Return an assistant line that calls a tool; `call_id` finds the id for the result."""
        own_id = f"toolu_01{self._rng.getrandbits(88):022x}"
        block = {"type": "tool_use", "id": own_id, "name": name, "input": arguments}
        return self.block(reply or self.reply(), block)

    def result(self, call: JsonLine, content: str, *, structured: bool = False) -> JsonLine:
        """Return the user line with a tool's result, child of its call; `structured` repeats it, as of late."""
        block = {"tool_use_id": call_id(call), "type": "tool_result", "content": content}
        again = {"toolUseResult": {"stdout": content, "stderr": "", "interrupted": False}} if structured else {}
        line = self.user([block], **again, sourceToolAssistantUUID=call["uuid"])
        line["parentUuid"] = call["uuid"]
        return line

    def progress(self, call: JsonLine, output: str) -> JsonLine:
        """Return a progress line: what a running tool has printed so far."""
        shown = {
            "type": "bash_progress",
            "output": output,
            "fullOutput": output,
            "elapsedTimeSeconds": 2,
            "totalLines": 9,
        }
        return self.chain("progress", {"data": shown, "parentToolUseID": call_id(call)})

    def system(self, subtype: str, **body: Any) -> JsonLine:
        """Return a system line."""
        return self.chain("system", {"subtype": subtype, **body, "isMeta": False})

    def attachment(self, kind: str, **body: Any) -> JsonLine:
        """Return an attachment line."""
        return self.chain("attachment", {"attachment": {"type": kind, **body}})

    def queued(self, operation: str, content: str | None = None) -> JsonLine:
        """Return a queue-operation line: enqueue, dequeue, remove or popAll."""
        at = stamp(self.at_ms)
        line: JsonLine = {"type": "queue-operation", "operation": operation, "timestamp": at, "sessionId": self.id}
        return line if content is None else {**line, "content": content}

    def snapshot(self) -> JsonLine:
        """Return a file-history-snapshot line."""
        uuid = self.uuid()
        inner = {"messageId": uuid, "trackedFileBackups": {}, "timestamp": stamp(self.at_ms)}
        return {"type": "file-history-snapshot", "messageId": uuid, "snapshot": inner, "isSnapshotUpdate": False}


def call_id(call: JsonLine) -> str:
    """Return the id of the tool call in an assistant line."""
    found: str = call["message"]["content"][0]["id"]
    return found

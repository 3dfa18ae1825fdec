"""A real Chromium that a test types into: its debugging protocol over two pipes, messages parted by a zero byte."""

from __future__ import annotations

import io
import json
import os
import pathlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

KEYS = {"Enter": "\r", "Escape": "", "ArrowDown": ""}


class Page:
    """One page of a browser."""

    def __init__(self, into: int, out: io.FileIO) -> None:
        self._into, self._out = into, out
        self._number, self._read = 0, b""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = ""
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def open(self, address: str) -> None:
        """Go to an address and wait for it."""
        self._ask("Page.navigate", url=address)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def type(self, text: str) -> None:
        """Type a text, letter by letter."""
        for letter in text:
            self._ask("Input.dispatchKeyEvent", type="keyDown", key=letter, text=letter)
            self._ask("Input.dispatchKeyEvent", type="keyUp", key=letter)

    def press(self, key: str) -> None:
        """Press a key that has a name."""
        said = {"text": KEYS[key]} if KEYS[key] else {}
        self._ask("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, **said)
        self._ask("Input.dispatchKeyEvent", type="keyUp", key=key, code=key)

    def value(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        found = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"].get("value")

    def until(self, expression: str, seconds: float = 60) -> None:
        """Wait until an expression is true; fail after so many seconds."""
        end_s = time.monotonic() + seconds
        while not self.value(expression):
            assert time.monotonic() < end_s, (
                f"{expression} is still not so; the page says {self.value('document.body.innerText')}"
            )
            time.sleep(0.05)

    def _ask(self, method: str, **params: Any) -> Any:
        self._number += 1
        session = {"sessionId": self._session} if getattr(self, "_session", "") else {}
        message = {"id": self._number, "method": method, "params": params, **session}
        os.write(self._into, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._read:
                part = self._out.read(65_536)
                assert part, "the browser ended"
                self._read += part
            raw, _, self._read = self._read.partition(b"\0")
            told = json.loads(raw)
            if told.get("id") == self._number:
                assert "error" not in told, told
                return told["result"]


@contextmanager
def browser(folder: pathlib.Path) -> Iterator[Page]:
    """Start a browser with a profile in a folder; skip the test where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium")
    commands, into = os.pipe()
    out, answers = os.pipe()
    inner = f'exec 3<&{commands} 4>&{answers}; exec "$@"'
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--remote-debugging-pipe",
        f"--user-data-dir={folder}/profile",
    ]
    process = subprocess.Popen(
        ["bash", "-c", inner, "sh", program, *flags], pass_fds=(commands, answers), stderr=subprocess.DEVNULL
    )
    os.close(commands)
    os.close(answers)
    try:
        with os.fdopen(out, "rb", buffering=0) as told:
            yield Page(into, told)
    finally:
        process.kill()
        process.wait()
        os.close(into)

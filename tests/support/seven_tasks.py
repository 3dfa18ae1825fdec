"""A home in which a person has seven things to do: find, read, look back on a day, go on, share, see faults, forget."""

from __future__ import annotations

import os
import pathlib

from processes import Importer
from transcripts import answer, prompt, raw, text

KILN, BOAT, OTHER = (f"{digit * 8}-2222-4333-8444-555555555555" for digit in "123")
SECRET = "AKIA" + "QZ7TEXAMPLE4KILN"[:16]
DAY = "2026-10-06"
TOOL = """#!/bin/sh
echo "goes on with $2 in $(basename "$PWD")"
"""


def home(base: pathlib.Path) -> Importer:
    """Make and import it: three conversations of two projects, a broken line, and a `claude` on the path."""
    folder = base / ".claude" / "projects" / "-p"
    folder.mkdir(parents=True)
    told = (
        (KILN, "pottery", DAY, "why does the kiln stop at 900 degrees", f"the relay sticks; the key is {SECRET}"),
        (BOAT, "harbour", DAY, "how is the boat tied up", "with two spring lines and a fender"),
        (OTHER, "harbour", "2026-10-07", "which anchor holds in mud", "a fluke anchor with much chain"),
    )
    for number, (session, project, day, asked, answered) in enumerate(told):
        (base / project).mkdir(exist_ok=True)
        where = {"cwd": str(base / project), "sessionId": session}
        lines = [
            prompt(asked, uuid=f"a{number}", timestamp=f"{day}T10:00:00.000Z", **where),
            answer(text(answered), uuid=f"b{number}", timestamp=f"{day}T10:00:09.000Z", **where),
        ]
        (folder / f"{session}.jsonl").write_bytes(b"".join(raw(line) + b"\n" for line in lines))
    with open(folder / f"{OTHER}.jsonl", "ab") as file:
        file.write(b'{"type": "user", "message": {broken\n')
    tools = base / "bin"
    tools.mkdir()
    (tools / "claude").write_text(TOOL)
    (tools / "claude").chmod(0o755)
    installed = Importer(base, embedded=True)
    installed.environ["PATH"] = f"{tools}:{os.environ['PATH']}"
    installed.environ["TZ"] = "UTC"
    assert installed.run("backlog").code == 1  # the broken line is in quarantine
    return installed

"""Ask git what it knows of a file: its repository, and which commit brought a line."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime

from importer.errors import UsageError
from importer.protocol.system.plain import plain
from importer.work.blame import AskedFile, AskedLine

TIMEOUT_S = 30


def target_of(path: str) -> AskedFile:
    """Return the file at a path, which need not exist any more."""
    whole = os.path.realpath(path)
    folder = os.path.dirname(whole)
    while folder != os.path.dirname(folder) and not os.path.exists(os.path.join(folder, ".git")):
        folder = os.path.dirname(folder)
    inside = os.path.exists(os.path.join(folder, ".git"))
    return AskedFile(whole, os.path.relpath(whole, folder) if inside else os.path.basename(whole))


def line_of(target: AskedFile, number: int) -> AskedLine:
    """Return a line of a file with the commit that brought it. Raises UsageError for a line that it does not have."""
    try:
        with open(target.path, encoding="utf-8", errors="replace", opener=plain) as file:
            text = next((line for at, line in enumerate(file, 1) if at == number), None)
    except OSError as error:
        raise UsageError(f"{target.path} cannot be read: {error.strerror}", hint="leave out the line") from error
    if text is None:
        raise UsageError(f"{target.path} has no line {number}", hint="lines are counted from 1")
    return _committed(target, number, text.rstrip("\n"))


def _committed(target: AskedFile, number: int, text: str) -> AskedLine:
    """Return a line with its commit; without one where there is no repository, no git, or no commit yet."""
    command = ["git", "-C", os.path.dirname(target.path), "blame", "--porcelain", "-L", f"{number},{number}", "--"]
    try:
        done = subprocess.run([*command, target.path], capture_output=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return AskedLine(text)
    told = done.stdout.decode("utf-8", "replace").splitlines()
    known = dict(line.split(" ", 1) for line in told[1:] if " " in line and not line.startswith("\t"))
    commit = told[0].split(" ")[0] if told and not done.returncode else ""
    if not commit.strip("0"):
        return AskedLine(text)
    at = datetime.fromtimestamp(int(known.get("committer-time", "0")), UTC)
    return AskedLine(text, commit, at.strftime("%Y-%m-%dT%H:%M:%SZ"), known.get("summary", ""))

"""Ask git what it knows of a file: its repository, and which commit brought a line."""

from __future__ import annotations

import os
import subprocess
import tempfile
from datetime import UTC, datetime

from importer.errors import UsageError
from importer.protocol.system.plain import plain
from importer.work.blame import AskedFile, AskedLine

TIMEOUT_S = 30
OF_THE_REPOSITORY = (
    *("rev-parse", "--show-toplevel", "--show-object-format"),
    *("--git-path", "objects", "--git-path", "shallow", "HEAD"),
)
SETTINGS = "[core]\nrepositoryformatversion = 1\n[extensions]\nobjectformat = {form}"


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
    try:
        told = _blamed(target.path, number)
        known = dict(line.split(" ", 1) for line in told[1:] if " " in line and not line.startswith("\t"))
        at = datetime.fromtimestamp(int(known.get("committer-time", "0")), UTC)
        commit = told[0].split(" ")[0]
    except (OSError, subprocess.SubprocessError, ValueError, OverflowError, IndexError):
        return AskedLine(text)
    if not commit.strip("0"):
        return AskedLine(text)
    return AskedLine(text, commit, at.strftime("%Y-%m-%dT%H:%M:%SZ"), known.get("summary", ""))


def _blamed(path: str, number: int) -> list[str]:
    """Return what git says of a line, in its porcelain form. Raises ValueError, OSError, SubprocessError.

    A repository's own settings name programs that git runs when it looks at a file: filters, `textconv`, a monitor of
    the file system. A repository that was unpacked from somewhere could so run anything. It is therefore looked at
    through a directory of ours, which has its commits and none of its settings; the person's own settings hold.
    """
    folder = os.path.dirname(path)
    top, form, *below, head = _git(folder, *OF_THE_REPOSITORY)
    objects, shallow = (os.path.join(folder, one) for one in below)
    with tempfile.TemporaryDirectory(prefix="importer-git-") as own:
        for name in ("objects", "refs"):
            os.mkdir(os.path.join(own, name))
        for name, said in (("HEAD", head), ("config", SETTINGS.format(form=form))):
            with open(os.path.join(own, name), "x", encoding="utf-8") as file:
                file.write(f"{said}\n")
        theirs = {"GIT_OBJECT_DIRECTORY": objects, "GIT_SHALLOW_FILE": shallow}
        where, asked = (f"--git-dir={own}", f"--work-tree={top}"), (f"{number},{number}", "--", path)
        return _git(top, *where, "blame", "--no-textconv", "--porcelain", "-L", *asked, **theirs)


def _git(folder: str, *words: str, **environ: str) -> list[str]:
    """Return the lines that git prints in a folder. Raises OSError where there is none, SubprocessError."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", "-C", folder, *words], env={**given, **environ}, capture_output=True, timeout=TIMEOUT_S, check=True
    )
    return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n")

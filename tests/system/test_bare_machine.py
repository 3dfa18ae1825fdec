"""A machine with Debian's Python 3.11 alone: the README's two lines lead to the first hit of its own conversations.

`pytest -m docker -s tests/system/test_bare_machine.py` prints how many seconds each took.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess

import pytest
from containers import ROOT, base_image, docker, missing

pytestmark = [pytest.mark.docker, pytest.mark.long, pytest.mark.skipif(bool(missing()), reason=missing() or "-")]
ASKED = "the pods are killed every night"
SCRIPT = """\
set -e
cp -r /given/home /given/importer /tmp/; export HOME=/tmp/home; cd /tmp/importer
for absent in git gcc cc uv pipx rustc; do ! command -v $absent || exit 9; done
a=$(date +%s)
{install}
b=$(date +%s)
{first_hit}
echo "seconds: $((b-a)) to install, $(($(date +%s)-b)) to the first hit"
du -sm --exclude=__pycache__ $HOME/.importer
"""


def lines() -> tuple[str, str]:
    """Return the README's line that installs, and the one that imports and searches, for words of the samples."""
    block = re.search(r"^## Install\n.*?```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.S | re.M)
    assert block is not None
    install, first_hit = block.group(1).splitlines()[:2]
    assert "pip install" in install and "importer backlog && importer search" in first_hit
    return install, re.sub(r'search ".*?"', f'search "{ASKED}"', first_hit)


def test_two_lines_of_the_readme(tmp_path: pathlib.Path) -> None:
    """No git, no compiler, no other installer; samples of two assistants lie where these keep them."""
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in files:
        if not name.startswith("tests/"):
            (tmp_path / "importer" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / "importer" / name)
    shutil.copytree(ROOT / "tests/corpus/claude-code", tmp_path / "home/.claude/projects")
    shutil.copytree(ROOT / "tests/corpus/codex", tmp_path / "home/.codex")
    install, first_hit = lines()
    script = SCRIPT.format(install=install, first_hit=first_hit)
    passed = [f"--env={name}" for name in os.environ if name.startswith("PIP_") and name != "PIP_FIND_LINKS"]
    given = [
        "run",
        "--rm",
        "--network=host",
        *passed,
        f"--volume={tmp_path}:/given:ro",
        base_image(),
        "sh",
        "-c",
        script,
    ]
    said = docker(*given, seconds=1200)
    print(said)
    assert "Pods killed for memory at night" in said

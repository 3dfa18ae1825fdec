"""No file that people get holds an address that leads nowhere; samples and tests may."""

from __future__ import annotations

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).parents[1]
PLACEHOLDER = re.compile(
    rb"\bexample\.(?:com|org|net|edu)\b|\.(?:example|invalid)\b(?!\()|\b(?:your|my)-(?:org|name|company|user)\b"
    rb"|github\.com/(?:user|owner|you|org|example)/",
    re.IGNORECASE,
)


def files() -> list[pathlib.Path]:
    """Return every file of the repository outside tests/, also those that were not added yet."""
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    told = subprocess.run(asked, cwd=ROOT, capture_output=True, check=False)
    everything = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")]
    names = everything if told.returncode else told.stdout.decode().split("\0")
    hidden = (".git/", ".venv/", "state/", "tests/")
    return [ROOT / name for name in names if name and not name.startswith(hidden) and (ROOT / name).is_file()]


def test_no_placeholder() -> None:
    """Units, manifests, documents and code: a link is real, or is left out."""
    found = {(str(path.relative_to(ROOT)), *PLACEHOLDER.findall(path.read_bytes())) for path in files()}
    assert len(files()) > 400
    assert {one for one in found if len(one) > 1} == set()


def test_what_counts_as_one() -> None:
    """The rule itself, by examples."""
    for text in (b"https://example.org/x", b"github.com/OWNER/importer", b"a@b.invalid"):
        assert PLACEHOLDER.search(text)
    for text in (b"for example.", b"tests/example.py", b"github.com/encode/httpx/"):
        assert not PLACEHOLDER.search(text)

"""Tokens in paths, branches and names of files are masked on their way to the store; other names stay as they are."""

from __future__ import annotations

import json

import pytest

from importer.chunking.fold import Cutting, Folding
from importer.chunking.redact import mask_facts
from importer.formats import claude_code
from importer.protocol.records import Facts, Line
from importer.reading.gather import Reading, SliceFold

ALNUM = "a1B2c3D4e5F6g7H8i9J0kLmNoPqRsTuVwXyZ"
TOKEN = f"ghp_{ALNUM}"

NAMES = (
    "/home/ann/blue-cart",
    "feature/sk-folding-cube-2-container-wrapper",
    "/srv/xoxo-valentines-app-2024/glrt-detector-simulation-final",
    "/src/SG.InfrastructureServices.ImplementationCore/SG.Infrastructure-Services.Implementation-Core.csproj",
    "/builds/pa-11-web-frontend-service-renewal-2024-migration-v2",
    "fix/pa-3f786850e387550fdab836ed7e6dc881de23001b",
    "sk-123e4567-e89b-12d3-a456-426614174000",
    "/tmp/password=hunter22/DB_PASS=zxcvbn123qwe",  # only tokens: a word is no proof here
    "/opt/3f786850e387550fdab836ed7e6dc881de23001b",
    "C:\\Users\\ann\\a b\\ü.txt",
    "",
)


@pytest.mark.parametrize("name", NAMES)
def test_ordinary_names_stay_byte_for_byte(name):
    """Filters compare them with what the user types; the very same facts come back."""
    facts = Facts(project=name, cwd=name, git_branch=name, files=(name, "a.py"))
    assert mask_facts(facts) is facts


@pytest.mark.parametrize(
    ("token", "label"),
    [
        (TOKEN, "github-token"),
        ("AKIAZQMPWRTYXCVBNLKJ", "aws-key"),
        (f"sk-ant-api03-{ALNUM}", "anthropic-key"),
        (f"sk-proj-{ALNUM}-{ALNUM}", "api-key"),
        ("sk-or-v1-" + "0123456789abcdef" * 4, "api-key"),
        (f"glpat-{ALNUM[:20]}", "gitlab-token"),
    ],
)
def test_tokens_are_masked_in_every_name(token, label):
    """What stands around a token stays; masking again changes nothing."""
    before, after = (f"/home/ann/{one}/x.py" for one in (token, f"[secret:{label}]"))
    masked = mask_facts(Facts(project=before, cwd=before, git_branch=before, title=before, files=("a.py", before)))
    assert masked == Facts(project=after, cwd=after, git_branch=after, title=after, files=("a.py", after))
    assert mask_facts(masked) is masked


def gathered(redact: bool) -> str:
    """Return the metadata of what two lines give: a prompt and an answer that reads a file."""
    call = {"type": "tool_use", "id": "t", "name": "Read", "input": {"file_path": f"/a/{TOKEN}/b.py"}}
    texts = [
        {"type": "user", "uuid": "u", "message": {"role": "user", "content": "read it"}},
        {
            "type": "assistant",
            "uuid": "a",
            "message": {"role": "assistant", "id": "m", "content": [{"type": "text", "text": "done"}, call]},
        },
    ]
    same = {"sessionId": "s", "cwd": f"/work/{TOKEN}", "gitBranch": TOKEN, "timestamp": "2026-01-05T00:00:00Z"}
    reading = Reading(Cutting(), "host", redact=redact)
    gathering = SliceFold(reading, claude_code, b"/x.jsonl", claude_code.begin(b"/x.jsonl"), Folding(), 0)
    for text in texts:
        raw = json.dumps(text | same).encode()
        gathering.feed(Line(gathering.offset, gathering.offset + len(raw) + 1, raw))
    gathering.surface(at_end=True)
    assert gathering.chunks
    return json.dumps([dict(one.metadata) for one in gathering.chunks])


def test_a_token_in_a_folder_reaches_no_chunk():
    """Neither project, cwd, branch nor files hold it, though its place is named; unless masking is switched off."""
    masked = gathered(redact=True)
    assert TOKEN not in masked
    assert "/work/[secret:github-token]" in masked
    assert "/a/[secret:github-token]/b.py" in masked
    assert TOKEN in gathered(redact=False)

"""What people and assistants said in the samples of agents, programs and exports, by readers of a few lines each.

As in `test_completeness`, the readers know nothing of the package: they are written from the files, with `json`,
`sqlite3` and `re`. A person's prompt and what the assistant showed must be in a chunk; what programs wrote around it is
taken off by what it looks like.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import independent_readers
import independent_readers_of_later_formats as later
import pytest
from stored_text import chunks, even

SHEETS = ("meta.json", "state.json", "thread.json", "history_item.json", "s_01.json")

CORPUS = Path(__file__).parents[1] / "corpus"
_around = re.compile(
    r"</?(?:user_query|USER_REQUEST|user_input|task|feedback|answer)(?: [^<>]*)?>"
    r"|<(system-reminder|ADDITIONAL_METADATA|environment_details|user_info|system_date|details|grok:render)\b.*?</\1>"
    r"|^<!-- ANSWER -->",
    re.DOTALL | re.MULTILINE,
)

READERS: dict[str, Callable[[Path], Iterator[str]]] = {
    "ai-studio": later.ai_studio,
    "amp": later.amp,
    "antigravity": independent_readers.antigravity,
    "anythingllm": independent_readers.anythingllm,
    "cline": independent_readers.cline,
    "crush": independent_readers.crush,
    "cursor": independent_readers.cursor,
    "deepseek": later.deepseek,
    "devin": independent_readers.devin,
    "droid": independent_readers.messages,
    "forge": later.forge,
    "goose": independent_readers.goose,
    "grok": later.grok,
    "grok-build": later.grok_build,
    "hermes": independent_readers.hermes,
    "jan": independent_readers.messages,
    "junie": later.junie,
    "kimi": independent_readers.kimi,
    "kiro": later.kiro,
    "le-chat": later.le_chat,
    "librechat": later.librechat,
    "lm-studio": independent_readers.lm_studio,
    "ollama": independent_readers.ollama,
    "open-webui": independent_readers.open_webui,
    "opencode": independent_readers.opencode,
    "openhands": later.openhands,
    "pi": independent_readers.pi,
    "qwen": independent_readers.qwen,
    "takeout": later.takeout,
    "vibe": independent_readers.messages,
    "warp": later.warp,
    "zed": independent_readers.zed,
}
BESIDE = ("summary.json", "index.jsonl", "k2.json", *SHEETS)  # sheets
SAMPLES = [
    pytest.param(name, path, id=f"{name}-{path.stem[:30]}")
    for name in READERS
    for path in sorted((CORPUS / name).rglob("*"))
    if path.is_file() and path.name not in BESIDE and {"events", "message", "part"}.isdisjoint(path.parts)
]


@pytest.mark.parametrize(("name", "path"), SAMPLES)
def test_every_line_that_was_said_is_in_a_chunk(name: str, path: Path) -> None:
    """Without regard to blanks."""
    stored = chunks(name, path)
    said = [even(line) for text in READERS[name](path) for line in _around.sub("\n", text).split("\n")]
    assert [line for line in said if line and line not in stored] == []


def test_the_readers_find_something() -> None:
    """A reader that finds nothing proves nothing."""
    for name, reader in READERS.items():
        paths = [param.values[1] for param in SAMPLES if param.values[0] == name]
        assert sum(len(text) > 3 for path in paths for text in reader(path)) > 1, name

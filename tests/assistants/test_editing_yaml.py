"""An entry goes into settings in YAML and out again, every byte; forms other than the plain one are left alone."""

from __future__ import annotations

import pytest

from importer.assistants.wiring.editing import parsed, with_entry, without
from importer.assistants.wiring.jsonc import UnreadableSettings
from importer.assistants.wiring.spot import EntrySpot

ENTRY = {"command": "/opt/my tools/importer", "args": ["mcp"]}
YAML = EntrySpot("yaml", ("extensions",), "conversations")
GOOSE = """GOOSE_MODEL: x
extensions: # mine
  developer:
    args:
    - a
    enabled: true
  # last
other: |
  extensions:
"""


@pytest.mark.parametrize("text", ["", "# c\n", "a: 1", "a: 1\r\nb:\r\n- 2\r\n", GOOSE, "extensions:\n"])
def test_yaml_in_and_out(text: str) -> None:
    """A block below its key, and out again every byte; in another layout, too."""
    changed, inserted = with_entry(text, YAML, ENTRY)
    assert parsed(changed, "yaml")["extensions"]["conversations"] == ENTRY
    assert without(changed, YAML, inserted) == text
    more = changed.replace('["mcp"]', '["mcp", "-v"]  # y').replace("    args", "# x\n\n    args")
    rest = without(more, YAML, inserted)
    assert rest is not None and parsed(rest, "yaml") == parsed(text, "yaml") and "# x" in rest


@pytest.mark.parametrize("text", ["extensions: {}\n", "extensions: {a: {}}\n", "extensions:\n- a\n", "a: [", "- 1\n"])
def test_other_yaml_is_left(text: str) -> None:
    """Only the plain form is edited."""
    with pytest.raises(UnreadableSettings):
        with_entry(text, YAML, ENTRY)

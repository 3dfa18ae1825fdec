"""The README says what the code does: settings, commands, source map, and commands that can be copied."""

from __future__ import annotations

import pathlib
import re

from importer.cli.app import COMMANDS
from importer.settings.load import markdown_table

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def between(first: str, last: str) -> str:
    return README.partition(first)[2].partition(last)[0]


def block(title: str) -> str:
    found = re.search(rf"^## {title}\n.*?```sh\n(.*?)```", README, re.S | re.M)
    assert found, title
    return found.group(1).strip()


def test_settings_table_is_the_generated_one():
    """`python -m importer config --markdown` writes it; a new setting fails here until it stands there."""
    assert between("<!-- settings -->\n", "<!-- /settings -->") == markdown_table()


def test_every_command_is_named():
    """And no command is named that does not exist."""
    named = set(re.findall(r"^\| `importer ([a-z-]+)", README, re.M))
    assert named == set(COMMANDS)


def test_quick_start_and_tests_are_one_line_each():
    """They are run verbatim by whoever tries the project, and by `.ci/run`."""
    assert "\n" not in block("Quick start")
    assert "\n" not in block("Tests")


def test_source_map_has_a_row_for_each_room():
    """One row a package, one sentence each."""
    rooms = between("## Source map", "## Limits")
    named = re.findall(r"^\| `([a-z_]+)/` \|", rooms, re.M)
    assert sorted(named) == sorted(path.parent.name for path in (ROOT / "importer").glob("*/__init__.py"))


def test_readme_stays_readable():
    """At most 250 lines, the settings table included."""
    assert len(README.splitlines()) <= 250

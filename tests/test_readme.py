"""The README says what the code does: settings, commands, source map, and commands that can be copied."""

from __future__ import annotations

import pathlib
import re

from importer.cli.app import COMMANDS
from importer.settings.load import DECLARED, markdown_table

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def between(first: str, last: str) -> str:
    return README.partition(first)[2].partition(last)[0]


def block(title: str) -> str:
    found = re.search(rf"^## {title}\n.*?```sh\n(.*?)```", README, re.S | re.M)
    assert found, title
    return found.group(1).strip()


def test_settings_table_is_taken_from_the_generated_one():
    """Each row stands as `importer config --markdown` prints it, in its order; only rows are left out."""
    generated = markdown_table().splitlines(keepends=True)
    shown = between("<!-- settings -->\n", "<!-- /settings -->").splitlines(keepends=True)
    names = {row.split("`")[1] for row in shown[2:]}
    assert shown == [*generated[:2], *(row for row in generated[2:] if row.split("`")[1] in names)]


def test_settings_table_has_every_variable_that_other_programs_use():
    """A setting that is also known by a name such as QDRANT_URL is shown."""
    shown = between("<!-- settings -->\n", "<!-- /settings -->")
    assert [name for name, declared in DECLARED.items() if declared.env and f"| `{name}` |" not in shown] == []


def test_every_command_is_named():
    """And no command is named that does not exist."""
    first_cells = re.findall(r"^\|( `importer [^|]*)\|", README, re.M)
    assert set(re.findall(r"`importer ([a-z-]+)", "".join(first_cells))) == {row.name for row in COMMANDS}


def test_quick_start_and_tests_are_one_line_each():
    """A newcomer copies them, and `.ci/run` runs the second one word for word."""
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


def test_where_to_begin_exists():
    """Ten common changes or so, each with a file or folder that is there."""
    rows = [row for row in between("## Where do I change", "## Contributing").splitlines() if row.startswith("| ")][1:]
    named = [re.findall(r"`([\w./-]+/[\w./-]*)`", row) for row in rows]
    assert len(rows) >= 10
    assert all(named)
    assert [name for names in named for name in names if not (ROOT / name).exists()] == []


def test_contributing_names_steps_that_exist():
    """Each step it names of `.ci/run` is one of the script's."""
    named = set(re.findall(r"`\.ci/run ([a-z -]+)`", between("## Contributing", "## Limits")))
    steps = set(re.findall(r"^    ([a-z-]+)\)", (ROOT / ".ci/run").read_text(), re.M))
    assert {step for words in named for step in words.split()} <= steps

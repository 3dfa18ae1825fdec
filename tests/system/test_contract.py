"""What users and their scripts hold on to is still there: commands, settings, metrics, JSON, exit codes, MCP tools.

`fixtures/contract.json` was written from commit f98d475 by the functions of `support/contract_now`, and what later
commands print was added. They look from outside only, so it does not matter where a module stands. Additions are
allowed; all that the list holds must be there, and of the same type.
"""

from __future__ import annotations

import json
import pathlib
import tarfile
from collections.abc import Mapping
from typing import Any

import pytest
from contract_now import commands_now, config_now, exit_codes_now, json_now, mcp_now, running_now, settings_now
from processes import Importer

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures"
CONTRACT: dict[str, Any] = json.loads((FIXTURES / "contract.json").read_text())
# What stands in a variable where a text of any kind, or the default, would be no sense.
SAMPLES = {"sources": "auto=/x", "formats.plugins": "aider", "metrics.listen": "127.0.0.1:0"}
SAMPLES |= {"embed.openai_base_url": "http://127.0.0.1:9", "store.location": "https://127.0.0.1:9"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    """Make a home with five conversations of three tools, one of them with a broken line; nothing is imported yet."""
    base = tmp_path_factory.mktemp("home")
    with tarfile.open(FIXTURES / "state-before-rooms.tar.xz") as archive:
        said = [one for one in archive.getmembers() if not one.name.startswith("state")]
        archive.extractall(base, said, filter="data")
    return Importer(base, embedded=True)


def _in_words(name: str, value: Any) -> str:
    """Return a value as it is written in a variable; a sample where it is empty, for an empty variable is unset."""
    words = value if isinstance(value, str) else "" if value == [] else json.dumps(value)
    return SAMPLES.get(name, words or "x")


def lost(recorded: Any, now: Any, path: str = "") -> list[str]:
    """List what is recorded and is missing or another now: keys of objects, items of lists, and values."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        return [line for key, one in recorded.items() for line in lost(one, now.get(key), f"{path}/{key}")]
    if isinstance(recorded, list) and isinstance(now, list):
        return [f"{path}: {one!r} is missing" for one in recorded if one not in now]
    return [] if recorded == now else [f"{path}: {now!r} in place of {recorded!r}"]


def lost_paths(recorded: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """List the paths of JSON trees that are missing or of another type; null, which stands for unknown, is neither."""
    wrong = []
    for command, paths in recorded.items():
        for path, kinds in paths.items():
            found = now[command].get(path)
            allowed = {*kinds, "null", *(["integer"] if "number" in kinds else [])}
            if found is None or (kinds != ["null"] and not allowed.issuperset(found)):
                wrong.append(f"{command} {path}: {found} in place of {kinds}")
    return wrong


def test_no_command_or_option_is_lost(installed: Importer) -> None:
    """Read the help of every command: arguments, options, their short names, choices and defaults are all there."""
    assert not lost(CONTRACT["commands"], commands_now(installed))


def test_no_setting_is_lost(installed: Importer) -> None:
    """Read the table of settings: each has its name, type, unit, default and environment names."""
    assert not lost(CONTRACT["settings"], settings_now(installed))


@pytest.mark.parametrize("place", [0, -1], ids=["own", "alias"])
def test_every_environment_name_counts(installed: Importer, place: int) -> None:
    """Set every setting by its own name, or by its alias: the importer says that the value came from there."""
    bare = Importer(installed.base, {}, embedded=True)
    names = {name: one["environment"][place] for name, one in CONTRACT["settings"].items()}
    environ = {names[name]: _in_words(name, one["value"]) for name, one in config_now(bare).items() if name in names}
    found = config_now(bare, **environ)
    assert {name: found[name]["origin"] for name in names} == {n: f"environment {word}" for n, word in names.items()}


def test_a_settings_file_is_read(installed: Importer, tmp_path: pathlib.Path) -> None:
    """Write every setting under its recorded name into a file: the importer says that the value came from there."""
    bare = Importer(installed.base, {}, embedded=True)
    values = config_now(bare)
    lines = [f"{name} = {json.dumps(values[name]['value'])}" for name in CONTRACT["settings"]]
    (tmp_path / "file.toml").write_text("\n".join(lines))
    found = config_now(bare, "--config", str(tmp_path / "file.toml"))
    assert {found[name]["origin"] for name in CONTRACT["settings"]} == {"file"}


def test_no_json_field_is_lost(installed: Importer, model_dir: str) -> None:
    """Run every command that prints JSON: each field is where it was, of the type it had."""
    assert not lost_paths(CONTRACT["json"], json_now(installed, str(pathlib.Path(model_dir).parent)))


def test_a_daemon_tells_what_it_told(installed: Importer) -> None:
    """Scrape a daemon and ask it: metrics have their types and labels, and its answers their fields."""
    metrics, trees = running_now(installed)
    assert not lost(CONTRACT["metrics"], metrics)
    assert not lost_paths(CONTRACT["json beside a daemon"], trees)


def test_exit_codes_mean_what_they_meant(installed: Importer, tmp_path: pathlib.Path) -> None:
    """Have commands end in every way that has a code of its own."""
    assert exit_codes_now(installed, tmp_path) == CONTRACT["exit codes"]


def test_no_tool_is_lost(installed: Importer) -> None:
    """Ask the MCP server for its tools: each has its arguments, of their types."""
    assert not lost(CONTRACT["mcp"], mcp_now(installed))

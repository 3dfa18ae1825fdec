"""`importer config` as a process: it shows every setting and where it came from, and no secret."""

from __future__ import annotations

import pathlib

import pytest
from processes import Importer

from importer.settings.load import DECLARED, markdown_table


@pytest.fixture
def installed(tmp_path: pathlib.Path) -> Importer:
    return Importer(tmp_path, {})


def test_every_setting_says_where_it_came_from(installed: Importer) -> None:
    """The origin of a value is a flag, the environment, the file, the profile or the default."""
    file = installed.base / "importer.toml"
    file.write_text("[chunk]\nsize_chars = 700\n")
    done = installed.run("--config", str(file), "config", "--json", CHUNK_OVERLAP="50")
    told = done.json["settings"]
    assert set(told) == set(DECLARED)
    assert (told["chunk.size_chars"]["value"], told["chunk.size_chars"]["origin"]) == (700, "file")
    assert (told["chunk.overlap_chars"]["value"], told["chunk.overlap_chars"]["origin"]) == (
        50,
        "environment CHUNK_OVERLAP",
    )
    assert told["state_dir"]["origin"] == "flag"
    assert isinstance(told["worker.soft_limit_mb"]["value"], int)
    assert told["worker.soft_limit_mb"]["origin"] == "profile balanced"


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_secrets_are_masked(installed: Importer, form: tuple[str, ...]) -> None:
    """The output shows that a key is set, and no part of it."""
    done = installed.run("config", *form, OPENAI_API_KEY="sk-very-secret", QDRANT_API_KEY="q-very-secret")
    assert done.code == 0
    assert "very-secret" not in done.out + done.err
    assert "********" in done.out


def test_a_pipe_gets_one_line_a_setting(installed: Importer) -> None:
    """The output is made for grep: name, value and origin, without colours."""
    lines = installed.run("config").out.splitlines()
    assert len(lines) == len(DECLARED)
    assert "embed.precision = fp32\t(default)" in lines


def test_a_profile_that_cannot_work_is_reported_with_its_numbers(installed: Importer) -> None:
    """The rows are printed all the same, and the exit code is 2."""
    done = installed.run("config", IMPORTER_WORKER_SOFT_LIMIT_MB="90")
    assert done.code == 2
    assert "90 MB" in done.err
    assert len(done.out.splitlines()) == len(DECLARED)


def test_the_command_in_the_hint_works_with_wrong_settings(installed: Importer) -> None:
    """A wrong setting makes every command fail, but not `config --markdown`, which the hint names."""
    file = installed.base / "importer.toml"
    file.write_text("[tail]\nwatch = 'never'\n")
    broken = {"IMPORTER_CONFIG": str(file), "CHUNK_SIZE": "few"}
    done = installed.run("config", **broken)
    assert done.code == 2
    assert f"correct {file}, CHUNK_SIZE; `importer config --markdown`" in done.err
    assert "not one of auto, poll" in done.err
    assert installed.run("config", "--markdown", **broken).code == 0


def test_a_variable_that_sets_nothing_is_warned_about(installed: Importer) -> None:
    """Such a variable is most likely a typing error."""
    assert "IMPORTER_CHUNKSIZE" in installed.run("config", IMPORTER_CHUNKSIZE="9").err


def test_markdown_prints_the_table_of_all_settings(installed: Importer) -> None:
    """The output is what `markdown_table` returns."""
    assert installed.run("config", "--markdown").out == markdown_table()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x = " + "[" * 20_000 + "]" * 20_000, "nested too deeply"),
        ("a." * 30_000 + "b = 1", "parts"),
        ("[" + '"a" . ' * 9_000 + "b]", "parts"),
        ("x = " + "{a=" * 5_000 + "1" + "}" * 5_000, "nested too deeply"),
        ("x = " + "9" * 10_000, ""),
        ("# " + "x" * 2_000_000, "larger than"),
        ("[a]\n" * 2, ""),
        ("\0", ""),
        ("x = '''" + "y" * 1_000, ""),
        ("[chunk]\nsize = 99999999999999999999999999", ""),
        ("[chunk]\nsize = 1e999", ""),
        ("[chunk]\nsize = nan", ""),
        ('"\\u202e\\u001b[2J" = 3', ""),
    ],
)
def test_an_odd_settings_file_is_a_plain_error(tmp_path: pathlib.Path, text: str, why: str) -> None:
    """Deep, huge, endless or of a wrong type: exit 2 and no traceback, and no control character of it is shown."""
    (tmp_path / "c.toml").write_text(text)
    done = Importer(tmp_path).run("--config", str(tmp_path / "c.toml"), "config")
    assert done.code == 2, done.err[-300:]
    assert "Traceback" not in done.err
    assert why in done.err
    assert not set(done.err) & {"\x1b", "\u202e"}


def test_a_settings_file_without_an_end_is_refused(tmp_path: pathlib.Path) -> None:
    """A device, for one."""
    done = Importer(tmp_path).run("--config", "/dev/zero", "config")
    assert (done.code, "larger than" in done.err) == (2, True)

"""Every example that `--help` shows can be typed: its words are ones that the command takes."""

from __future__ import annotations

import pathlib
import re
import shlex
from collections.abc import Iterator

import click
import pytest

from importer.cli.app import COMMANDS, importer

CALL = re.compile(r"(?:[(|] ?|[A-Z_]+=\w+ |\s)importer (.*)")
STOPS = {"|", ">", "<", ">>", "2>&1", "&&", ";"}


def commands(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command and subcommand with its words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*words, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))


def examples(text: str) -> Iterator[list[str]]:
    """Yield the words behind `importer` in each line of an epilog that shows a command; what is said of it is cut."""
    for line in text.splitlines():
        if not line.startswith("  ") or not (
            found := re.search(r"(?:\A|[(|] ?|[A-Z_]+=\w+ |\s)importer (?!`)(.*)", line)
        ):
            continue
        typed = re.split(r"\)\"|\s{2,}", found.group(1))[0]
        yield _before_a_stop(shlex.split(typed))


def _before_a_stop(words: list[str]) -> list[str]:
    """Return the words that a shell would give to one program."""
    stop = next((at for at, word in enumerate(words) if word in STOPS or word.startswith(("<", ">"))), len(words))
    return words[:stop]


SHOWN = [
    (" ".join(words), example)
    for words, command in [((), importer), *commands(importer)]
    for example in examples(command.epilog or "")
]


def test_most_commands_have_one() -> None:
    """A command without an example is one that needs none, or a subcommand."""
    with_one = {name for name, _ in SHOWN}
    without = {entry.name for entry in COMMANDS} - with_one
    assert without == set(), without


@pytest.mark.parametrize(("command", "words"), SHOWN, ids=lambda one: one if isinstance(one, str) else " ".join(one))
def test_its_words_are_understood(
    command: str, words: list[str], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No option, argument or value in it is refused; nothing is run."""
    monkeypatch.chdir(tmp_path)
    for name in ("locomo10.json", "longmemeval_s.json", "mine.json"):
        pathlib.Path(name).touch()
    parsed: click.Command = importer
    context = None
    while True:
        context = parsed.make_context(parsed.name, list(words), parent=context)
        if not isinstance(parsed, click.Group):
            break
        words = [*context._protected_args, *context.args]
        if not words and parsed.invoke_without_command:
            break
        _, parsed, words = parsed.resolve_command(context, words)
        assert parsed is not None, command

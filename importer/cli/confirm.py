"""Ask on the terminal before something that cannot be taken back.

To be called outside an event loop: a loop takes the first Ctrl-C for itself, and an answer typed after it would count.
"""

from __future__ import annotations

import os
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager

import click

from importer.errors import UsageError

INTERRUPTED = 130  # 128 + SIGINT, as shells count
LOCAL_MODES = 3  # of what termios tells of a terminal
KEY_BYTES = 32  # of one key at most


def confirm(question: str, *, kept: str) -> bool:
    """Return the answer to a question. `kept` says what Ctrl-C or the end of input leaves as it is; both exit with 130.

    Raises UsageError where there is no terminal to ask on.
    """
    if not sys.stdin.isatty():
        hint = "--yes, or --dry-run to see how much it is"
        raise UsageError("there is no terminal to ask for a confirmation", hint=hint)
    try:
        with _interruptible():
            return click.confirm(question)
    except click.Abort:
        click.echo(f"stopped; {kept}", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None


def wait_for_key(words: str) -> None:
    """Say something and wait for any key; nothing depends on which. Ctrl-C is one, too.

    The terminal takes keys before the words are said: what is typed as soon as they are seen is not dropped.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        keys = termios.tcgetattr(terminal)
        keys[LOCAL_MODES] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
        termios.tcsetattr(terminal, termios.TCSAFLUSH, keys)
        click.echo(words, nl=False)
        os.read(terminal, KEY_BYTES)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
    click.echo()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Have Ctrl-C raise KeyboardInterrupt, also in a process that was started with the signal ignored.

    Jobs in the background of a script are; there a Ctrl-C would do nothing, and a `y` typed after it would count.
    """
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)

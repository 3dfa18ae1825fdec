"""`importer service`: install, remove and show the service of systemd, launchd or cron, of this user or of the machine.

`systemd_units` has the units' texts; every call of systemctl goes through `Systemd`, of launchctl through `Launchd`, of
crontab through `Crontab`. Which of them is there is found out by looking, in this order: launchd, systemd, cron.
"""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import click

from importer.cli import context
from importer.cli.output import JSON_OPTION, emit
from importer.cli.services import systemd_units
from importer.cli.services.crontab import BY_HAND, Crontab, crontab_of_user
from importer.cli.services.launchd import Launchd, launchd_of_user
from importer.cli.services.started import check_lasting, flags, importer_words
from importer.errors import ImporterError, TryAgainLater, UsageError
from importer.protocol.system.plain import plain

EPILOG = """\b
Examples:
  importer service install --user              for you, without root, as long as you are logged in
  loginctl enable-linger                       … and without a session, too
  sudo importer service install --run-as ann   hardened, started with the machine, reads ann's conversations (systemd)
  importer service status --user
  importer service uninstall --user            stops it; what was imported stays
"""
SYSTEM_FOLDER = "/etc/systemd/system"
RUNNING = "/run/systemd/system"  # sd_booted(3): there exactly when systemd is the service manager
CALL_S = 120.0  # `enable --now` waits for READY, which comes after the first look at the folders
Call = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


def call(arguments: Sequence[str], timeout_s: float = CALL_S) -> subprocess.CompletedProcess[str]:
    """Run a command and capture its output. Raises TryAgainLater when it takes too long."""
    try:
        return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        hint = "`journalctl -u importer` (--user) says what it waits for"
        raise TryAgainLater(f"{' '.join(arguments)} takes longer than {timeout_s:.0f} s", hint=hint) from error


@dataclass(frozen=True, slots=True)
class Systemd:
    """One service manager: the machine's, or the user's. `folder` holds its units, `run` calls a command.

    `run` and `running` are seams: a test plays systemd.
    """

    user: bool
    folder: str
    run: Call = call
    running: str = RUNNING

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Call `systemctl` with these words."""
        return self.run(["systemctl", *(["--user"] if self.user else []), *words])

    def must(self, *words: str) -> None:
        """Call `systemctl`. Raises ImporterError with its output when it fails."""
        done = self.ask(*words)
        if done.returncode:
            where = "--user -u" if self.user else "-u"
            said = (done.stderr or done.stdout).strip() or f"exit code {done.returncode}"
            raise ImporterError(f"systemctl {' '.join(words)}: {said}", hint=f"journalctl {where} {systemd_units.NAME}")

    def check(self) -> None:
        """Raise UsageError where no systemd can be asked."""
        other = BY_HAND.format(shlex.quote(shlex.join([*importer_words(), "run"])))
        if shutil.which("systemctl") is None:
            raise UsageError("there is no systemctl on this machine", hint=other)
        if not os.path.isdir(self.running):
            raise UsageError("systemd is installed, but it does not run this machine", hint=other)
        # A user's manager lives only while that user is logged in, or lingers.
        if self.user and self.ask("show", "--property=Version").returncode:
            hint = "log in as this user (su and sudo start no manager), or `loginctl enable-linger` first"
            raise UsageError("the service manager of this user does not run", hint=hint)

    @property
    def path(self) -> str:
        """The path of the unit's file."""
        return os.path.join(self.folder, systemd_units.NAME)


def manager(user: bool, environ: Mapping[str, str]) -> Systemd:
    """Return the service manager of the user or of the machine, which root alone may change."""
    if not user:
        return Systemd(False, SYSTEM_FOLDER)
    config = environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Systemd(True, os.path.join(config, "systemd", "user"))


def command_line(words: Sequence[str]) -> str:
    """Return words as a unit's command line has them."""
    return " ".join(quoted(word) for word in words)


def own_words(ctx: click.Context) -> list[str]:
    """Return the words that start this installation, and say the settings that a service would not see."""
    return [*importer_words(), *flags(ctx.find_root().obj or {}, context.settings_of(ctx), os.environ, home())]


def home() -> str:
    """Return the user's home."""
    return os.path.expanduser("~")


def quoted(word: str) -> str:
    """Quote a word for a unit's command line, where %, $, spaces and quotes have a meaning."""
    # Backslashes first, or those of the quotes would be doubled as well.
    plain = word.replace("\\", "\\\\").replace("%", "%%").replace("$", "$$").replace('"', '\\"')
    return f'"{plain}"' if set(plain) & set(" \t'\"\\;") else plain


def install(systemd: Systemd, text: str, *, start: bool) -> str:
    """Write the unit, enable it, start it and check that it runs. Return what to print. Raises ImporterError."""
    try:
        os.makedirs(systemd.folder, exist_ok=True)
        with open(systemd.path, "w", encoding="utf-8", opener=plain) as file:
            file.write(text)
    except OSError as error:
        hint = "use sudo, or --user for a service of your own"
        raise UsageError(f"{systemd.path} cannot be written: {error.strerror}", hint=hint) from error
    systemd.must("daemon-reload")
    systemd.must("enable", systemd_units.NAME)  # after the reload: only then it knows the unit
    if not start:
        return f"{systemd.path} is enabled; it starts with the next {'session' if systemd.user else 'boot'}"
    systemd.must("restart", systemd_units.NAME)  # restarts one that runs with the former unit
    systemd.must("is-active", systemd_units.NAME)
    return f"{systemd.path} is enabled and runs"


def uninstall(systemd: Systemd) -> str:
    """Stop the service and remove its unit; the state stays. Return what to print. Raises ImporterError."""
    if not os.path.lexists(systemd.path):
        return f"there is no {systemd.path}"
    systemd.must("disable", "--now", systemd_units.NAME)
    try:
        os.unlink(systemd.path)
    except OSError as error:
        raise UsageError(f"{systemd.path} cannot be removed: {error.strerror}", hint="use sudo") from error
    systemd.must("daemon-reload")
    return f"{systemd.path} is removed; what was imported stays"


SHOWN = ("LoadState", "ActiveState", "SubState", "UnitFileState", "MainPID", "NRestarts", "Result", "StatusText")


def shown(systemd: Systemd) -> dict[str, str]:
    """Return what the service manager reports of the service."""
    done = systemd.ask("show", systemd_units.NAME, f"--property={','.join(SHOWN)}")
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


USER = click.option("--user", is_flag=True, help="Your own service, in place of the machine's.")


@click.group(epilog=EPILOG)
def command() -> None:
    """Install, remove and show the service, of systemd or launchd; cron's where neither is there."""


def agents(ctx: click.Context, *, user: bool) -> Launchd | Crontab | None:
    """Return this user's launchd or crontab where systemd is not the service manager, else None.

    Raises UsageError for a service of the machine where launchd is.
    """
    found = launchd_of_user(call)
    if found is not None and not user:
        raise UsageError("launchd starts this service for its user alone", hint="add --user")
    state_dir = context.settings_of(ctx).settings.state_dir
    return found or (crontab_of_user(state_dir, RUNNING) if user else None)


@command.command("install")
@USER
@click.option(
    "--run-as",
    metavar="NAME",
    help="User whose conversations the machine's service reads (default: the caller of sudo).",
)
@click.option("--no-start", is_flag=True, help="Enable it, start it later.")
@click.pass_context
def install_(ctx: click.Context, user: bool, run_as: str | None, no_start: bool) -> int:
    """Write the unit for this installation, enable it, start it and check that it runs.

    launchd's part in it is an agent of this user, in ~/Library/LaunchAgents; cron's is a line in the user's crontab.
    """
    check_lasting()
    if user and run_as:
        raise UsageError("--run-as is for the machine's service; --user runs as you")
    if (agent := agents(ctx, user=user)) is not None:
        click.echo(agent.install(own_words(ctx), start=not no_start))
        return 0
    systemd = manager(user, os.environ)
    systemd.check()
    command = command_line(own_words(ctx) if user else [*importer_words(), *_typed(ctx)])
    text = (
        systemd_units.user(command)
        if user
        else systemd_units.system(command, person(run_as or os.environ.get("SUDO_USER", "")))
    )
    click.echo(install(systemd, text, start=not no_start))
    return 0


def _typed(ctx: click.Context) -> list[str]:
    """Return the flags that were typed: the machine's service has places of its own, unless told otherwise."""
    typed = ctx.find_root().obj or {}
    places = {"config": "--config", "state_dir": "--state-dir", "store": "--store"}
    found = [(flag, typed[name]) for name, flag in places.items() if typed.get(name)]
    return [word for flag, said in found for word in (flag, said if flag == "--store" else os.path.abspath(said))]


def person(name: str) -> str:
    """Return the name of a user that exists on this machine. Raises UsageError for others."""
    if not name:
        raise UsageError(
            "which user's conversations are they?", hint="--run-as NAME; or --user for a service of your own"
        )
    try:
        return pwd.getpwnam(name).pw_name
    except KeyError as error:
        raise UsageError(f"there is no user {name!r} here", hint="importer.sysusers in deploy/ makes one") from error


@command.command("uninstall")
@USER
@click.pass_context
def uninstall_(ctx: click.Context, user: bool) -> int:
    """Stop the service and remove its unit. What was imported stays."""
    if (agent := agents(ctx, user=user)) is not None:
        click.echo(agent.uninstall())
        return 0
    systemd = manager(user, os.environ)
    systemd.check()
    click.echo(uninstall(systemd))
    return 0


@command.command("status")
@USER
@JSON_OPTION
@click.pass_context
def status_(ctx: click.Context, user: bool, as_json: bool) -> int:
    """Show whether the service is installed and runs; exit 1 when it does not."""
    if (agent := agents(ctx, user=user)) is not None:
        found = agent.shown()
    else:
        systemd = manager(user, os.environ)
        systemd.check()
        found = shown(systemd)
    active = found.get("ActiveState") == "active"
    emit(found) if as_json else click.echo(text_of(found))
    return 0 if active else 1


def text_of(found: Mapping[str, str]) -> str:
    """Return the status of the service for people."""
    if found.get("LoadState") == "not-found":
        return "not installed; `importer service install --user` does it"
    lines = [f"{found.get('ActiveState')} ({found.get('SubState')}), {found.get('UnitFileState') or 'not enabled'}"]
    if found.get("StatusText"):
        lines.append(found["StatusText"])
    if found.get("MainPID", "0") != "0":
        lines.append(f"process {found['MainPID']}, restarted {found.get('NRestarts', 0)} times")
    elif found.get("Result", "success") != "success":
        lines.append(f"ended: {found['Result']}; journalctl {'-u ' + systemd_units.NAME} says why")
    return "\n".join(lines)

"""Where neither systemd nor launchd is there, one line of the user's crontab starts the daemon; the others stay."""

from __future__ import annotations

import pathlib
import shlex
import shutil
import stat

import psutil
import pytest
from processes import Importer, asked, kill, until

from importer.cli.services import crontab

WORDS = ["/opt/my tools/100%/importer", "--state-dir", "/s"]
# Keeps its table in a file, as crontab(1) is called.
SCRIPT = """#!/bin/sh
case "$1" in
  -l) cat "{0}" 2>/dev/null || {{ echo "no crontab for ann" >&2; exit 1; }} ;;
  -r) rm "{0}" ;;
  -) cat > "{0}" ;;
esac
"""


@pytest.mark.parametrize("before", ["", "0 3 * * * backup\n", "# mine\n@reboot other", "A=b\n\n"])
def test_a_line_in_and_out(before: str) -> None:
    """Ours is one line, renewed in place of a former one; the others are as before."""
    once = crontab.with_line(before, WORDS)
    assert crontab.with_line(once, WORDS) == once
    renewed = crontab.with_line(once, ["/new/importer"])
    assert renewed.count("@reboot /new/importer --log-level warning run") == 1 and "my tools" not in renewed
    rest = crontab.without_line(renewed)
    assert rest == before or rest == before + "\n"
    assert all(one in once.splitlines() for one in before.splitlines())


def test_what_cron_runs() -> None:
    """A bare % would end the command; a shell reads the rest as it is meant."""
    line = crontab.line(WORDS)
    assert "%" not in line.replace("\\%", "")
    command = line.removeprefix("@reboot ").partition(" >/dev/null")[0].replace("\\%", "%")
    assert shlex.split(command) == [*WORDS, "--log-level", "warning", "run"]


def test_install_and_uninstall(tmp_path: pathlib.Path) -> None:
    """The service command falls back to it: the daemon is started, and stopped again; a crontab that was empty goes."""
    table, tools = tmp_path / "table", tmp_path / "bin"
    tools.mkdir()
    (tools / "crontab").write_text(SCRIPT.format(table))
    (tools / "crontab").chmod(stat.S_IRWXU)
    for name in ("sh", "cat", "rm"):
        (tools / name).symlink_to(shutil.which(name) or "")
    installed = Importer(tmp_path, embedded=True)
    done = installed.run("service", "install", "--user", PATH=str(tools))
    assert done.code == 0 and "started now" in done.out, done.err
    assert f"--state-dir {installed.state}" in table.read_text()
    pid = until(lambda: (asked(installed, "ping") or {}).get("pid"), 120)
    try:
        shown = installed.run("service", "status", "--user", "--json", PATH=str(tools)).json
        assert (shown["ActiveState"], shown["MainPID"]) == ("active", str(pid))
        assert "starts the daemon" in installed.run("service", "install", "--user", PATH=str(tools)).out
        assert installed.run("service", "uninstall", "--user", PATH=str(tools)).code == 0
        assert not table.exists()
        until(lambda: not psutil.pid_exists(pid), 60)
    finally:
        if psutil.pid_exists(pid):
            kill(psutil.Process(pid))
    assert "no line of ours" in installed.run("service", "uninstall", "--user", PATH=str(tools)).out
    (tools / "crontab").unlink()
    refused = installed.run("service", "install", "--user", PATH=str(tools))
    assert refused.code == 2 and "tmux new-session" in refused.err

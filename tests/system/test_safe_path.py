"""No code of the folder where a command starts is run by it or by its worker."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys

import pytest
from processes import Importer

COMMAND = shutil.which("importer", path=str(pathlib.Path(sys.executable).parent))


@pytest.mark.skipif(COMMAND is None, reason="the command is not installed beside this Python")
@pytest.mark.parametrize("name", ["msgspec.py", "json.py", "sitecustomize.py", "importer/__init__.py"])
def test_modules_planted_in_the_current_folder_are_not_run(tmp_path: pathlib.Path, name: str) -> None:
    """A repository may hold a module with the name of one of ours: an import and its worker pass it over."""
    installed = Importer(tmp_path / "base")
    planted = tmp_path / "here" / name
    planted.parent.mkdir(parents=True)
    planted.write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write(__name__)\nraise ImportError(__name__)\n")
    (tmp_path / "said").mkdir()
    (tmp_path / "said" / "talk.jsonl").write_text('{"role": "user", "content": "is the kettle on?"}\n')
    environ = {key: value for key, value in installed.environ.items() if key != "PYTHONPATH"}
    assert COMMAND is not None
    command = [COMMAND, "--state-dir", installed.state, "backlog", str(tmp_path / "said"), "--json"]
    done = subprocess.run(
        command, cwd=tmp_path / "here", env=environ, capture_output=True, text=True, check=False, timeout=120
    )
    assert not (tmp_path / "ran").exists(), done.stderr

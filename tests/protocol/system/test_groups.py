"""Control groups: how many cores' time they leave, in every form that kernels and containers tell it."""

from __future__ import annotations

import pathlib

import pytest

from importer.protocol.system.groups import cores_left

OURS = "0::/a/b\n"
OLD = "4:memory:/x\n2:cpu,cpuacct:/a\n1:name=systemd:/\n"


@pytest.mark.parametrize(
    ("own", "files", "cores"),
    [
        (OURS, {"a/b/cpu.max": "200000 100000\n"}, 2),
        (OURS, {"a/b/cpu.max": "150000 100000\n"}, 2),  # a part of a core counts as one
        (OURS, {"a/b/cpu.max": "5000 100000\n"}, 1),
        (OURS, {"a/b/cpu.max": "max 100000\n"}, None),
        (OURS, {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "300000 100000\n"}, 3),  # set further up
        (OURS, {"a/b/cpu.max": "400000 100000\n", "a/cpu.max": "100000 100000\n"}, 1),
        (OURS, {"a/b/cpu.max": "\n"}, None),
        ("0::/not/there\n", {"cpu.max": "100000 100000\n"}, 1),  # in a container without a namespace of its own
        (OLD, {"cpu/a/cpu.cfs_quota_us": "400000\n", "cpu/a/cpu.cfs_period_us": "100000\n"}, 4),
        (OLD, {"cpu/a/cpu.cfs_quota_us": "-1\n", "cpu/a/cpu.cfs_period_us": "100000\n"}, None),
        ("", {"cpu.max": "100000 100000\n"}, 1),  # the root is looked at all the same
    ],
)
def test_cores_that_are_left(tmp_path: pathlib.Path, own: str, files: dict[str, str], cores: int | None) -> None:
    """The least of all levels, for a quota further up holds for what is below."""
    for path, text in {"proc/self/cgroup": own, **{f"cgroup/{name}": text for name, text in files.items()}}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert cores_left(proc=str(tmp_path / "proc"), groups=str(tmp_path / "cgroup")) == cores


def test_without_proc_there_are_no_groups() -> None:
    """As on systems that have none."""
    assert cores_left(proc="") is None

"""Memory: the numbers of /proc and of every kind of control group, and None for what is not there."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from importer.memory.probes import GroupMemory, Probes, ProcessMemory, Sample

MB = 1024 * 1024
STATUS = "Name:\tpython\nVmRSS:\t  300 kB\nRssAnon:\t 200 kB\nRssFile:\t 90 kB\nRssShmem:\t 10 kB\nVmSwap:\t 50 kB\n"
MEMINFO = (
    "".join(
        f"{name}: {kb} kB\n"
        for name, kb in {
            "MemTotal": 1000,
            "MemFree": 300,
            "MemAvailable": 400,
            "Buffers": 1,
            "Cached": 9,
            "Active": 5,
        }.items()
    )
    + "Inactive: 4 kB\nShmem: 0 kB\n"
)
NO_LIMIT = "9223372036854771712"
PRESSURE = "some avg10=12.50 avg60=1.00 avg300=0.00 total=17\nfull avg10=3.25 avg60=0.00 avg300=0.00 total=9\n"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Writes `{path: content}` below a proc and a cgroup root and gives probes that read there, as psutil does."""

    def plant(files):
        (tmp_path / "proc").mkdir()
        monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path / "proc"))
        for path, content in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(content)
        return Probes(proc=str(tmp_path / "proc"), groups=str(tmp_path / "cgroup"), clock=lambda: 7.0)

    return plant


def v2(path, **files):
    names = {f"cgroup{path}/memory.{name}": content for name, content in files.items()}
    return {f"cgroup{path}/cgroup.procs": "", **names}


def v1(path, **files):
    names = {f"cgroup/memory{path}/memory.{name}": content for name, content in files.items()}
    return {f"cgroup/memory{path}/tasks": "", **names}


def test_a_process_is_judged_by_anonymous_memory_and_swap(tree):
    """File-backed pages are shown and not judged; shared memory counts as its own."""
    found = tree({"proc/42/status": STATUS}).process(42)
    assert found == ProcessMemory(210 * 1024, 50 * 1024, 90 * 1024)
    assert (found.judged_bytes, found.rss_bytes) == (260 * 1024, 300 * 1024)


@pytest.mark.parametrize("status", [None, "", "Name:\tzombie\nState:\tZ\n", "VmRSS:\tgarbage kB\n"])
def test_a_process_that_is_gone_is_none(tree, status):
    """Also a zombie, and anything unreadable."""
    assert tree({} if status is None else {"proc/42/status": status}).process(42) is None


def test_an_old_kernel_without_the_split_counts_all(tree):
    """Before 4.5 there is only VmRSS: better too much than nothing."""
    assert tree({"proc/42/status": "VmRSS:\t300 kB\n"}).process(42) == ProcessMemory(300 * 1024, 0, 0)


def test_everything_missing_is_none(tree):
    """No file, no error: the governor then has nothing to say."""
    assert tree({}).sample(42) == Sample(7.0)
    assert Sample(7.0).free_fraction is None


def test_the_machine_and_its_pressure(tree):
    """Total, available, and the percents of the last ten seconds."""
    sample = tree({"proc/meminfo": MEMINFO, "proc/pressure/memory": PRESSURE, "proc/self/status": STATUS}).sample()
    assert (sample.total_bytes, sample.available_bytes, sample.free_fraction) == (1000 * 1024, 400 * 1024, 0.4)
    assert sample.full_percent == 3.25
    assert (sample.daemon.rss_bytes, sample.worker) == (300 * 1024, None)


def test_a_version_2_group_without_file_pages_nobody_touched(tree):
    """Working set = memory.current - inactive_file; the machine's limit is the group's."""
    group = v2("/app", max=str(512 * MB), current=str(300 * MB), stat=f"anon 5\ninactive_file {100 * MB}\nfile 9\n")
    sample = tree({"proc/self/cgroup": "0::/app\n", "proc/meminfo": MEMINFO, **group}).sample()
    assert sample.group == GroupMemory(512 * MB, 200 * MB)
    assert sample.free_fraction == pytest.approx(0.4)


def test_a_version_2_group_says_oom_kills_and_pressure(tree):
    """From our own group; of its pressure and the machine's the worse."""
    group = v2("/app", events="low 0\noom 3\noom_kill 2\n", pressure=PRESSURE)
    calm = "some avg10=20.00 avg60=0\nfull avg10=0.50 avg60=0\n"
    sample = tree({"proc/self/cgroup": "0::/app\n", "proc/pressure/memory": calm, **group}).sample()
    assert (sample.oom_kills, sample.full_percent) == (2, 3.25)


def test_the_level_with_the_least_room_counts(tree):
    """A generous group in a slice that is nearly full: the slice decides, the smallest limit is still known."""
    inner = v2("/user.slice/app", max=str(100 * MB), current=str(10 * MB))
    outer = v2("/user.slice", max=str(1000 * MB), current=str(990 * MB), high="max")
    probes = tree({"proc/self/cgroup": "0::/user.slice/app\n", **inner, **outer})
    assert probes.sample().group == GroupMemory(1000 * MB, 990 * MB)
    assert probes.limit_bytes() == 100 * MB


def test_memory_high_is_a_limit_too(tree):
    """Above it the kernel slows everything down, so we stay below."""
    group = v2("/app", max=str(512 * MB), high=str(256 * MB), current=str(MB))
    assert tree({"proc/self/cgroup": "0::/app\n", **group}).limit_bytes() == 256 * MB


@pytest.mark.parametrize("path", ["/", "/docker/0123abc", "/../outside"])
def test_inside_a_container_the_root_is_ours(tree, path):
    """With a namespace the path is /, without one it names a folder that is not mounted here."""
    group = v2("", max=str(64 * MB), current=str(MB))
    assert tree({"proc/self/cgroup": f"0::{path}\n", **group}).sample().group == GroupMemory(64 * MB, MB)


def test_a_version_1_group_beside_an_empty_version_2(tree):
    """The hybrid layout: memory is where the memory controller is, and its "no limit" is a number."""
    group = v1(
        "/docker/x",
        limit_in_bytes=str(512 * MB),
        usage_in_bytes=str(400 * MB),
        stat=f"inactive_file 1\ntotal_inactive_file {100 * MB}\n",
        oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 4\n",
    )
    root = v1("", limit_in_bytes=NO_LIMIT, usage_in_bytes=str(900 * MB))
    probes = tree({"proc/self/cgroup": "9:name=systemd:/\n4:memory:/docker/x\n0::/\n", **group, **root})
    assert (probes.sample().group, probes.sample().oom_kills) == (GroupMemory(512 * MB, 300 * MB), 4)


def test_no_limit_anywhere_leaves_the_machines_memory(tree):
    """`max`, or version 1's largest number, is no limit."""
    probes = tree({"proc/self/cgroup": "4:cpu,memory:/x\n", **v1("/x", limit_in_bytes=NO_LIMIT)})
    assert (probes.sample().group, probes.limit_bytes()) == (
        None,
        os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
    )


@pytest.mark.parametrize("garbage", ["", "\x00\x00", "max\nmax", "-5", "1e9", "some avg10= full avg10=x"])
def test_garbage_is_none(tree, garbage):
    """Any text of a strange kernel: no number, no error."""
    group = v2("/app", max=garbage, current=garbage, stat=garbage, events=garbage, pressure=garbage)
    files = {"proc/meminfo": garbage, "proc/pressure/memory": garbage, "proc/1/status": garbage}
    assert tree({"proc/self/cgroup": "0::/app\n", **files, **group}).sample(1) == Sample(7.0)


def test_a_cgroup_line_that_is_none_is_passed_over(tree):
    """Half a line of /proc/self/cgroup does not matter."""
    assert tree({"proc/self/cgroup": "nonsense\n\n0::/\n", **v2("", max=str(MB), current="0")}).limit_bytes() == MB


def test_without_proc_nothing_is_known(tmp_path, monkeypatch):
    """No folder /proc is as good as an empty one: every number is None."""
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path / "none"))
    assert Probes(proc=str(tmp_path / "none"), clock=lambda: 7.0).sample(os.getpid()) == Sample(7.0)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")
def test_a_real_childs_memory_is_seen_to_grow():
    """64 MiB touched in another process: anonymous memory grows by that, and is gone with it."""
    code = "print(flush=True); input(); kept = bytearray(b'x') * (64 << 20); print(flush=True); input()"
    probes = Probes()
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        before = probes.process(child.pid).judged_bytes
        child.stdin.write(b"\n")
        child.stdin.flush()
        child.stdout.readline()
        assert 60 * MB < probes.process(child.pid).judged_bytes - before < 80 * MB
        child.kill()
    assert probes.process(child.pid) is None


@pytest.mark.usefixtures("plain_system")
def test_without_proc_psutil_tells_resident_memory():
    """Of this process and of another; machine and limit are known, groups and pressure are not."""
    probes = Probes()
    sample = probes.sample(os.getppid())
    assert 5 * MB < sample.daemon.rss_bytes == sample.daemon.judged_bytes
    assert sample.worker is not None
    assert sample.total_bytes > sample.available_bytes > 0
    assert (sample.group, sample.full_percent, sample.oom_kills) == (None, None, None)
    assert probes.limit_bytes() == sample.total_bytes
    assert probes.process(2**22 + 1) is None

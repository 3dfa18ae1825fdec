"""opening: a file is opened as what it was listed as, or it is a value that says why not."""

from __future__ import annotations

import os
import resource

import pytest

from importer.protocol.records import FileStat
from importer.sources.files import TICK_NS, Gone, OpenedFile, open_file, settled


@pytest.fixture
def folder(tmp_path):
    return os.fsencode(tmp_path)


def write(path: bytes, content: bytes = b"a\n") -> os.stat_result:
    with open(path, "wb") as file:
        file.write(content)
    return os.stat(path)


def test_the_listed_file_is_opened_and_not_inherited(folder):
    """The stat is that of the descriptor, which no worker inherits."""
    found = write(folder + b"/f")
    opened = open_file(folder + b"/f", found.st_dev, found.st_ino)
    assert isinstance(opened, OpenedFile)
    assert (opened.stat.inode, opened.stat.size) == (found.st_ino, 2)
    assert not os.get_inheritable(opened.fd)
    os.close(opened.fd)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (os.mkfifo, "not a regular file"),  # opening one for reading waits for a writer, unless told not to
        (os.mkdir, "not a regular file"),
        (lambda path: os.symlink("/etc/passwd", path), "Too many levels of symbolic links"),
        (lambda path: None, "No such file or directory"),
    ],
    ids=["fifo", "folder", "link", "nothing"],
)
def test_what_is_no_regular_file_is_gone_and_leaks_no_descriptor(folder, make, reason):
    """Pipes, folders, links and nothing at all: none is read, none holds the daemon up."""
    make(folder + b"/f")
    before = os.listdir("/proc/self/fd")
    found = open_file(folder + b"/f")
    assert isinstance(found, Gone)
    assert found.reason == reason
    assert os.listdir("/proc/self/fd") == before


def test_a_file_replaced_since_it_was_listed_is_gone(folder):
    """The path now leads to another file: the next scan will list that one."""
    listed = write(folder + b"/f")
    write(folder + b"/g")
    os.rename(folder + b"/g", folder + b"/f")
    assert open_file(folder + b"/f", listed.st_dev, listed.st_ino) == Gone("replaced since it was listed")


def test_running_out_of_descriptors_is_transient_and_a_vanished_file_is_not(folder):
    """EMFILE says nothing about the file; ENOENT does."""
    write(folder + b"/f")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        crowded = open_file(folder + b"/f")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert crowded == Gone("Too many open files", transient=True)
    assert open_file(folder + b"/none") == Gone("No such file or directory")


def test_a_path_that_cannot_exist_is_gone():
    """A NUL in a path is refused by Python itself, not by the system."""
    assert isinstance(open_file(b"/tmp/a\0b"), Gone)


@pytest.mark.parametrize(("age_ns", "kept"), [(0, False), (TICK_NS, False), (TICK_NS + 1, True), (-5, False)])
def test_a_ctime_counts_only_when_no_second_write_can_bear_it(age_ns, kept):
    """Within a tick of the last write another one would leave the same times; so the file is looked at again."""
    stat = FileStat(b"f", 1, 2, 3, 10**18, 10**18)
    assert (settled(stat, 10**18 + age_ns).ctime_ns == stat.ctime_ns) is kept

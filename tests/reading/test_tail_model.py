"""tail against a model: after any change of a file between two looks, each complete line comes once.

That is once per generation, from the committed offset on; nothing is delivered that does not stand in the file.

The model is the file's contents as a bytes value and the rule "after a look, the lines delivered are those up to the
offset". What no tailer can tell is left out: a change that leaves the first 4 KiB, the 4 KiB before the offset, and
everything that happened to size and times as an append leaves them.
"""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tailing import Tailer

from importer.protocol.records import Reason
from importer.reading.tail import TAIL_BYTES

pytestmark = pytest.mark.slow

OVERSIZED_BYTES = 6000
lengths = st.sampled_from([0, 1, 9, 40, 63, 64, 65, 1500, 4095, 4096, 5999, 6000, 6001, 9000])
blocks = st.lists(lengths, min_size=1, max_size=4)


class FileActions(RuleBasedStateMachine):
    """One file that may change in any way, and one tailer that may be stopped at any time."""

    @initialize(max_bytes=st.sampled_from([1, 50, 5000, 1 << 20]), max_lines=st.sampled_from([1, 3, 1000]))
    def begin(self, max_bytes, max_lines):
        self.folder = os.fsencode(tempfile.mkdtemp())
        self.tailer = Tailer(self.folder + b"/f", max_bytes, OVERSIZED_BYTES, max_lines)
        self.committed = (None, (), b"")
        self.content = self.read = b""
        self.number = 0
        self.mtime = self.ctime = 1
        self.write(b"")

    def teardown(self):
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    # ------------------------------------------------------------------------------------------ what others do

    def write(self, content: bytes) -> None:
        """Set the file's content in place, as after appending, cutting or writing over."""
        with open(self.tailer.path, "ab") as file:
            kept = len(content) if self.content.startswith(content) else 0
            kept = len(self.content) if content.startswith(self.content) else kept
            file.truncate(kept)
            file.write(content[kept:])
        self.changed(content)

    def changed(self, content: bytes) -> None:
        self.content = content
        self.mtime = self.ctime = max(self.mtime, self.ctime) + 1

    def fresh(self, sizes: list[int]) -> bytes:
        """Return lines that never stood anywhere before (but for the shortest ones)."""
        return b"".join(self.line(size) + b"\n" for size in sizes)

    def line(self, size: int) -> bytes:
        self.number += 1
        return (b"%d;" % self.number * size)[:size]

    def elsewhere(self, content: bytes) -> bytes:
        with open(self.folder + b"/new", "wb") as file:
            file.write(content)
        return self.folder + b"/new"

    @rule(sizes=blocks)
    def append(self, sizes):
        self.write(self.content + self.fresh(sizes))

    @rule(size=lengths)
    def append_half_a_line(self, size):
        self.write(self.content + self.line(size))

    @rule(sizes=blocks)
    def append_in_crlf(self, sizes):
        self.write(self.content + self.fresh(sizes).replace(b"\n", b"\r\n"))

    @rule(part=st.floats(0, 1))
    def cut(self, part):
        self.write(self.content[: int(len(self.content) * part)])

    @rule(part=st.floats(0, 1), sizes=blocks)
    def cut_and_grow(self, part, sizes):
        """Change the length: shorter, the same or longer, with the first page kept or not."""
        kept = self.content[: int(len(self.content) * part)]
        self.write(kept + self.fresh(sizes))

    @rule(sizes=blocks)
    def cut_and_grow_past_the_offset(self, sizes):
        """The first page stays; all that comes after it is new and reaches farther than before."""
        grown = self.content[:4096] + self.fresh([*sizes, len(self.content)])
        self.write(grown)

    @rule(at=st.floats(0, 0.999), byte=st.sampled_from([b"#", b"\n"]))
    def write_over(self, at, byte):
        """Change one byte anywhere: the size stays."""
        if self.content:
            place = int(len(self.content) * at)
            self.write(self.content[:place] + byte + self.content[place + 1 :])

    @rule()
    def touch(self):
        self.changed(self.content)

    @rule()
    def rename(self):
        path = self.folder + b"/f%d" % self.number
        os.rename(self.tailer.path, path)
        self.tailer.path = path
        self.ctime = max(self.mtime, self.ctime) + 1

    @rule(sizes=blocks, keep=st.booleans())
    def replace_by_renaming(self, sizes, keep):
        content = (self.content if keep else b"") + self.fresh(sizes)
        os.rename(self.elsewhere(content), self.tailer.path)
        self.changed(content)

    @rule(sizes=blocks)
    def delete_and_make_again(self, sizes):
        """The file system may give the same inode again."""
        os.remove(self.tailer.path)
        content, self.content = self.fresh(sizes), b""
        self.write(content)

    # ------------------------------------------------------------------------------------------ what the tailer does

    @rule()
    def read_to_the_end(self):
        self.look()
        complete = self.content[: self.content.rfind(b"\n") + 1]
        assert self.tailer.checkpoint.offset == len(complete)

    @rule(slices=st.integers(1, 3))
    def read_a_little(self, slices):
        self.look(slices)

    def look(self, slices: int = 1 << 30) -> None:
        self.leave_out_what_cannot_be_told()
        before = self.tailer.checkpoint
        reason = self.tailer.visit((self.mtime, self.ctime), slices)
        begun_anew = before is None or reason in (Reason.TRUNCATED, Reason.REPLACED)
        assert (self.tailer.checkpoint.generation != (before.generation if before else -1)) is begun_anew
        self.read = self.content
        self.delivered_is_what_stands_there()

    def leave_out_what_cannot_be_told(self) -> None:
        """Skip a file that was written over and has grown since, with both hashed pages as they were."""
        known, mark = self.tailer.checkpoint, self.tailer.mark
        if known and len(self.content) > known.size and self.differs_unseen(0, known.offset, known.head.length):
            self.lose_all_progress()
        elif mark and self.differs_unseen(known.offset, mark.offset, 0):
            self.tailer.mark = None

    def differs_unseen(self, begin: int, end: int, head: int) -> bool:
        page = max(begin, end - TAIL_BYTES)
        seen = self.read[:head] == self.content[:head] and self.read[page:end] == self.content[page:end]
        return seen and self.read[begin:end] != self.content[begin:end]

    def delivered_is_what_stands_there(self) -> None:
        """Lines run from 0 to the offset without a gap, each as the file has it."""
        end = 0
        for line in self.tailer.lines:
            stands = self.content[line.start : line.end - 1]
            assert line.start == end
            assert b"\n" not in stands
            assert line.oversized is (len(stands) > OVERSIZED_BYTES)
            assert stands == line.raw if not line.oversized else stands.startswith(line.raw)
            end = line.end
        assert self.tailer.checkpoint.offset == end
        assert end == 0 or self.content[end - 1 : end] == b"\n"

    @rule()
    def commit(self):
        self.committed = (self.tailer.checkpoint, self.tailer.lines, self.read)

    @rule()
    def restart(self):
        """Lose what was read since the last commit: it must come again."""
        self.tailer.checkpoint, self.tailer.lines, self.read = self.committed
        self.tailer.mark = None

    @rule()
    def lose_all_progress(self):
        self.committed = (None, (), b"")
        self.restart()

    @precondition(lambda self: hasattr(self, "tailer"))
    @invariant()
    def an_unchanged_file_is_not_read(self):
        """Looking twice gives nothing the second time, and says so without reading if the file was read to its end."""
        checkpoint = self.tailer.checkpoint
        if checkpoint and checkpoint.offset == len(self.content) and checkpoint.ctime_ns == self.ctime:
            assert self.tailer.visit((self.mtime, self.ctime)) is Reason.UNCHANGED


FileActions.TestCase.settings = settings(
    max_examples=150, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestFileActions = FileActions.TestCase

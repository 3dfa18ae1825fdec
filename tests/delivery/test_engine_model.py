"""A machine of random file actions, faults and crashes against what folding the files gives."""

from __future__ import annotations

import os
import pathlib
import shutil
import tempfile

import oracle
import pytest
import store_diff
from changing_files import CHANGING, World
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from in_process_importer import FATES, InProcessImporter

pytestmark = pytest.mark.slow

GROWING = ("grow", "begin", "halve", "rename", "fork", "copy", "link", "damage")


class Importing(RuleBasedStateMachine):
    """Files change, the importer works or dies; at the end, what the files say is what stands."""

    def __init__(self) -> None:
        super().__init__()
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="engine-model-"))
        self.world = World(str(self.base / "said"), 0, file_bytes=9000, most_files=4)
        os.mkdir(self.world.folder)
        self.world.begin()
        self.stage = InProcessImporter(self.world.folder, self.base)

    @rule(
        seed=st.integers(0, 10**6), acts=st.lists(st.sampled_from(GROWING), min_size=1, max_size=3), told=st.booleans()
    )
    def grow(self, seed: int, acts: list[str], told: bool) -> None:
        """Files only grow, move or multiply; their events may come or be lost."""
        self._act(seed, acts, told)

    @rule(seed=st.integers(0, 10**6), act=st.sampled_from(CHANGING), told=st.booleans())
    def change(self, seed: int, act: str, told: bool) -> None:
        """A file that does not only grow."""
        self._act(seed, [act], told)

    def _act(self, seed: int, acts: list[str], told: bool) -> None:
        self.world.reseed(seed)
        for act in acts:
            getattr(self.world, act if self.world.paths() else "begin")()
        if told:
            self.stage.hint(self.world.paths())

    @rule()
    def look(self) -> None:
        """A rescan."""
        self.stage.look()

    @rule(fates=st.lists(st.sampled_from(FATES), max_size=4), steps=st.integers(1, 6))
    def work(self, fates: list[str], steps: int) -> None:
        """Some work, some of it going wrong."""
        self.stage.step(*fates, steps=steps)

    @rule()
    def crash(self) -> None:
        """The importer is killed and started again."""
        self.stage.crash()

    @rule()
    def reread(self) -> None:
        """Everything is to be read again, as after `failures retry`."""
        engine = self.stage.engine
        engine.run_when_idle(lambda: engine.checkpoints.reread([os.fsencode(p) for p in self.world.paths()]))

    @invariant()
    def committed_is_stored(self) -> None:
        """I3: offsets stand after newlines, and the closed chunks before them are in the store."""
        rows = [row for row in oracle.rows_of(str(self.base)) if row["inode"] not in self.world.unsteady]
        assert not oracle.torn(rows)
        rejected = oracle.rejected_in(str(self.base))
        assert not oracle.unpaid_of(rows, self.stage.shelf(), rejected)  # type: ignore[arg-type]

    def teardown(self) -> None:
        """I1, I2, I5: two looks after the last fault everything is stored, and nothing that stands in no file."""
        try:
            self.world.finish_lines()
            self.stage.finish()
            expected = oracle.expect(self.world.folder, host="")
            rejected = oracle.rejected_in(str(self.base))
            look = store_diff.compare(
                expected,
                self.stage.shelf(),
                explained=self.world.explained,
                rejected=rejected,
                changing=True,  # type: ignore[arg-type]
            )
            assert not look.wrong
        finally:
            self.stage.close()
            shutil.rmtree(self.base)


Importing.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TestImporting = Importing.TestCase


@pytest.mark.long
def test_importing_for_long() -> None:
    """The same with thousands of histories, new ones each time."""
    from hypothesis.stateful import run_state_machine_as_test

    many = settings(max_examples=3000, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Importing, settings=many)

"""One worker process: its frames, its prints and its end, with well-behaved and with broken programs."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import psutil
import pytest
from processes import alone

from importer.delivery.process import Child, Ended
from importer.errors import WorkerDied
from importer.protocol import wire

pytestmark = pytest.mark.slow

TALK = """
import os, signal, sys, time
from importer.protocol import wire
requests, replies = int(sys.argv[1]), int(sys.argv[2])
def take():
    return wire.read_frame(lambda size: os.read(requests, size))
def send(number, message):
    os.write(replies, wire.encode(number, message))
"""
ECHO = """
while frame := take():
    send(frame[0], wire.Answer(wire.decode_request(frame[1]).op))
"""


def living(program: str, act: Callable[[Child], Awaitable[Any]]) -> Any:
    """What `act` gives of a child that runs the program; it never outlives the test."""

    async def run() -> Any:
        child = await Child.spawn([sys.executable, "-c", TALK + program], dict(os.environ))
        try:
            return await asyncio.wait_for(act(child), 30)
        finally:
            child.kill()
            await child.ended

    return asyncio.run(run())


def test_questions_and_answers() -> None:
    """Answers go to their questions by number, in any order."""
    swapped = """
frames = [take(), take()]
for number, body in reversed(frames):
    send(number, wire.Answer(wire.decode_request(body).op))
take()
"""

    async def act(child: Child) -> list[Any]:
        return await asyncio.gather(child.ask(1, wire.Ask("one")), child.ask(2, wire.Ask("two")))

    assert living(swapped, act) == [wire.Answer("one"), wire.Answer("two")]


def test_what_is_in_the_model_is_remembered() -> None:
    """The last word of what it worked on is there when it dies."""
    program = """
take()
send(1, wire.Working(("a", "b")))
send(1, wire.Working(("c",)))
os.kill(os.getpid(), signal.SIGKILL)
"""

    async def act(child: Child) -> Ended:
        with pytest.raises(WorkerDied, match="SIGKILL"):
            await child.ask(1, wire.Ask("x"))
        return child.ended.result()

    ended = living(program, act)
    assert (ended.status, ended.working, ended.cause) == (-signal.SIGKILL, ("c",), "signal SIGKILL")


@pytest.mark.parametrize(
    ("program", "status", "cause"),
    [
        ("sys.exit(0)", 0, "exit code 0"),
        ("sys.exit(7)", 7, "exit code 7"),
        ("os.abort()", -signal.SIGABRT, "signal SIGABRT"),
    ],
)
def test_every_end_is_an_end(program: str, status: int, cause: str) -> None:
    """However it ends, open and later requests fail, and none waits for ever."""

    async def act(child: Child) -> tuple[int, str]:
        for number in (1, 2):
            with pytest.raises(WorkerDied, match=cause):
                await child.ask(number, wire.Ask("x"))
        return child.ended.result().status, child.ended.result().cause

    assert living(program, act) == (status, cause)


def test_an_answer_given_before_the_end_counts() -> None:
    """What it wrote before it died is delivered."""

    async def act(child: Child) -> tuple[Any, Any]:
        answers = await asyncio.gather(*(child.ask(n, wire.Ask("x")) for n in (1, 2)), return_exceptions=True)
        return answers[0], type(answers[1])

    program = "take(); send(1, wire.Answer('late')); os.kill(os.getpid(), signal.SIGKILL)"
    assert living(program, act) == (wire.Answer("late"), WorkerDied)


def test_prints_do_not_tear_frames() -> None:
    """What it prints, on either stream, is kept as its last words, and only so much of it."""
    program = "print('IMP1' * 5000); print('a last word', file=sys.stderr)\n" + ECHO

    async def act(child: Child) -> tuple[Any, Ended]:
        answer = await child.ask(1, wire.Ask("x"))
        return answer, await child.stop(5)

    answer, ended = living(program, act)
    assert answer == wire.Answer("x")
    assert ended.stderr_tail.endswith("a last word")
    assert len(ended.stderr_tail) <= 4096


@pytest.mark.parametrize(
    "frame",
    ["b'IMP1\\x00'", "b'nonsense' * 9", "wire.encode(1, wire.Answer(2))[:-1] + b'!'", "wire.encode(1, wire.Ask('x'))"],
)
def test_a_torn_frame_ends_it(frame: str) -> None:
    """What follows cannot be trusted, so the process is killed and the question fails."""

    async def act(child: Child) -> None:
        with pytest.raises(WorkerDied):
            await child.ask(1, wire.Ask("x"))

    living(f"take(); os.write(replies, {frame}); os.close(replies); time.sleep(1000)", act)


def test_it_may_end_by_itself() -> None:
    """Told to stop, it gets the end of its input and time to tidy up."""

    async def act(child: Child) -> int:
        return (await child.stop(20)).status

    assert living("take(); sys.exit(5)", act) == 5


def test_it_is_made_to_end() -> None:
    """One that does not listen is killed after the grace period."""

    async def act(child: Child) -> int:
        return (await child.stop(0.1)).status

    assert living("time.sleep(1000)", act) == -signal.SIGKILL


def test_its_own_children_go_with_it() -> None:
    """The whole group is killed: nothing it started is left behind."""
    program = """
import subprocess
helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
send(take()[0], wire.Answer(helper.pid))
time.sleep(1000)
"""

    async def act(child: Child) -> int:
        pid = (await child.ask(1, wire.Ask("x"))).value  # type: ignore[union-attr]
        child.kill()
        await child.ended
        while not alone(pid):
            await asyncio.sleep(0.01)
        return int(pid)

    assert living(program, act) > 0


def test_its_stacks_are_told_before_a_late_one_is_killed() -> None:
    """faulthandler writes where it is stuck, then it dies."""
    program = """
import faulthandler
faulthandler.register(signal.SIGUSR2, all_threads=True)
def stuck_in_the_model():
    send(take()[0], wire.Answer(0))
    time.sleep(1000)
stuck_in_the_model()
"""

    async def act(child: Child) -> Ended:
        await child.ask(1, wire.Ask("x"))
        await child.dump_and_kill()
        return await child.ended

    ended = living(program, act)
    assert "stuck_in_the_model" in ended.stderr_tail
    assert ended.status == -signal.SIGKILL


def test_it_gets_no_signal_of_the_terminal() -> None:
    """It runs in a session of its own, so a Ctrl-C is the daemon's to handle."""

    async def act(child: Child) -> bool:
        return os.getsid(child.pid) == child.pid != os.getsid(0)

    assert living("take()", act)


def test_off_the_main_thread_none_is_started() -> None:
    """The kernel kills a worker when the thread that started it ends, so only the main thread may start one."""
    ran: list[str] = []

    def start() -> None:
        with pytest.raises(RuntimeError, match="main thread"):
            asyncio.run(Child.spawn(["touch", "never"], {}))
        ran.append("refused")

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert ran == ["refused"]


def test_no_descriptor_is_left() -> None:
    """Several lives leave as many descriptors open as one."""

    async def act(child: Child) -> None:
        await child.ask(1, wire.Ask("x"))

    def descriptors() -> int:
        living(ECHO, act)
        return len(os.listdir("/proc/self/fd"))

    first = descriptors()
    assert [descriptors() for _ in range(3)] == [first] * 3


@pytest.mark.parametrize("turns", range(8))
def test_a_start_that_is_given_up_leaves_nothing(turns: int) -> None:
    """Wherever it is cancelled, no process and no descriptor stays; one that was started by then is the caller's."""

    async def run() -> None:
        starting = asyncio.ensure_future(Child.spawn([sys.executable, "-c", TALK + ECHO], dict(os.environ)))
        for _ in range(turns):
            await asyncio.sleep(0)
        starting.cancel()
        try:
            child = await starting
        except asyncio.CancelledError:
            return
        child.kill()
        await child.ended

    before = set(os.listdir("/proc/self/fd"))
    asyncio.run(run())
    assert psutil.Process().children() == []
    assert set(os.listdir("/proc/self/fd")) == before

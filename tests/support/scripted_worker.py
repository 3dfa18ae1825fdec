"""A worker that does what a script says: `scripted_worker.py REQUEST_FD REPLY_FD`.

The environment names `SCRIPTED_LIVES`, a JSON list with one script per process (the last one for all that follow), and
`SCRIPTED_LOG`, a file that gets a line per life. A script is a list of words, the first for the start, one for each
batch after that ("done" when it runs out):

    ready | refuse | unreachable | unprovided | die | hang    the start
    done                          the batch is stored
    die                           SIGKILL with the batch's chunks in the model
    vanish                        SIGKILL with nothing in the model
    fail | away | halt | reject   EmbedError; StoreUnreachable; StoreRefused; PointsRejected for the first chunk
    throttled                     EmbedUnreachable
    silent                        no answer at all
    torn                          half a frame, and the end
    die canary                    SIGKILL at the next question that tells a poisonous chunk from a storm of kills
    poison                        `die` if a chunk's text says poison, naming that one alone; else `done`

Texts to embed for another worker take the same words; "done" gives a vector for each.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any

from importer.protocol import wire
from importer.protocol.outcome import Failure, Receipt

FAILURES = {
    "fail": ("embed", "EmbedError", 4),
    "away": ("store", "StoreUnreachable", 75),
    "throttled": ("embed", "EmbedUnreachable", 75),
    "halt": ("store", "StoreRefused", 5),
    "reject": ("store", "PointsRejected", 1),
    "refuse": ("boot", "ModelError", 4),
    "unreachable": ("boot", "StoreUnreachable", 75),
    "unprovided": ("boot", "EmbedUnreachable", 75),
}


class Actor:
    """One process and its script."""

    def __init__(self, request_fd: int, reply_fd: int) -> None:
        self._request_fd = request_fd
        self._reply_fd = reply_fd
        self.seen: set[str] = set()

    def send(self, number: int, reply: wire.Reply) -> None:
        os.write(self._reply_fd, wire.encode(number, reply))

    def take(self) -> tuple[int, Any]:
        frame = wire.read_frame(lambda size: os.read(self._request_fd, size))
        if frame is None:
            sys.exit(0)
        return frame[0], wire.decode_request(frame[1])

    def fail(self, number: int, word: str, ids: tuple[str, ...] = ()) -> None:
        stage, kind, exit_code = FAILURES[word]
        self.send(number, wire.Failed(Failure(number, stage, kind, f"scripted: {word}", True, ids, 0.0), exit_code))

    def start(self, word: str) -> None:
        """Do what the script's first word says: start, or fail to."""
        if word == "die":
            die()
        if word == "hang":
            time.sleep(1000)
        if word in FAILURES:
            self.fail(0, word)
            sys.exit(FAILURES[word][2])
        self.send(0, wire.Ready(os.getpid(), 0, "print", "scripted:"))

    def batch(self, number: int, request: wire.Import | wire.Embed, word: str) -> None:
        embeds = isinstance(request, wire.Embed)
        texts = dict(request.texts) if embeds else {chunk.id: chunk.text for chunk in request.chunks}
        ids = tuple(texts)
        given = () if embeds else request.vectors  # what comes with its vector is never in the model here
        poisonous = tuple(id for id, text in texts.items() if "poison" in text and id not in given)
        if word == "die" or (word == "poison" and poisonous):
            self.send(number, wire.Working(poisonous or ids))
            die()
        if word == "vanish":
            self.send(number, wire.Working(()))
            die()
        if word == "torn":
            os.write(self._reply_fd, wire.encode(number, wire.Working(ids))[:-3])
            sys.exit(0)
        if word in FAILURES:
            self.fail(number, word, ids[:1] if word == "reject" else ())
        elif embeds and word != "silent":
            self.send(number, wire.Working(ids))
            self.send(number, wire.Vectors(dict.fromkeys(ids, b"1234"), 7, 0.1))
        elif word != "silent":
            self.done(number, ids)

    def answer(self, number: int, request: wire.Ask, life: int) -> None:
        """Answer with the question itself; `die` ends every process, `die young` the first one."""
        if request.op == "die" or (request.op == "die young" and life == 0):
            die()
        if request.op == "missing":
            self.send(number, wire.Answer([id for id in request.args["ids"] if id not in self.seen]))
            return
        self.send(number, wire.Answer({"op": request.op, **request.args}))

    def done(self, number: int, ids: tuple[str, ...]) -> None:
        """Report a batch as stored; chunks that this process has seen before count as known."""
        self.send(number, wire.Working(ids))
        self.send(number, wire.Working(()))
        fresh = set(ids) - self.seen
        self.seen |= fresh
        self.send(number, wire.Done(Receipt(number, len(fresh), len(ids) - len(fresh), 9, len(self.seen), 1, 0.1, 0.1)))


def die() -> None:
    """End by SIGKILL, as the kernel does it for lack of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    actor = Actor(int(sys.argv[1]), int(sys.argv[2]))
    _, configure = actor.take()
    if configure.standby:
        actor.take()
    with open(os.environ["SCRIPTED_LOG"], "a+", encoding="ascii") as log:
        log.seek(0)
        life = len(log.readlines())
        log.write(f"{os.getpid()}\n")
    lives = json.loads(os.environ["SCRIPTED_LIVES"])
    script = list(lives[min(life, len(lives) - 1)])
    print(f"life {life}", file=sys.stderr, flush=True)
    actor.start(script.pop(0) if script else "ready")
    while True:
        number, request = actor.take()
        if isinstance(request, wire.Import | wire.Embed):
            actor.batch(number, request, script.pop(0) if script else "done")
        elif request.op == "canary" and script[:1] == ["die canary"]:
            die()
        else:
            actor.answer(number, request, life)


if __name__ == "__main__":
    main()

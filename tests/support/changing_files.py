"""Files of conversations that change at random, in every way that files change."""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import oracle
from read_units import content

from importer.bench.corpus.lines import JsonLine, SessionWriter, encode
from importer.bench.corpus.talk import Talk

AT_MS = 1_780_000_000_000  # 2026-05-28
CHANGING = ("truncate", "regrow", "delete", "rewrite")
FILES = 12  # at most; more would only make a round slower
FILE_BYTES = 60_000  # beyond this a file is not grown any more


@dataclass
class World:
    """Files below `folder`, and the session that writes each. `explained` are ids that may stay of what is gone.

    `unsteady` are inodes of files that did not only grow: their checkpoints may speak of what stood there before.
    """

    folder: str
    seed: int
    lines: int = 0
    acts: Counter[str] = field(default_factory=Counter)
    explained: set[str] = field(default_factory=set)
    unsteady: set[int] = field(default_factory=set)
    rng: random.Random = field(init=False)
    growing: bool = False  # only ever more lines: then each is counted once, at any kill
    seeds: int = 0
    file_bytes: int = FILE_BYTES
    most_files: int = FILES
    sessions: dict[str, SessionWriter] = field(default_factory=dict)
    halves: dict[str, bytes] = field(default_factory=dict)  # the rest of a line whose beginning stands there already

    def __post_init__(self) -> None:
        self.reseed(self.seed)

    def reseed(self, seed: int) -> None:
        """Start again from a seed: equal seeds give equal changes, but no name or id comes twice."""
        self.seeds += 1
        self.rng = random.Random(f"{seed} {self.seeds}")
        self.talk = Talk(self.rng)

    def act(self) -> str:
        """Change one file at random; return the change's name."""
        makes: list[tuple[int, Callable[[], object]]] = [
            *((24, self.grow), (6, self.begin), (8, self.halve), (3, self.truncate), (3, self.regrow)),
            *((3, self.rename), (2, self.fork), (2, self.copy), (1, self.link), (2, self.delete), (3, self.damage)),
            (2, self.rewrite),
        ]
        makes = [made for made in makes if not (self.growing and made[1].__name__ in CHANGING)]
        weights, acts = zip(*makes, strict=True)
        chosen = self.rng.choices(acts, weights)[0] if self.paths() else self.begin
        chosen()
        self.acts[chosen.__name__] += 1
        return chosen.__name__

    def paths(self) -> list[str]:
        """Return all files there are."""
        return sorted(path for path in self.sessions if os.path.exists(path))

    def exchange(self, session: SessionWriter) -> list[JsonLine]:
        """Return a prompt, perhaps a tool call, and one to three answers of any length."""
        rng, talk = self.rng, self.talk
        session.at_ms += 60_000
        lines = [session.user(talk.prompt(rng.choice((20, 120, 700, 4000))))]
        if rng.random() < 0.4:
            call = session.call("Edit", {"file_path": f"{session.cwd}/{talk.path()}"})
            lines += [call, session.result(call, talk.output(200))]
        lines += [session.text(talk.answer(rng.choice((30, 300, 1500)))) for _ in range(rng.randint(1, 3))]
        return lines

    def begin(self) -> None:
        """Begin a conversation; delete one first if there are enough."""
        if len(self.paths()) >= self.most_files and not self.growing:
            self.delete()
        cwd = f"/home/ann/{self.rng.choice(('app', 'site', 'notes'))}"
        session = SessionWriter(self.rng, cwd=cwd, at_ms=AT_MS + self.rng.randrange(10**9))
        path = f"{self.folder}/{cwd.replace('/', '-')}/{session.id}.jsonl"
        self.sessions[path] = session
        self._append(path, encode(self.exchange(session)))

    def grow(self) -> None:
        """Append some exchanges, perhaps written in several pieces."""
        path = self._any()
        raw = encode(line for _ in range(self.rng.randint(1, 3)) for line in self.exchange(self.sessions[path]))
        if self.rng.random() < 0.3:
            cut = self.rng.randrange(len(raw))
            self._append(path, raw[:cut])
            raw = raw[cut:]
        self._append(path, raw)

    def halve(self) -> None:
        """Append only the beginning of a line; the next change of the file completes it."""
        path = self._any()
        raw = encode(self.exchange(self.sessions[path]))
        cut = self.rng.randrange(1, len(raw))
        self._append(path, raw[:cut])
        self.halves[path] = raw[cut:]

    def truncate(self) -> None:
        """Cut a file off anywhere, in place."""
        path = self._gone(self._any())
        os.truncate(path, self.rng.randrange(os.path.getsize(path) + 1))

    def regrow(self) -> None:
        """Cut a file off at a line and let it grow past its old end at once."""
        path = self._gone(self._any())
        with open(path, "rb") as file:
            raw = file.read()
        lines = raw.splitlines(keepends=True)
        kept = b"".join(lines[: self.rng.randrange(len(lines) + 1)])
        more = b""
        while len(kept) + len(more) <= len(raw):
            more += encode(self.exchange(self.sessions[path]))
        os.truncate(path, len(kept))
        self._append(path, more)

    def rename(self) -> None:
        """Move a file to another folder or name; the conversation goes on there."""
        path = self._any()
        to = f"{self.folder}/{self.rng.choice(('-moved', '-kept'))}/{self.rng.getrandbits(48):012x}.jsonl"
        os.makedirs(os.path.dirname(to), exist_ok=True)
        self._take_over(path, to)
        os.rename(path, to)

    def fork(self) -> None:
        """Copy a file under another session id that goes on by itself."""
        path = self._any()
        former = self.sessions[path]
        session = SessionWriter(self.rng, cwd=former.cwd, at_ms=former.at_ms)
        session.parent = former.parent
        with open(path, "rb") as file:
            raw = file.read().replace(former.id.encode(), session.id.encode())
        to = f"{os.path.dirname(path)}/{session.id}.jsonl"
        self.sessions[to] = session
        self._append(to, raw + encode(self.exchange(session)) * self.rng.randint(0, 1))

    def copy(self) -> None:
        """Copy a file byte by byte to another place."""
        path = self._any()
        to = f"{self.folder}/-copies/{self.rng.getrandbits(48):012x}.jsonl"
        os.makedirs(os.path.dirname(to), exist_ok=True)
        self.sessions[to] = self.sessions[path]
        shutil.copyfile(path, to)

    def link(self) -> None:
        """Give a file a second name; what is appended to one is appended to both."""
        path = self._any()
        to = f"{self.folder}/-links/{self.rng.getrandbits(48):012x}.jsonl"
        os.makedirs(os.path.dirname(to), exist_ok=True)
        self.sessions[to] = self.sessions[path]
        os.link(path, to)

    def delete(self) -> None:
        """Delete a file; its points stay."""
        path = self._gone(self._any())
        os.unlink(path)
        del self.sessions[path]

    def damage(self) -> None:
        """Append bytes that are no record, with good lines behind them."""
        path = self._any()
        bad = self.rng.choice(
            (b'{"type":"user","mess\n', b"\0" * 5000, b"\0" * 300 + b"\n", b"\xff\xfe{}\n", b"\n{}\n")
        )
        self._append(path, bad + encode(self.exchange(self.sessions[path])))

    def rewrite(self) -> None:
        """Write a file anew beside the old one, with another end, and put it in its place."""
        path = self._gone(self._any())
        with open(path, "rb") as file:
            lines = file.read().splitlines(keepends=True)
        raw = b"".join(lines[: self.rng.randrange(len(lines) + 1)]) + encode(self.exchange(self.sessions[path]))
        with open(f"{path}.tmp", "wb") as file:
            file.write(raw)
        self._count(raw)
        os.replace(f"{path}.tmp", path)

    def finish_lines(self) -> None:
        """Complete every half line."""
        for path in list(self.halves):
            if os.path.exists(path):
                self._append(path, b"")

    def _any(self) -> str:
        """Choose a file; the smallest one in place of one that has grown large enough."""
        path = self.rng.choice(self.paths())
        if os.path.getsize(path) > self.file_bytes and len(self.paths()) > 1:
            return min(self.paths(), key=os.path.getsize)
        return path

    def _gone(self, path: str) -> str:
        """Remember all that a file may have left in the store, before it changes other than by growing."""
        self._append(path, b"")
        self.explained |= oracle.fold(content(path), path, forms=True).forms
        self.unsteady.add(os.stat(path).st_ino)
        return path

    def _take_over(self, path: str, to: str) -> None:
        """Note a file's other name, its half line with it."""
        self.sessions[to] = self.sessions.pop(path)
        if path in self.halves:
            self.halves[to] = self.halves.pop(path)

    def _append(self, path: str, raw: bytes) -> None:
        """Append bytes, after what is left of a half line."""
        raw = self.halves.pop(path, b"") + raw
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "ab") as file:
            file.write(raw)
        self._count(raw)

    def _count(self, raw: bytes) -> None:
        self.lines += raw.count(b"\n")

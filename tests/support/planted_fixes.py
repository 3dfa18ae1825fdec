"""Two hundred errors with the command that worked later, planted in conversations of two assistants among decoys."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from codex_lines import asked, head, item
from transcripts import answer, call, prompt, raw, result, text

# what ran, what it said, what worked later; {n} and {w} differ from case to case
KINDS = (
    (
        "npm install",
        "npm ERR! ERESOLVE unable to resolve dependency tree for {w}@{n}",
        "npm install --legacy-peer-deps",
    ),
    ("python app.py", "ModuleNotFoundError: No module named '{w}'", "pip install {w} && python app.py"),
    ("cargo build", "error[E0502]: cannot borrow `{w}` as mutable because it is also borrowed", "cargo build --all"),
    (
        "docker compose up -d",
        "Bind for 0.0.0.0:{n} failed: port is already allocated ({w})",
        "docker compose up -d --{w}",
    ),
    ("git push origin {w}", "! [rejected] {w} -> {w} (non-fast-forward)", "git push --force-with-lease origin {w}"),
    (
        "kubectl apply -f {w}.yaml",
        "error validating {w}.yaml: unknown field replicas{w}",
        "kubectl apply -f {w}-v2.yaml",
    ),
    ("pytest tests/{w}", "E   fixture '{w}_client' not found", "pytest tests/{w} -p plugins.{w}"),
    ("go test ./{w}", "panic: {w}: send on closed channel [recovered]", "go test -race ./{w}"),
    (
        "terraform apply {w}",
        "Error: Error acquiring the state lock {w}: ConditionalCheckFailed",
        "terraform apply -lock=false {w}",
    ),
    ("psql -d {w}", 'FATAL: database "{w}" does not exist', "createdb {w} && psql -d {w}"),
    ("ssh {w}", "Permission denied (publickey) for {w}", "ssh -i ~/.ssh/{w} {w}"),
    ("mvn -q package -pl {w}", "Could not find artifact com.acme:{w}:jar:{n}", "mvn -q install -pl {w} -am"),
    ("make {w}", "make: *** No rule to make target '{w}.o', needed by '{w}'", "make clean {w}"),
    (
        "tsc -p {w}",
        "{w}.ts({n},3): error TS2345: Argument of type 'string' is not assignable to {w}",
        "tsc -p {w} --strict",
    ),
    (
        "bundle exec {w}",
        "Could not find gem '{w} (~> {n})' in locally installed gems",
        "bundle install && bundle exec {w}",
    ),
    (
        "poetry run {w}",
        "poetry: The current project's Python requirement ({n}) is not compatible with {w}",
        "poetry run -C {w} {w}",
    ),
    (
        "ansible-playbook {w}.yml",
        "fatal: [{w}]: UNREACHABLE! => Failed to connect to the host via ssh",
        "ansible-playbook -u ops {w}.yml",
    ),
    (
        "aws s3 cp {w} s3://b",
        "upload failed: An error occurred (AccessDenied) when calling PutObject on {w}",
        "aws --profile {w} s3 cp {w} s3://b",
    ),
    (
        "helm upgrade {w} .",
        "Error: UPGRADE FAILED: another operation ({w}) is in progress",
        "helm rollback {w} && helm upgrade {w} .",
    ),
    ("ruff check {w}", "{w}.py:{n}:1: F821 error: Undefined name `{w}`", "ruff check {w} --fix"),
)
WORDS = ("ember", "quartz", "willow", "falcon", "harbor", "cobalt", "meadow", "tundra", "saffron", "lagoon")


@dataclass(frozen=True)
class Planted:
    """One error: the conversation that met it, how it is asked for, and what worked."""

    conversation: str
    query: str
    worked: str
    lines: bytes
    codex: bool


def cases(seed: int = 7) -> Iterator[Planted]:
    """Yield 200 cases: every kind with every word; half are asked for with other numbers and a path in front."""
    chance = random.Random(seed)
    for at, (kind, word) in enumerate((kind, word) for kind in KINDS for word in WORDS):
        ran, said, worked = (part.format(n=100 + at, w=word) for part in kind)
        conversation = f"0f3c1a52-1111-4222-8333-{at:012}"
        query = said if at % 2 else f"/srv/ci/{at}/run.log: {said.replace(str(100 + at), str(700 + at))}"
        steps = _steps(chance, ran, said, worked)
        make = _codex if at % 3 == 2 else _claude
        yield Planted(conversation, query, worked, make(conversation, steps), at % 3 == 2)


def _steps(chance: random.Random, ran: str, said: str, worked: str) -> list[tuple[str, str, int]]:
    """Return commands with their outputs and codes: looks, another failure, the error once or twice, what worked."""
    noise = f"warning: slow disk\n{'x' * chance.randrange(200)}\n"
    return [
        ("ls", "src\nREADME.md", 0),
        ("curl -s localhost:9", "curl: (7) Failed to connect to localhost port 9: Connection refused", 7),
        *[(ran, f"{noise}{said}\n", 1)] * chance.randrange(1, 3),
        ("git status", "nothing to commit", 0),
        ("cat notes.txt", "as before", 0),
        (worked, "done", 0),
        ("date", "Sun", 0),
    ]


def _claude(conversation: str, steps: list[tuple[str, str, int]]) -> bytes:
    """Write a case as Claude Code does."""
    where: dict[str, Any] = {"sessionId": conversation}
    lines = [prompt("please get this to work", 1, **where)]
    for n, (command, output, code) in enumerate(steps, 2):
        id = f"toolu_{n}"
        lines.append(answer(call("Bash", id, command=command), n=n * 2, **where))
        lines.append(prompt([result(output, id, is_error=bool(code))], n * 2 + 1, **where))
    lines.append(answer(text("It works now."), n=99, **where))
    return b"".join(raw(line) + b"\n" for line in lines)


def _codex(conversation: str, steps: list[tuple[str, str, int]]) -> bytes:
    """Write a case as Codex does."""
    import json

    lines = [head(id=conversation), asked("please get this to work")]
    for n, (command, output, code) in enumerate(steps, 2):
        arguments = json.dumps({"command": ["bash", "-lc", command]})
        lines.append(item("function_call", n, name="shell", arguments=arguments, call_id=f"c{n}"))
        told = json.dumps({"output": output, "metadata": {"exit_code": code, "duration_seconds": 0.1}})
        lines.append(item("function_call_output", n, call_id=f"c{n}", output=told))
    return b"".join(raw(line) + b"\n" for line in lines)

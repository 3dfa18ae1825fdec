"""Steering: what is typed while the assistant works is said once, wherever it was written (planted case 10)."""

from __future__ import annotations

import pytest
from transcripts import prompt, queue, queued_command, texts, turns


def test_typed_while_working_and_delivered_is_said_once():
    """Old versions write enqueue and remove only; the text would be lost without them."""
    said = turns(prompt("go"), queue("enqueue", "use tabs please"), queue("remove"))
    assert [turn.text for turn in said] == ["go", "use tabs please"]
    assert said[1].role == "user"
    assert said[1].facts.project == "/home/ann/app"


def test_queued_and_sent_as_a_prompt_is_said_once():
    """Desktop enqueues and dequeues every prompt and then writes it as a line."""
    assert texts(queue("enqueue", "fix it"), queue("dequeue"), prompt("fix it")) == ["fix it"]


@pytest.mark.parametrize("with_text", [True, False])
def test_queue_log_and_attachment_are_one_turn(with_text):
    """New versions write both, in either order; both give the same key, so a fork that copies one of them matches."""
    removed = queue("remove", "use tabs" if with_text else None)
    one = turns(prompt("go"), queue("enqueue", "use tabs"), removed, queued_command("use tabs"))
    two = turns(prompt("go"), queue("enqueue", "use tabs"), queued_command("use tabs"), removed)
    assert [turn.text for turn in one] == [turn.text for turn in two] == ["go", "use tabs"]
    assert one[1].key == two[1].key == turns(prompt("go"), queued_command("use tabs"))[1].key


def test_machinery_in_the_queue_is_nobody_speaking():
    """Notifications, tasks and commands are queued like prompts, and keep their place in the order."""
    noise = ["<task-notification>done</task-notification>", '{"task_id":"b1","task_type":"local_bash"}', "/compact", ""]
    enqueued = [queue("enqueue", words) for words in [*noise, "real words"]]
    assert texts(*enqueued, *[queue("remove")] * 5) == ["real words"]
    assert texts(queued_command("<task-notification>x", commandMode="task-notification")) == []


def test_taken_back_into_the_editor_is_not_said():
    """popAll empties the queue and gives no turn."""
    assert texts(queue("enqueue", "half a thought"), queue("popAll"), queue("remove")) == []

"""Steering: what is typed while the assistant works is said once, wherever it was written (planted case 10)."""

from __future__ import annotations

import pytest
from transcripts import OTHER, SESSION, answer, feed, line, prompt, queue, queued_command, text, texts, turns


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
    assert texts(queued_command("<task-notification>x</task-notification>", commandMode="task-notification")) == []


def test_taken_back_into_the_editor_is_not_said():
    """popAll empties the queue and gives no turn."""
    assert texts(queue("enqueue", "half a thought"), queue("popAll"), queue("remove")) == []


NOTICE = "<task-notification>\n<task-id>b1</task-id>\n</task-notification>"


@pytest.mark.parametrize("notices", [1, 3])
def test_a_prompt_behind_notices_that_left_in_silence_is_said(notices):
    """What is removed unnamed is what a person typed: notices leave the queue without a line."""
    waiting = [queue("enqueue", NOTICE)] * notices
    assert texts(prompt("go"), *waiting, queue("enqueue", "use argon"), queue("remove")) == ["go", "use argon"]


def test_a_notice_that_is_removed_takes_no_prompt_with_it():
    """Removed before a prompt is typed, or named by the line, it leaves the prompts as they are."""
    assert texts(queue("enqueue", NOTICE), queue("remove"), queue("enqueue", "later"), queue("popAll")) == []
    named = [queue("enqueue", NOTICE), queue("enqueue", "first"), queue("remove", NOTICE), queue("popAll")]
    assert texts(*named) == []


def test_prompts_behind_a_silent_notice_come_in_their_order():
    """A prompt that is dequeued comes as a line, alone or joined with others, and is not said again for the next."""
    queued = [queue("enqueue", NOTICE), queue("enqueue", "one"), queue("enqueue", "two")]
    said = [*queued, queue("dequeue"), prompt("one\ntwo", 6), queue("enqueue", "three"), queue("remove")]
    assert texts(*said) == ["one\ntwo", "three"]


LONG = "Why does the tide table drift? " + "\n".join(f"- station {n} is late by {n * 3} minutes" for n in range(60))


def test_a_long_first_prompt_is_said_by_its_own_line():
    """There it has place and time, so two sessions that begin alike share nothing."""
    first = [queue("enqueue", LONG), queue("dequeue"), prompt(LONG, 6)]
    (one,), (two,) = turns(*first), turns(*first[:2], prompt(LONG, 7, sessionId=SESSION))
    assert (one.text, one.facts.project, one.facts.git_branch) == (LONG, "/home/ann/app", "main")
    assert one.key == turns(prompt(LONG, 6))[0].key != two.key


def test_a_long_prompt_amid_the_work_is_said_once():
    """It is said when it is typed, in its session's place, and the removal of it takes no other along."""
    typed = [queue("enqueue", LONG), queue("enqueue", "and look at the clock")]
    said = turns(prompt("go"), answer(text("ok")), *typed, queue("remove"), queue("remove"))
    assert [turn.text for turn in said] == ["go", "ok", LONG, "and look at the clock"]
    assert said[2].facts.project == "/home/ann/app"
    assert texts(prompt("go"), *typed[:1], queue("dequeue"), prompt(LONG, 6)) == ["go", LONG]


def test_steering_without_any_prompt_is_the_sessions_own():
    """Two sessions without a prompt before it do not share what was typed."""
    one, two = (turns({**queued_command("use tabs"), "sessionId": name})[0] for name in (SESSION, OTHER))
    assert one.key != two.key


def test_shell_lines_and_pasted_text_of_the_queue_are_a_persons():
    """A queued shell line is told by its mode; pasted text stands beside the prompt or in an attachment of its own."""
    pasted = {"1": {"id": 1, "type": "text", "content": "the whole log"}}
    assert texts(queued_command("ls -l", commandMode="bash")) == ["!ls -l"]
    assert texts(queued_command("see [Pasted text #1 +9 lines]", pastedContents=pasted)) == ["see the whole log"]
    assert texts(queued_command([text("a"), "b"])) == ["a\n\nb"]
    assert texts(line("attachment", attachment={"type": "pasted_text", "content": "a letter"})) == ["a letter"]
    assert [fed.unknown for fed in feed(line("attachment", attachment={"type": "hologram", "content": "x"}))] == [1]

"""Make the turns of one Claude Code line, type by type: each step takes the context and the line and gives `Fed`.

A line holds one block of an answer, seldom more; blocks of one answer stay separate turns, which the chunk fold joins.
Whose words a line in the user's role holds is decided by its fields first, and by marks in its text only then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from importer.formats import Fed, Options
from importer.formats._shared.turns import key
from importer.formats.claude_code import lines, queue, shown
from importer.formats.claude_code.answers import answered, may_speak, objection, unread
from importer.formats.claude_code.lines import ApiMessage, Attachment, Block, PromptOrigin, TranscriptLine
from importer.formats.claude_code.making import instant, is_subagent, joined, make_plans, make_steered, make_turn
from importer.formats.claude_code.sessions import Context, TranscriptSession, with_leaf, with_own_calls, with_session
from importer.formats.claude_code.text import answer_text, is_summary, pasted_lost, queued_text, typed_text, with_pasted
from importer.formats.claude_code.tools import file_paths, own_call_ids, result_text, tool_names
from importer.protocol.records import Turn

PICTURE = "[image]"  # stands for a prompt that is nothing but a picture
SYNTHETIC = "<synthetic>"  # the model of messages that Claude Code writes itself, such as API errors
BY_PEOPLE = (None, "human", "channel")  # kinds of origin; a channel is a person writing from a messenger
QUEUED = "queued_command"
PLAN_FILE = "plan_file_reference"
PASTED = ("pasted_text", "pasted_content", "pasted_contents")
# Attachments with nothing that a person or the assistant said. Not counted as unknown, which is to tell of new kinds.
_PASSED_OVER = """
    file directory edited_text_file edited_image_file nested_memory compact_file_reference hook_success
    hook_non_blocking_error hook_blocking_error hook_cancelled hook_system_message hook_additional_context
    hook_stopped_continuation hook_error_during_execution hook_permission_decision async_hook_response
    auto_mode auto_mode_exit plan_mode plan_mode_exit plan_mode_reentry deferred_tools_delta mcp_instructions_delta
    agent_listing_delta skill_listing invoked_skills dynamic_skill skill_discovery output_style command_permissions
    task_status task_reminder todo_reminder todo diagnostics goal_status date_change total_tokens_reminder token_usage
    budget_usd output_token_usage companion_intro critical_system_reminder mcp_resource agent_mention
    selected_lines_in_ide opened_file_in_ide already_read_file pdf_reference relevant_memories compaction_reminder
    context_efficiency verify_plan_reminder ultrathink_effort ultramemory structured_output current_session_memory
    teammate_mailbox teammate_shutdown_batch team_context bagel_console max_turns_reached
"""
KNOWN_ATTACHMENTS = frozenset((QUEUED, PLAN_FILE, *PASTED, *_PASSED_OVER.split()))

Step = Callable[[Context, TranscriptSession, TranscriptLine, Options], Fed]


def user(context: Context, session: TranscriptSession, line: TranscriptLine, options: Options) -> Fed:
    """Take a prompt, a compaction summary, or tool results, which are nine of ten user lines."""
    blocks = _blocks(line)
    unknown = lines.unknown(blocks)
    if _only_results(line, blocks, options) or (is_subagent(line) and not options.subagents):
        return Fed(with_session(context, session), (), unknown)
    unknown += unread(line) + pasted_lost(line.pasted_contents)
    turns = _results(context, session, line, blocks, options)
    session, plans = make_plans(session, line, [plan for plan in map(shown.plan_in, blocks) if plan])
    turns += plans
    text = _typed(line, blocks)
    if text and _is_summary(line, blocks):
        # A tuple times a bool is the tuple or nothing.
        turns += (make_turn(session, line, "user", text, kind="summary"),) * options.summaries
    elif text:
        session, prompts = _prompt(session, line, text)
        turns += prompts
    context = with_session(context, session)
    return Fed(with_leaf(context, line) if text else context, turns, unknown)


def assistant(context: Context, session: TranscriptSession, line: TranscriptLine, options: Options) -> Fed:
    """Take a piece of an answer: text, or the tools it used, or both; and what the calls show to the person.

    Calls to our own search are remembered even if the line itself is passed over, for their results come later.
    """
    blocks = _blocks(line)
    unknown = lines.unknown(blocks)
    calls = [block for block in blocks if block.type == "tool_use"]
    if calls:
        context = with_own_calls(context, own_call_ids(calls))
    if _is_passed_over(line) or (is_subagent(line) and not options.subagents):
        return Fed(with_session(context, session), (), unknown)
    text = joined(_answers(blocks, options))
    tools: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    turns: tuple[Turn, ...] = ()
    if calls:  # most lines have either words or one call: what is empty is not looked at
        tools, files = tool_names(calls), file_paths(calls)
    if showing := [call for call in calls if shown.shows(call)]:
        text = joined([text, *map(answer_text, shown.spoken(showing))])
        session, turns = make_plans(session, line, shown.plans(showing))
        turns += _artifacts(session, line, shown.artifacts(showing))
        unknown += sum(map(shown.is_lost, showing))
    if text or tools or files:
        turns = (make_turn(session, line, "assistant", text, tools=tools, files=files), *turns)
    context = with_session(context, session if session.began else msgspec.structs.replace(session, began=True))
    return Fed(with_leaf(context, line) if text else context, turns, unknown)


def queue_operation(context: Context, session: TranscriptSession, line: TranscriptLine, _: Options) -> Fed:
    """Take a queue operation: a prompt typed while the assistant works is queued, delivered, or taken back."""
    text = None if line.content is lines.EMPTY else joined(map(queued_text, lines.texts(line.content)))
    if line.pasted_contents is not lines.EMPTY:
        text = with_pasted(text or "", line.pasted_contents)
    session, texts = queue.operate(session, line.operation, text)
    unknown = lines.is_lost(line.content) or (line.operation not in queue.OPERATIONS and bool(text))
    unknown = unknown or (line.operation == "enqueue" and text is None)
    fed = make_steered(session, line, texts)
    return Fed(with_session(context, session), fed, int(unknown) + pasted_lost(line.pasted_contents))


def attachment(context: Context, session: TranscriptSession, line: TranscriptLine, _: Options) -> Fed:
    """Take an injected attachment: a command or a text of a person counts, and the plan that the assistant keeps."""
    found = line.attachment
    if not isinstance(found, Attachment):
        return Fed(with_session(context, session), (), int(found is not None))
    held = (found.prompt, found.plan_content, *((found.content, found.text) if found.type in PASTED else ()))
    unknown = found.type not in KNOWN_ATTACHMENTS or any(map(lines.is_lost, held)) or pasted_lost(found.pasted_contents)
    passed_over = Fed(with_session(context, session), (), int(unknown))
    if is_subagent(line) or not _by_people(found.origin) or not _by_people(line.origin):
        return passed_over
    if found.type == PLAN_FILE:
        session, turns = make_plans(session, line, [text.strip() for text in lines.texts(found.plan_content)])
        return Fed(with_session(context, session), turns, int(unknown))
    text = _attached(found)
    if not text:
        return passed_over
    session, texts = queue.say(session, text)
    return Fed(with_session(context, session), make_steered(session, line, texts), int(unknown))


def system(context: Context, session: TranscriptSession, line: TranscriptLine, _: Options) -> Fed:
    """Take a line of the tool itself: only a command is a person's, which some versions write here."""
    session_only = Fed(with_session(context, session))
    if line.subtype != "local_command" or is_subagent(line):
        return session_only
    said = "\n".join(lines.texts(line.content))
    text = typed_text(said) if said.lstrip().startswith(("<command-", "<bash-input>")) else ""
    if not text:
        return session_only
    session, turns = _prompt(session, line, text)
    return Fed(with_session(context, session), turns)


STEPS: dict[str, Step] = {
    "user": user,
    "assistant": assistant,
    "queue-operation": queue_operation,
    "attachment": attachment,
    "system": system,
}


def _prompt(session: TranscriptSession, line: TranscriptLine, text: str) -> tuple[TranscriptSession, tuple[Turn, ...]]:
    """Make the turn of a prompt, unless it was said already when it was typed."""
    turn = make_turn(session, line, "user", text)
    if is_subagent(line):  # prompted by the main model, which settles nothing in a person's queue
        return session, (turn,)
    session, said_already = queue.prompted(session, text, turn.key)
    return session, () if said_already else (turn,)


def _blocks(line: TranscriptLine) -> Sequence[Block]:
    """Return the message's blocks; what stands beside its content is taken too, or counted."""
    message = lines.message_of(line)
    blocks = lines.blocks_of(message.content)
    if line.message is None and not blocks and line.content is lines.EMPTY:
        return [lines.Block(type="strange")]
    if line.message is None or (blocks and line.content is lines.EMPTY and lines.is_only_content(message)):
        return blocks
    return [*blocks, *lines.others(line, message, blocks)]


def _only_results(line: TranscriptLine, blocks: Sequence[Block], options: Options) -> bool:
    """Return True if a line is nothing but a tool result that is not wanted: nine of ten user lines.

    A result that a person's words may stand in is wanted.
    """
    if len(blocks) != 1 or options.tool_results:
        return False
    return blocks[0].type == "tool_result" and not may_speak(line, blocks[0])


def _typed(line: TranscriptLine, blocks: Sequence[Block]) -> str:
    """Return what a person typed in these blocks, objections to tool calls included.

    A picture beside a tool's result is what the tool shows, not what a person sent; and text that a tool brought, such
    as the body of a skill, is marked with its call.
    """
    types = {block.type for block in blocks}
    results = "tool_result" in types
    by_machine = line.is_synthetic or (line.source_call and not results)
    if not _by_people(line.origin) or (by_machine and not line.is_compact_summary):
        return ""
    said = blocks
    if results:
        said = [block for block in blocks if block.type not in lines.MEDIA]
    texts = [typed_text(text) for block in said if (text := lines.words(block))]
    if "document" in types:
        texts += [typed_text(text) for block in said for text in lines.texts(lines.document_of(block))]
    text = joined([*(objection(line, block) for block in blocks), *texts])
    text = with_pasted(text, line.pasted_contents)
    return text or PICTURE * (bool(types & {"image", "document"}) and not results)


def _is_summary(line: TranscriptLine, blocks: Sequence[Block]) -> bool:
    """Return True if compaction wrote this, by its flag or by its first words."""
    return bool(line.is_compact_summary) or any(is_summary(lines.words(block)) for block in blocks)


def _by_people(origin: PromptOrigin | str | None) -> bool:
    """Return True if an origin is a person's; older lines have none."""
    return (origin.kind if isinstance(origin, PromptOrigin) else origin) in BY_PEOPLE


def _attached(found: Attachment) -> str:
    """Return what a person said in an attachment: a queued command, a shell line in the queue, or pasted text."""
    if found.type in PASTED:
        text = joined([*map(typed_text, (*lines.texts(found.content), *lines.texts(found.text)))])
    elif found.type == QUEUED and (found.command_mode or "prompt") in ("prompt", "bash"):
        text = joined(map(queued_text, lines.texts(found.prompt)))
        text = f"!{text}" if found.command_mode == "bash" and text and not text.startswith("!") else text
    else:
        return ""
    return with_pasted(text, found.pasted_contents)


def _is_passed_over(line: TranscriptLine) -> bool:
    """Return True if Claude Code wrote a message of the assistant itself, such as an API error."""
    return bool(line.is_api_error_message) or (isinstance(line.message, ApiMessage) and line.message.model == SYNTHETIC)


def _answers(blocks: Sequence[Block], options: Options) -> list[str]:
    """Return the texts of an answer, thoughts among them if they are wanted."""
    texts: list[str] = []
    for block in blocks:
        if block.type == "thinking":
            texts += map(answer_text, lines.texts(block.thinking)) if options.thinking else ()
        elif text := lines.words(block):
            texts.append(answer_text(text))
    return texts


def _results(
    context: Context, session: TranscriptSession, line: TranscriptLine, blocks: Sequence[Block], options: Options
) -> tuple[Turn, ...]:
    """Make the turns of what tools answered, if wanted, and of what a person answered to the assistant's questions.

    Both are the assistant's: they are no prompts, and belong to the exchange that goes on.
    """
    turns: tuple[Turn, ...] = ()
    replies = [(block, answered(line, block)) for block in blocks if block.type == "tool_result"]
    results = [result_text(context, block) for block, reply in replies if not reply] if options.tool_results else ()
    if text := joined(results):
        mark = key("tool", instant(line), text)
        turns += (make_turn(session, line, "assistant", text, mark=mark),)
    if text := joined(reply for _, reply in replies):
        turns += (make_turn(session, line, "assistant", text, mark=key("answer", instant(line), text)),)
    return turns


def _artifacts(session: TranscriptSession, line: TranscriptLine, texts: Sequence[str]) -> tuple[Turn, ...]:
    """Make the turns of documents that the assistant made for the person to look at."""
    return tuple(
        make_turn(session, line, "assistant", text, kind="artifact", mark=key("artifact", instant(line), text))
        for text in map(answer_text, texts)
        if text
    )

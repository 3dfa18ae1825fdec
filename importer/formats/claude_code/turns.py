"""Make the turns of one Claude Code line, type by type: each step takes the context and the line and gives `Fed`.

A line holds one block of an answer, seldom more; blocks of one answer stay separate turns, which the chunk fold joins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from importer.formats import Fed, Options
from importer.formats._shared.turns import key, utc
from importer.formats.claude_code import lines, queue
from importer.formats.claude_code.lines import Block, PromptOrigin, TranscriptLine
from importer.formats.claude_code.sessions import Context, TranscriptSession, with_own_calls, with_session
from importer.formats.claude_code.text import answer_text, is_summary, queued_text, typed_text
from importer.formats.claude_code.tools import file_paths, objection, own_call_ids, result_text, tool_names
from importer.protocol.records import Facts, Turn

KNOWN_BLOCKS = frozenset(("text", "thinking", "redacted_thinking", "tool_use", "tool_result", "image", "document"))
PICTURE = "[image]"  # stands for a prompt that is nothing but a picture
SYNTHETIC = "<synthetic>"  # the model of messages that Claude Code writes itself, such as API errors
BY_PEOPLE = (None, "human", "channel")  # kinds of origin; a channel is a person writing from a messenger

Step = Callable[[Context, TranscriptSession, TranscriptLine, Options], Fed]


def user(context: Context, session: TranscriptSession, line: TranscriptLine, options: Options) -> Fed:
    """Take a prompt, a compaction summary, or tool results, which are nine of ten user lines."""
    blocks = _blocks(line)
    unknown = _unknown(blocks)
    if _only_results(blocks, options) or (_is_subagent(line) and not options.subagents):
        return Fed(with_session(context, session), (), unknown)
    turns = _results(context, session, line, blocks) if options.tool_results else ()
    text = _typed(blocks) if _by_people(line.origin) else ""
    if text and _is_summary(line, blocks):
        # A tuple times a bool is the tuple or nothing.
        turns += (_turn(context, session, line, "user", text, kind="summary"),) * options.summaries
    elif text:
        turn = _turn(context, session, line, "user", text)
        said_already = False
        # A sub-agent is prompted by the main model, which settles nothing in a person's queue.
        if not _is_subagent(line):
            session, said_already = queue.prompted(session, text, turn.key)
        turns += (turn,) * (not said_already)
    return Fed(with_session(context, session), turns, unknown)


def assistant(context: Context, session: TranscriptSession, line: TranscriptLine, options: Options) -> Fed:
    """Take a piece of an answer: text, or the tools it used, or both.

    Calls to our own search are remembered even if the line itself is passed over, for their results come later.
    """
    blocks = _blocks(line)
    unknown = _unknown(blocks)
    context = with_session(context, session)
    calls = [block for block in blocks if block.type == "tool_use"]
    tools: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    if calls:  # most lines have either words or one call: what is empty is not looked at
        context = with_own_calls(context, own_call_ids(calls))
        tools, files = tool_names(calls), file_paths(calls)
    passed_over = line.is_api_error_message or (line.message and line.message.model == SYNTHETIC)
    if passed_over or (_is_subagent(line) and not options.subagents):
        return Fed(context, (), unknown)
    text = _joined(_answers(blocks, options))
    if not (text or tools or files):
        return Fed(context, (), unknown)
    return Fed(context, (_turn(context, session, line, "assistant", text, tools=tools, files=files),), unknown)


def queue_operation(context: Context, session: TranscriptSession, line: TranscriptLine, _: Options) -> Fed:
    """Take a queue operation: a prompt typed while the assistant works is queued, delivered, or taken back."""
    text = _joined(map(queued_text, lines.texts(line.content)))
    session, texts = queue.operate(session, line.operation, text)
    return _steered(context, session, line, texts)


def attachment(context: Context, session: TranscriptSession, line: TranscriptLine, _: Options) -> Fed:
    """Take an injected attachment; only a queued command that a person typed counts."""
    found = line.attachment
    session_only = Fed(with_session(context, session))
    if not found or found.type != "queued_command" or (found.command_mode or "prompt") != "prompt":
        return session_only
    if _is_subagent(line) or not _by_people(found.origin):
        return session_only
    text = _joined(map(queued_text, lines.texts(found.prompt)))
    session, texts = queue.say(session, text)
    return _steered(context, session, line, texts)


def _steered(context: Context, session: TranscriptSession, line: TranscriptLine, texts: Sequence[str]) -> Fed:
    """Make the turns of texts that were typed while the assistant worked."""
    # Queue log and attachment have different times, and a fork copies only the latter: the key takes the prompt's.
    turns = tuple(
        _turn(context, session, line, "user", text, mark=key("user", "steering", session.prompt, text))
        for text in texts
    )
    return Fed(with_session(context, session), turns)


STEPS: dict[str, Step] = {
    "user": user,
    "assistant": assistant,
    "queue-operation": queue_operation,
    "attachment": attachment,
}


def _blocks(line: TranscriptLine) -> Sequence[Block]:
    """Return the message's blocks; content that is a string is one text block.

    Assistants' content is always a list, people's either.
    """
    content = line.message.content if line.message else None
    if isinstance(content, str):
        return [Block(type="text", text=content)]
    return content or ()


def _unknown(blocks: Sequence[Block]) -> int:
    """Count the blocks of types this version does not know."""
    return len([block for block in blocks if block.type not in KNOWN_BLOCKS])


def _only_results(blocks: Sequence[Block], options: Options) -> bool:
    """Return True if a line is nothing but a tool result that is not wanted: nine of ten user lines.

    A result marked as error may hold what a person said when refusing the call.
    """
    if len(blocks) != 1 or options.tool_results:
        return False
    return blocks[0].type == "tool_result" and not blocks[0].is_error


def _joined(texts: Iterable[str]) -> str:
    """Join the texts as paragraphs, empty ones left out."""
    found = [text for text in texts if text]
    return found[0] if len(found) == 1 else "\n\n".join(found)


def _typed(blocks: Sequence[Block]) -> str:
    """Return what a person typed in these blocks, objections to tool calls included.

    A picture beside a tool's result is what the tool shows, not what a person sent.
    """
    texts = [typed_text(block.text) for block in blocks if block.type == "text" and block.text]
    text = _joined([*map(objection, blocks), *texts])
    types = {block.type for block in blocks}
    return text or PICTURE * (bool(types & {"image", "document"}) and "tool_result" not in types)


def _is_summary(line: TranscriptLine, blocks: Sequence[Block]) -> bool:
    """Return True if compaction wrote this, by its flag or by its first words."""
    return bool(line.is_compact_summary) or any(is_summary(block.text or "") for block in blocks)


def _by_people(origin: PromptOrigin | None) -> bool:
    """Return True if an origin is a person's; older lines have none."""
    return origin is None or origin.kind in BY_PEOPLE


def _is_subagent(line: TranscriptLine) -> bool:
    """Return True if a line belongs to a sub-agent or to a member of an agent team."""
    return bool(line.is_sidechain or line.team_name)


def _answers(blocks: Sequence[Block], options: Options) -> list[str]:
    """Return the texts of an answer, thoughts among them if they are wanted."""
    texts: list[str] = []
    for block in blocks:
        if block.type == "text" and block.text:
            texts.append(answer_text(block.text))
        elif block.type == "thinking" and options.thinking:
            texts += map(answer_text, lines.texts(block.thinking))
    return texts


def _results(
    context: Context, session: TranscriptSession, line: TranscriptLine, blocks: Sequence[Block]
) -> tuple[Turn, ...]:
    """Make the turn of what tools answered.

    It is the assistant's: it is no prompt, and belongs to the exchange that goes on.
    """
    text = _joined(result_text(context, block) for block in blocks)
    if not text:
        return ()
    mark = key("tool", line.timestamp or line.uuid or "", text)
    return (_turn(context, session, line, "assistant", text, mark=mark),)


def _turn(
    context: Context,
    session: TranscriptSession,
    line: TranscriptLine,
    role: str,
    text: str,
    *,
    kind: str = "exchange",
    mark: str = "",
    tools: tuple[str, ...] = (),
    files: tuple[str, ...] = (),
) -> Turn:
    """Make a turn under the line's identity and with all that is known around it.

    `mark` is its key where role, time and text are not to make it.

    A sub-agent's lines carry the session of its parent; a conversation of its own keeps the two apart.
    """
    # Becomes part of the conversation's id.
    agent = (line.agent_id or line.agent_name or "sidechain")[:100] if _is_subagent(line) else ""
    # Two calls may share a millisecond: what has no text is told apart by what it did.
    mark = mark or key(role, line.timestamp or line.uuid or "", text, *(() if text else (*tools, *files)))
    facts = Facts(
        kind="subagent" if agent else kind,
        project=session.project,
        title=session.title or context.summary,
        cwd=session.cwd,
        git_branch=session.git_branch,
        model=(line.message and line.message.model) or "",
        agent=agent,
        tools=tools,
        files=files,
    )
    conversation = f"{session.id}/{agent}" if agent else session.id
    return Turn(conversation, line.uuid or mark, role, text, utc(line.timestamp), mark, facts)

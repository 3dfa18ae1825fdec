"""What is known of whole conversations: in the state, and in spans whose commits are not written yet.

A summary line may title a conversation, also one of another file, which it names by the last line (its *tip*) that it
had once. Whichever of the two is read first waits in the state for the other. Such a title fills only what has none: a
title of a conversation's own file counts more, whenever that is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from importer.protocol.conversations import merged
from importer.protocol.records import Commit, ConversationFacts, SpokenCounts
from importer.state.checkpoints import Checkpoints


class KnownFacts:
    """The facts of conversations by source and id, as reading goes on."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        self._checkpoints = checkpoints
        self._news: dict[tuple[str, str], ConversationFacts] = {}  # not committed yet
        self._tips: dict[tuple[str, str], str] = {}  # conversations by their last lines, as far as not committed
        self._summaries: dict[tuple[str, str], str] = {}  # titles by the lines they name, alike
        self._waiting: dict[str, dict[str, str]] = {}  # all of these of a source, those in the state as well

    def told(self, source: str, conversation: str) -> ConversationFacts:
        """Return what is known of a conversation, with what is in flight."""
        return self._news.get((source, conversation)) or self._written(source, conversation)

    def add(
        self, source: str, found: Iterable[ConversationFacts], said: Iterable[SpokenCounts] = ()
    ) -> tuple[ConversationFacts, ...]:
        """Take in what a span says; return that, with what it means together with what was read before."""
        named = [one for each in said if each.lines for one in self._met(source, each)]
        facts = (*named, *(one for told in found for one in self._joined(source, told)))
        for one in facts:
            if one.is_news:
                at = (source, one.conversation_id)
                self._news[at] = merged(self.told(*at), replace(one, leaf=""))
        return facts

    def settled(self, commit: Commit) -> None:
        """Note a written commit: what it told is in the state now."""
        source = commit.checkpoint.format
        for said in commit.said:
            for line in said.lines:
                if self._tips.get((source, line)) == said.conversation_id:
                    self._tips.pop((source, line))
        for one in commit.facts:  # a later span may have brought others, which its own commit writes
            if self._news.get(at := (source, one.conversation_id)) == self._written(*at):
                self._news.pop(at, None)
            if one.leaf and self._tips.get((source, one.leaf)) == one.conversation_id:
                self._tips.pop((source, one.leaf))
            if one.leaf and self._summaries.get((source, one.leaf)) == one.title:
                self._summaries.pop((source, one.leaf))

    def clear(self) -> None:
        """Forget what is not committed: it is read again."""
        self._news.clear()
        self._tips.clear()
        self._summaries.clear()
        self._waiting.clear()

    def _met(self, source: str, said: SpokenCounts) -> Iterator[ConversationFacts]:
        """Yield the titles that wait for lines of a conversation which was read now."""
        if source not in self._waiting:
            fresh = {leaf: title for (of, leaf), title in self._summaries.items() if of == source}
            self._waiting[source] = self._checkpoints.summaries(source) | fresh
        waiting = self._waiting[source]
        for line in said.lines:
            self._tips.setdefault((source, line), said.conversation_id)
            if title := waiting.get(line):
                yield self._titled(source, said.conversation_id, title)

    def _joined(self, source: str, told: ConversationFacts) -> Iterator[ConversationFacts]:
        """Yield facts as they are to be written: a tip with the title that waits for it, a summary with its session."""
        if not told.leaf:
            yield told
            return
        at = (source, told.leaf)
        if told.conversation_id:
            self._tips[at] = told.conversation_id
            title = self._summaries.get(at) or self._checkpoints.summary_of(*at)
            yield self._titled(source, told.conversation_id, title, leaf=told.leaf)
            return
        self._summaries[at] = told.title
        if source in self._waiting:
            self._waiting[source][told.leaf] = told.title
        if conversation := self._tips.get(at) or self._checkpoints.conversation_at(*at):
            yield self._titled(source, conversation, told.title)
        yield told

    def _titled(self, source: str, conversation: str, title: str, *, leaf: str = "") -> ConversationFacts:
        """Return facts that title a conversation which has no title yet."""
        known = self.told(source, conversation).title
        return ConversationFacts(conversation, "" if known else title, leaf=leaf)

    def _written(self, source: str, conversation: str) -> ConversationFacts:
        """Return what the state knows of a conversation."""
        return self._checkpoints.conversation(source, conversation)

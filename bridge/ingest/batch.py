"""Batches of posts: how large one may be, and what its earlier posts add to the facts of later ones.

Pure: no I/O is imported here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.models.chat import ChannelId, Post, Posted, PostId, UserId
from bridge.reasons import STOP
from bridge.routing import Answer, AnswerDirectly, AnswerOfPerson, Decision, Facts, Invite, Refuse

_MOST_TEXT = 256 * 1024
"""Characters of the posts that are stored in one statement: their jobs hold the text."""


_FLOOD = 64 * 1024
"""Characters of a channel's posts that arrive at once, from which on the channel is a flood."""


def flooded(posts: Iterable[Posted]) -> frozenset[ChannelId]:
    """Return the channels whose posts would hold up those of others."""
    text = Counter[ChannelId]()
    for posted in posts:
        text[posted.post.channel_id] += len(posted.post.message)
    return frozenset(channel_id for channel_id, total in text.items() if total > _FLOOD)


def affordable(posts: Sequence[Posted]) -> Iterator[Sequence[Posted]]:
    """Yield the posts in batches that are cheap enough to be stored at once."""
    batch, text = list[Posted](), 0
    for posted in posts:
        if batch and text + len(posted.post.message) > _MOST_TEXT:
            yield batch
            batch, text = [], 0
        batch.append(posted)
        text += len(posted.post.message)
    if batch:
        yield batch


@dataclass(slots=True)
class Batch:
    """The posts of a batch that were decided about so far; the database knows nothing of them yet."""

    known: set[PostId] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)
    """Threads in which the bot answers."""
    stopped: set[str] = field(default_factory=set)
    authors: Mapping[str, set[UserId]] = field(default_factory=lambda: defaultdict(set))
    """By thread."""
    busy: set[str] = field(default_factory=set)
    """Threads in which somebody has asked something."""
    asked: Mapping[UserId, list[int]] = field(default_factory=lambda: defaultdict(list))
    answered: set[str] = field(default_factory=set)
    """Questions of agents that have an answer."""

    def add_to(self, facts: Facts, post: Post) -> Facts:
        """Return the facts of a post with what the batch adds."""
        return replace(
            facts,
            thread_known=facts.thread_known or post.lane in self.opened,
            thread_stopped=facts.thread_stopped or post.lane in self.stopped,
            thread_busy=facts.thread_busy or post.lane in self.busy,
            thread_shared=facts.thread_shared or bool(self.authors[post.lane] - {post.user_id}),
            asked=(*facts.asked, *self.asked[post.user_id]),
            agent_question=None if facts.agent_question in self.answered else facts.agent_question,
        )

    def note(self, post: Post, decision: Decision) -> None:
        """Remember a post and what was decided about it."""
        self.authors[post.lane].add(post.user_id)
        match decision:
            case Answer():
                self.opened.add(post.lane)
                self.busy.add(post.lane)
            case AnswerOfPerson(question):
                self.answered.add(question)
            case Refuse(reason) if reason == STOP:
                self.stopped.add(post.lane)
        if isinstance(decision, Answer | AnswerDirectly | Invite):
            self.asked[post.user_id].append(post.create_at)

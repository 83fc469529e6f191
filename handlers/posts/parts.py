"""The posts that hold an answer, and the mark by which they are known. Pure: no I/O is imported here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, Literal
from uuid import uuid5

from bridge.models.chat import ChannelId, Draft, Post, PostId, UserId
from bridge.models.jobs import Job

MARK = "equabot_bridge"
"""The key of our props: `{"answers": post id, "part": from 1, "of": parts}`, and perhaps `"remark": true`.

A part that grows has `"grows": true`, and 0 parts, the last one their number from its last edit on. An answer
that was asked for once more names the one that it repeats, and one in a direct channel its `conversation`.
"""


@dataclass(frozen=True, slots=True)
class ReplyTarget:
    """The place that an answer belongs into, and the question that it answers."""

    channel_id: ChannelId
    thread: PostId | Literal[""]
    """Empty for a direct message outside of a thread, which is answered the same way."""
    question: PostId
    repeats: PostId | Literal[""] = ""
    """The earlier answer that it repeats."""
    conversation: int = 0
    """The number of a direct conversation, by which its answers are known; 0 elsewhere."""
    footer: str = ""
    """A line below each part."""


@dataclass(frozen=True, slots=True)
class Part:
    """A post that holds a part of an answer."""

    id: PostId
    message: str
    grows: bool = False
    """Its text may be changed until it is exact."""
    unsure_until: float = -inf
    """Until then an edit without an answer may still be carried out, by the clock of the lease."""


@dataclass(frozen=True, slots=True)
class Found:
    """The parts of an answer that its thread has already."""

    parts: Mapping[int, Part] = field(default_factory=dict)
    """By number of the part, from 1."""
    of: int = 0
    """The number of parts in all; 0 if none is known to be the last."""
    surplus: Sequence[Part] = ()
    """Parts in whose place others stand; whoever put them there did not come to remove these."""

    @property
    def complete(self) -> bool:
        return self.of > 0 and self.parts.keys() >= set(range(1, self.of + 1))

    @property
    def has_grown(self) -> bool:
        return any(part.grows for part in self.parts.values())

    @property
    def in_order(self) -> list[PostId]:
        return [self.parts[number].id for number in sorted(self.parts)]

    @property
    def text(self) -> str:
        """What people have been shown of the answer."""
        return "\n\n".join(self.parts[number].message for number in sorted(self.parts))


def find(thread: Iterable[Post], target: ReplyTarget, me: UserId) -> Found:
    """Find the parts in a thread. Only posts of our own account count: anybody can copy props."""
    parts, surplus, of = dict[int, Part](), list[Part](), 0
    for post in thread:
        if post.user_id == me and (numbers := _numbers(post, target)):
            number, known = numbers
            part = Part(post.id, post.message, grows=_grows(post))
            earlier = parts.get(number)
            if earlier and part.grows:
                surplus.append(part)
                continue
            if earlier and earlier.grows:
                surplus.append(earlier)
            parts[number] = part
            of = known or of
    return Found(parts, of, surplus)


def draft(  # noqa: PLR0913 - a part has its text and its place
    job: Job, target: ReplyTarget, message: str, number: int, of: int, *, fresh: bool = False
) -> Draft:
    """Return a part as it is created; one that grows is one of 0. `fresh`: in place of another."""
    return Draft(
        channel_id=target.channel_id,
        root_id=target.thread,
        message=message,
        props={MARK: _mark(job, target, number, of), **_footer_props(target.footer)},
        pending_post_id=str(uuid5(job.key, f"{number} fresh" if fresh else str(number))),
    )


def whole_props(last: Draft) -> Mapping[str, Any]:
    """Return the props of the last part, which has grown, from its draft; the server adds `from_bot` once."""
    return {**last.props, MARK: {**last.props[MARK], "grows": True}, "from_bot": "true"}


def _mark(job: Job, target: ReplyTarget, number: int, of: int) -> Mapping[str, Any]:
    """Return the mark of a part; a remark of our own is no answer, so that no agent takes it for its own."""
    mark: dict[str, Any] = {"answers": target.question, "part": number, "of": of}
    if not of:
        mark["grows"] = True
    if target.repeats:
        mark["repeats"] = target.repeats
    if target.conversation:
        mark["conversation"] = target.conversation
    return mark if job.asks and job.failure is None else {**mark, "remark": True}


def _footer_props(footer: str) -> Mapping[str, Any]:
    """Return the props that show a line below a post; it is no part of the text, so no agent reads it."""
    return {"attachments": [{"footer": footer}]} if footer else {}


def _numbers(post: Post, target: ReplyTarget) -> tuple[int, int] | None:
    """Return the number of the part and the number of parts, if the post is a part of this answer."""
    mark: Any = post.props.get(MARK)
    if not isinstance(mark, Mapping) or mark.get("answers") != target.question:
        return None
    number, of = mark.get("part"), mark.get("of")
    if not (isinstance(number, int) and isinstance(of, int) and number > 0):
        return None
    return (number, of) if mark.get("repeats", "") == target.repeats else None


def _grows(post: Post) -> bool:
    mark: Any = post.props[MARK]
    return mark.get("grows") is True

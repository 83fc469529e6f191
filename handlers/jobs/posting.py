"""Post an answer into its thread: each part once, whatever dies in between.

A part names the question that it answers in its props, and has a `pending_post_id` that nobody can guess.
Mattermost forgets that id after 30 s, so a later attempt first looks for the props in the thread. A create
begins only while this process certainly holds the job's lease.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid5
from weakref import WeakValueDictionary

from bridge.errors import BridgeError
from bridge.ingest.post_acks import PostAcks
from bridge.models.chat import ChannelId, Draft, Post, PostId, UserId
from bridge.models.jobs import Job
from bridge.ports import MattermostApi
from bridge.text.posts import posts_of
from handlers.jobs.lease_guard import LeaseGuard

MARK = "equabot_bridge"
"""The key of our props: `{"answers": post id, "part": from 1, "of": parts}`, and `"remark": true`."""

ARCHIVED = "api.post.create_post.can_not_post_to_deleted.error"
"""Mattermost's error id for posting into an archived channel."""

_WRITES_A_CHANNEL = 4
"""With more creates at once a real server deadlocks on its thread memberships (measured on 5.37)."""

_LATE = 5.0
"""Seconds to wait for the HTTP response once the post was seen, or for the post once the request failed."""


@dataclass(frozen=True, slots=True)
class ReplyTarget:
    """The thread that an answer belongs into, and the question that it answers."""

    channel_id: ChannelId
    thread: PostId
    question: PostId


@dataclass(frozen=True, slots=True)
class Found:
    """The parts of an answer that its thread has already."""

    posts: Mapping[int, PostId] = field(default_factory=dict)
    """By number of the part, from 1."""
    of: int = 0
    """The number of parts in all; 0 if none was found."""

    @property
    def complete(self) -> bool:
        return self.of > 0 and self.posts.keys() >= set(range(1, self.of + 1))

    @property
    def in_order(self) -> list[PostId]:
        return [self.posts[number] for number in sorted(self.posts)]


@dataclass(slots=True)
class Poster:
    """Posts as the bot."""

    api: MattermostApi
    me: UserId
    max_post_size: int
    post_acks: PostAcks
    _write_limits: WeakValueDictionary[ChannelId, asyncio.Semaphore] = field(
        default_factory=WeakValueDictionary
    )

    async def deliver(
        self, job: Job, text: str, target: ReplyTarget, lease: LeaseGuard, *, again: bool
    ) -> list[PostId]:
        """Post the text in as many parts as needed; `again` if an earlier attempt may have posted some."""
        parts = posts_of(text, self.max_post_size)
        async with self.write_limit(target.channel_id):
            posts = dict((await self.found(target)).posts) if again else {}
            for number, part in enumerate(parts, 1):
                if number not in posts:
                    draft = _draft(job, target, part, number, len(parts))
                    posts[number] = await self.create(draft, lease)
        return Found(posts).in_order

    async def found(self, target: ReplyTarget) -> Found:
        """Find the parts in the thread. Only posts of our own account count: anybody can copy props."""
        posts, of = dict[int, PostId](), 0
        for post in await self.api.thread(target.thread):
            if post.user_id == self.me and (part := _part(post, target.question)):
                posts[part[0]], of = post.id, part[1]
        return Found(posts, of)

    def write_limit(self, channel: ChannelId) -> asyncio.Semaphore:
        """Return the semaphore that lets a few at a time write to the channel.

        Acquire it before looking for earlier posts: it can take minutes to get in.
        """
        return self._write_limits.setdefault(channel, asyncio.Semaphore(_WRITES_A_CHANNEL))

    async def create(self, draft: Draft, lease: LeaseGuard) -> PostId:
        """Create one post and return its id as soon as it certainly exists. The caller holds `write_limit`.

        Within 30 s the same `pending_post_id` gives the same post; later the caller looks for it first.
        """
        await lease.require()
        with self.post_acks.expect(draft.pending_post_id) as seen:
            creating = asyncio.create_task(self.api.create_post(draft), name="create post")
            try:
                return (await _created(creating, seen)).id
            finally:
                await _end(creating)


async def _created(creating: asyncio.Task[Post], seen: asyncio.Future[Post]) -> Post:
    """Return the post from the HTTP response or from its websocket event, whichever comes first."""
    await asyncio.wait({creating, seen}, return_when=asyncio.FIRST_COMPLETED)
    if seen.done():
        await asyncio.wait({creating}, timeout=_LATE)
    elif _unclear(creating):
        await asyncio.wait({seen}, timeout=_LATE)
    return seen.result() if seen.done() else creating.result()


def _unclear(creating: asyncio.Task[Post]) -> bool:
    """Whether the create failed and the post may exist all the same."""
    error = creating.exception()
    return isinstance(error, BridgeError) and error.retryable


async def _end(task: asyncio.Task[Post]) -> None:
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()


def _draft(job: Job, target: ReplyTarget, part: str, number: int, parts: int) -> Draft:
    return Draft(
        channel_id=target.channel_id,
        root_id=target.thread,
        message=part,
        props={MARK: _mark(job, target, number, parts)},
        pending_post_id=str(uuid5(job.key, str(number))),
    )


def _mark(job: Job, target: ReplyTarget, number: int, parts: int) -> Mapping[str, Any]:
    """Return the mark of a part; a remark of our own is no answer, so that no agent takes it for its own."""
    mark = {"answers": target.question, "part": number, "of": parts}
    return mark if job.kind == "mention" and job.failure is None else {**mark, "remark": True}


def _part(post: Post, question: PostId) -> tuple[int, int] | None:
    """Return the number of the part and the number of parts, if the post answers the question."""
    mark: Any = post.props.get(MARK)
    if not isinstance(mark, Mapping) or mark.get("answers") != question:
        return None
    number, of = mark.get("part"), mark.get("of")
    return (number, of) if isinstance(number, int) and isinstance(of, int) and number > 0 else None

"""Put an answer into its thread: every part once, whatever dies in between.

A part carries which question it answers in its props and a `pending_post_id` that nobody can guess.
Mattermost forgets the latter after 30 s, so a later attempt first looks for the former in the thread, and
a create is only begun while the job is surely ours.
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
from bridge.text.broadcast_mentions import without_broadcast_mentions
from bridge.text.split import split
from handlers.jobs.lease_guard import LeaseGuard

MARK = "equabot_bridge"
"""The key of our props: `{"answers": post id, "part": from 1, "of": parts}`."""

_WRITES_A_CHANNEL = 4
"""With more creates at once a real server deadlocks on its thread memberships (measured on 5.37)."""

_LATE = 5.0
"""Seconds that a create may still take once its post was seen; and that its post may once it failed."""


@dataclass(frozen=True, slots=True)
class ReplyTarget:
    """Where an answer belongs and which post it answers."""

    channel_id: ChannelId
    thread: PostId
    answers: PostId


@dataclass(frozen=True, slots=True)
class Found:
    """What of an answer stands in its thread."""

    posts: Mapping[int, PostId] = field(default_factory=dict)
    """By the numbers of the parts, from 1."""
    of: int = 0
    """How many parts there are in all; 0 if none was found."""

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
        self, job: Job, text: str, place: ReplyTarget, hold: LeaseGuard, *, again: bool
    ) -> list[PostId]:
        """Post the text in as many parts as needed; `again` if an earlier attempt may have posted some."""
        # A cut can make `@all` of `@alliance`; undoing that adds a character.
        parts = [without_broadcast_mentions(part) for part in split(text, self.max_post_size - 1)]
        async with self.write_limit(place.channel_id):
            there = dict((await self.found(place)).posts) if again else {}
            for number, part in enumerate(parts, 1):
                if number not in there:
                    there[number] = await self.create(_draft(job, place, part, number, len(parts)), hold)
        return Found(there).in_order

    async def found(self, place: ReplyTarget) -> Found:
        """Find the parts in the thread; only posts of our own account count, anybody can copy props."""
        there, of = dict[int, PostId](), 0
        for post in await self.api.thread(place.thread):
            if post.user_id == self.me and (part := _part(post, place.answers)):
                there[part[0]], of = post.id, part[1]
        return Found(there, of)

    def write_limit(self, channel: ChannelId) -> asyncio.Semaphore:
        """Return what lets few at a time write to the channel.

        Whoever has to look before they post does so behind it: it can take minutes to be let in.
        """
        return self._write_limits.setdefault(channel, asyncio.Semaphore(_WRITES_A_CHANNEL))

    async def create(self, draft: Draft, hold: LeaseGuard) -> PostId:
        """Create one post, behind the gate, and return its id as soon as it is certain that it exists.

        Within 30 s the same `pending_post_id` gives the same post; later the caller looks for it first.
        """
        await hold.require()
        with self.post_acks.expect(draft.pending_post_id) as seen:
            creating = asyncio.create_task(self.api.create_post(draft), name="create post")
            try:
                return (await _first_word(creating, seen)).id
            finally:
                await _end(creating)


async def _first_word(creating: asyncio.Task[Post], seen: asyncio.Future[Post]) -> Post:
    """Return the post when either the answer to its create or its event tells of it."""
    await asyncio.wait({creating, seen}, return_when=asyncio.FIRST_COMPLETED)
    if seen.done():
        await asyncio.wait({creating}, timeout=_LATE)
    elif _unclear(creating):
        await asyncio.wait({seen}, timeout=_LATE)
    return seen.result() if seen.done() else creating.result()


def _unclear(creating: asyncio.Task[Post]) -> bool:
    """Whether the create failed in a way that leaves open if the post exists."""
    error = creating.exception()
    return isinstance(error, BridgeError) and error.retryable


async def _end(task: asyncio.Task[Post]) -> None:
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()


def _draft(job: Job, place: ReplyTarget, part: str, number: int, parts: int) -> Draft:
    return Draft(
        channel_id=place.channel_id,
        root_id=place.thread,
        message=part,
        props={MARK: {"answers": place.answers, "part": number, "of": parts}},
        pending_post_id=str(uuid5(job.key, str(number))),
    )


def _part(post: Post, answers: PostId) -> tuple[int, int] | None:
    """Return which part of how many the post is of the answer, if it is one."""
    mark: Any = post.props.get(MARK)
    if not isinstance(mark, Mapping) or mark.get("answers") != answers:
        return None
    number, of = mark.get("part"), mark.get("of")
    return (number, of) if isinstance(number, int) and isinstance(of, int) and number > 0 else None

"""Post an answer into its thread: each part once, and exact in the end.

Mattermost's answer to a create can be lost or late while the post exists. Three things make up for that:
`pending_post_id` (the server knows it for 30 s), our own `posted` event, and the mark in the props by which
the parts that an earlier attempt has posted are found in the thread. A create or an edit begins only while
this process certainly holds the job's lease.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakValueDictionary

import structlog

from bridge.errors import BridgeError, MattermostRefused, TokenRefused
from bridge.ingest.post_acks import PostAcks
from bridge.models.chat import PAGE_SIZE, ChannelId, Draft, Post, PostId, UserId
from bridge.models.jobs import Job
from bridge.ports import MattermostApi
from bridge.text.posts import posts_of
from handlers.posts.lease_guard import LeaseGuard
from handlers.posts.parts import Found, Part, ReplyTarget, draft, find, whole_props
from handlers.posts.write_budget import WriteBudget

log = structlog.get_logger(__name__)

_WRITES_A_CHANNEL = 4
"""With more creates at once a real server deadlocks on its thread memberships (measured on 5.37)."""

_MOST_BEHIND = 2_000
"""Posts of a direct channel behind a question, among which its answer is looked for."""

_LATE = 5.0
"""Seconds to wait for the HTTP response once the post was seen, or for the post once the request failed."""


@dataclass(slots=True)
class Poster:
    """Posts as the bot."""

    api: MattermostApi
    me: UserId
    max_post_size: int
    post_acks: PostAcks
    budget: WriteBudget = field(default_factory=WriteBudget)
    _write_limits: WeakValueDictionary[ChannelId, asyncio.Semaphore] = field(
        default_factory=WeakValueDictionary
    )

    async def deliver(
        self, job: Job, text: str, target: ReplyTarget, lease: LeaseGuard, there: Found | None
    ) -> list[PostId]:
        """Post the text in as many parts as needed, and make exact what has grown.

        `there` are the parts that stand in the thread; None if that has to be looked up.
        """
        # It is cut as while it grew, so that its earlier parts need no further edit.
        messages = posts_of(text, self.max_post_size)
        answer = _Answer(self, job, target, lease, len(messages))
        if there and there.parts.keys() >= set(range(1, len(messages) + 1)):
            # Edits need not queue for creates.
            return await replace(answer, may_create=False).put(messages, there)
        async with self.write_limit(target.channel_id):
            found = there or await self.found(target)
            if not (target.thread or found.parts):
                # In a thread Mattermost itself refuses an answer to a deleted question.
                await self.api.post(target.question)
            return await answer.put(messages, found)

    async def found(self, target: ReplyTarget) -> Found:
        """Find the parts in the thread."""
        return find(await self.own_posts(target), target, self.me)

    async def own_posts(self, target: ReplyTarget) -> Sequence[Post]:
        """Return the posts of our account in the thread; outside of one, those behind the question."""
        posts = await (self.api.thread(target.thread) if target.thread else self._posts_behind(target))
        return [post for post in posts if post.user_id == self.me]

    async def _posts_behind(self, target: ReplyTarget) -> Sequence[Post]:
        found, page = list[Post](), 0
        while posts := await self.api.posts_after(target.channel_id, target.question, page=page):
            found += posts
            if len(posts) < PAGE_SIZE or len(found) > _MOST_BEHIND:
                break
            page += 1
        return found

    def write_limit(self, channel: ChannelId) -> asyncio.Semaphore:
        """Return the semaphore that lets a few at a time write to the channel.

        Acquire it before looking for earlier posts: it can take minutes to get in.
        """
        return self._write_limits.setdefault(channel, asyncio.Semaphore(_WRITES_A_CHANNEL))

    async def create(self, draft: Draft, lease: LeaseGuard, *, urgent: bool = True) -> PostId:
        """Create one post and return its id as soon as it certainly exists. The caller holds `write_limit`.

        Within 30 s the same `pending_post_id` gives the same post; later the caller looks for it first.
        """
        await lease.require()
        counted = self.budget.first() if urgent else nullcontext()
        with counted, self.post_acks.expect(draft.pending_post_id) as seen:
            creating = asyncio.create_task(self.api.create_post(draft), name="create post")
            try:
                return (await _created(creating, seen)).id
            finally:
                await _end(creating)

    async def edit(
        self, post: PostId, message: str, lease: LeaseGuard, props: Mapping[str, Any] | None = None
    ) -> None:
        """Make the text of a post exact; `props` replace all that it has."""
        await lease.require()
        with self.budget.first():
            if props is None:
                await self.api.edit_post(post, message)
            else:
                await self.api.replace_post(post, message, props)


@dataclass(frozen=True, slots=True)
class _Answer:
    """One answer on its way into the thread."""

    poster: Poster
    job: Job
    target: ReplyTarget
    lease: LeaseGuard
    of: int
    may_create: bool = True
    """The caller holds the channel's `write_limit`."""

    async def put(self, messages: Sequence[str], found: Found) -> list[PostId]:
        posts = [
            await self._put(number, message, found.parts.get(number))
            for number, message in enumerate(messages, 1)
        ]
        for number, part in found.parts.items():
            if part.grows and number > len(messages):
                await self._remove(part)
        for part in found.surplus:
            await self._remove(part)
        return posts

    async def _put(self, number: int, message: str, there: Part | None) -> PostId:
        if there is None:
            return await self._create(number, message)
        if there.unsure_until > self.lease.clock():
            return await self._replaced(number, message, there)
        if there.grows and there.message != message:
            return await self._made_exact(number, message, there)
        return there.id

    async def _made_exact(self, number: int, message: str, there: Part) -> PostId:
        """Edit a part; where that is refused, put another one in its place."""
        try:
            await self.poster.edit(there.id, message, self.lease, self._whole_props(number))
        except TokenRefused:
            raise
        except MattermostRefused as error:
            log.warning("edit_refused", post=there.id, reason=error.message)
            return await self._replaced(number, message, there)
        return there.id

    def _whole_props(self, number: int) -> Mapping[str, Any] | None:
        """Return the props by which a database that knows nothing of the answer's end finds it whole."""
        last = number == self.of and self.job.answer is not None
        return whole_props(draft(self.job, self.target, "", number, self.of)) if last else None

    async def _replaced(self, number: int, message: str, there: Part) -> PostId:
        fresh = await self._create(number, message, fresh=True)
        await self._remove(there)
        return fresh

    async def _create(self, number: int, message: str, *, fresh: bool = False) -> PostId:
        made = draft(self.job, self.target, message, number, self.of, fresh=fresh)
        limit = self.poster.write_limit(self.target.channel_id)
        async with nullcontext() if self.may_create else limit:
            return await self.poster.create(made, self.lease)

    async def _remove(self, part: Part) -> None:
        """Delete a part that no longer belongs to the answer; somebody may have done so."""
        with suppress(MattermostRefused):
            await self.lease.require()
            await self.poster.api.delete_post(part.id)


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
    if task.cancel():
        await asyncio.wait({task})
    if not task.cancelled():
        task.exception()

"""Put an answer into its thread: every part once, whatever dies in between.

A part carries which question it answers in its props and a `pending_post_id` that nobody can guess.
Mattermost forgets the latter after 30 s, so a later attempt first looks for the former in the thread.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid5
from weakref import WeakValueDictionary

from bridge.confirmations import Confirmations
from bridge.errors import BridgeError
from bridge.models import ChannelId, Draft, Job, Post, PostId, UserId
from bridge.ports import MattermostApi
from bridge.text.harmless import harmless
from bridge.text.split import split

MARK = "equabot_bridge"
"""The key of our props: `{"answers": post id, "part": from 1, "of": parts}`."""

_WRITES_A_CHANNEL = 4
"""With more creates at once a real server deadlocks on its thread memberships (measured on 5.37)."""

_LATE = 5.0
"""Seconds that a create may still take once its post was seen; and that its post may once it failed."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer belongs and which post it answers."""

    channel_id: ChannelId
    thread: PostId
    answers: PostId


@dataclass(slots=True)
class Poster:
    """Posts as the bot."""

    api: MattermostApi
    me: UserId
    max_post_size: int
    confirmations: Confirmations
    _gates: WeakValueDictionary[ChannelId, asyncio.Semaphore] = field(default_factory=WeakValueDictionary)

    async def deliver(self, job: Job, text: str, place: Place, *, again: bool) -> list[PostId]:
        """Post the text in as many parts as needed; `again` if an earlier attempt may have posted some."""
        # A cut can make `@all` of `@alliance`; undoing that adds a character.
        parts = [harmless(part) for part in split(text, self.max_post_size - 1)]
        there = await self._posted(place) if again else {}
        for number, part in enumerate(parts, 1):
            if number not in there:
                there[number] = await self.create(_draft(job, place, part, number, len(parts)))
        return [there[number] for number in sorted(there)]

    async def _posted(self, place: Place) -> dict[int, PostId]:
        """Find the parts in the thread; only posts of our own account count, anybody can copy props."""
        return {
            number: post.id
            for post in await self.api.thread(place.thread)
            if post.user_id == self.me and (number := _part(post, place.answers))
        }

    async def create(self, draft: Draft) -> PostId:
        """Create one post and return its id as soon as it is certain that it exists.

        Within 30 s the same `pending_post_id` gives the same post; later the caller looks for it first.
        """
        gate = self._gates.setdefault(draft.channel_id, asyncio.Semaphore(_WRITES_A_CHANNEL))
        async with gate:
            with self.confirmations.expect(draft.pending_post_id) as seen:
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


def _draft(job: Job, place: Place, part: str, number: int, parts: int) -> Draft:
    return Draft(
        channel_id=place.channel_id,
        root_id=place.thread,
        message=part,
        props={MARK: {"answers": place.answers, "part": number, "of": parts}},
        pending_post_id=str(uuid5(job.key, str(number))),
    )


def _part(post: Post, answers: PostId) -> int | None:
    mark: Any = post.props.get(MARK)
    if not isinstance(mark, Mapping) or mark.get("answers") != answers:
        return None
    number = mark.get("part")
    return number if isinstance(number, int) and number > 0 else None

"""From posts to jobs: decide about each post and store the decision before its position moves."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

import structlog

from bridge import routing, tracing
from bridge.db.inbox import Inbox
from bridge.db.mappings import Mappings
from bridge.models.chat import Position, Posted
from bridge.models.jobs import Entry, JobKind, Mention
from bridge.routing import Bot, Facts

log = structlog.get_logger(__name__)

AHEAD = 60_000
"""Milliseconds that a post may be ahead of our clock without being distrusted."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Decides about posts and stores what is to be done, or why nothing is."""

    inbox: Inbox
    mappings: Mappings
    me: Bot

    async def store(self, posts: Sequence[Posted], *, begin_at: int = 0, incomplete: bool = False) -> int:
        """Store the posts, given oldest first, and move their channels' positions past them.

        Posts before `begin_at` (milliseconds) are history. `incomplete`: earlier posts may be missing, so no
        position moves, and refusals wait until those were read. Returns the number of new jobs.
        """
        began = time.time_ns()
        facts = await self.mappings.facts(posts)
        entries = [
            entry
            for entry in self._entries(posts, facts, begin_at)
            if entry.refused is None or not incomplete
        ]
        positions = [] if incomplete else list(_positions(posts, begin_at, began // 1_000_000 + AHEAD))
        stored = await self.inbox.put_all(entries, positions)
        new = {
            entry.payload["post_id"] for entry in entries if entry.refused is None and entry.dedupe in stored
        }
        for post_id in new:
            tracing.seen(post_id, began)
        return len(new)

    def _entries(self, posts: Sequence[Posted], facts: Sequence[Facts], begin_at: int) -> Iterator[Entry]:
        opened: set[str] = set()
        for posted, known in zip(posts, facts, strict=True):
            seen = replace(
                known,
                thread_known=known.thread_known or posted.post.lane in opened,
                begin_at=begin_at,
                now=time.time_ns() // 1_000_000,
            )
            if entry := self._entry(posted, seen):
                yield entry
                if entry.kind == "mention" and entry.refused is None:
                    opened.add(entry.lane)

    def _entry(self, posted: Posted, facts: Facts) -> Entry | None:
        match routing.decide(posted, facts, self.me):
            case routing.Answer():
                return _job("mention", posted, facts)
            case routing.Invite():
                return _job("invite", posted, facts)
            case routing.Refuse(reason) if reason in routing.SELF_EVIDENT:
                return None
            case routing.Refuse(reason):
                return replace(_job("mention", posted, facts), payload={}, refused=reason)
            case decision:
                assert_never(decision)


def _job(kind: JobKind, posted: Posted, facts: Facts) -> Entry:
    post = posted.post
    mention = Mention(
        post_id=post.id,
        channel_id=post.channel_id,
        thread=post.thread,
        user_id=post.user_id,
        person_id=facts.person_id,
        message=post.message,
        create_at=post.create_at,
    )
    return Entry(kind, post.lane, facts.organization_id, f"post:{post.id}", mention.payload())


def _positions(posts: Sequence[Posted], begin_at: int, latest: int) -> Iterator[Position]:
    """Return the channels' new positions; a post later than `latest` moves none.

    A position in the future would hide posts until then. If our own clock is wrong, posts are read twice and
    none is missed.
    """
    last: dict[str, Posted] = {}
    for posted in posts:
        if posted.post.create_at > latest:
            log.warning("post_from_the_future", post=posted.post.id, channel=posted.post.channel_id)
            continue
        before = last.get(posted.post.channel_id)
        if before is None or before.post.create_at <= posted.post.create_at:
            last[posted.post.channel_id] = posted
    for posted in last.values():
        yield Position(posted.post.channel_id, posted.post.id, posted.post.create_at, begin_at)

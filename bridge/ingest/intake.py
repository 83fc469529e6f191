"""From posts to jobs: decide about each post and store the decision before its position moves."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import assert_never
from weakref import WeakValueDictionary

import structlog

from bridge import routing, tracing
from bridge.db.inbox import Inbox
from bridge.db.locks import Locks
from bridge.db.mappings import Mappings
from bridge.db.stops import Stops
from bridge.ingest.batch import Batch, affordable
from bridge.ingest.entries import answer_entry, hint_entry, job_entry, refusal_entry
from bridge.ingest.stopping import IsAdmin, Stopping
from bridge.models.chat import Position, Posted, UserId
from bridge.models.jobs import Entry
from bridge.reasons import SELF_EVIDENT, Reason
from bridge.routing import Bot, Facts, Policy

log = structlog.get_logger(__name__)

AHEAD = 60_000
"""Milliseconds that a post may be ahead of our clock without being distrusted."""


_ASKING = ("mention", "invite", "direct")
"""The kinds of jobs that a person's post makes."""
_NOT_FOR_US: tuple[Reason, ...] = (
    "not_mentioned",
    "follow_ups_off",
    "stopped_listening",
    "to_somebody_else",
    "others_write_there",
)
"""Why a post was refused that an added mention makes a question."""

_UNNOTICED = timedelta(minutes=2)
"""How long posts may have been read by a former name of the account."""

_SLICE = 0.01
"""Seconds of deciding after which others run; what comes between two looks at the time is added to it."""


@dataclass(slots=True)
class Intake:
    """Decides about posts and stores what is to be done, or why nothing is."""

    inbox: Inbox
    mappings: Mappings
    me: Bot
    """Its name changes when the account is renamed."""
    policy: Policy = field(default_factory=Policy)
    notice_account: Callable[[], str] = lambda: ""
    """Returns the name of the account that posts notices, empty while it is not known."""

    is_admin: IsAdmin | None = None
    """Says who may stop the answers of others."""
    locks: Locks | None = None
    """With them limits hold in all processes together."""
    stopping: Stopping = field(init=False)
    _turns: WeakValueDictionary[UserId, asyncio.Lock] = field(
        default_factory=WeakValueDictionary, init=False, repr=False
    )

    def __post_init__(self) -> None:
        self.stopping = Stopping(Stops(self.inbox.pool), self.is_admin)

    async def store(self, posts: Sequence[Posted], *, begin_at: int = 0, incomplete: bool = False) -> int:
        """Store the posts, given oldest first, and move their channels' positions past them.

        Posts before `begin_at` (milliseconds) are history. `incomplete`: earlier posts may be missing, so no
        position moves, and refusals wait until those were read. Returns the number of new jobs.
        """
        new = 0
        for batch in affordable(posts):
            async with self._turn(batch):
                new += await self._stored(batch, begin_at, incomplete=incomplete)
        return new

    @asynccontextmanager
    async def _turn(self, posts: Sequence[Posted]) -> AsyncIterator[None]:
        """Let the posts of a person be decided about one batch after the other, whatever their channels are.

        Else questions that are read at the same time do not know of each other, and pass the limit together.
        The bot asks nothing, and its answers are in each channel.
        """
        authors = {posted.post.user_id for posted in posts} - {self.me.user_id}
        async with AsyncExitStack() as stack:
            for author in sorted(authors):
                await stack.enter_async_context(self._turns.setdefault(author, asyncio.Lock()))
            yield

    async def _stored(self, posts: Sequence[Posted], begin_at: int, *, incomplete: bool) -> int:
        facts = await self._facts(posts)
        near = self._near_limit(posts, facts)
        if not (near and self.locks):
            return await self._store(posts, facts, begin_at, incomplete=incomplete)
        async with AsyncExitStack() as stack:
            for author in near:
                await stack.enter_async_context(self.locks.acquire(f"asks:{author}"))
            return await self._store(posts, await self._facts(posts), begin_at, incomplete=incomplete)

    async def _facts(self, posts: Sequence[Posted]) -> Sequence[Facts]:
        # Fewer questions are near no limit even together with all posts of the batch.
        matters = self.policy.watched - len(posts)
        return await self.mappings.facts(posts, self.me.agent_channel, asked_at_least=matters)

    def _near_limit(self, posts: Sequence[Posted], facts: Sequence[Facts]) -> Sequence[UserId]:
        """Return the authors whose questions no other process may store meanwhile."""
        moments: dict[UserId, list[int]] = {}
        for posted, known in zip(posts, facts, strict=True):
            if not known.stored:
                asked = moments.setdefault(posted.post.user_id, list(known.asked))
                asked.append(posted.post.create_at)
        return sorted(
            author for author, asked in moments.items() if routing.is_near_limit(asked, self.policy)
        )

    async def _store(
        self, posts: Sequence[Posted], facts: Sequence[Facts], begin_at: int, *, incomplete: bool
    ) -> int:
        began = time.time_ns()
        facts = await self._busy(posts, facts)
        decided = await self._entries(posts, facts, begin_at)
        entries = [entry for entry in decided if entry.refused is None or not incomplete]
        latest = began // 1_000_000 + AHEAD
        positions = [] if incomplete else list(_positions(posts, self.me, begin_at, latest))
        stored = await self.inbox.put_all(entries, positions)
        await self._stop(posts, decided)
        new = {
            entry.payload["post_id"]
            for entry in entries
            if entry.kind in _ASKING and entry.refused is None and entry.dedupe in stored
        }
        for post_id in new:
            tracing.seen(post_id, began)
        return len(new)

    async def rename(self, username: str) -> None:
        """Decide by the account's new name from now on; forget refusals that went by the former one."""
        self.me = replace(self.me, username=username)
        await self.inbox.forget_refusals(["not_mentioned"], _UNNOTICED)

    async def reconsider(self, posted: Posted) -> None:
        """Decide once more about a post that was edited, if it was not for the bot before."""
        if await self.inbox.reopen(posted.post, _NOT_FOR_US):
            await self.store([posted], incomplete=True)

    async def _busy(self, posts: Sequence[Posted], facts: Sequence[Facts]) -> list[Facts]:
        """Return the facts with what has to be known of posts that tell the bot to stop."""
        return [
            replace(known, thread_busy=await self.stopping.stops.is_busy(posted))
            if routing.says_stop(posted, self.me)
            else known
            for posted, known in zip(posts, facts, strict=True)
        ]

    async def _stop(self, posts: Sequence[Posted], entries: Sequence[Entry]) -> None:
        """Stop what was asked before somebody has said so, now that all of it is stored."""
        told = {entry.dedupe for entry in entries if entry.refused == "stop_word"}
        for posted in posts:
            if f"post:{posted.post.id}" in told:
                await self.stopping.by_word(posted)

    async def _entries(
        self, posts: Sequence[Posted], facts: Sequence[Facts], begin_at: int
    ) -> Sequence[Entry]:
        entries, batch, since = list[Entry](), Batch(), time.perf_counter()
        policy = replace(self.policy, notice_account=self.notice_account())
        for posted, known in zip(posts, facts, strict=True):
            if known.stored or posted.post.id in batch.known:
                continue
            batch.known.add(posted.post.id)
            seen = batch.add_to(known, posted.post).at(time.time_ns() // 1_000_000, begin_at)
            decision = routing.decide(posted, seen, self.me, policy)
            made = list(_of_decision(posted, seen, decision))
            if any(entry.dedupe == f"post:{posted.post.id}" for entry in made):
                batch.note(posted.post, decision)
            entries += made
            if time.perf_counter() - since > _SLICE:
                await asyncio.sleep(0)
                since = time.perf_counter()
        return entries


def _of_decision(posted: Posted, facts: Facts, decision: routing.Decision) -> Iterator[Entry]:
    match decision:
        case routing.Answer():
            yield job_entry("mention", posted, facts)
        case routing.Invite():
            yield job_entry("invite", posted, facts)
        case routing.AnswerDirectly():
            yield job_entry("direct", posted, facts)
        case routing.AnswerOfPerson(question):
            yield answer_entry(question, posted, facts)
        case routing.Refuse(reason, hint):
            if reason not in SELF_EVIDENT:
                yield refusal_entry(reason, posted, facts)
            if hint is not None:
                yield hint_entry(hint, posted, facts.organization_id)
        case _:
            assert_never(decision)


def _positions(posts: Sequence[Posted], me: Bot, begin_at: int, latest: int) -> Iterator[Position]:
    """Return the new positions of channels that the bot answers in; a post later than `latest` moves none.

    A position in the future would hide posts until then. If our own clock is wrong, posts are read twice and
    none is missed.
    """
    last: dict[str, Posted] = {}
    for posted in posts:
        if not routing.is_heard(posted.channel_name, posted.team_id, me):
            continue
        if posted.post.create_at > latest:
            log.warning("post_from_the_future", post=posted.post.id, channel=posted.post.channel_id)
            continue
        before = last.get(posted.post.channel_id)
        if before is None or before.post.create_at <= posted.post.create_at:
            last[posted.post.channel_id] = posted
    for posted in last.values():
        yield Position(posted.post.channel_id, posted.post.id, posted.post.create_at, begin_at)

"""From posts to jobs: decide about each post and store the decision before its position moves."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import NamedTuple, assert_never
from weakref import WeakValueDictionary

import structlog

from bridge import routing, tracing
from bridge.db.gathered import Gathered
from bridge.db.inbox import Inbox
from bridge.db.locks import Locks
from bridge.db.mappings import Mappings
from bridge.db.stops import Stops
from bridge.ingest.batch import Batch, affordable, flooded
from bridge.ingest.entries import answer_entry, hint_entry, job_entry, refusal_entry
from bridge.ingest.stopping import IsAdmin, Stopping
from bridge.models.chat import ChannelId, Position, Posted, PostId, UserId
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

_SLICE = 0.003
"""Seconds of deciding after which others run; what comes between two looks at the time is added to it."""


_CHANNELS = 16
"""What was read of so many channels is stored at once."""

Begins = Mapping[ChannelId, int]
"""The moments (milliseconds) before which the posts of channels are history."""


class _Read(NamedTuple):
    """What was read of a channel."""

    posts: Sequence[Posted]
    begin_at: int


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
    _is_misnamed: bool = field(default=False, init=False, repr=False)
    """Whether refusals are stored that went by a former name, as far as is known."""
    _together: Gathered[_Read, int] = field(init=False, repr=False)
    _turns: WeakValueDictionary[UserId, asyncio.Lock] = field(
        default_factory=WeakValueDictionary, init=False, repr=False
    )

    def __post_init__(self) -> None:
        self.stopping = Stopping(Stops(self.inbox.pool), self.is_admin)
        self._together = Gathered(self._store_together, most=_CHANNELS)

    async def store(self, posts: Sequence[Posted], *, begin_at: int = 0, incomplete: bool = False) -> int:
        """Store the posts, given oldest first, and move their channels' positions past them.

        Posts before `begin_at` (milliseconds) are history. `incomplete`: earlier posts may be missing, so no
        position moves, and refusals wait until those were read. Returns the number of new jobs.
        """
        begins = {posted.post.channel_id: begin_at for posted in posts}
        return len(await self._store_all(posts, begins, incomplete=incomplete))

    async def store_read(self, posts: Sequence[Posted], begin_at: int) -> int:
        """Store what was read of a channel, as `store` does, in one statement with what others have read.

        A flood has statements of its own, so that no other channel waits for it.
        """
        if flooded(posts):
            return await self.store(posts, begin_at=begin_at)
        return await self._together.add(_Read(posts, begin_at))

    async def _store_together(self, channels: Sequence[_Read]) -> list[int]:
        """Store what was read of several channels; return of each the number of new jobs."""
        posts = [posted for read in channels for posted in read.posts]
        begins = {posted.post.channel_id: read.begin_at for read in channels for posted in read.posts}
        new = await self._store_all(posts, begins)
        return [sum(posted.post.id in new for posted in read.posts) for read in channels]

    async def _store_all(
        self, posts: Sequence[Posted], begins: Begins, *, incomplete: bool = False
    ) -> set[PostId]:
        new = set[PostId]()
        for batch in affordable(posts):
            async with self._turn(batch):
                new |= await self._stored(batch, begins, incomplete=incomplete)
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

    async def _stored(self, posts: Sequence[Posted], begins: Begins, *, incomplete: bool) -> set[PostId]:
        facts = await self._facts(posts)
        near = self._near_limit(posts, facts)
        if not (near and self.locks):
            return await self._store(posts, facts, begins, incomplete=incomplete)
        async with AsyncExitStack() as stack:
            for author in near:
                await stack.enter_async_context(self.locks.acquire(f"asks:{author}"))
            return await self._store(posts, await self._facts(posts), begins, incomplete=incomplete)

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
        self, posts: Sequence[Posted], facts: Sequence[Facts], begins: Begins, *, incomplete: bool
    ) -> set[PostId]:
        began, me = time.time_ns(), self.me
        facts = await self._busy(posts, facts)
        decided = await self._entries(posts, facts, begins)
        entries = [entry for entry in decided if entry.refused is None or not incomplete]
        latest = began // 1_000_000 + AHEAD
        positions = [] if incomplete else list(_positions(posts, self.me, begins, latest))
        try:
            stored = await self.inbox.put_all(entries, positions)
        finally:
            self._is_misnamed |= self.me != me
        if self._is_misnamed:
            await self._forget_by_name()
        await self._stop(posts, decided)
        new = {
            PostId(entry.payload["post_id"])
            for entry in entries
            if entry.kind in _ASKING and entry.refused is None and entry.dedupe in stored
        }
        for post_id in new:
            tracing.seen(post_id, began)
        return new

    async def rename(self, username: str) -> None:
        """Decide by the account's new name from now on; forget refusals that went by the former one.

        Also those that are being stored meanwhile, as soon as they are: whoever has renamed it reads the
        channel again.
        """
        self.me = replace(self.me, username=username)
        await self._forget_by_name()

    async def _forget_by_name(self) -> None:
        await self.inbox.forget_refusals(["not_mentioned"], _UNNOTICED)
        self._is_misnamed = False

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
        self, posts: Sequence[Posted], facts: Sequence[Facts], begins: Begins
    ) -> Sequence[Entry]:
        entries, batch, since = list[Entry](), Batch(), time.perf_counter()
        policy = replace(self.policy, notice_account=self.notice_account())
        for posted, known in zip(posts, facts, strict=True):
            if known.stored or posted.post.id in batch.known:
                continue
            batch.known.add(posted.post.id)
            begin_at = begins[posted.post.channel_id]
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


def _positions(posts: Sequence[Posted], me: Bot, begins: Begins, latest: int) -> Iterator[Position]:
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
        channel_id = posted.post.channel_id
        yield Position(channel_id, posted.post.id, posted.post.create_at, begins[channel_id])

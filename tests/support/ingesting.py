"""The half of the bridge that reads, without the half that answers: what comes of it is looked up."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.ingest.backfill import Backfill
from bridge.ingest.catch_up import CatchUp
from bridge.ingest.intake import Intake
from bridge.mattermost.websocket.socket import Event
from bridge.metrics import Metrics
from bridge.models.chat import ChannelId, Post, Posted, PostId, TeamId, UserId
from bridge.routing import Bot, Policy
from bridge.sandbox import mattermost
from tests.support.mappings import Mappings

MANY = 1_000_000


def bot_of(user: mattermost.User) -> Bot:
    return Bot(UserId(user.id), user.username, "agent")


def idle_intake(pool: Pool, bot: mattermost.User) -> Intake:
    """Return an intake without a worker, so that everything waits."""
    inbox = Inbox(pool)
    return Intake(inbox, Mappings(pool), bot_of(bot), Policy(at_once=MANY, an_hour=MANY))


def posted(post: mattermost.Post, channel: mattermost.Channel) -> Posted:
    """Return what a `posted` event tells of it."""
    ours = Post(
        PostId(post.id),
        ChannelId(post.channel_id),
        UserId(post.user_id),
        PostId(post.root_id),
        post.message,
        post.create_at,
        post.type,
        post.props,
    )
    return Posted(ours, TeamId(channel.team_id), channel.name)


async def stored(pool: Pool) -> Mapping[str, str]:
    """Return the reason of everything that was refused, and the state of all else, by post."""
    rows = await pool.fetch(
        "select substr(dedupe, 6) as post, coalesce(reason, state) as outcome from jobs"
        " where dedupe like 'post:%'"
    )
    return {row["post"]: row["outcome"] for row in rows}


async def positions(pool: Pool) -> Mapping[str, int]:
    """Return up to where each channel was read."""
    rows = await pool.fetch("select channel_id, create_at from positions")
    return {row["channel_id"]: row["create_at"] for row in rows}


def figure(metrics: Metrics, name: str) -> float:
    """Return one figure without labels."""
    value = metrics.registry.get_sample_value(f"equabot_bridge_{name}")
    assert value is not None
    return value


class _TriedError(Exception):
    """Each channel was read, or could not be."""


async def caught_up(catch_up: CatchUp, now: int) -> tuple[int, int]:
    """Try each channel with news once; returns how many posts were read and jobs were new."""
    metrics, pool = Metrics(), catch_up.positions.pool
    before = await _jobs(pool)
    try:
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            await Backfill(catch_up, group, metrics).open(await catch_up.news(await catch_up.channels(), now))
            while not figure(metrics, "catch_up_runs_total"):
                await asyncio.sleep(0.001)
            raise _TriedError  # noqa: TRY301  # so a task group is left whose tasks go on
    except* _TriedError:
        pass
    return int(figure(metrics, "catch_up_posts_total")), await _jobs(pool) - before


async def _jobs(pool: Pool) -> int:
    count: int = await pool.fetchval("select count(*) from jobs where state <> 'refused'")
    return count


@dataclass
class Feed:
    """A socket that gives what is put into it, until it is told to end."""

    events: asyncio.Queue[Sequence[Event] | None] = field(default_factory=asyncio.Queue)
    last_frame: float = 0

    @property
    def waiting(self) -> int:
        return self.events.qsize()

    def tell(self, *events: Event) -> None:
        self.events.put_nowait(events)

    def end(self) -> None:
        self.events.put_nowait(None)

    async def batches(self) -> AsyncIterator[Sequence[Event]]:
        while (batch := await self.events.get()) is not None:
            yield batch

"""What people do to posts, heard while the database breaks."""

import asyncio
import time
from typing import Any, cast
from uuid import UUID

import pytest
from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.db.pool import unchecked_pool
from bridge.db.repeats import Repeats
from bridge.db.stops import Stops
from bridge.ingest.intake import Intake
from bridge.ingest.interventions import REPEAT, STOP, Interventions
from bridge.mattermost.websocket.changes import PostEdited, ReactionAdded
from bridge.models.chat import Channel, ChannelId, Post, Posted, PostId, TeamId, UserId
from bridge.models.equa import OrganizationId, PersonId
from bridge.routing import Bot
from tests.support.ingesting import stored
from tests.support.mappings import Mappings
from tests.support.relay import Relay

TEAM, CHANNEL, WRITER = TeamId("t" * 26), ChannelId("c" * 26), UserId("a" * 26)
NOW = time.time_ns() // 1_000_000
ME = Bot(UserId("b" * 26), "equabot", "agent")


class OneChannel:
    """A Mattermost that knows the channel."""

    async def channel(self, channel_id: ChannelId) -> Channel:
        return Channel(channel_id, TEAM, "agent", "O", 0)


def post(message: str) -> Post:
    return Post(PostId("one"), CHANNEL, WRITER, PostId(""), message, NOW)


async def test_a_question_that_an_edit_made_is_stored_although_the_database_goes_away(
    dsn: str, pool: Pool
) -> None:
    """Nobody reads edits again."""
    mappings = Mappings(pool)
    await mappings.map_team(OrganizationId(UUID(int=1)), TEAM)
    await mappings.map_person(PersonId(UUID(int=2)), WRITER)
    await Intake(Inbox(pool), mappings, ME).store([Posted(post("who is on our team?"), TEAM, "agent")])
    assert await stored(pool) == {"one": "not_mentioned"}
    with Relay(dsn, deaf_to=b"delete from jobs where dedupe") as relay:
        async with relay.open(), await unchecked_pool(relay.dsn) as own:
            intake = Intake(Inbox(own), Mappings(own), ME)
            interventions = Interventions(Stops(own), Repeats(own), intake, cast(Any, OneChannel()))
            await interventions.follow(PostEdited(post("@equabot who is on our team?"), NOW))
            async with asyncio.timeout(10):
                await relay.ignored.wait()
            relay.deaf_to = b""
            relay.cut()

            async with asyncio.timeout(10):
                while await stored(pool) != {"one": "waiting"}:
                    await asyncio.sleep(0.01)


@pytest.mark.parametrize("emoji", [STOP, REPEAT])
async def test_a_reaction_to_what_is_over_is_not_tried_later(pool: Pool, emoji: str) -> None:
    """It would stop the answer that is asked for meanwhile."""
    intake = Intake(Inbox(pool), Mappings(pool), ME)
    await intake.store([Posted(post("who is on our team?"), TEAM, "agent")])
    interventions = Interventions(Stops(pool), Repeats(pool), intake, cast(Any, OneChannel()))

    await interventions.follow(ReactionAdded(PostId("one"), WRITER, emoji, NOW))
    assert later() == []

    await interventions.follow(ReactionAdded(PostId("unheard of"), WRITER, emoji, NOW))
    (waiting,) = later()
    await asyncio.sleep(0)
    waiting.cancel()


def later() -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "intervention"]

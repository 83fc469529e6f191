"""Requests to repair a team: once for all that hear of it, and slower in a fight."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from asyncpg import Pool

from bridge.db.repairs import RepairRequest, RepairRequests
from bridge.db.teams import Teams
from bridge.models.chat import Channel, ChannelId, ChannelType, TeamId, UserId
from bridge.models.equa import OrganizationId
from tests.support.mappings import Mappings

ACME, OTHER = OrganizationId(UUID(int=1)), OrganizationId(UUID(int=2))
TEAM, AGENT = TeamId("t" * 26), ChannelId("c" * 26)
MALLORY = UserId("m" * 26)


@pytest.fixture
async def requests(pool: Pool) -> RepairRequests:
    await Mappings(pool).map_team(ACME, TEAM)
    await Mappings(pool).map_team(OTHER, TeamId("u" * 26))
    await Teams(pool).record_channels(ACME, {"agent": (AGENT, None)})
    await Teams(pool).record_channels(OTHER, {"agent": (ChannelId("d" * 26), None)})
    return RepairRequests(pool)


def channel(name: str, kind: ChannelType = "O", channel_id: ChannelId = AGENT) -> Channel:
    return Channel(channel_id, TEAM, name, kind, 0)


async def end(pool: Pool, ago: timedelta = timedelta()) -> None:
    """Let the job that waits be done."""
    await pool.execute(
        "update jobs set state = 'done', finished = now() - $1::interval, created = created - $1::interval"
        " where state = 'waiting'",
        ago,
    )


async def wait(pool: Pool) -> timedelta:
    """Return how long the job that waits still has to."""
    left: timedelta = await pool.fetchval("select run_at - now() from jobs where state = 'waiting'")
    return left


async def test_a_request_says_what_is_to_be_repaired_and_why(requests: RepairRequests, pool: Pool) -> None:
    request = await requests.of_channel(AGENT, "bot_removed", MALLORY)

    row = await pool.fetchrow("select kind, lane, organization_id, payload from jobs")
    assert request == RepairRequest(ACME, "agent")
    assert row is not None
    assert (row["kind"], row["lane"], row["organization_id"]) == ("repair", f"repair:{ACME}", ACME)
    assert row["payload"] == {"cause": "bot_removed", "by": MALLORY, "channel": "agent", "team_id": TEAM}


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        (channel("agent"), None),
        (channel("agent-2"), "renamed"),
        (channel("agent", "P"), "converted"),
        (channel("whatever", channel_id=ChannelId("x" * 26)), None),
    ],
)
async def test_an_update_of_a_channel(
    requests: RepairRequests, pool: Pool, changed: Channel, cause: str | None
) -> None:
    """Another title or header, or another channel, is nobody's concern."""
    await requests.of_update(changed)

    assert await pool.fetchval("select payload ->> 'cause' from jobs") == cause


async def test_other_channels_and_teams_are_not_repaired(requests: RepairRequests) -> None:
    assert await requests.of_channel(ChannelId("x" * 26), "archived", MALLORY) is None
    assert await requests.of_team(TeamId("x" * 26)) is None
    assert await requests.of_team(TEAM) == RepairRequest(ACME, None)


async def test_one_request_is_enough(requests: RepairRequests, pool: Pool) -> None:
    """However many processes hear of however much: while one waits there is no other."""
    made = await asyncio.gather(
        *(requests.of_channel(AGENT, "bot_removed", "") for _ in range(8)),
        *(requests.of_update(channel("agent-2")) for _ in range(8)),
    )
    await requests.of_team(TeamId("u" * 26))

    assert sum(request is not None for request in made) == 1
    assert await pool.fetchval("select count(*) from jobs") == 2


async def test_what_happens_during_a_repair_is_repaired_too(requests: RepairRequests, pool: Pool) -> None:
    """The running one may have looked already."""
    await requests.of_team(TEAM)
    await pool.execute("update jobs set state = 'running'")

    assert await requests.of_team(TEAM)
    assert await requests.of_team(TEAM) is None


async def test_a_fight_gets_slower(requests: RepairRequests, pool: Pool) -> None:
    """Five within an hour are done at once, later ones ten minutes after the one before."""
    for _ in range(5):
        await requests.of_team(TEAM)
        assert await wait(pool) < timedelta(seconds=1)
        await end(pool)

    await requests.of_team(TEAM)
    assert timedelta(minutes=9) < await wait(pool) <= timedelta(minutes=10)
    await requests.of_team(TeamId("u" * 26))
    await end(pool, timedelta(hours=1))
    await pool.execute("update jobs set created = created - interval '1 hour'")

    await requests.of_team(TEAM)
    assert await wait(pool) < timedelta(seconds=1)


async def test_forgotten_repairs_hide_no_later_one(requests: RepairRequests, pool: Pool) -> None:
    """Old jobs are purged; the key of a new one is never that of a former one."""
    for _ in range(3):
        assert await requests.of_team(TEAM)
        await end(pool, timedelta(days=1))
        await pool.execute("delete from jobs where id = (select min(id) from jobs)")

    assert await requests.of_team(TEAM)

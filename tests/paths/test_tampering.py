"""Members who take the bot out of `#agent`, rename it or archive it: repaired within seconds."""

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
from asyncpg import Pool

from bridge.db.teams import Teams
from bridge.models.chat import ChannelId
from bridge.sandbox.mattermost import channel_members, channels
from tests.support.daemon import Daemon, running
from tests.support.sealed import entry
from tests.support.world import Company, World


@pytest.fixture
def environ(world: World) -> Mapping[str, str]:
    """The settings of a process that may repair."""
    return {
        **world.environ,
        "MATTERMOST_ADMIN_BOT_TOKEN": world.store.admin_token,
        "TOKEN_KEYS": entry("k1"),
    }


@pytest.fixture
async def repairing(
    world: World, environ: Mapping[str, str], pool: Pool, tmp_path: Path
) -> AsyncIterator[Daemon]:
    for company in world.companies:
        agent = ChannelId(company.agent.id)
        await Teams(pool).record_channels(company.id, {"agent": (agent, None)})
    async with running(environ, tmp_path / "repairing.log") as daemon:
        yield daemon


def removed(world: World, acme: Company) -> None:
    channel_members.remove_member(world.store, acme.agent, world.bot, acme.people[1])


def out_of_the_team(world: World, acme: Company) -> None:
    world.store.leave(acme.team, world.bot)


def renamed(world: World, acme: Company) -> None:
    channels.patch_channel(world.store, acme.agent, {"name": "gone-fishing"})


def archived(world: World, acme: Company) -> None:
    channels.archive_channel(world.store, acme.people[1], acme.agent)


def changes(daemon: Daemon) -> list[tuple[str, str]]:
    lines = [line for line in daemon.lines() if line.get("event") == "default_channel_changed"]
    return [(line["change"], line["by"]) for line in lines]


def repairs(daemon: Daemon) -> list[list[str]]:
    """Return what each repair of a process found to do."""
    return [line["repairs"] for line in daemon.lines() if line.get("event") == "team_repaired"]


@pytest.mark.parametrize(
    ("tamper", "change", "named"),
    [
        (removed, "left", True),
        (out_of_the_team, "left", False),
        (renamed, "renamed", False),
        (archived, "archived", True),
    ],
)
async def test_what_was_asked_meanwhile_is_answered(
    world: World,
    acme: Company,
    repairing: Daemon,
    tamper: Callable[[World, Company], None],
    change: str,
    *,
    named: bool,
) -> None:
    """Without a visit and without a sync; the log says who did it where Mattermost does."""
    await world.answered(world.ask(acme, "@equabot hello"))

    tamper(world, acme)
    asked = None if acme.agent.delete_at else world.ask(acme, "@equabot who holds shares?")
    await world.until(lambda: world.store.member_of_channel(acme.agent.id, world.bot.id) is not None)
    await world.until(lambda: acme.agent.name == "agent" and not acme.agent.delete_at)
    asked = asked or world.ask(acme, "@equabot who holds shares?")

    await world.answered(asked)
    assert changes(repairing) == [(change, acme.people[1].id if named else "")]


@pytest.mark.parametrize("tamper", [removed, out_of_the_team, renamed, archived])
async def test_what_was_done_while_nobody_listened_is_repaired(
    world: World,
    acme: Company,
    repairing: Daemon,
    tamper: Callable[[World, Company], None],
) -> None:
    """No event of it reaches the process that starts afterwards."""
    await world.answered(world.ask(acme, "@equabot hello"))
    await repairing.stop()

    asked = world.ask(acme, "@equabot who holds shares?")
    tamper(world, acme)
    await repairing.start()

    await world.answered(asked)
    assert acme.agent.name == "agent"
    assert world.store.member_of_channel(acme.agent.id, world.bot.id) is not None
    assert changes(repairing) == [("not_heard", "")]


async def test_asked_after_a_repair_of_what_was_done_while_nobody_listened(
    world: World, acme: Company, repairing: Daemon
) -> None:
    """The process connects while the channel is archived, which makes it deaf there."""
    await world.answered(world.ask(acme, "@equabot hello"))
    await repairing.stop()
    archived(world, acme)
    await repairing.start()
    await world.until(lambda: not acme.agent.delete_at)

    await world.answered(world.ask(acme, "@equabot who holds shares?"))


async def test_two_processes_repair_once(
    world: World, repairing: Daemon, environ: Mapping[str, str], pool: Pool, tmp_path: Path
) -> None:
    """Both hear of it; one job comes of it, or a second that finds nothing to do."""
    acme = world.companies[0]
    async with running(environ, tmp_path / "other.log") as other:
        removed(world, acme)
        asked = world.ask(acme, "@equabot hello")
        await world.answered(asked)
        await world.until(lambda: bool(repairs(repairing) or repairs(other)))
        await world.answered(world.ask(acme, "@equabot and now?"))

        done = [*repairs(repairing), *repairs(other)]
    assert [bool(found) for found in done].count(True) == 1
    assert len(world.answers(asked)) == 1
    assert await pool.fetchval("select count(*) from jobs where kind = 'repair' and state = 'waiting'") == 0

"""Members who take the bot out of `#agent`, rename it or archive it: repaired within seconds."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
from asyncpg import Pool

from bridge.db.teams import Teams
from bridge.models.chat import ChannelId
from bridge.sandbox.mattermost import channel_members, channels
from tests.support.daemon import Daemon, running
from tests.support.hosts import Company, Hosts
from tests.support.sealed import entry


@pytest.fixture
def environ(hosts: Hosts) -> Mapping[str, str]:
    """The settings of a process that may repair."""
    return {
        **hosts.environ,
        "MATTERMOST_ADMIN_BOT_TOKEN": hosts.store.admin_token,
        "TOKEN_KEYS": entry("k1"),
    }


@pytest.fixture
async def repairing(
    hosts: Hosts, environ: Mapping[str, str], pool: Pool, tmp_path: Path
) -> AsyncIterator[Daemon]:
    for company in hosts.companies:
        agent = ChannelId(company.agent.id)
        await Teams(pool).record_channels(company.id, {"agent": (agent, None)})
    async with running(environ, tmp_path / "repairing.log") as daemon:
        yield daemon


def removed(hosts: Hosts, acme: Company) -> None:
    channel_members.remove_member(hosts.store, acme.agent, hosts.bot, acme.people[1])


def out_of_the_team(hosts: Hosts, acme: Company) -> None:
    hosts.store.leave(acme.team, hosts.bot)


def renamed(hosts: Hosts, acme: Company) -> None:
    channels.patch_channel(hosts.store, acme.agent, {"name": "gone-fishing"})


def archived(hosts: Hosts, acme: Company) -> None:
    channels.archive_channel(hosts.store, acme.people[1], acme.agent)


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
    hosts: Hosts,
    acme: Company,
    repairing: Daemon,
    tamper: Callable[[Hosts, Company], None],
    change: str,
    *,
    named: bool,
) -> None:
    """Without a visit and without a sync; the log says who did it where Mattermost does."""
    await hosts.answered(hosts.ask(acme, "@equabot hello"))

    tamper(hosts, acme)
    asked = None if acme.agent.delete_at else hosts.ask(acme, "@equabot who holds shares?")
    await hosts.until(lambda: hosts.store.member_of_channel(acme.agent.id, hosts.bot.id) is not None)
    await hosts.until(lambda: acme.agent.name == "agent" and not acme.agent.delete_at)
    asked = asked or hosts.ask(acme, "@equabot who holds shares?")

    await hosts.answered(asked)
    assert changes(repairing) == [(change, acme.people[1].id if named else "")]


@pytest.mark.parametrize("tamper", [removed, out_of_the_team, renamed, archived])
async def test_what_was_done_while_nobody_listened_is_repaired(
    hosts: Hosts,
    acme: Company,
    repairing: Daemon,
    tamper: Callable[[Hosts, Company], None],
) -> None:
    """No event of it reaches the process that starts afterwards."""
    await hosts.answered(hosts.ask(acme, "@equabot hello"))
    await repairing.stop()

    asked = hosts.ask(acme, "@equabot who holds shares?")
    tamper(hosts, acme)
    await repairing.start()

    await hosts.answered(asked)
    assert acme.agent.name == "agent"
    assert hosts.store.member_of_channel(acme.agent.id, hosts.bot.id) is not None
    assert changes(repairing) == [("not_heard", "")]


async def test_asked_after_a_repair_of_what_was_done_while_nobody_listened(
    hosts: Hosts, acme: Company, repairing: Daemon
) -> None:
    """The process connects while the channel is archived, which makes it deaf there."""
    await hosts.answered(hosts.ask(acme, "@equabot hello"))
    await repairing.stop()
    archived(hosts, acme)
    await repairing.start()
    await hosts.until(lambda: not acme.agent.delete_at)

    await hosts.answered(hosts.ask(acme, "@equabot who holds shares?"))


async def test_two_processes_repair_once(
    hosts: Hosts, repairing: Daemon, environ: Mapping[str, str], pool: Pool, tmp_path: Path
) -> None:
    """Both hear of it; one job comes of it, or a second that finds nothing to do."""
    acme = hosts.companies[0]
    open_repairs = "select count(*) from jobs where kind = 'repair' and finished is null"
    async with running(environ, tmp_path / "other.log") as other:
        removed(hosts, acme)
        asked = hosts.ask(acme, "@equabot hello")
        await hosts.answered(asked)
        await hosts.until(lambda: bool(repairs(repairing) or repairs(other)))
        await hosts.answered(hosts.ask(acme, "@equabot and now?"))
        async with asyncio.timeout(60):
            while await pool.fetchval(open_repairs):
                await asyncio.sleep(0.02)

        done = [*repairs(repairing), *repairs(other)]
    assert [bool(found) for found in done].count(True) == 1
    assert len(hosts.answers(asked)) == 1

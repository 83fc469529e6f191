"""Whether the daemon can do its work: every part is looked at, and none can hide another."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from asyncpg import Pool

from bridge.db.pool import open_pool
from bridge.errors import AgentUnavailable, MattermostUnavailable, TokenRefused
from bridge.mattermost.websocket.socket import State
from bridge.models.approvals import ControlState
from bridge.runtime.clients import Clients
from bridge.runtime.health import BotState, HealthCheck
from handlers.http.app_keys import Health, Part

REFUSED = TokenRefused("Mattermost refused.", http_status=401)


@dataclass
class FakeHost:
    """Somebody outside: well, failing, or silent."""

    failure: Exception | None = None
    silent: bool = False
    asked: int = 0

    async def me(self) -> None:
        await self.ping()

    async def ping(self) -> None:
        self.asked += 1
        if self.silent:
            await asyncio.Event().wait()
        if self.failure:
            raise self.failure


@dataclass
class FakeSocket:
    state: State = "connected"


@dataclass
class FakeControl:
    state: ControlState


@dataclass
class Outside:
    mattermost: FakeHost = field(default_factory=FakeHost)
    agent: FakeHost = field(default_factory=FakeHost)
    administrator: FakeHost = field(default_factory=FakeHost)
    notices: FakeHost = field(default_factory=FakeHost)
    socket: FakeSocket = field(default_factory=FakeSocket)

    def status(self, pool: Pool) -> HealthCheck:
        """Return the health of a daemon whose bot runs."""
        bot = BotState(socket=cast(Any, self.socket))
        clients = FakeClients(self.mattermost, self.agent, self.administrator, self.notices)
        return HealthCheck(pool, cast(Any, clients), bot)


@dataclass
class FakeClients:
    bot: FakeHost
    agent: FakeHost
    administrator: FakeHost
    notices: FakeHost
    directory: object | None = field(default_factory=object)


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def status(pool: Pool, outside: Outside) -> HealthCheck:
    return outside.status(pool)


def states(health: Health) -> dict[str, str]:
    return {part.name: part.state for part in health.parts}


def part(health: Health, name: str) -> Part:
    return next(part for part in health.parts if part.name == name)


async def test_all_parts_are_well(status: HealthCheck) -> None:
    health = await status.look()

    assert health.ready
    assert states(health) == {
        "database": "connected",
        "mattermost": "well",
        "administrator": "well",
        "agent": "reachable",
        "websocket": "connected",
        "notices": "well",
        "approvals": "off, because it is not configured",
    }


async def test_without_a_bot_the_database_is_all_that_is_needed(pool: Pool) -> None:
    """A daemon that only serves its API is ready, and says what it does without."""
    health = await HealthCheck(pool, Clients(), BotState()).look()

    assert health.ready
    assert states(health) == {
        "database": "connected",
        "mattermost": "not_configured",
        "administrator": "not_configured",
        "agent": "not_configured",
        "websocket": "not_configured",
        "notices": "not_configured",
        "approvals": "off, because it is not configured",
    }


async def test_an_agent_that_is_away_is_told_and_does_no_harm(status: HealthCheck, outside: Outside) -> None:
    """Another daemon would not reach it either: taking this one out of service mends nothing."""
    outside.agent.failure = AgentUnavailable("The agent cannot be reached.")

    health = await status.look()

    assert health.ready
    assert part(health, "agent") == Part("agent", ok=False, state="agent_unavailable", required=False)


async def test_a_mattermost_that_is_away_is_told(status: HealthCheck, outside: Outside) -> None:
    outside.mattermost.failure = MattermostUnavailable("Mattermost does not answer.")

    health = await status.look()

    assert not health.ready
    assert part(health, "mattermost") == Part("mattermost", ok=False, state="mattermost_unavailable")


async def test_a_database_that_is_away_is_told(pool: Pool, outside: Outside) -> None:
    await pool.close()

    health = await outside.status(pool).look()

    assert not health.ready
    assert part(health, "database") == Part("database", ok=False, state="database_unavailable")


@pytest.mark.parametrize("state", ["connecting", "disconnected", "closed"])
async def test_a_websocket_that_is_not_connected_is_told(
    status: HealthCheck, outside: Outside, state: State
) -> None:
    """The bot hears nothing meanwhile."""
    outside.socket.state = state

    health = await status.look()

    assert not health.ready
    assert part(health, "websocket") == Part("websocket", ok=False, state=state)


async def test_a_bot_that_does_not_know_itself_yet_is_not_ready(status: HealthCheck) -> None:
    """It has no websocket before Mattermost has told who it is."""
    status.bot.socket = None

    health = await status.look()

    assert part(health, "websocket") == Part("websocket", ok=False, state="waiting_for_mattermost")


async def test_a_token_that_the_websocket_finds_refused_is_named(
    status: HealthCheck, outside: Outside
) -> None:
    """The operator learns which variable to correct."""
    outside.socket.state = "unauthorised"

    reported = part(await status.look(), "websocket")

    assert reported == Part("websocket", ok=False, state="token_refused", variable="MATTERMOST_BOT_TOKEN")


async def test_a_token_that_was_refused_at_the_start_is_named(status: HealthCheck) -> None:
    status.bot.socket, status.bot.refused_tokens = None, {"MATTERMOST_BOT_TOKEN"}

    reported = part(await status.look(), "websocket")

    assert reported == Part("websocket", ok=False, state="token_refused", variable="MATTERMOST_BOT_TOKEN")


async def test_a_refused_notice_token_leaves_everything_else_ready(
    status: HealthCheck, outside: Outside
) -> None:
    """People are answered and signed in; only notices wait."""
    outside.notices.failure = REFUSED

    health = await status.look()

    assert part(health, "notices") == Part(
        "notices", ok=False, state="token_refused", required=False, variable="MATTERMOST_NOTICE_TOKEN"
    )
    assert part(health, "websocket").ok
    assert health.ready


async def test_a_token_that_is_refused_while_looking_is_named(status: HealthCheck, outside: Outside) -> None:
    outside.mattermost.failure = REFUSED

    reported = part(await status.look(), "mattermost")

    assert reported == Part("mattermost", ok=False, state="token_refused", variable="MATTERMOST_BOT_TOKEN")


async def test_a_refused_administrators_token_is_named(status: HealthCheck, outside: Outside) -> None:
    """Everything but visits of newcomers and syncs goes on, so the daemon stays in service."""
    outside.administrator.failure = REFUSED

    health = await status.look()

    assert part(health, "administrator") == Part(
        "administrator",
        ok=False,
        state="token_refused",
        required=False,
        variable="MATTERMOST_ADMIN_BOT_TOKEN",
    )
    assert part(health, "mattermost").ok
    assert health.ready


async def test_what_is_silent_is_given_up_and_the_rest_told(status: HealthCheck, outside: Outside) -> None:
    """Whoever asks has an answer after some seconds, whatever hangs."""
    outside.mattermost.silent = outside.agent.silent = True

    health = await status.look()

    assert states(health) == {
        "database": "connected",
        "mattermost": "too_slow",
        "administrator": "well",
        "agent": "too_slow",
        "websocket": "connected",
        "notices": "well",
        "approvals": "off, because it is not configured",
    }
    assert not health.ready


async def test_a_failure_that_nobody_foresaw_does_not_hide_the_others(
    status: HealthCheck, outside: Outside
) -> None:
    """Its text stays inside; that there is one is told."""
    outside.agent.failure = ZeroDivisionError("an internal text")

    health = await status.look()

    assert health.ready
    assert part(health, "agent") == Part("agent", ok=False, state="internal_error", required=False)


async def test_a_database_that_takes_no_writes_is_told(pool: Pool, dsn: str, outside: Outside) -> None:
    """Nothing can be stored; a connection that leads to the new primary is found by itself."""
    name = urlsplit(dsn).path[1:]
    await pool.execute(f'alter database "{name}" set default_transaction_read_only = on')
    async with await open_pool(dsn) as theirs:
        status = outside.status(theirs)
        reported = part(await status.look(), "database")
        await pool.execute(f'alter database "{name}" reset default_transaction_read_only')

        assert reported == Part("database", ok=False, state="read_only")
        assert part(await status.look(), "database").ok


@pytest.fixture
async def banned(dsn: str, pool: Pool) -> AsyncIterator[Pool]:
    """A pool whose account the database does not let in any more."""
    name = f"role_{urlsplit(dsn).path[-12:]}"
    await pool.execute(f"create role {name} login password 'secret'")
    address = urlsplit(dsn)._replace(netloc=f"{name}:secret@{urlsplit(dsn).netloc.rpartition('@')[2]}")
    try:
        async with await open_pool(address.geturl()) as theirs:
            await pool.execute(f"alter role {name} nologin")
            await pool.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = $1", name
            )
            yield theirs
    finally:
        await pool.execute(f"drop role {name}")


async def test_a_database_that_refuses_us_is_told(banned: Pool, outside: Outside) -> None:
    """A changed password is no outage, and readiness is told all the same."""
    await outside.status(banned).look()  # finds the old connection cut

    health = await outside.status(banned).look()

    assert part(health, "database") == Part("database", ok=False, state="internal_error")
    assert part(health, "mattermost").ok


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (ControlState(is_on=True), "on"),
        (ControlState(is_on=False, reason="it is not paired"), "off, because it is not paired"),
    ],
)
async def test_approvals_may_be_missing(status: HealthCheck, state: ControlState, shown: str) -> None:
    """The daemon is ready without them, and says why there are none."""
    health = await replace(status, control=cast(Any, FakeControl(state))).look()

    assert health.ready
    assert part(health, "approvals") == Part("approvals", ok=state.is_on, state=shown, required=False)

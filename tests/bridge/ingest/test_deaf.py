"""Every way to be deaf without a gap in the sequence: what was asked meanwhile is stored all the same.

The real socket, listener and catch-up, over a sandbox Mattermost and PostgreSQL.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest
from asyncpg import Pool

from bridge.db.positions import Positions
from bridge.ingest.catch_up import CatchUp
from bridge.ingest.hearing import Hearing
from bridge.ingest.listener import Listener
from bridge.ingest.post_acks import PostAcks
from bridge.mattermost.rest.client import connect
from bridge.mattermost.websocket.socket import Interest, Socket, Timing
from bridge.metrics import Metrics
from bridge.models.chat import UserId
from bridge.sandbox import mattermost
from bridge.sandbox.mattermost import channels, sessions
from bridge.sandbox.mattermost.bots import find_bot, set_bot_active
from tests.support.hosts import Company, Hosts
from tests.support.hosts import hosts as built_hosts
from tests.support.ingesting import idle_intake, stored

MINUTE = 60_000

PATIENT = Timing(ping_every=600, close=0.3, first_delay=0.001, longest_delay=0.02, unauthorised=0.05)
"""Notices by itself that the token is bad only when it connects."""
QUICK = Timing(
    ping_every=0.05, ping_answer=2, close=0.3, first_delay=0.001, longest_delay=0.02, unauthorised=0.05
)


@dataclass
class Scene:
    hosts: Hosts
    pool: Pool
    socket: Socket
    at: int = field(default_factory=lambda: time.time_ns() // 1_000_000 - 60 * MINUTE)

    @property
    def acme(self) -> Company:
        return self.hosts.companies[0]

    @property
    def store(self) -> mattermost.Store:
        return self.hosts.store

    @property
    def bot(self) -> mattermost.User:
        return self.hosts.bot

    def ask(self) -> mattermost.Post:
        """Ask five minutes after the question before, further than the catch-up looks back."""
        self.at += 5 * MINUTE
        return self.store.post_as(self.acme.people[0], self.acme.agent, "@equabot hello", create_at=self.at)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.005)

    async def is_connected(self) -> None:
        await self.until(lambda: self.socket.state == "connected")

    async def has_stored(self, *posts: mattermost.Post) -> None:
        async with asyncio.timeout(60):
            while True:
                known = await stored(self.pool)
                if all(known.get(post.id) == "waiting" for post in posts):
                    return
                await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(
    hosts: Hosts, pool: Pool, timing: Timing, look_every: float = 3600
) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(
            connect(hosts.server.url, hosts.bot_token.token, lambda *_: None)
        )
        intake = idle_intake(pool, hosts.bot)
        catch_up = CatchUp(api, Positions(pool), intake, "agent")
        await catch_up.begin()
        interest = Interest("agent", UserId(hosts.bot.id))
        socket = Socket(hosts.server.url, hosts.bot_token.token, interest, api.me, timing=timing)
        await stack.enter_async_context(socket)
        parts = (socket, intake, catch_up, PostAcks(), Metrics())
        listening = Listener(*parts, hearing=Hearing(catch_up, look_every), look_every=look_every)
        listener = asyncio.create_task(listening.run())
        scene = Scene(hosts, pool, socket)
        await scene.is_connected()
        yield scene
        listener.cancel()
        await asyncio.wait({listener})
        if not listener.cancelled():
            listener.result()


@pytest.fixture
async def hosts(dsn: str, pool: Pool) -> AsyncIterator[Hosts]:
    async with built_hosts(dsn, pool, clock_offset=-48 * 3600) as built:
        yield built


def token_active(scene: Scene, *, active: bool) -> None:
    sessions.set_token_active(scene.store, scene.hosts.bot_token, active=active)


def bot_active(scene: Scene, *, active: bool) -> None:
    set_bot_active(scene.store, *find_bot(scene.store, scene.bot.id, include_deleted=True), active=active)


async def disabled_token(scene: Scene) -> mattermost.Post:
    """A connection without a session gets nothing, and nothing is counted."""
    token_active(scene, active=False)
    asked = scene.ask()
    await scene.until(lambda: scene.socket.state == "unauthorised")
    token_active(scene, active=True)
    return asked


async def disabled_bot(scene: Scene) -> mattermost.Post:
    bot_active(scene, active=False)
    sessions.end_all_sessions(scene.store, scene.bot.id)
    asked = scene.ask()
    await scene.until(lambda: scene.socket.state == "unauthorised")
    bot_active(scene, active=True)
    return asked


async def disabled_token_and_a_cut(scene: Scene) -> mattermost.Post:
    """The connection ends before a ping could show that it was deaf, and is resumed without a loss."""
    token_active(scene, active=False)
    asked = scene.ask()
    token_active(scene, active=True)
    scene.hosts.server.faults.cut_sockets()
    return asked


async def disabled_bot_and_a_cut(scene: Scene) -> mattermost.Post:
    bot_active(scene, active=False)
    sessions.end_all_sessions(scene.store, scene.bot.id)
    asked = scene.ask()
    bot_active(scene, active=True)
    scene.hosts.server.faults.cut_sockets()
    return asked


async def disabled_while_disconnected(scene: Scene) -> mattermost.Post:
    scene.hosts.server.faults.refuse_sockets = True
    scene.hosts.server.faults.cut_sockets()
    await scene.until(lambda: scene.socket.state != "connected")
    token_active(scene, active=False)
    asked = scene.ask()
    token_active(scene, active=True)
    scene.hosts.server.faults.refuse_sockets = False
    return asked


async def out_of_the_channel(scene: Scene) -> mattermost.Post:
    scene.store.leave(scene.acme.agent, scene.bot)
    asked = scene.ask()
    scene.store.join(scene.acme.agent, scene.bot)
    return asked


async def out_of_the_team(scene: Scene) -> mattermost.Post:
    scene.store.leave(scene.acme.team, scene.bot)
    asked = scene.ask()
    scene.store.join(scene.acme.team, scene.bot)
    scene.store.join(scene.acme.agent, scene.bot)
    return asked


async def back_by_a_default_channel(scene: Scene) -> mattermost.Post:
    """Who joins a team is put into its default channels, of which only the channels' members are told."""
    scene.store.settings.patch({"TeamSettings": {"ExperimentalDefaultChannels": ["agent"]}})
    scene.store.leave(scene.acme.team, scene.bot)
    asked = scene.ask()
    scene.store.join(scene.acme.team, scene.bot)
    return asked


async def under_another_name(scene: Scene) -> mattermost.Post:
    channels.patch_channel(scene.store, scene.acme.agent, {"name": "agent-2"})
    asked = scene.ask()
    channels.patch_channel(scene.store, scene.acme.agent, {"name": "agent"})
    return asked


async def out_of_a_private_channel(scene: Scene) -> mattermost.Post:
    channels.convert_channel(scene.store, scene.store.admin, scene.acme.agent, "P")
    scene.store.leave(scene.acme.agent, scene.bot)
    asked = scene.ask()
    scene.store.join(scene.acme.agent, scene.bot)
    return asked


async def archived(scene: Scene) -> mattermost.Post:
    """Out of the channel, then archived and restored: only the last of the three is heard by the team."""
    scene.store.leave(scene.acme.agent, scene.bot)
    asked = scene.ask()
    channels.archive_channel(scene.store, scene.store.admin, scene.acme.agent)
    channels.restore_channel(scene.store, scene.store.admin, scene.acme.agent)
    scene.store.join(scene.acme.agent, scene.bot)
    return asked


async def reconnected(scene: Scene) -> None:
    """Cut the connection and wait for the next one."""
    scene.hosts.server.faults.refuse_sockets = True
    scene.hosts.server.faults.cut_sockets()
    await scene.until(lambda: scene.socket.state != "connected")
    scene.hosts.server.faults.refuse_sockets = False
    await scene.is_connected()


async def connected_while_archived(scene: Scene) -> mattermost.Post:
    """Nobody makes the server look up again what the connection may hear."""
    channels.archive_channel(scene.store, scene.store.admin, scene.acme.agent)
    await reconnected(scene)
    channels.restore_channel(scene.store, scene.store.admin, scene.acme.agent)
    return scene.ask()


async def connected_while_archived_under_another_name(scene: Scene) -> mattermost.Post:
    """That the channel gets its name back is told to those alone who hear it."""
    channels.patch_channel(scene.store, scene.acme.agent, {"name": "agent-2"})
    channels.archive_channel(scene.store, scene.store.admin, scene.acme.agent)
    await reconnected(scene)
    channels.restore_channel(scene.store, scene.store.admin, scene.acme.agent)
    channels.patch_channel(scene.store, scene.acme.agent, {"name": "agent"})
    return scene.ask()


async def connected_while_a_private_channel_was_archived(scene: Scene) -> mattermost.Post:
    """That it is restored is told to those alone who hear it."""
    channels.convert_channel(scene.store, scene.store.admin, scene.acme.agent, "P")
    channels.archive_channel(scene.store, scene.store.admin, scene.acme.agent)
    await reconnected(scene)
    channels.restore_channel(scene.store, scene.store.admin, scene.acme.agent)
    return scene.ask()


DEAF: dict[Callable[[Scene], Awaitable[mattermost.Post]], Timing] = {
    disabled_token: QUICK,
    disabled_bot: QUICK,
    disabled_token_and_a_cut: PATIENT,
    disabled_bot_and_a_cut: PATIENT,
    disabled_while_disconnected: PATIENT,
    out_of_the_channel: PATIENT,
    out_of_the_team: PATIENT,
    back_by_a_default_channel: PATIENT,
    under_another_name: PATIENT,
    out_of_a_private_channel: PATIENT,
    archived: PATIENT,
    connected_while_archived: PATIENT,
    connected_while_archived_under_another_name: PATIENT,
}


@pytest.mark.parametrize("deaf", DEAF, ids=lambda deaf: deaf.__name__)
async def test_what_was_asked_while_deaf_is_stored(
    hosts: Hosts, pool: Pool, deaf: Callable[[Scene], Awaitable[mattermost.Post]]
) -> None:
    """Also when a later question moves the position before anybody looks back."""
    async with listening(hosts, pool, DEAF[deaf]) as scene:
        before = scene.ask()
        await scene.has_stored(before)

        missed = await deaf(scene)
        await scene.is_connected()
        after = scene.ask()

        await scene.has_stored(missed, after)


async def test_posts_that_no_event_tells_of_are_found(hosts: Hosts, pool: Pool) -> None:
    """Now and then the channels are compared with what was heard."""
    async with listening(hosts, pool, PATIENT, look_every=0.05) as scene:
        await scene.has_stored(scene.ask())

        missed = await connected_while_a_private_channel_was_archived(scene)
        await scene.has_stored(missed)

        await scene.has_stored(scene.ask())


async def test_what_was_asked_while_deaf_is_stored_after_a_restart(hosts: Hosts, pool: Pool) -> None:
    """The position stays before what nobody heard, so that another process finds it."""
    async with listening(hosts, pool, QUICK) as scene:
        before = scene.ask()
        await scene.has_stored(before)
        token_active(scene, active=False)
        missed = scene.ask()
        await scene.until(lambda: scene.socket.state == "unauthorised")

    token_active(scene, active=True)
    async with listening(hosts, pool, QUICK) as again:
        await again.has_stored(missed)

"""The bot's life: learn who it is, then listen and answer until told to stop."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from asyncpg import Pool

from bridge import retry
from bridge.catchup import CatchUp
from bridge.confirmations import Confirmations
from bridge.db.inbox import CHANNEL, Inbox
from bridge.db.mappings import Mappings
from bridge.db.positions import Positions
from bridge.db.wakeups import wakeups
from bridge.errors import MattermostRefused, MattermostUnavailable, TokenRefused
from bridge.health import Status
from bridge.intake import Intake
from bridge.listener import Listener
from bridge.mattermost.socket import Interest, Socket
from bridge.metrics import Metrics
from bridge.models import JobKind, User
from bridge.ports import Agent, MattermostApi
from bridge.routing import Bot
from bridge.worker import Handler, Worker
from handlers.mentions import Mentions
from handlers.posting import Poster

log = structlog.get_logger(__name__)

_REFUSED_EVERY = 30.0
"""Seconds between two tries with a token that Mattermost refuses: somebody has to mend it first."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the bot is, read from the server with its token."""

    user: User
    max_post_size: int


@dataclass(frozen=True, slots=True)
class Account:
    """With which token the bot is where, and in which channels it listens."""

    url: str
    token: str = field(repr=False)
    channel: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What the bot stands on."""

    dsn: str = field(repr=False)
    pool: Pool
    metrics: Metrics
    status: Status


@dataclass(frozen=True, slots=True)
class Desk:
    """What listener and worker share."""

    inbox: Inbox
    confirmations: Confirmations
    wakeup: asyncio.Event


async def live(
    ground: Ground, account: Account, api: MattermostApi, agent: Agent, stop: asyncio.Event
) -> None:
    """Listen and answer until `stop`, then finish what is in hand."""
    ground.status.api, ground.status.agent = api, agent
    identity = await _unless(stop, _identify(api, ground.status))
    if identity is None:
        return
    log.info("bot", username=identity.user.username, max_post_size=identity.max_post_size)
    async with _socket(account, identity.user, api, ground) as socket, asyncio.TaskGroup() as group:
        ground.status.socket = socket
        desk = Desk(Inbox(ground.pool), Confirmations(), asyncio.Event())
        intake = Intake(
            desk.inbox, Mappings(ground.pool), Bot(identity.user.id, identity.user.username, account.channel)
        )
        catch_up = CatchUp(api, Positions(ground.pool), intake, account.channel)
        listener = Listener(socket, intake, catch_up, desk.confirmations, desk.wakeup, ground.metrics)
        helpers = [
            group.create_task(listener.run(), name="listener"),
            group.create_task(wakeups(ground.dsn, CHANNEL, desk.wakeup), name="wakeups"),
        ]
        mentions = Mentions(
            api,
            agent,
            desk.inbox,
            Poster(api, identity.user.id, identity.max_post_size, desk.confirmations),
            socket.typing,
            identity.user.username,
            ground.metrics,
        )
        handlers: Mapping[JobKind, Handler] = {"mention": mentions.answer, "invite": mentions.invite}
        await Worker(desk.inbox, handlers, ground.metrics, desk.wakeup).run(stop)
        for helper in helpers:
            helper.cancel()


async def _identify(api: MattermostApi, status: Status) -> Identity:
    """Ask the server who the token belongs to, until it tells."""
    for delay in retry.delays(0.5, 2, 30):
        try:
            identity = Identity(await api.me(), await api.max_post_size())
        except TokenRefused as error:
            status.refused.add("MATTERMOST_BOT_TOKEN")
            log.error("token_refused", variable="MATTERMOST_BOT_TOKEN", reason=error.message)
            await asyncio.sleep(_REFUSED_EVERY)
        except (MattermostUnavailable, MattermostRefused) as error:
            log.warning("mattermost_away", reason=error.message, seconds=round(delay, 1))
            await asyncio.sleep(delay)
        else:
            status.refused.discard("MATTERMOST_BOT_TOKEN")
            return identity
    raise AssertionError("delays never end")


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, Identity]) -> Identity | None:
    """Return what the work returns, None if the stop came first."""
    working = asyncio.create_task(work, name="identify")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, stopping):
            task.cancel()


def _socket(account: Account, user: User, api: MattermostApi, ground: Ground) -> Socket:
    return Socket(
        account.url,
        account.token,
        Interest(account.channel, user.username),
        api.me,
        changed=ground.metrics.socket_state,
    )

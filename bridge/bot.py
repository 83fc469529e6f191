"""The bot's life: learn who it is, then listen and answer until told to stop."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from asyncpg import Pool

from bridge import retry
from bridge.catchup import CatchUp
from bridge.confirmations import Confirmations
from bridge.db.inbox import CHANNEL, Inbox
from bridge.db.mappings import Mappings
from bridge.db.positions import Positions
from bridge.db.teams import Teams
from bridge.db.wakeups import wakeups
from bridge.errors import MattermostRefused, MattermostUnavailable, TokenRefused
from bridge.health import Status
from bridge.intake import Intake
from bridge.listener import Listener, insist
from bridge.mattermost.socket import Interest, Socket
from bridge.metrics import Metrics
from bridge.models import JobKind, User, UserId
from bridge.ports import Agent, MattermostApi
from bridge.routing import Bot
from bridge.worker import Handler, Worker
from handlers.mentions import Mentions
from handlers.notices import Notices
from handlers.posting import Poster

log = structlog.get_logger(__name__)

_REFUSED_EVERY = 15.0
"""Seconds between two tries with a token that Mattermost refuses: somebody has to mend it first."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Account:
    """With which token the bot is where, and in which channels it listens."""

    url: str
    token: str = field(repr=False)
    channel: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What the bot stands on."""

    account: Account
    api: MattermostApi
    notice_api: MattermostApi
    """The account that posts what the platform tells; the bot's own if no other is configured."""
    agent: Agent
    dsn: str = field(repr=False)
    pool: Pool
    metrics: Metrics
    status: Status
    jobs: Mapping[JobKind, Handler]
    """Handlers of jobs that need no bot."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the bot is, read from the server with its token."""

    me: Bot
    notice_user: UserId
    max_post_size: int


async def live(ground: Ground, stop: asyncio.Event) -> None:
    """Listen and answer until `stop`, then finish what is in hand."""
    identity = await _unless(stop, _identify(ground))
    if identity is None:
        return
    log.info("bot", username=identity.me.username, max_post_size=identity.max_post_size)
    inbox, confirmations, wakeup = Inbox(ground.pool), Confirmations(), asyncio.Event()
    socket = ground.status.socket = _socket(ground, identity)
    poster = Poster(ground.api, identity.me.user_id, identity.max_post_size, confirmations)
    handlers = _handlers(ground, identity, inbox, poster, socket)
    worker = Worker(inbox, handlers, ground.metrics, wakeup)
    intake = Intake(inbox, Mappings(ground.pool), worker, identity.me)
    catch_up = CatchUp(ground.api, Positions(ground.pool), intake, ground.account.channel)
    if await _unless(stop, insist("begin", catch_up.begin)) is None:
        return
    listener = Listener(socket, intake, catch_up, confirmations, ground.metrics)
    async with socket, asyncio.TaskGroup() as group:
        helpers = [
            group.create_task(listener.run(), name="listener"),
            group.create_task(wakeups(ground.dsn, CHANNEL, wakeup), name="wakeups"),
        ]
        await worker.run(stop)
        for helper in helpers:
            helper.cancel()


def _handlers(
    ground: Ground, identity: Identity, inbox: Inbox, poster: Poster, socket: Socket
) -> Mapping[JobKind, Handler]:
    username = identity.me.username
    mentions = Mentions(ground.api, ground.agent, inbox, poster, socket.typing, username, ground.metrics)
    speaker = Poster(ground.notice_api, identity.notice_user, identity.max_post_size, poster.confirmations)
    notices = Notices(Teams(ground.pool), speaker)
    ours: dict[JobKind, Handler] = {"mention": mentions.answer, "invite": mentions.invite}
    return {**ours, **ground.jobs, "notice": notices.post}


def _socket(ground: Ground, identity: Identity) -> Socket:
    account = ground.account
    interest = Interest(account.channel, identity.me.username)
    return Socket(account.url, account.token, interest, ground.api.me, changed=ground.metrics.socket_state)


async def _identify(ground: Ground) -> Identity:
    """Ask the server who the tokens belong to, until it tells."""
    me = await _owner(ground, ground.api, "MATTERMOST_BOT_TOKEN")
    speaker = await _owner(ground, ground.notice_api, "MATTERMOST_NOTICE_TOKEN")
    size = await insist("max_post_size", ground.api.max_post_size)
    return Identity(Bot(me.id, me.username, ground.account.channel), speaker.id, size)


async def _owner(ground: Ground, api: MattermostApi, variable: str) -> User:
    for delay in retry.delays(0.5, 2, 30):
        try:
            user = await api.me()
        except TokenRefused as error:
            ground.status.refused_token = variable
            ground.metrics.socket_state("unauthorised")
            log.error("token_refused", variable=variable, reason=error.message)
            await asyncio.sleep(_REFUSED_EVERY)
        except (MattermostUnavailable, MattermostRefused) as error:
            log.warning("mattermost_away", reason=error.message, seconds=round(delay, 1))
            await asyncio.sleep(delay)
        else:
            ground.status.refused_token = None
            return user
    raise AssertionError("delays never end")


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """Return what the work returns, None if the stop came first."""
    working = asyncio.create_task(work, name="first steps")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, stopping):
            task.cancel()

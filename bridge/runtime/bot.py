"""The bot's life: learn who it is, then listen and answer until cancelled."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog
from asyncpg import Pool

from bridge import retry
from bridge.db.mappings import Mappings
from bridge.db.positions import Positions
from bridge.db.teams import Teams
from bridge.errors import MattermostRefused, MattermostUnavailable, TokenRefused
from bridge.ingest.catch_up import CatchUp
from bridge.ingest.intake import Intake
from bridge.ingest.listener import Listener
from bridge.ingest.post_acks import PostAcks
from bridge.mattermost.websocket.socket import Interest, Socket
from bridge.metrics import Metrics
from bridge.models.chat import User
from bridge.models.jobs import JobKind
from bridge.outage import retry_until_available
from bridge.ports import Agent, MattermostApi
from bridge.routing import Bot
from bridge.runtime.health import BOT_TOKEN, NOTICE_TOKEN, Status
from bridge.worker import Handler, Worker
from handlers.jobs.mention import Mentions
from handlers.jobs.notice import Notices
from handlers.jobs.posting import Poster

log = structlog.get_logger(__name__)

_REFUSED_EVERY = 15.0
"""Seconds between two tries with a token that Mattermost refuses: somebody has to mend it first."""


@dataclass(frozen=True, slots=True)
class Account:
    """With which token the bot is where, and in which channels it listens."""

    url: str
    token: str = field(repr=False)
    channel: str


@dataclass(frozen=True, slots=True)
class BotDependencies:
    """What the bot stands on."""

    account: Account
    api: MattermostApi
    notice_api: MattermostApi | None
    """The account that posts what the platform tells; None if the bot does."""
    agent: Agent
    pool: Pool
    metrics: Metrics
    status: Status
    worker: Worker
    """Learns to answer and to post notices as soon as Mattermost has told whose tokens these are."""


async def live(ground: BotDependencies) -> None:
    """Listen and answer, and post notices, until cancelled; neither waits for the other's token."""
    post_acks = PostAcks()
    async with asyncio.TaskGroup() as group:
        group.create_task(_answer(ground, post_acks), name="answer")
        if ground.notice_api:
            group.create_task(_tell(ground, ground.notice_api, post_acks), name="tell")


async def _answer(ground: BotDependencies, post_acks: PostAcks) -> None:
    user = await _owner(ground, ground.api, BOT_TOKEN)
    size = await retry_until_available("max_post_size", ground.api.max_post_size)
    log.info("bot", username=user.username, max_post_size=size)
    me = Bot(user.id, user.username, ground.account.channel)
    socket = ground.status.socket = _socket(ground, me)
    inbox, worker = ground.worker.inbox, ground.worker
    intake = Intake(inbox, Mappings(ground.pool), me)
    catch_up = CatchUp(ground.api, Positions(ground.pool), intake, ground.account.channel)
    await retry_until_available("begin", catch_up.begin)
    poster = Poster(ground.api, me.user_id, size, post_acks)
    mentions = Mentions(ground.api, ground.agent, inbox, poster, socket.typing, me.username, ground.metrics)
    async with socket:
        worker.register(
            {"mention": Handler(mentions.answer, mentions.apologize), "invite": Handler(mentions.invite)}
        )
        if not ground.notice_api:
            worker.register(_telling(ground, poster))
        await Listener(socket, intake, catch_up, post_acks, ground.metrics).run()


async def _tell(ground: BotDependencies, api: MattermostApi, post_acks: PostAcks) -> None:
    speaker = await _owner(ground, api, NOTICE_TOKEN)
    size = await retry_until_available("max_post_size", api.max_post_size)
    ground.worker.register(_telling(ground, Poster(api, speaker.id, size, post_acks)))


def _telling(ground: BotDependencies, poster: Poster) -> Mapping[JobKind, Handler]:
    return {"notice": Handler(Notices(Teams(ground.pool), poster, ground.worker.inbox).post)}


def _socket(ground: BotDependencies, me: Bot) -> Socket:
    account = ground.account
    interest = Interest(account.channel, me.user_id)
    return Socket(account.url, account.token, interest, ground.api.me, changed=ground.metrics.socket_state)


async def _owner(ground: BotDependencies, api: MattermostApi, variable: str) -> User:
    """Return whose token it is, as soon as the server tells."""
    for delay in retry.delays(0.5, 2, 30):
        try:
            user = await api.me()
        except TokenRefused as error:
            ground.status.refused_tokens.add(variable)
            if variable == BOT_TOKEN:
                ground.metrics.socket_state("unauthorised")
            log.error("token_refused", variable=variable, reason=error.message)
            await asyncio.sleep(_REFUSED_EVERY)
        except (MattermostUnavailable, MattermostRefused) as error:
            wait = retry.as_asked(delay, error)
            log.warning("mattermost_away", reason=error.message, seconds=round(wait, 1))
            await asyncio.sleep(wait)
        else:
            ground.status.refused_tokens.discard(variable)
            return user
    raise AssertionError("delays never end")

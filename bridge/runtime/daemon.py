"""The daemon: everything is put together here, started, and stopped in reverse."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import structlog
from aiohttp import ClientSession

from bridge import tracing
from bridge.agent import make_agent, make_session
from bridge.config import Settings
from bridge.db.inbox import CHANNEL, Inbox
from bridge.db.job_history import JobHistory
from bridge.db.mappings import Mappings
from bridge.db.pool import open_pool
from bridge.db.teams import Teams
from bridge.db.wakeups import wakeups
from bridge.errors import DatabaseUnavailable
from bridge.mattermost.rest.client import connect
from bridge.metrics import Metrics
from bridge.ports import Agent, MattermostApi
from bridge.runtime import bot, membership, sign_in
from bridge.runtime.database import own_database
from bridge.runtime.health import Status
from bridge.runtime.membership import MembershipServices
from bridge.runtime.sign_in import SignInServices
from bridge.worker import Worker
from handlers.http.app import make_app
from handlers.http.app_keys import Services
from handlers.http.events import INBOX
from handlers.http.http_server import listening
from handlers.http.mapping_cache import MappingCache
from handlers.http.sync import SYNCING

log = structlog.get_logger(__name__)

KEEP = timedelta(days=90)
"""How long `why` can tell what became of a post."""

_SAMPLE_EVERY = 10.0
_PURGE_EVERY = 3600.0
_RENEW_AGAIN = 10.0


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Run until `stop`. Raises `StartupError`; later on nothing outside ends it, only a bug does."""
    async with (
        tracing.opened(settings.otel_exporter_otlp_endpoint),
        own_database(settings) as dsn,
        await open_pool(dsn) as pool,
    ):
        metrics, status = Metrics(), Status(pool)
        async with (
            sign_in.opened(settings, dsn, pool, metrics) as sign_in_services,
            membership.opened(settings, sign_in_services, pool, metrics) as membership_services,
            _api(settings, metrics, status, sign_in_services, membership_services),
            asyncio.TaskGroup() as group,
        ):
            job_history = JobHistory(pool)
            periodic_tasks = [
                group.create_task(_sample(job_history, Teams(pool), metrics), name="sample the inbox"),
                group.create_task(
                    _purge(job_history, sign_in_services, membership_services), name="purge the ledger"
                ),
                group.create_task(_renew(sign_in_services), name="seal tokens anew"),
            ]
            if membership_services.reconciler:
                periodic_tasks.append(
                    group.create_task(membership_services.reconciler.run(), name="reconcile")
                )
            worker = Worker(Inbox(pool), membership_services.jobs, metrics, asyncio.Event())
            await _work(dsn, worker, _live(settings, worker, status, metrics), stop)
            log.info("stopping")
            for chore in periodic_tasks:
                chore.cancel()


async def _work(dsn: str, worker: Worker, living: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    """Do what is in the inbox until `stop`, and live meanwhile."""
    async with asyncio.TaskGroup() as group:
        helpers = [
            group.create_task(wakeups(dsn, CHANNEL, worker.wakeup), name="wakeups"),
            group.create_task(living, name="bot"),
        ]
        await worker.run(stop)
        for helper in helpers:
            helper.cancel()
    # What was stored and claimed in the very last moment.
    await worker.release()


async def _live(settings: Settings, worker: Worker, status: Status, metrics: Metrics) -> None:
    """Be the bot, if one is configured; what needs one is left to other processes otherwise."""
    if not settings.mattermost_url or not settings.mattermost_bot_token or not settings.agent_url:
        log.warning("no_bot", reason="MATTERMOST_BOT_TOKEN is not set: no mention answered, no notice posted")
        return
    token = settings.mattermost_bot_token.get_secret_value()
    async with (
        connect(settings.mattermost_url, token, metrics.rest_call) as api,
        _speaker(settings, settings.mattermost_url, metrics) as notice_api,
        make_session() as session,
    ):
        status.api, status.agent = api, _agent(settings, settings.agent_url, session)
        account = bot.Account(settings.mattermost_url, token, settings.agent_channel)
        ground = bot.BotDependencies(
            account, api, notice_api, status.agent, status.pool, metrics, status, worker
        )
        await bot.live(ground)


@asynccontextmanager
async def _speaker(settings: Settings, url: str, metrics: Metrics) -> AsyncIterator[MattermostApi | None]:
    """Give Mattermost as the account that posts notices, None if the bot does."""
    if not settings.mattermost_notice_token:
        yield None
        return
    token = settings.mattermost_notice_token.get_secret_value()
    async with connect(url, token, metrics.rest_call) as api:
        yield api


def _agent(settings: Settings, url: str, session: ClientSession) -> Agent:
    return make_agent(
        settings.agent_kind,
        session,
        url=url,
        token=settings.agent_token.get_secret_value() if settings.agent_token else "",
        agent_id=settings.agent_id,
        model=settings.agent_model,
        timeout=settings.agent_timeout,
    )


@asynccontextmanager
async def _api(
    settings: Settings,
    metrics: Metrics,
    status: Status,
    sign_in_services: SignInServices,
    membership_services: MembershipServices,
) -> AsyncIterator[None]:
    services = Services(
        mappings=MappingCache(Mappings(status.pool)),
        gateway_tokens=tuple(token.get_secret_value() for token in settings.gateway_tokens),
        metrics=metrics,
        health=status.look,
        public_url=settings.mattermost_public_url or settings.mattermost_url,
        web_origins=settings.web_origins,
        equa=sign_in_services.equa,
        session_cookies=sign_in_services.session_cookies,
        sign_in_service=sign_in_services.sign_in_service,
    )
    app = make_app(services)
    app[INBOX] = Inbox(status.pool)
    if membership_services.syncing:
        app[SYNCING] = membership_services.syncing
    async with listening(app, settings.bridge_host, settings.bridge_port):
        yield


async def _sample(job_history: JobHistory, teams: Teams, metrics: Metrics) -> None:
    async def sample() -> None:
        metrics.inbox(await job_history.backlogs())
        metrics.channel_problems(await teams.channel_problems())

    await _again_and_again(sample, _SAMPLE_EVERY)


async def _purge(
    job_history: JobHistory, sign_in_services: SignInServices, membership_services: MembershipServices
) -> None:
    async def purge() -> None:
        await sign_in_services.purge()
        await membership_services.syncs.purge()
        while purged := await job_history.purge(KEEP):
            log.info("purged", jobs=purged)

    await _again_and_again(purge, _PURGE_EVERY)


async def _renew(sign_in_services: SignInServices) -> None:
    """Seal tokens anew, once: what is sealed from now on is sealed with the first key."""
    while True:
        try:
            return await sign_in_services.renew()
        except DatabaseUnavailable as error:
            log.warning("chore_failed", reason=error.message)
        await asyncio.sleep(_RENEW_AGAIN)


async def _again_and_again(chore: Callable[[], Awaitable[None]], every: float) -> None:
    while True:
        try:
            await chore()
        except DatabaseUnavailable as error:
            log.warning("chore_failed", reason=error.message)
        await asyncio.sleep(every)

"""The sync routes with everything behind them: the API in one process, and the worker that does the jobs."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import ClientResponse
from asyncpg import Pool

from bridge import config
from bridge.config import Settings
from bridge.db.inbox import Inbox
from bridge.db.pool import open_pool
from bridge.metrics import Metrics
from bridge.runtime import membership, sign_in
from bridge.runtime.membership import MembershipServices
from bridge.sandbox import demo_data
from bridge.sandbox.equa import Server as Equa
from bridge.secrets.key_ring import new_key
from bridge.worker import Worker, WorkerConfig
from handlers.http.sync import SYNCING
from tests.support.front import ACME, Front, served
from tests.support.visits import Chat
from tests.support.visits import chat as running_chat

SERVICE = {"EQUA_SERVICE_EMAIL": demo_data.SERVICE.email, "EQUA_SERVICE_PASSWORD": demo_data.PASSWORD}


@dataclass(frozen=True, slots=True)
class Desk:
    """Where an administrator asks for a sync; `working` does what was asked for, while its context lasts."""

    front: Front
    membership_services: MembershipServices
    settings: Settings
    environ: Mapping[str, str]
    pool: Pool

    @property
    def chat(self) -> Chat:
        return self.front.chat

    @property
    def equa(self) -> Equa:
        return self.front.equa

    async def sync(
        self, cookie: str | None = None, organization: object = ACME.id, **headers: str
    ) -> ClientResponse:
        """Ask for a sync as a page does; by default as Ada, who administers Acme."""
        sent = {"Cookie": self.front.cookie() if cookie is None else cookie, **_named(headers)}
        return await self.front.client.post(path(organization), json={}, headers=sent)

    async def look(
        self, job: object, organization: object = ACME.id, cookie: str | None = None
    ) -> ClientResponse:
        sent = {"Cookie": self.front.cookie() if cookie is None else cookie}
        return await self.front.client.get(f"{path(organization)}/{job}", headers=sent)

    async def ended(self, job: object) -> Any:
        """Return what is told of a sync that has ended."""
        async with asyncio.timeout(20):
            while (told := await (await self.look(job)).json())["status"] == "running":
                await asyncio.sleep(0.01)
        return told

    @asynccontextmanager
    async def working(self, membership_services: MembershipServices | None = None) -> AsyncIterator[None]:
        stop, wakeup = asyncio.Event(), asyncio.Event()
        pace = WorkerConfig(poll=0.02, stop=0.2)
        jobs = (membership_services or self.membership_services).jobs
        worker = Worker(Inbox(self.pool), jobs, Metrics(), wakeup, pace)
        async with asyncio.TaskGroup() as group:
            group.create_task(worker.run(stop), name="worker")
            try:
                yield
            finally:
                stop.set()


def path(organization: object) -> str:
    return f"/api/v1/mattermost/sync-org/{organization}"


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@asynccontextmanager
async def keeping_of(settings: Settings, dsn: str, pool: Pool) -> AsyncIterator[MembershipServices]:
    """Put together what one process keeps teams with."""
    metrics = Metrics()
    async with (
        sign_in.opened(settings, dsn, pool, metrics) as sign_in_services,
        membership.opened(settings, sign_in_services, pool, metrics) as membership_services,
    ):
        yield membership_services


@asynccontextmanager
async def desk(dsn: str, *, seconds: float = 20, **variables: str) -> AsyncIterator[Desk]:
    """Put the API together as the daemon does; an empty variable takes one away."""
    given = {"TOKEN_KEYS": f"k1:{new_key()}", **SERVICE, **variables}
    async with AsyncExitStack() as stack:
        chat, equa = await stack.enter_async_context(running_chat()), Equa()
        await stack.enter_async_context(equa)
        pool = await stack.enter_async_context(await open_pool(dsn))
        environ = {**_environ(chat, equa, dsn), **given}
        settings = config.load(environ)
        membership_services = await stack.enter_async_context(keeping_of(settings, dsn, pool))
        parts = (
            {SYNCING: replace(membership_services.syncing, seconds=seconds)}
            if membership_services.syncing
            else {}
        )
        front = await stack.enter_async_context(served(chat, equa, pool, dsn, parts, **given))
        yield Desk(front, membership_services, settings, environ, pool)


def _environ(chat: Chat, equa: Equa, dsn: str) -> dict[str, str]:
    return {
        "DATABASE_URL": dsn,
        "MATTERMOST_URL": chat.server.url,
        "MATTERMOST_ADMIN_BOT_TOKEN": chat.store.admin_token,
        "MATTERMOST_BOT_TOKEN": chat.bot_token,
        "AGENT_URL": "http://127.0.0.1:9",
        "EQUA_API_URL": equa.api_url,
    }

"""The sync routes with everything behind them: the API in one process, and the worker that does the jobs."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import ClientResponse
from asyncpg import Pool

from bridge.config import Settings
from bridge.db.pool import unchecked_pool
from bridge.metrics import Metrics
from bridge.runtime.job_handlers import administrator_handlers
from bridge.runtime.reconcile import Reconciler
from bridge.runtime.services import Services
from bridge.sandbox import demo_data
from bridge.sandbox.equa import Server as Equa
from bridge.secrets.key_ring import new_key
from bridge.worker import Worker, WorkerConfig
from handlers.http.app_keys import Limits
from tests.support.front import ACME, PATIENT, Front, served
from tests.support.provisioning import Chat
from tests.support.provisioning import chat as running_chat

SERVICE = {"EQUA_SERVICE_EMAIL": demo_data.SERVICE.email, "EQUA_SERVICE_PASSWORD": demo_data.PASSWORD}


@dataclass(frozen=True, slots=True)
class Desk:
    """Where an administrator asks for a sync; `working` does what was asked for, while its context lasts."""

    front: Front
    environ: Mapping[str, str]
    reconciler: Reconciler | None

    @property
    def chat(self) -> Chat:
        return self.front.chat

    @property
    def pool(self) -> Pool:
        return self.front.pool

    @property
    def settings(self) -> Settings:
        return self.front.built.settings

    @property
    def services(self) -> Services:
        return self.front.built.services

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
        """Return what is told of a sync that has ended; a page may ask for it only so often."""
        await self.has_ended(job)
        return await (await self.look(job)).json()

    async def has_ended(self, job: object) -> None:
        async with asyncio.timeout(60):
            while not await self.pool.fetchval("select outcome from syncs where id = $1::uuid", job):
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def working(self, services: Services | None = None) -> AsyncIterator[None]:
        stop, services = asyncio.Event(), services or self.services
        config = WorkerConfig(poll=0.02, stop=0.2)
        metrics = Metrics()
        handlers = administrator_handlers(services, metrics)
        worker = Worker(services.tables.inbox, handlers, metrics, asyncio.Event(), config)
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
async def desk(dsn: str, *, seconds: float = 60, **variables: str) -> AsyncIterator[Desk]:
    """Put the API together as the daemon does; an empty variable takes one away."""
    given = {"TOKEN_KEYS": f"k1:{new_key()}", **SERVICE, **variables}
    async with AsyncExitStack() as stack:
        chat, equa = await stack.enter_async_context(running_chat()), Equa()
        await stack.enter_async_context(equa)
        pool = await stack.enter_async_context(await unchecked_pool(dsn))
        serving = served(chat, equa, pool, dsn, Limits(timeouts=replace(PATIENT, sync=seconds)), **given)
        front = await stack.enter_async_context(serving)
        yield Desk(front, front.environ, front.built.reconciler)

"""Clients and services as one process of the daemon has them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from aiohttp import web
from asyncpg import Pool

from bridge.config import Settings
from bridge.db import locks
from bridge.db.job_history import JobHistory
from bridge.metrics import Metrics
from bridge.runtime.api import make_api
from bridge.runtime.clients import Clients, open_clients
from bridge.runtime.health import BotState, HealthCheck
from bridge.runtime.periodic_tasks import PeriodicTasks, make_reconciler
from bridge.runtime.reconcile import Reconciler
from bridge.runtime.services import Services, make_services
from handlers.http.app_keys import LIMITS, Limits
from provisioning.tables import Tables


@dataclass(frozen=True, slots=True)
class Built:
    """The parts of a process that wait to be called."""

    settings: Settings
    pool: Pool
    metrics: Metrics
    clients: Clients
    services: Services

    @property
    def periodic_tasks(self) -> PeriodicTasks:
        return PeriodicTasks(JobHistory(self.pool), self.services, self.metrics)

    @property
    def reconciler(self) -> Reconciler | None:
        return make_reconciler(self.services, self.pool, self.metrics)

    def api(self, limits: Limits | None = None) -> web.Application:
        """Return the API of a process without a bot."""
        health = HealthCheck(self.pool, replace(self.clients, bot=None), BotState())
        app = make_api(self.settings, self.clients, self.services, health, self.metrics)
        if limits:
            app[LIMITS] = limits
        return app


@asynccontextmanager
async def built(settings: Settings, dsn: str, pool: Pool) -> AsyncIterator[Built]:
    """Put the parts together as the daemon does."""
    metrics = Metrics()
    async with open_clients(settings, metrics) as clients, locks.opened(dsn) as held_locks:
        services = await make_services(settings, clients, pool, Tables.of(pool), held_locks)
        yield Built(settings, pool, metrics, clients, services)

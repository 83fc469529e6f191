"""The daemon: database, clients, services, handlers, worker and API, put together from top to bottom.

Whatever is opened later is closed earlier.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

import asyncpg
import structlog

from bridge import tracing
from bridge.config import Settings
from bridge.db import locks, stops
from bridge.db.inbox import CHANNEL
from bridge.db.job_history import JobHistory
from bridge.db.pool import open_pool
from bridge.db.processes import Processes
from bridge.db.stops import Stops
from bridge.db.wakeups import wakeups
from bridge.errors import DatabaseUnavailable
from bridge.ingest.control_listener import ControlListener
from bridge.metrics import Metrics
from bridge.ports import AgentControl
from bridge.runtime.api import LOG_PAUSE, make_api
from bridge.runtime.background import running
from bridge.runtime.bot import BotRunner, make_bot
from bridge.runtime.clients import open_clients
from bridge.runtime.control import device_source, make_control, off_because
from bridge.runtime.database import own_database
from bridge.runtime.health import BotState, HealthCheck
from bridge.runtime.heartbeat import Heart
from bridge.runtime.job_handlers import administrator_handlers
from bridge.runtime.periodic_tasks import PeriodicTasks
from bridge.runtime.run import PrimaryChanged, Run
from bridge.runtime.services import make_services
from bridge.worker import Worker
from handlers.answers.stop_signals import StopSignals
from handlers.http.http_server import http_server
from provisioning.tables import Tables

log = structlog.get_logger(__name__)


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Run until `stop`. Raises `StartupError`; later on nothing outside ends it, only a bug does.

    When the database has failed over it begins anew, as after a restart: what the new primary lacks is read
    again from the stored positions on.
    """
    run, metrics = Run(), Metrics()
    async with tracing.opened(settings.otel_exporter_otlp_endpoint):
        while not stop.is_set():
            try:
                await _serve(settings, stop, run, metrics)
            except* PrimaryChanged:
                metrics.failed_over()
            except* (DatabaseUnavailable, asyncpg.PostgresConnectionError, asyncpg.InterfaceError) as errors:
                if not run.in_failover:
                    raise
                log.warning("database_awaited", reason=str(errors.exceptions[0]))
            run = run.following()


async def _serve(settings: Settings, stop: asyncio.Event, run: Run, metrics: Metrics) -> None:
    state = BotState()
    async with (
        own_database(settings) as dsn,
        await open_pool(dsn, known=run.primary) as pool,
        open_clients(settings, metrics) as clients,
        locks.opened(dsn) as held_locks,
    ):
        tables = Tables.of(pool, run.holder)
        services = await make_services(settings, clients, pool, tables, held_locks)
        worker = Worker(tables.inbox, administrator_handlers(services, metrics), metrics, asyncio.Event())
        signals = StopSignals(Stops(pool))
        devices = device_source(pool, services.keys)
        control = make_control(settings, clients.waiting, devices, metrics.control_state)
        bot = make_bot(
            settings,
            clients,
            worker,
            metrics,
            state,
            signals,
            control,
            roster_reader=services.roster_reader,
            failed_over=run.failed_over,
            held_locks=held_locks,
        )
        control = control if bot else None
        periodic = PeriodicTasks(JobHistory(pool), services, metrics)
        health = HealthCheck(pool, clients, state, control, off_because(settings) or "there is no bot")
        api = make_api(settings, clients, services, health, metrics, log_pause=LOG_PAUSE)
        heart = Heart(Processes(pool), run.holder, state, metrics)
        if run.failed_over:
            await worker.release()
        async with (
            http_server(api, settings.bridge_host, settings.bridge_port),
            running(periodic.all()),
            running(
                {
                    "wakeups": wakeups(dsn, CHANNEL, worker.wakeup),
                    "primary": run.watch(dsn, pool),
                    "heartbeat": heart.beat(),
                }
            ),
            running(_bot_tasks(dsn, bot, signals) if bot else {}),
            running(_control_tasks(control, metrics, periodic) if control else {}),
        ):
            await worker.run(stop)
            log.info("stopping")
        # Jobs that were claimed in the last moment, while they were stored.
        await worker.release()
        await heart.stop()


def _control_tasks(
    control: AgentControl, metrics: Metrics, periodic: PeriodicTasks
) -> Mapping[str, Coroutine[Any, Any, None]]:
    takers = (periodic.approval_events.follow, periodic.question_events.follow)
    return {"control": ControlListener(control, takers, metrics).run()}


def _bot_tasks(dsn: str, bot: BotRunner, signals: StopSignals) -> Mapping[str, Coroutine[Any, Any, None]]:
    return {
        "bot": bot.run(),
        "stops": wakeups(dsn, stops.CHANNEL, signals.notified),
        "watch stops": signals.watch(),
        "watch budgets": bot.parts.budgets.watch(),
    }

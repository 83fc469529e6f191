"""What the daemon does again and again beside its jobs."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from asyncpg import Pool

from bridge.db.agent_habits import AgentHabits
from bridge.db.agent_questions import AgentQuestions
from bridge.db.answers import Answers
from bridge.db.approvals import Approvals
from bridge.db.audit import Audit
from bridge.db.budgets import Budgets
from bridge.db.buttons import Buttons
from bridge.db.conversations import Conversations
from bridge.db.feedback import Feedback
from bridge.db.gateway_device import GatewayDevice
from bridge.db.job_history import JobHistory
from bridge.db.periodic_tasks import PeriodicTasks as Table
from bridge.db.processes import Processes
from bridge.db.status import slowest
from bridge.db.usage import UsageRows
from bridge.db.usage_report import UsageReports
from bridge.errors import MattermostRefused, Unavailable
from bridge.ingest.agent_questions import QuestionEvents
from bridge.ingest.approvals import ApprovalEvents
from bridge.metrics import Metrics
from bridge.outage import retry_until_available
from bridge.runtime.reconcile import Reconciler
from bridge.runtime.services import Services
from bridge.secrets.device_sealing import reseal_device
from bridge.secrets.reseal import reseal

log = structlog.get_logger(__name__)

KEEP = timedelta(days=90)
"""How long `why` can explain a post."""

_SAMPLE_EVERY = 10.0
_RATINGS_EVERY = 60.0
_PROCESSES_EVERY = 60.0
_USAGE_EVERY = 300.0
_PURGE_EVERY = 3600.0
_APPROVALS_EVERY = 2.0
_LATE_EVERY = 10.0
"""Several times within the minutes in which Mattermost may still make a session."""


@dataclass(frozen=True, slots=True)
class PeriodicTasks:
    job_history: JobHistory
    services: Services
    metrics: Metrics

    def all(self) -> Mapping[str, Coroutine[Any, Any, None]]:
        """Return them by name; each runs until it is cancelled or has nothing left to do."""
        tasks: dict[str, Coroutine[Any, Any, None]] = {
            "sample the inbox": _repeat("sample", self.sample, _SAMPLE_EVERY),
            "sample the ratings": _repeat("ratings", self.sample_ratings, _RATINGS_EVERY),
            "look at approvals": _repeat("approvals", self.approval_events.look, _APPROVALS_EVERY),
            "look at agent questions": _repeat("questions", self.question_events.look, _APPROVALS_EVERY),
            "sample the processes": _repeat("processes", self.sample_processes, _PROCESSES_EVERY),
            "sample the usage": _repeat("usage", self.sample_usage, _USAGE_EVERY),
            "purge old rows": _repeat("purge", self.purge, _PURGE_EVERY),
            "reseal tokens": retry_until_available("reseal", self.reseal),
        }
        if provider := self.services.sign_in_provider:
            tasks["end late sessions"] = _repeat("late sessions", provider.end_late_sessions, _LATE_EVERY)
        if reconciler := make_reconciler(self.services, self.job_history.pool, self.metrics):
            tasks["reconcile"] = reconciler.run()
        return tasks

    @property
    def approval_events(self) -> ApprovalEvents:
        """What happens to approvals, by the gateway or by time."""
        pool = self.job_history.pool
        return ApprovalEvents(Approvals(pool), Conversations(pool), self.services.tables.inbox, self.metrics)

    @property
    def question_events(self) -> QuestionEvents:
        """What happens to questions of agents, by the gateway or by time."""
        pool = self.job_history.pool
        return QuestionEvents(AgentQuestions(pool), Conversations(pool), self.services.tables.inbox)

    async def sample(self) -> None:
        """Put the state of the inbox and of the channels into the metrics."""
        self.metrics.inbox(await self.job_history.backlogs())
        self.metrics.approvals_pending(*await self.approval_events.approvals.oldest_pending())
        self.metrics.channel_problems(await self.services.tables.teams.channel_problems())

    async def sample_ratings(self) -> None:
        """Put how people rate answers into the metrics."""
        self.metrics.ratings(await Feedback(self.job_history.pool).counts())

    async def sample_processes(self) -> None:
        """Put the bridges on the database and the slowest organization into the metrics."""
        pool = self.job_history.pool
        self.metrics.processes(len(await Processes(pool).alive()))
        found = await slowest(pool)
        self.metrics.slowest(str(found.organization_id) if found else "", found.median if found else 0)

    async def sample_usage(self) -> None:
        """Put what agents have done this month into the metrics."""
        self.metrics.usage(await UsageReports(self.job_history.pool).month())

    async def purge(self) -> None:
        """Delete expired tickets and sign-ins, old memberships, syncs, jobs, usage and audit."""
        await Answers(self.job_history.pool).end_with_jobs()
        await self.services.tables.tickets.purge()
        await self.services.tables.sign_ins.purge()
        await self.services.tables.memberships.purge()
        await self.services.syncs.purge()
        await Processes(self.job_history.pool).purge()
        await AgentHabits(self.job_history.pool).purge()
        await self.approval_events.approvals.purge(KEEP)
        await self.question_events.questions.purge(KEEP)
        await Buttons(self.job_history.pool).purge(KEEP)
        while purged := await self.job_history.purge(KEEP):
            log.info("purged", jobs=purged)
        while await UsageRows(self.job_history.pool).purge():
            pass
        while await Audit(self.job_history.pool).purge():
            pass
        await Budgets(self.job_history.pool).purge()

    async def reseal(self) -> None:
        """Seal tokens with the first key that another one has sealed; from now on it seals new ones."""
        if self.services.keys is None:
            return
        await reseal_device(self.services.keys, GatewayDevice(self.job_history.pool))
        resealed = await reseal(self.services.keys, self.services.tokens)
        if resealed.done or resealed.failed:
            log.info("resealed", tokens=resealed.done, failed=resealed.failed)


async def _repeat(what: str, task: Callable[[], Awaitable[None]], every: float) -> None:
    while True:
        try:
            await task()
        except (Unavailable, MattermostRefused) as error:
            log.warning("periodic_task_failed", task=what, reason=error.message)
        await asyncio.sleep(every)


def make_reconciler(services: Services, pool: Pool, metrics: Metrics) -> Reconciler | None:
    """Return what reconciles teams; None without a service account, which reads the rosters."""
    if not (services.team_sync and services.roster_reader):
        return None
    return Reconciler(services.team_sync, services.roster_reader, Table(pool), metrics)

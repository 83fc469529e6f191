"""Writes that do not wait for the disk.

What an unhurried statement has written everybody can see at once. A database that crashes may lose it, until
a later commit has waited: PostgreSQL's log is written in order, and goes to a synchronous standby in order.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from asyncpg import Pool

from bridge.db.gathered import Gathered
from bridge.db.pool import database_errors
from bridge.models.jobs import Job, JobId
from bridge.outage import retry_until_available

Jobs = Mapping[str, Job | None]
"""By `dedupe` key; None for one that was stored before."""

_BRING = """
select j.dedupe, j.id, j.key
from jobs j, pg_logical_emit_message(true, 'equabot-bridge', '')
where j.dedupe = any($1)
"""
"""Find jobs, and write a line to the log that nobody reads: its commit waits for all before it."""


def unhurried(when: str = "true") -> str:
    """Return the call that lets its statement return before it is on disk, if the condition `when` holds."""
    own = "current_setting('synchronous_commit')"
    return f"set_config('synchronous_commit', case when {when} then 'off' else {own} end, true)"


@dataclass(slots=True)
class ToDisk:
    """Brings new jobs to the disk while they are worked on already."""

    pool: Pool
    _bringing: Gathered[Jobs, bool] = field(init=False, repr=False)
    _on_the_way: dict[JobId, asyncio.Task[bool]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self._bringing = Gathered(self._brought)

    async def bring(self, jobs: Jobs, lost: Callable[[Sequence[Job]], None]) -> bool:
        """Return whether the jobs are on disk, however long the database is away meanwhile.

        Else a crash has taken them, and may have given their numbers to others: `lost` is called, also when
        this is cancelled.
        """
        begun = [job for job in jobs.values() if job]
        task = asyncio.create_task(self._tried(jobs), name="bring to disk")
        self._on_the_way.update((job.id, task) for job in begun)
        try:
            return await task
        finally:
            for job in begun:
                # Its number may be on the way again, as another's.
                if self._on_the_way.get(job.id) is task:
                    del self._on_the_way[job.id]
            if not _is_there_now(task):
                lost(begun)

    async def reached(self, job: JobId) -> bool:
        """Return, once it is known, whether the job is on disk; what is not on the way is there."""
        if task := self._on_the_way.get(job):
            await asyncio.wait({task})
        return task is None or _is_there_now(task)

    async def _tried(self, jobs: Jobs) -> bool:
        return await retry_until_available("bring to disk", partial(self._bring, jobs))

    @database_errors
    async def _bring(self, jobs: Jobs) -> bool:
        # Once the pool is closed nobody will know.
        return not self.pool.is_closing() and await self._bringing.add(jobs)

    async def _brought(self, several: Sequence[Jobs]) -> list[bool]:
        rows = await self.pool.fetch(_BRING, [dedupe for jobs in several for dedupe in jobs])
        there = {row["dedupe"]: (row["id"], row["key"]) for row in rows}
        return [all(_is_there(dedupe, job, there) for dedupe, job in jobs.items()) for jobs in several]


def _is_there_now(task: asyncio.Task[bool]) -> bool:
    return task.done() and not task.cancelled() and not task.exception() and task.result()


def _is_there(dedupe: str, job: Job | None, there: Mapping[str, tuple[object, object]]) -> bool:
    found = there.get(dedupe)
    return found is not None and (job is None or found == (job.id, job.key))

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

    async def bring(self, jobs: Jobs, lost: Callable[[Sequence[JobId]], None]) -> bool:
        """Return whether the jobs are on disk, however long the database is away meanwhile.

        Else a crash has taken them, and may have given their numbers to others: `lost` is called before
        anybody hears of it, and also when this is cancelled.
        """
        ids = [job.id for job in jobs.values() if job]
        task = asyncio.create_task(self._tried(jobs, partial(lost, ids)), name="bring to disk")
        self._on_the_way.update(dict.fromkeys(ids, task))
        try:
            return await task
        finally:
            for job_id in ids:
                self._on_the_way.pop(job_id, None)

    async def reached(self, job: JobId) -> None:
        """Return once the job is on disk, if it is on the way."""
        if task := self._on_the_way.get(job):
            await asyncio.wait({task})

    async def _tried(self, jobs: Jobs, lost: Callable[[], None]) -> bool:
        is_there = False
        try:
            is_there = await retry_until_available("bring to disk", partial(self._bring, jobs))
        finally:
            if not is_there:
                lost()
        return is_there

    @database_errors
    async def _bring(self, jobs: Jobs) -> bool:
        return await self._bringing.add(jobs)

    async def _brought(self, several: Sequence[Jobs]) -> list[bool]:
        rows = await self.pool.fetch(_BRING, [dedupe for jobs in several for dedupe in jobs])
        there = {row["dedupe"]: (row["id"], row["key"]) for row in rows}
        return [all(_is_there(dedupe, job, there) for dedupe, job in jobs.items()) for jobs in several]


def _is_there(dedupe: str, job: Job | None, there: Mapping[str, tuple[object, object]]) -> bool:
    found = there.get(dedupe)
    return found is not None and (job is None or found == (job.id, job.key))

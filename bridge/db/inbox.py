"""The job table: at least once in, one at a time and in order within a lane.

The claim only takes a lane's first unfinished job, and a partial unique index makes two running
jobs of one lane impossible whatever the race. A job that waits for its next attempt stays the first
of its lane, so a retry is never overtaken.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from math import inf
from typing import Any, Literal
from uuid import UUID, uuid4

from asyncpg import DeadlockDetectedError, Pool, Record, UniqueViolationError

from bridge.clock import boot_time
from bridge.db.gathered import Gathered
from bridge.db.job_rows import (
    EndedJob,
    SavedAnswer,
    claimed,
    entry_columns,
    in_order,
    is_one_question,
    position_columns,
)
from bridge.db.job_runner import NO_CAPACITY, Capacity, JobRunner
from bridge.db.pool import database_errors
from bridge.db.statements import (
    CLAIM,
    DEAD_LETTER,
    FINISH,
    PROMOTE,
    PUT,
    RELEASE,
    RELEASE_EXPIRED,
    RETRY,
    SAVE_ANSWERS,
    WAKE,
)
from bridge.db.unhurried import ToDisk
from bridge.db.usage import records
from bridge.errors import DatabaseUnavailable
from bridge.models.chat import Position, Post
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Entry, Job, JobId
from bridge.models.usage import Used

CHANNEL = "jobs"
"""PostgreSQL's notification channel: something may be claimed."""

Ended = Literal["done", "apology"]
_MINE = "where id = $1 and holder = $2 and state = 'running'"


@dataclass(slots=True)
class Inbox:
    """The job table as one process sees it: what it claims it holds under its own name.

    Every write to a claimed job returns whether this process still held it; False means that the lease ran
    out and somebody else has the job, so its work must stop.
    """

    pool: Pool
    lease: timedelta = timedelta(seconds=15)
    holder: UUID = field(default_factory=uuid4)
    runner: JobRunner | None = field(default=None, repr=False)
    """Begins new jobs at once where it can; None while nothing runs here."""
    _touched: set[str] = field(default_factory=set, init=False, repr=False)
    """Lanes of which a job ended here, or was stored behind another, since the last claim."""
    _claims: int = field(default=0, init=False, repr=False)
    """How often it has looked for jobs."""
    _saving: Gathered[SavedAnswer, bool] = field(init=False, repr=False)
    _finishing: Gathered[EndedJob, Any] = field(init=False, repr=False)
    _to_disk: ToDisk = field(init=False, repr=False)
    _unsure: dict[JobId, SavedAnswer] = field(default_factory=dict, init=False, repr=False)
    """Answers that may be posted before they are on disk."""
    _on_disk_at: float = field(default=-inf, init=False, repr=False)
    """The last moment, by `boot_time`, of which what was written is certainly on disk."""

    def __post_init__(self) -> None:
        self._to_disk = ToDisk(self.pool)
        self._saving = Gathered(self._save)
        self._finishing = Gathered(partial(self._end, FINISH))

    @database_errors
    async def put_all(self, entries: Sequence[Entry], positions: Sequence[Position] = ()) -> frozenset[str]:
        """Store what is not stored yet and move the positions past it, in one transaction.

        Whatever can begin at once is claimed on the way and begins, a question that comes alone even before
        it is on disk. Returns the `dedupe` keys of what is new.
        """
        runner, now = self.runner, boot_time()
        rows = await self._put_or_wait(entries, positions, runner.capacity() if runner else NO_CAPACITY)
        self._touched.update(row["lane"] for row in rows if row["queued"])
        jobs = claimed(rows, now)
        if runner:
            runner.begin(jobs)
            if any(row["state"] == "waiting" for row in rows):
                runner.wake()
        if runner and is_one_question(entries):
            # Another process may have stored it a moment before.
            begun = {entries[0].dedupe: jobs[0] if jobs else None}
            if not await self._to_disk.bring(begun, runner.abandon):
                raise DatabaseUnavailable("The database has lost a question that was just stored.")
        self._note_on_disk(rows, now)
        return frozenset(row["dedupe"] for row in rows)

    async def on_disk(self, job: JobId) -> bool:
        """Return whether a job is on disk, once that is known; until then nothing about it is written."""
        return await self._to_disk.reached(job)

    def forget(self, job: JobId) -> None:
        """Keep nothing of a job any more on which this process has ended its work."""
        self._unsure.pop(job, None)

    async def _put_or_wait(
        self, entries: Sequence[Entry], positions: Sequence[Position], capacity: Capacity
    ) -> list[Record]:
        try:
            return await self._put(entries, positions, capacity)
        except UniqueViolationError:
            # Another process has begun a job of the same lane in between.
            return await self._put(entries, positions, NO_CAPACITY)
        except DeadlockDetectedError as error:
            raise DatabaseUnavailable("Two bridges stored the same posts at once.", retry_after=0) from error

    async def _put(
        self, entries: Sequence[Entry], positions: Sequence[Position], capacity: Capacity
    ) -> list[Record]:
        claim = (capacity.limit, list(capacity.full), self.holder, self.lease, ",".join(capacity.kinds))
        columns = (*entry_columns(entries), *position_columns(positions))
        unhurried = self.runner is not None and is_one_question(entries)
        return await self.pool.fetch(PUT, *columns, CHANNEL, *claim, unhurried)

    @database_errors
    async def has(self, dedupe: str) -> bool:
        """Return whether a job of this key is stored."""
        found: bool = await self.pool.fetchval("select exists (select from jobs where dedupe = $1)", dedupe)
        return found

    @database_errors
    async def forget_refusals(self, reasons: Sequence[str], of_the_last: timedelta) -> None:
        """Delete late refusals with these reasons, so that their posts can be decided about again."""
        await self.pool.execute(
            """delete from jobs
               where state = 'refused' and reason = any($1) and finished > now() - $2::interval""",
            list(reasons),
            of_the_last,
        )

    @database_errors
    async def reopen(self, post: Post, reasons: Sequence[str]) -> bool:
        """Return whether a post was read and not taken, so that it can be decided about once more.

        Its refusal is deleted if it has one of these reasons. What was not read yet comes in its order.
        """
        found: bool = await self.pool.fetchval(
            """with gone as (
                   delete from jobs where dedupe = 'post:' || $1 and state = 'refused' and reason = any($2)
                   returning id
               )
               select exists (select from gone)
                   or exists (select from positions where channel_id = $3 and create_at >= $4)""",
            post.id,
            list(reasons),
            post.channel_id,
            post.create_at,
        )
        return found

    @database_errors
    async def claim(self, capacity: Capacity) -> list[Job]:
        """Take as many jobs as there is capacity for."""
        lanes, self._touched = list(self._touched), set()
        self._claims += 1
        claim = (capacity.limit, self.holder, self.lease, list(capacity.full), ",".join(capacity.kinds))
        while True:
            now = boot_time()
            try:
                rows = await self.pool.fetch(CLAIM, *claim, lanes, CHANNEL)
            except UniqueViolationError:
                continue  # another process took a job of the same lane in between
            self._note_on_disk(rows, now)
            return sorted(claimed(rows, now), key=lambda job: job.id)

    @database_errors
    async def renew(self, jobs: Collection[JobId]) -> frozenset[JobId]:
        """Extend the leases; returns those that are still ours."""
        now = boot_time()
        rows = await self.pool.fetch(
            """with mine as (
                   select id from jobs where id = any($1) and holder = $2 and state = 'running'
                   order by id for update
               )
               update jobs set lease = now() + $3 from mine where jobs.id = mine.id returning jobs.id""",
            list(jobs),
            self.holder,
            self.lease,
        )
        self._note_on_disk(rows, now)
        return frozenset(JobId(row["id"]) for row in rows)

    @database_errors
    async def holds(self, job: JobId) -> bool:
        """Return whether this process holds the job and its lease has not run out.

        It is renewed where only that tells.
        """
        if not await self.on_disk(job):
            return False
        if not self._is_primary():
            return bool(await self.renew([job]))
        found = await self.pool.fetchval(
            "select 1 from jobs where id = $1 and holder = $2 and state = 'running' and lease > now()",
            job,
            self.holder,
        )
        return found is not None

    @database_errors
    async def has_answer(self, job: JobId) -> bool | None:
        """Return whether an answer is stored that is going to be posted; None if the lease was lost."""
        if not await self.on_disk(job):
            return None
        found: bool | None = await self.pool.fetchval(
            f"select answer is not null from jobs {_MINE}",  # noqa: S608  # a constant
            job,
            self.holder,
        )
        return found

    @database_errors
    async def save_answer(  # noqa: PLR0913 - what is stored with an answer, each by its name
        self,
        job: JobId,
        answer: str,
        failure: str | None = None,
        *,
        to: str | None = None,
        used: Used | None = None,
        is_findable: bool = False,
    ) -> bool:
        """Store what is going to be posted, before any of it is, and what it took; the lease begins anew.

        False also if the question no longer reads as it did, where it is given (`to`). An answer that can be
        found in its thread is on disk at the end of the job at the latest.
        """
        if not await self.on_disk(job):
            return False
        given = SavedAnswer(job, answer, failure, to, used, is_findable and self._is_primary())
        saved = await self._saving.add(given)
        if saved and given.is_findable:
            self._unsure[job] = given
        return saved

    def _is_primary(self) -> bool:
        """Return whether no other server can have taken over, and let a job's lease run out, meanwhile.

        A commit that does not wait does not prove it: a standby that has to have each one may be promoted.
        """
        return boot_time() - self._on_disk_at < self.lease.total_seconds() / 3

    def _note_on_disk(self, written: Sequence[object], now: float) -> None:
        """Note that a statement of that moment is on disk, if it has written anything."""
        if written:
            self._on_disk_at = now

    @database_errors
    async def assign(self, job: JobId, organization: OrganizationId) -> bool:
        """Record the organization of a direct message, which is known only when it is its turn."""
        return await self._mine("set organization_id = $3", job, organization)

    @database_errors
    async def finish(
        self, job: JobId, result: Mapping[str, Any] | None = None, used: Used | None = None
    ) -> Ended | None:
        """Close the job: done, or dead when what was posted is an apology; None if the lease was lost."""
        if not await self.on_disk(job):
            return None
        saved = self._unsure.get(job)
        ending = EndedJob(job, dict(result or {}), used, is_answered=saved is not None)
        ended: Ended | None = await self._finishing.add(ending)
        if not ended and saved and await self._saving.add(saved._replace(is_findable=False)):
            ended = await self._finishing.add(ending)
        return ended

    @database_errors
    async def retry(self, job: Job, delay: float, reason: str, used: Used | None = None) -> bool:
        """Let it wait `delay` seconds for its next attempt, still the first of its lane.

        It does not wait if it was woken meanwhile: what it waits for came after the attempt had looked.
        """
        if not await self.on_disk(job.id):
            return False
        wait = timedelta(seconds=delay)
        back = await self.pool.fetchval(
            RETRY, job.id, self.holder, wait, reason, job.run_at, CHANNEL, records([(job.id, used)])
        )
        return back is not None

    @database_errors
    async def dead_letter(self, job: JobId, reason: str, used: Used | None = None) -> bool:
        """Give it up for good; it is kept with its error and does not block its lane."""
        if not await self.on_disk(job):
            return False
        return await self._end(DEAD_LETTER, [EndedJob(job, reason, used)]) != [None]

    @database_errors
    async def is_superseded(self, job: JobId) -> bool:
        """Return whether a newer event about the same membership is stored, done or waiting."""
        found: bool = await self.pool.fetchval(
            """
            with events as (
                select id, lane, coalesce((payload ->> 'happened')::timestamptz, created) as happened
                from jobs where kind = 'membership' and lane = (select lane from jobs where id = $1)
                  and (state <> 'dead' or id = $1)
            )
            select exists (
                select from events this join events other on other.id <> this.id
                where this.id = $1 and (other.happened, other.id) > (this.happened, this.id))
            """,
            job,
        )
        return found

    @database_errors
    async def wake(self, organization: OrganizationId) -> int:
        """Let the jobs that need the organization's team run at once; return how many.

        Their time begins anew: before there was a team they could not be done. Those that run may have
        looked for it before, so their next attempt does not wait.
        """
        rows = await self.pool.fetch(WAKE, organization, CHANNEL)
        return len(rows)

    @database_errors
    async def release(self, asked: Collection[JobId] = ()) -> int:
        """Give up all jobs of this process, so that others can claim them at once; return how many.

        Of those in `asked` the agent had begun an answer, whose tokens nobody will report.
        """
        rows = await self.pool.fetch(RELEASE, self.holder, CHANNEL, list(asked))
        return len(rows)

    @database_errors
    async def release_expired(self, running: Collection[JobId] = ()) -> int:
        """Free the jobs of dead processes, and lanes whose first job still counts as queued.

        `running` are this process's jobs, which stay however late their leases are renewed. Returns how many
        jobs were freed.
        """
        rows = await self.pool.fetch(RELEASE_EXPIRED, list(running))
        promoted = await self.pool.execute(PROMOTE)
        if self.runner and promoted != "UPDATE 0":
            self.runner.wake()
        return len(rows)

    async def _save(self, answers: Sequence[SavedAnswer]) -> list[bool]:
        """Store answers in one statement; return of each whether it was."""
        jobs, words, why, questions, _, findable = zip(*in_order(answers), strict=True)
        used = records((each.job, each.used) for each in answers)
        values = (self.holder, self.lease, words, why, questions, used, all(findable))
        saved = {row["id"] for row in await self.pool.fetch(SAVE_ANSWERS, jobs, *values)}
        return [each.job in saved for each in answers]

    async def _end(self, statement: str, jobs: Sequence[EndedJob]) -> list[Any]:
        """End jobs in one statement; return the outcome of each, None if its lease was lost.

        What can begin at once in their lanes is claimed on the way and begins.
        """
        runner, claims, now = self.runner, self._claims, boot_time()
        rows = await self._end_or_wait(statement, jobs, runner.capacity() if runner else NO_CAPACITY)
        self._touched.update(row["ended_lane"] for row in rows)
        self._note_on_disk(rows, now)
        if runner:
            runner.begin(claimed(rows, now))
            # Whoever stored a job behind one of these meanwhile has seen it running, and looked in vain.
            if claims == self._claims:
                runner.rest(row["ended"] for row in rows if row["idle"] and row["state"] != "waiting")
        outcomes = {row["ended"]: row["outcome"] for row in rows}
        return [outcomes.get(each.job) for each in jobs]

    async def _end_or_wait(
        self, statement: str, jobs: Sequence["EndedJob"], capacity: Capacity
    ) -> list[Record]:
        ids, values, _, answered = zip(*in_order(jobs), strict=True)
        used = [(each.job, each.used) for each in jobs]
        claim = (self.lease, capacity.limit > 0, ",".join(capacity.kinds), list(capacity.full))
        try:
            return await self.pool.fetch(statement, ids, self.holder, values, *claim, records(used), answered)
        except UniqueViolationError:
            # Another process has begun the next job of a lane in between.
            return await self._end_or_wait(statement, jobs, NO_CAPACITY)

    async def _mine(self, change: str, job: JobId, *values: object) -> bool:
        if not await self.on_disk(job):
            return False
        status = await self.pool.execute(f"update jobs {change} {_MINE}", job, self.holder, *values)
        return status == "UPDATE 1"

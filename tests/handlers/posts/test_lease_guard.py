"""Whether a job is still ours, asked as seldom as is safe."""

from dataclasses import dataclass, field
from math import inf
from typing import Any, cast

import pytest
from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.errors import DatabaseUnavailable, LeaseLost
from bridge.models.jobs import Entry, JobId
from handlers.posts.lease_guard import SURE, LeaseGuard
from tests.support.posting import FakeInbox


@dataclass
class Watch:
    """A clock that a test sets."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class SlowInbox(FakeInbox):
    """Takes its time for an answer."""

    watch: Watch = field(default_factory=Watch)
    takes: list[float] = field(default_factory=list)

    async def holds(self, job: JobId) -> bool:
        self.watch.now += self.takes.pop(0)
        return await super().holds(job)


def lease_guard(inbox: FakeInbox, watch: Watch, known: float = 0.0) -> LeaseGuard:
    return LeaseGuard(cast(Any, inbox), JobId(7), watch, known)


@pytest.mark.parametrize(("passed", "asked"), [(0.0, 0), (SURE, 0), (SURE + 0.1, 1), (1000.0, 1)])
async def test_only_an_old_proof_is_renewed(passed: float, asked: int) -> None:
    """Usually an answer is posted right after it was kept, and that costs no query."""
    inbox, watch = FakeInbox(), Watch()
    guard = lease_guard(inbox, watch)
    watch.now = passed

    await guard.require()
    await guard.require()

    assert inbox.asked == [JobId(7)] * asked


async def test_what_was_never_proven_is_asked_for() -> None:
    inbox = FakeInbox()

    await lease_guard(inbox, Watch(), -inf).require()

    assert inbox.asked == [JobId(7)]


async def test_what_somebody_else_has_is_given_up() -> None:
    with pytest.raises(LeaseLost):
        await lease_guard(FakeInbox(ours=False), Watch(), -inf).require()


async def test_an_answer_that_came_too_late_is_none() -> None:
    """The process was suspended while it waited: the answer describes a moment long past."""
    watch = Watch()
    inbox = SlowInbox(watch=watch, takes=[60.0, 0.1])

    await lease_guard(inbox, watch, -inf).require()

    assert len(inbox.asked) == 2


async def test_a_claimed_job_is_guarded_until_its_lease_is_over(pool: Pool) -> None:
    """By the process that claimed it, and by no other."""
    inbox, other = Inbox(pool), Inbox(pool)
    await inbox.put_all([Entry("notice", "lane", None, "one", {})])
    (job,) = await inbox.claim(Capacity(1))

    assert await inbox.holds(job.id)
    assert not await other.holds(job.id)
    await pool.execute("update jobs set lease = now() - interval '1 ms'")
    assert not await inbox.holds(job.id)


async def test_what_is_done_is_guarded_by_nobody(pool: Pool) -> None:
    inbox = Inbox(pool)
    await inbox.put_all([Entry("notice", "lane", None, "one", {})])
    (job,) = await inbox.claim(Capacity(1))
    await inbox.finish(job.id)

    assert not await inbox.holds(job.id)


async def test_a_database_that_is_away_proves_nothing(pool: Pool) -> None:
    await pool.close()

    with pytest.raises(DatabaseUnavailable):
        await LeaseGuard(Inbox(pool), JobId(7)).require()

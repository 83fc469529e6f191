"""Memberships: joining, joined, leaving, left."""

from datetime import timedelta

import pytest
from asyncpg import Pool

from bridge.db.memberships import Memberships
from tests.support.provisioning import a_person, an_organization

ADA = a_person().id
ACME = an_organization().id
MINUTE = timedelta(minutes=1)


@pytest.fixture
def memberships(pool: Pool) -> Memberships:
    return Memberships(pool)


async def test_a_membership_goes_through_its_states(memberships: Memberships) -> None:
    """Each is written before Mattermost is told."""
    assert await memberships.state(ACME, ADA) is None
    assert await memberships.join(ACME, ADA, verdict_age=MINUTE)
    assert await memberships.state(ACME, ADA) == "joining"
    assert await memberships.joined(ACME, ADA)
    assert await memberships.state(ACME, ADA) == "joined"
    await memberships.leave(ACME, ADA)
    assert await memberships.state(ACME, ADA) == "leaving"
    await memberships.left(ACME, ADA)
    assert await memberships.state(ACME, ADA) == "left"


async def test_a_leaving_is_not_undone_by_a_joining_that_ends_later(memberships: Memberships) -> None:
    """Whoever was putting them in has to take them out again."""
    await memberships.join(ACME, ADA, verdict_age=MINUTE)
    await memberships.leave(ACME, ADA)

    assert not await memberships.joined(ACME, ADA)
    assert await memberships.state(ACME, ADA) == "leaving"


async def test_a_joining_is_not_ended_by_a_leaving_that_is_over(memberships: Memberships) -> None:
    """`left` ends a leaving only."""
    await memberships.join(ACME, ADA, verdict_age=MINUTE)

    await memberships.left(ACME, ADA)

    assert await memberships.state(ACME, ADA) == "joining"


@pytest.mark.parametrize("finished", [True, False])
async def test_only_a_younger_verdict_lets_somebody_back_in(
    memberships: Memberships,
    finished: bool,  # noqa: FBT001  # both cases of a table
) -> None:
    """Whether or not the leaving was finished."""
    await memberships.leave(ACME, ADA)
    if finished:
        await memberships.left(ACME, ADA)

    assert not await memberships.join(ACME, ADA, verdict_age=MINUTE)
    await memberships.pool.execute("update memberships set modified = now() - interval '2 minutes'")
    assert await memberships.join(ACME, ADA, verdict_age=MINUTE)


async def test_the_last_membership_is_told(memberships: Memberships) -> None:
    """One that is ending is none."""
    borealis = an_organization().id
    await memberships.join(ACME, ADA, verdict_age=MINUTE)
    await memberships.join(borealis, ADA, verdict_age=MINUTE)

    await memberships.leave(ACME, ADA)
    assert await memberships.has_any(ADA)
    await memberships.leave(borealis, ADA)
    assert not await memberships.has_any(ADA)

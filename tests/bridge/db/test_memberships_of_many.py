"""Many people of an organization at once, as the tables know them."""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.db.memberships import Memberships
from bridge.db.teams import Teams
from bridge.models.chat import TeamId, UserId
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.jobs import Entry
from tests.support.mappings import Mappings

ORGANIZATION = OrganizationId(uuid4())
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG_AGO = timedelta(days=1)


@pytest.fixture
def memberships(pool: Pool) -> Memberships:
    return Memberships(pool)


def people(number: int) -> list[PersonId]:
    return [PersonId(uuid4()) for _ in range(number)]


async def states(memberships: Memberships, of: Collection[PersonId]) -> list[str | None]:
    known = await memberships.known(ORGANIZATION, of)
    return [known.states.get(person) for person in of]


async def test_who_is_asked_about_and_who_is_in_the_team_are_known(
    pool: Pool, memberships: Memberships
) -> None:
    """With their accounts, if they have any; who has left is only if asked about."""
    ada, ben, chloe, dmitri = people(4)
    await Mappings(pool).map_person(ada, UserId("a" * 26))
    await Mappings(pool).map_person(ben, UserId("b" * 26))
    await memberships.joining_all(ORGANIZATION, [ben], read_at=NOON)
    await memberships.leave(ORGANIZATION, chloe)
    await memberships.left(ORGANIZATION, chloe)

    known = await memberships.known(ORGANIZATION, [ada, dmitri])

    assert known.accounts == {ada: "a" * 26, ben: "b" * 26}
    assert known.states == {ben: "joining"}
    assert (await memberships.known(ORGANIZATION, [chloe])).states == {ben: "joining", chloe: "left"}


async def test_many_join_at_once(memberships: Memberships) -> None:
    """First they are joining, then they have joined; a repeat changes nothing."""
    them = people(1000)

    for _ in range(2):
        assert await memberships.joining_all(ORGANIZATION, them, read_at=NOON) == set(them)
        assert set(await states(memberships, them)) == {"joining"}
        await memberships.joined_all(ORGANIZATION, them)
        assert set(await states(memberships, them)) == {"joined"}


async def test_nobody_joins_who_has_left_since_the_reading(pool: Pool, memberships: Memberships) -> None:
    """Who had left before it does."""
    early, late = people(2)
    await memberships.leave(ORGANIZATION, early)
    await pool.execute("update memberships set modified = modified - interval '1 minute'")
    read_at = await memberships.now()
    await memberships.leave(ORGANIZATION, late)

    assert await memberships.joining_all(ORGANIZATION, [early, late], read_at=read_at) == {early}
    assert await states(memberships, [early, late]) == ["joining", "leaving"]


async def test_who_leaves_meanwhile_has_not_joined(memberships: Memberships) -> None:
    """Their leaving stays."""
    ada, ben = people(2)
    await memberships.joining_all(ORGANIZATION, [ada, ben], read_at=NOON)
    await memberships.leave(ORGANIZATION, ben)

    await memberships.joined_all(ORGANIZATION, [ada, ben])

    assert await states(memberships, [ada, ben]) == ["joined", "leaving"]


async def test_two_processes_that_join_the_same_people_do_not_lock_each_other_out(
    memberships: Memberships,
) -> None:
    """They take the lines in one order."""
    them = people(300)

    await asyncio.gather(
        *(memberships.joining_all(ORGANIZATION, order, read_at=NOON) for order in (them, them[::-1]) * 4),
        *(memberships.joined_all(ORGANIZATION, order) for order in (them, them[::-1]) * 4),
    )

    await memberships.joined_all(ORGANIZATION, them)
    assert set(await states(memberships, them)) == {"joined"}


async def test_a_membership_is_as_young_as_its_last_word(pool: Pool, memberships: Memberships) -> None:
    """Which may be a confirmation."""
    (ada,) = people(1)
    await memberships.joining_all(ORGANIZATION, [ada], read_at=NOON)
    await memberships.joined_all(ORGANIZATION, [ada])
    moment = await memberships.now()
    await pool.execute("update memberships set modified = modified - interval '1 minute'")
    assert not await memberships.is_joined_since(ORGANIZATION, ada, moment)

    await memberships.confirm(ORGANIZATION, ada)

    assert await memberships.is_joined_since(ORGANIZATION, ada, moment)


async def test_only_who_is_there_is_confirmed(memberships: Memberships) -> None:
    """A leaving is not undone."""
    (ada,) = people(1)
    await memberships.leave(ORGANIZATION, ada)

    await memberships.confirm(ORGANIZATION, ada)

    assert not await memberships.is_joined_since(ORGANIZATION, ada, NOON - LONG_AGO)


async def test_teams_follow_unless_somebody_says_no(pool: Pool) -> None:
    """Those that do not exist yet will."""
    kept = OrganizationId(uuid4())
    await Mappings(pool).map_team(ORGANIZATION, TeamId("t" * 26))
    await Mappings(pool).map_team(kept, TeamId("k" * 26))
    await pool.execute(
        "update mattermost_org_mappings set auto_sync = false where organization_id = $1", kept
    )

    assert await Teams(pool).is_synced(ORGANIZATION)
    assert await Teams(pool).is_synced(OrganizationId(uuid4()))
    assert not await Teams(pool).is_synced(kept)
    assert await Teams(pool).synced() == [ORGANIZATION]


async def put(pool: Pool, lane: str, *moments: datetime | None, kind: str = "membership") -> None:
    for moment in moments:
        payload = {"happened": moment.isoformat() if moment else None}
        await Inbox(pool).put_all([Entry(kind, lane, None, f"{uuid4()}", payload)])  # type: ignore[arg-type]  # another kind too


@pytest.mark.parametrize(
    ("moments", "superseded"),
    [
        ([NOON], [False]),
        ([NOON, NOON + LONG_AGO], [True, False]),
        ([NOON, NOON - LONG_AGO], [False, True]),
        ([NOON, NOON], [True, False]),
        ([None, None], [True, False]),
        ([datetime.now(UTC) + LONG_AGO, None], [False, True]),
        ([NOON - 2 * LONG_AGO, NOON, NOON - LONG_AGO], [True, False, True]),
    ],
)
async def test_the_newest_word_counts(
    pool: Pool, moments: list[datetime | None], superseded: list[bool]
) -> None:
    """By when it happened, else by when it was stored; of two at once the second."""
    await put(pool, "person:ada", *moments)
    await put(pool, "person:ben", datetime.now(UTC) + 9 * LONG_AGO)
    await put(pool, "person:ada", datetime.now(UTC) + 9 * LONG_AGO, kind="notice")
    ids = [row["id"] for row in await pool.fetch("select id from jobs where kind = 'membership' order by id")]

    assert [await Inbox(pool).is_superseded(job) for job in ids[: len(moments)]] == superseded


async def test_what_is_done_counts_still_and_what_died_does_not(pool: Pool) -> None:
    """A word that nobody could follow must not keep an older one from counting."""
    await put(pool, "person:ada", NOON)
    (first,) = await Inbox(pool).claim(Capacity(1))
    await put(pool, "person:ada", NOON + LONG_AGO)
    for state, superseded in (("done", True), ("dead", False)):
        await pool.execute("update jobs set state = $2 where id > $1", first.id, state)
        assert await Inbox(pool).is_superseded(first.id) is superseded

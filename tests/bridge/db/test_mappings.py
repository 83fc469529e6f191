"""Who is who: organizations and their teams, people and their accounts."""

from uuid import UUID

import pytest
from asyncpg import Pool, UniqueViolationError

from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.db.teams import Teams
from bridge.errors import AccountConflict, DatabaseUnavailable
from bridge.models.chat import ChannelId, Post, Posted, PostId, TeamId, UserId
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.jobs import Entry, JobKind
from bridge.routing import Facts
from tests.support.mappings import Mappings

ACME, BOREALIS = OrganizationId(UUID(int=1)), OrganizationId(UUID(int=2))
ADA, BEN = PersonId(UUID(int=3)), PersonId(UUID(int=4))
TEAM, OTHER_TEAM = TeamId("t" * 26), TeamId("u" * 26)
USER, OTHER_USER = UserId("a" * 26), UserId("b" * 26)


@pytest.fixture
def mappings(pool: Pool) -> Mappings:
    return Mappings(pool)


def posted(name: str, root: str = "", *, team: TeamId = TEAM, user: UserId = USER) -> Posted:
    return Posted(Post(PostId(name), ChannelId("c" * 26), user, PostId(root), "hello", 1), team, "agent")


async def person_of(pool: Pool, user: UserId) -> PersonId | None:
    found = await pool.fetchval("select id from mattermost_user_mappings where mattermost_user_id = $1", user)
    return PersonId(found) if found else None


async def test_nobody_is_known_at_first(mappings: Mappings) -> None:
    assert await Teams(mappings.pool).organization_of_team(TEAM) is None
    assert await person_of(mappings.pool, USER) is None


async def test_what_is_mapped_is_found(mappings: Mappings) -> None:
    """Each by its own id in Mattermost."""
    await mappings.map_team(ACME, TEAM, "acme")
    await mappings.map_person(ADA, USER, "ada")

    assert await Teams(mappings.pool).organization_of_team(TEAM) == ACME
    assert await person_of(mappings.pool, USER) == ADA
    assert await Teams(mappings.pool).organization_of_team(OTHER_TEAM) is None
    assert await person_of(mappings.pool, OTHER_USER) is None


async def test_mapping_anew_moves(mappings: Mappings) -> None:
    """An organization has one team and a person one account: the last one said."""
    for team, user in ((TEAM, USER), (OTHER_TEAM, OTHER_USER)):
        await mappings.map_team(ACME, team)
        await mappings.map_person(ADA, user)

    assert (await Teams(mappings.pool).organization_of_team(TEAM), await person_of(mappings.pool, USER)) == (
        None,
        None,
    )
    assert await Teams(mappings.pool).organization_of_team(OTHER_TEAM) == ACME
    assert await person_of(mappings.pool, OTHER_USER) == ADA


async def test_a_team_belongs_to_one_organization(mappings: Mappings) -> None:
    """Nobody's questions can end up with somebody else's agent."""
    await mappings.map_team(ACME, TEAM)

    with pytest.raises(UniqueViolationError):
        await mappings.map_team(BOREALIS, TEAM)

    assert await Teams(mappings.pool).organization_of_team(TEAM) == ACME


async def test_an_account_belongs_to_one_person(mappings: Mappings) -> None:
    await mappings.map_person(ADA, USER)

    with pytest.raises(AccountConflict):
        await mappings.map_person(BEN, USER)

    assert await person_of(mappings.pool, USER) == ADA


async def test_facts_are_told_for_each_post_in_order(mappings: Mappings) -> None:
    """Also for those of whom nothing is known, and for two posts of one person."""
    await mappings.map_team(ACME, TEAM)
    await mappings.map_team(BOREALIS, OTHER_TEAM)
    await mappings.map_person(ADA, USER)

    facts = await mappings.facts(
        [
            posted("1", team=OTHER_TEAM),
            posted("2", user=OTHER_USER),
            posted("3", team=TeamId("")),
            posted("4"),
            posted("5"),
        ],
        "agent",
    )

    assert facts == [
        Facts(BOREALIS, ADA),
        Facts(ACME, None),
        Facts(None, ADA),
        Facts(ACME, ADA),
        Facts(ACME, ADA),
    ]


@pytest.mark.parametrize(
    ("state", "left"), [("joining", False), ("joined", False), ("leaving", True), ("left", True)]
)
async def test_who_leaves_is_told_apart(mappings: Mappings, pool: Pool, state: str, *, left: bool) -> None:
    """From the first moment, however long it takes until Mattermost has them out of the team."""
    await mappings.map_team(ACME, TEAM)
    await mappings.map_team(BOREALIS, OTHER_TEAM)
    await mappings.map_person(ADA, USER)
    await mappings.map_person(BEN, OTHER_USER)
    await pool.execute("insert into memberships values ($1, $2, $3)", ACME, ADA, state)

    facts = await mappings.facts(
        [posted("1"), posted("2", team=OTHER_TEAM), posted("3", user=OTHER_USER), posted("4")], "agent"
    )

    here, elsewhere, other = Facts(ACME, ADA, left_organization=left), Facts(BOREALIS, ADA), Facts(ACME, BEN)
    assert facts == [here, elsewhere, other, here]


async def test_the_order_holds_for_many(mappings: Mappings) -> None:
    """A page of the catch-up has two hundred."""
    await mappings.map_person(ADA, USER)
    known = [number % 3 == 0 for number in range(500)]

    facts = await mappings.facts(
        [posted(str(number), user=USER if mapped else OTHER_USER) for number, mapped in enumerate(known)],
        "agent",
    )

    assert [fact.person_id == ADA for fact in facts] == known


async def test_of_nothing_there_are_no_facts(mappings: Mappings) -> None:
    assert await mappings.facts([], "agent") == []


@pytest.mark.parametrize(
    ("kind", "refused", "known"),
    [("mention", None, True), ("mention", "not_mentioned", False), ("invite", None, False)],
)
async def test_a_thread_is_known_by_a_mention_that_is_answered(
    mappings: Mappings, pool: Pool, kind: JobKind, refused: str | None, *, known: bool
) -> None:
    """The thread of a refusal, or of an invitation, is not the bot's."""
    await Inbox(pool).put_all([Entry(kind, "thread:root", ACME, "post:root", {}, refused)])

    (reply, root, other) = await mappings.facts(
        [posted("reply", "root"), posted("root"), posted("reply", "other")], "agent"
    )

    assert (reply.thread_known, root.thread_known, other.thread_known) == (known, known, False)


async def test_a_thread_stays_known_when_its_answer_is_posted(mappings: Mappings, pool: Pool) -> None:
    """That is when people go on in it."""
    inbox = Inbox(pool)
    await inbox.put_all([Entry("mention", "thread:root", ACME, "post:root", {})])
    (job,) = await inbox.claim(Capacity(1))
    await inbox.finish(job.id)

    (fact,) = await mappings.facts([posted("reply", "root")], "agent")

    assert fact.thread_known


async def test_a_database_that_is_away_is_told(mappings: Mappings, pool: Pool) -> None:
    """Nobody is taken for unknown because of it."""
    await pool.close()

    with pytest.raises(DatabaseUnavailable):
        await mappings.facts([posted("1")], "agent")
    with pytest.raises(DatabaseUnavailable):
        await Teams(mappings.pool).organization_of_team(TEAM)


@pytest.mark.parametrize(("at_least", "reported"), [(-3, True), (0, True), (2, True), (3, False)])
async def test_questions_are_left_out_where_they_are_few(
    mappings: Mappings, pool: Pool, at_least: int, *, reported: bool
) -> None:
    """Each person's own questions are counted."""
    await Inbox(pool).put_all(
        [
            Entry(
                "mention", f"thread:{number}", ACME, f"post:{number}", {"user_id": user, "create_at": number}
            )
            for number, user in enumerate([USER, USER, OTHER_USER], 1)
        ]
    )

    (fact,) = await mappings.facts([posted("4")], "agent", asked_at_least=at_least)

    assert sorted(fact.asked) == ([1, 2] if reported else [])

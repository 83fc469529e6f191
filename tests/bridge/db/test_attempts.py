"""Attempts: known by a mark until their result is recorded."""

from asyncpg import Pool

from bridge.db.accounts import Accounts
from bridge.db.attempts import Attempt, Attempts, is_made_for, of_organization, of_person
from bridge.db.teams import Teams
from bridge.models.chat import Team, TeamId, User, UserId
from tests.support.provisioning import a_person, an_organization


async def test_all_tries_of_an_attempt_have_one_mark(pool: Pool) -> None:
    """The name is that of the last."""
    attempts = Attempts(pool)

    mark = await attempts.begin("person:1", "ada")

    assert await attempts.begin("person:1", "ada-8f3c") == mark
    assert await attempts.find("person:1") == Attempt(mark, "ada-8f3c")
    assert await attempts.begin("person:2", "ada") != mark


async def test_a_mark_tells_for_whom_it_was_made(pool: Pool) -> None:
    """Without any table."""
    mark = await Attempts(pool).begin("person:1", "ada")

    assert is_made_for("person:1", mark)
    assert not is_made_for("person:2", mark)
    assert not is_made_for("person:1", "")


async def test_recording_an_account_ends_its_attempt(pool: Pool) -> None:
    """The next one has another mark, which nobody has seen."""
    attempts, person = Attempts(pool), a_person()
    mark = await attempts.begin(of_person(person.id), "ada")

    await Accounts(pool).record(person.id, User(UserId("u"), "ada"), provisioned=True)

    assert await attempts.find(of_person(person.id)) is None
    assert await attempts.begin(of_person(person.id), "ada") != mark


async def test_recording_a_team_ends_its_attempt(pool: Pool) -> None:
    """In the same statement, so that a crash cannot come between."""
    attempts, organization = Attempts(pool), an_organization()
    await attempts.begin(of_organization(organization.id), "acme-corp")

    await Teams(pool).record(organization.id, Team(TeamId("t"), "acme-corp", "Acme Corp"), None)

    assert await attempts.find(of_organization(organization.id)) is None

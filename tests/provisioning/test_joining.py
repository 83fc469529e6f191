"""Who is in the team: members of the organization, as long as they are."""

from datetime import timedelta

import pytest

from bridge.errors import MattermostFull, NotAMember
from bridge.models.accounts import Account
from bridge.models.equa import Organization, Person
from bridge.sandbox.mattermost import User
from provisioning.joining import ProvisionedTeam, ensure_membership
from provisioning.users import ensure_user
from tests.support.provisioning import CHANNELS, Chat, Process

JUST_NOW = timedelta(seconds=15)


class Case:
    """Ada, who is about to be in Acme's team."""

    def __init__(self, process: Process, provisioned: ProvisionedTeam, account: Account) -> None:
        self.process = process
        self.provisioned = provisioned
        self.account = account

    async def join(self, verdict_age: timedelta = JUST_NOW) -> None:
        provisioner = self.process.provisioner
        await ensure_membership(
            provisioner.admin, provisioner.tables, self.provisioned, self.account, verdict_age=verdict_age
        )

    async def leave(self) -> None:
        await self.process.provisioner.leave(self.account.person_id, self.provisioned.organization)

    async def state(self) -> str | None:
        return await self.process.provisioner.tables.memberships.state(
            self.provisioned.organization, self.account.person_id
        )

    def user(self, chat: Chat) -> User:
        return chat.user(self.account.user_id)


@pytest.fixture
async def case(process: Process, ada: Person, acme: Organization) -> Case:
    account = await ensure_user(process.provisioner.admin, process.provisioner.tables, ada)
    return Case(process, await process.provisioner.ensure_team(acme), account)


async def test_a_person_enters_the_team_and_its_channels(chat: Chat, case: Case) -> None:
    """All of the default ones."""
    await case.join()

    assert chat.channels(chat.team("acme-corp"), case.user(chat)) >= CHANNELS
    assert await case.state() == "joined"


async def test_where_mattermost_does_it_nobody_is_put_into_a_channel_one_by_one(
    chat: Chat, case: Case
) -> None:
    """With `ExperimentalDefaultChannels` two calls are enough."""
    chat.set("TeamSettings", ExperimentalDefaultChannels=["announcements", "cap-table", "documents", "agent"])
    case.process.asked.clear()

    await case.join()

    assert case.process.asked == ["/teams/{id}/members", "/users/{id}/teams/{id}/channels"]
    assert chat.channels(chat.team("acme-corp"), case.user(chat)) >= CHANNELS


async def test_nobody_is_put_into_a_private_channel(chat: Chat, process: Process, case: Case) -> None:
    """Somebody has decided who reads it."""
    team = chat.team("acme-corp")
    chat.store.channel(team, "cap-table").type = "P"
    provisioned = await process.provisioner.ensure_team(Organization(case.provisioned.organization, ""))

    await Case(process, provisioned, case.account).join()

    assert "cap-table" not in chat.channels(team, case.user(chat))


async def test_a_channel_that_somebody_left_stays_left(chat: Chat, case: Case) -> None:
    """Only entering the team leads into its channels."""
    await case.join()
    team = chat.team("acme-corp")
    chat.store.leave(chat.store.channel(team, "documents"), case.user(chat))

    await case.join()

    assert "documents" not in chat.channels(team, case.user(chat))


async def test_who_was_taken_out_by_hand_is_put_back(chat: Chat, case: Case) -> None:
    """Equa decides who is in the team; its channels come with it."""
    await case.join()
    team = chat.team("acme-corp")
    chat.store.leave(team, case.user(chat))

    await case.join()

    assert chat.channels(team, case.user(chat)) >= CHANNELS


async def test_a_full_team_says_what_the_operator_can_do(chat: Chat, case: Case) -> None:
    """It is noted that the person is being put in, so that the next visit finishes it."""
    chat.set("TeamSettings", MaxUsersPerTeam=1)

    with pytest.raises(MattermostFull, match="MM_TEAMSETTINGS_MAXUSERSPERTEAM"):
        await case.join()

    assert await case.state() == "joining"
    chat.set("TeamSettings", MaxUsersPerTeam=50)
    await case.join()
    assert await case.state() == "joined"


async def test_who_leaves_is_out_of_the_team(chat: Chat, case: Case) -> None:
    """At once, and a repeat changes nothing."""
    await case.join()

    await case.leave()
    await case.leave()

    assert not chat.is_in(chat.team("acme-corp"), case.user(chat))
    assert await case.state() == "left"


async def test_an_older_answer_of_equa_lets_nobody_back_in(chat: Chat, case: Case) -> None:
    """A yes may be up to ten seconds old; the person may have left since."""
    await case.join()
    await case.leave()

    with pytest.raises(NotAMember):
        await case.join()

    assert not chat.is_in(chat.team("acme-corp"), case.user(chat))


async def test_who_comes_back_is_let_in(chat: Chat, case: Case) -> None:
    """An answer that is younger than the leaving counts."""
    await case.join()
    await case.leave()

    await case.join(timedelta(0))

    assert chat.is_in(chat.team("acme-corp"), case.user(chat))


async def test_who_leaves_before_the_first_visit_is_not_let_in(case: Case) -> None:
    """The leaving is remembered although there was nothing to leave."""
    await case.leave()

    with pytest.raises(NotAMember):
        await case.join()


async def test_whom_the_bridge_put_into_a_team_is_known(case: Case) -> None:
    """So that only these are taken out again."""
    memberships = case.process.provisioner.tables.memberships
    await case.join()
    assert await memberships.people(case.provisioned.organization) == {case.account.person_id}

    await case.leave()
    assert not await memberships.people(case.provisioned.organization)


async def test_leaving_a_team_that_is_gone_is_done(chat: Chat, case: Case) -> None:
    """There is nothing left to be taken out of."""
    await case.join()
    chat.forget_team(chat.team("acme-corp"))

    await case.leave()

    assert await case.state() == "left"


async def test_old_leavings_are_forgotten(case: Case) -> None:
    """Only long after an answer of Equa could be older."""
    await case.leave()
    memberships = case.process.provisioner.tables.memberships
    assert await memberships.purge() == 0

    await memberships.pool.execute("update memberships set modified = now() - interval '2 days'")

    assert await memberships.purge() == 1
    assert await case.state() is None

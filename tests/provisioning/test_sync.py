"""A whole team is made to match a roster: in batches, by several processes, through failures."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bridge.errors import MattermostUnavailable, OwnTokenRefused, SyncRefused
from bridge.models.equa import Member, Organization, Person, PersonId
from bridge.sandbox.mattermost import RestFault
from bridge.sandbox.mattermost.activation import set_active
from bridge.sandbox.mattermost.sessions import revoke_token
from provisioning.report import Counts, Progress, Report
from provisioning.roster import RosterSnapshot
from provisioning.sign_in_service import SignInService
from tests.support.provisioning import CHANNELS, Chat, Process, a_person, an_organization, process
from tests.support.rosters import Crew, crew_of, line, roster, some_people

NO = "api.context.permissions.app_error"
DEFAULTS = ["announcements", "cap-table", "documents", "agent"]


@pytest.fixture
def crew(process: Process) -> Crew:
    return crew_of(process)


@pytest.fixture
async def other(chat: Chat, dsn: str) -> AsyncIterator[Crew]:
    """Another process on the same database."""
    async with process(chat, dsn) as running:
        yield crew_of(running)


def outcome(report: Report) -> tuple[Counts, int, list[str]]:
    return report.counts, report.unchanged, [failure.code for failure in report.failed]


def members(chat: Chat) -> set[str]:
    """Return the names of the people in Acme's team."""
    return {user.username for user in chat.people() if chat.is_in(chat.team("acme-corp"), user)}


async def states(crew: Crew) -> dict[PersonId, str]:
    rows = await crew.pool.fetch("select person_id, state from memberships")
    return {PersonId(row["person_id"]): row["state"] for row in rows}


async def visited(crew: Crew, organization: Organization, *people: Person) -> None:
    for person in people:
        await crew.sync.provisioner.open_session(person, organization)


async def test_everybody_on_the_roster_is_in_the_team(chat: Chat, crew: Crew, acme: Organization) -> None:
    """Those who never came get an account; the second time there is nothing to do."""
    people = some_people(5)

    first = await crew.run(acme, roster(people))
    second = await crew.run(acme, roster(people))

    assert outcome(first) == (Counts(created=5, added=5), 0, [])
    assert outcome(second) == (Counts(), 5, [])
    assert members(chat) == {f"person{number}" for number in range(5)}
    for user in chat.people():
        assert chat.channels(chat.team("acme-corp"), user) >= CHANNELS
    assert set((await states(crew)).values()) == {"joined"}
    assert chat.store.tokens_of_user.keys() == {chat.store.admin.id, chat.bot.id}


async def test_who_is_not_on_it_any_more_leaves(chat: Chat, crew: Crew, acme: Organization) -> None:
    """The team at once, and with the last organization their token."""
    ada, ben, chloe = people = [a_person(name) for name in ("Ada Moreno", "Ben Okafor", "Chloe Tanaka")]
    await visited(crew, acme, *people)
    ticket = await SignInService(crew.sync.provisioner).issue_ticket(chloe.id, acme.id)

    report = await crew.run(acme, roster([ada, ben]))

    assert outcome(report) == (Counts(removed=1), 2, [])
    assert members(chat) == {"ada", "ben"}
    assert chat.tokens(await crew.user(chat, chloe)) == []
    assert len(chat.tokens(await crew.user(chat, ada))) == 1
    assert ticket
    assert await crew.pool.fetchval("select count(*) from tickets") == 0


async def test_those_who_leave_make_room(chat: Chat, crew: Crew, acme: Organization) -> None:
    """In a team that was full."""
    ada, ben, chloe, dmitri = (a_person(name) for name in ("Ada M", "Ben O", "Chloe T", "Dmitri N"))
    await visited(crew, acme, ada, ben, chloe)
    chat.set("TeamSettings", MaxUsersPerTeam=len(chat.store.team_members[chat.team("acme-corp").id]))

    report = await crew.run(acme, roster([ada, ben, dmitri]))

    assert outcome(report) == (Counts(created=1, added=1, removed=1), 2, [])


async def test_people_of_other_ways_stay(chat: Chat, crew: Crew, acme: Organization) -> None:
    """Bots, administrators, and whom somebody has put there by hand."""
    people = some_people(3)
    await visited(crew, acme, *people)
    team = chat.team("acme-corp")
    guest, robot = chat.store.create_user("guest"), chat.store.create_bot("robot")
    for user in (guest, robot):
        chat.store.join(team, user)
    (await crew.user(chat, people[2])).roles = "system_user system_admin"

    report = await crew.run(acme, roster(people[:2]))

    assert outcome(report) == (Counts(), 2, [])
    assert {"guest", "person2"} <= members(chat)
    assert chat.is_in(team, robot)
    assert chat.is_in(team, chat.bot)
    assert not chat.is_in(team, chat.store.admin)


async def test_a_person_without_an_address_is_reported_and_the_rest_is_done(
    chat: Chat, crew: Crew, acme: Organization
) -> None:
    """By person, with a code and a sentence."""
    people = some_people(3)

    report = await crew.run(acme, roster(people[:2], line(people[2], email="")))

    assert outcome(report) == (Counts(created=2, added=2), 0, ["no_email"])
    assert report.as_json()["failed"] == [
        {
            "personId": str(people[2].id),
            "error": "no_email",
            "message": "Has no e-mail address on the roster, and Mattermost needs one.",
        }
    ]


async def test_an_account_that_exists_is_not_taken_over(chat: Chat, crew: Crew, acme: Organization) -> None:
    """A roster does not prove whose an address is; the person's own visit does."""
    ada, ben = a_person("Ada Moreno"), a_person("Ben Okafor")
    chat.store.create_user("legacy", email=ada.email)

    report = await crew.run(acme, roster([ada, ben]))

    assert outcome(report) == (Counts(created=1, added=1), 0, ["account_conflict"])
    assert members(chat) == {"ben.okafor"}
    await visited(crew, acme, ada)
    assert members(chat) == {"ben.okafor", "legacy"}


async def test_a_deactivated_account_of_ours_is_repaired(chat: Chat, crew: Crew, acme: Organization) -> None:
    """As a visit would; nobody is created."""
    people = some_people(3)
    await crew.run(acme, roster(people))
    user = await crew.user(chat, people[2])
    chat.store.leave(chat.team("acme-corp"), user)
    set_active(chat.store, user, active=False)

    report = await crew.run(acme, roster(people))

    assert outcome(report) == (Counts(added=1), 2, [])
    assert not user.delete_at


async def test_a_full_team_is_reported_by_person(chat: Chat, crew: Crew, acme: Organization) -> None:
    """Who fits in is in; with more room the next sync does the rest."""
    people = some_people(5)
    chat.set("TeamSettings", MaxUsersPerTeam=3)

    report = await crew.run(acme, roster(people))

    assert outcome(report) == (Counts(created=5, added=2), 0, ["mattermost_full"] * 3)
    assert "MM_TEAMSETTINGS_MAXUSERSPERTEAM" in report.failed[0].message
    chat.set("TeamSettings", MaxUsersPerTeam=50)
    assert outcome(await crew.run(acme, roster(people))) == (Counts(added=3), 2, [])


async def test_a_batch_that_is_refused_as_a_whole_is_reported(
    chat: Chat, crew: Crew, acme: Organization
) -> None:
    """Of each of its people."""
    people = some_people(3)
    await crew.sync.provisioner.ensure_team(acme)
    chat.server.faults.rest(RestFault("before", status=403, error_id=NO, path="/members/batch"))

    report = await crew.run(acme, roster(people))

    assert outcome(report) == (Counts(created=3), 0, ["mattermost_refused"] * 3)


async def test_a_channel_that_takes_nobody_is_reported(chat: Chat, crew: Crew, acme: Organization) -> None:
    """They are in the team and the other channels."""
    people = some_people(2)
    await crew.sync.provisioner.ensure_team(acme)
    channel = chat.store.channel(chat.team("acme-corp"), "documents")
    chat.server.faults.rest(
        RestFault("before", status=403, error_id=NO, path=f"/channels/{channel.id}/members")
    )

    report = await crew.run(acme, roster(people))

    assert outcome(report) == (Counts(created=2, added=2), 0, ["mattermost_refused"])
    for person in people:
        assert chat.channels(chat.team("acme-corp"), await crew.user(chat, person)) >= CHANNELS - {
            "documents"
        }


async def test_a_roster_that_may_be_incomplete_removes_nobody(
    chat: Chat, crew: Crew, acme: Organization
) -> None:
    """It adds all the same, and the report says why."""
    people = some_people(3)
    await visited(crew, acme, *people[:2])

    report = await crew.run(acme, roster(people[1:], problems=("Member no. 3 is not an object.",)))

    assert outcome(report) == (Counts(created=1, added=1), 1, ["roster_unreadable", "nobody_removed"])
    assert [failure.person_id for failure in report.failed] == [None, None]
    assert members(chat) == {"person0", "person1", "person2"}


async def test_half_the_team_is_not_removed_unless_forced(chat: Chat, crew: Crew, acme: Organization) -> None:
    """Nobody is added either: such a roster may be another organization's."""
    people = some_people(9)
    await crew.run(acme, roster(people[:8]))
    smaller = roster([*people[:2], people[8]])

    with pytest.raises(SyncRefused, match="6 of 8 people"):
        await crew.run(acme, smaller)

    assert len(members(chat)) == 8
    assert outcome(await crew.run(acme, smaller, force=True)) == (Counts(1, 1, 6), 2, [])
    assert members(chat) == {"person0", "person1", "person8"}


async def test_a_preview_changes_nothing(chat: Chat, crew: Crew, acme: Organization) -> None:
    """There need not even be a team."""
    people = some_people(3)
    snapshot = RosterSnapshot(roster(people), await crew.now())

    preview = await crew.sync.preview(acme.id, snapshot)

    assert [member.person_id for member in preview.plan.open] == [person.id for person in people]
    assert chat.people() == []
    assert chat.teams() == []
    assert await states(crew) == {}


async def test_whom_somebody_has_thrown_out_is_put_back(chat: Chat, crew: Crew, acme: Organization) -> None:
    """Equa decides who is in the team; a channel that they have left stays left by those in it."""
    people = some_people(2)
    await crew.run(acme, roster(people))
    team, users = chat.team("acme-corp"), [await crew.user(chat, person) for person in people]
    chat.store.leave(team, users[0])
    chat.store.leave(chat.store.channel(team, "documents"), users[1])

    report = await crew.run(acme, roster(people))

    assert outcome(report) == (Counts(added=1), 1, [])
    assert chat.channels(team, users[0]) >= CHANNELS
    assert "documents" not in chat.channels(team, users[1])


async def test_a_member_added_by_hand_becomes_one_of_ours(chat: Chat, crew: Crew, acme: Organization) -> None:
    """With the channels, and with a leaving that counts."""
    people = some_people(3)
    await visited(crew, acme, *people[:2])
    await visited(crew, an_organization("Borealis Labs"), people[2])
    chat.store.join(chat.team("acme-corp"), await crew.user(chat, people[2]))

    assert outcome(await crew.run(acme, roster(people))) == (Counts(), 3, [])

    assert chat.channels(chat.team("acme-corp"), await crew.user(chat, people[2])) >= CHANNELS
    assert outcome(await crew.run(acme, roster(people[:2]))) == (Counts(removed=1), 2, [])
    assert len(chat.tokens(await crew.user(chat, people[2]))) == 1


async def test_who_has_left_since_the_reading_is_not_let_in(
    chat: Chat, crew: Crew, acme: Organization
) -> None:
    """The platform told of it while the sync was on its way."""
    people = some_people(3)
    await visited(crew, acme, *people)
    snapshot = RosterSnapshot(roster(people), await crew.now())
    await crew.sync.provisioner.leave(people[2].id, acme.id)

    report = await crew.sync.run(acme, snapshot)

    assert outcome(report) == (Counts(), 2, ["left"])
    assert members(chat) == {"person0", "person1"}


async def test_who_has_come_since_the_reading_is_not_removed(
    chat: Chat, crew: Crew, acme: Organization
) -> None:
    """The roster is older than they are."""
    people = some_people(3)
    await visited(crew, acme, *people[:2])
    snapshot = RosterSnapshot(roster(people[:2]), await crew.now())
    await visited(crew, acme, people[2])

    assert outcome(await crew.sync.run(acme, snapshot)) == (Counts(), 3, [])

    later = RosterSnapshot(snapshot.roster, snapshot.read_at + timedelta(minutes=1))
    assert outcome(await crew.sync.run(acme, later)) == (Counts(removed=1), 2, [])


async def test_nobody_enters_channels_one_by_one(chat: Chat, crew: Crew, acme: Organization) -> None:
    """A call for each channel, or none where Mattermost does it."""
    people = some_people(12)
    await crew.sync.provisioner.ensure_team(acme)
    users = [chat.store.create_user(person.username, email=person.email) for person in people]
    await crew.accounts(people, users)
    crew.asked.clear()

    await crew.run(acme, roster(people[:6]))

    entering = ["/teams/{id}/members/batch", "/users/{id}/teams/{id}/channels"]
    assert crew.asked[-6:] == [*entering, *["/channels/{id}/members"] * 4]
    chat.set("TeamSettings", ExperimentalDefaultChannels=DEFAULTS)
    await crew.run(acme, roster(people))
    assert crew.asked[-2:] == entering


async def test_a_team_is_entered_256_at_once(chat: Chat, crew: Crew, acme: Organization) -> None:
    """And with nothing to do a page has two hundred."""
    people = some_people(600)
    chat.set("TeamSettings", MaxUsersPerTeam=1000)
    users = [chat.store.create_user(person.username, email=person.email) for person in people]
    await crew.accounts(people, users)
    await crew.sync.provisioner.ensure_team(acme)
    crew.asked.clear()

    first = await crew.run(acme, roster(people))

    assert outcome(first) == (Counts(added=600), 0, [])
    assert crew.asked.count("/teams/{id}/members/batch") == 3
    assert crew.asked.count("/channels/{id}/members") == 4
    crew.asked.clear()
    assert outcome(await crew.run(acme, roster(people))) == (Counts(), 600, [])
    accounts = ["/users/{id}/teams/{id}/channels"] * 2
    assert crew.asked == ["/teams/{id}", *accounts, *["/users"] * 4]


async def test_progress_is_told(crew: Crew, acme: Organization) -> None:
    """It begins with nothing, never goes back, and ends with all of it."""
    people = some_people(40)
    await crew.run(acme, roster(people[:10]))
    steps: list[Progress] = []

    async def tell(progress: Progress) -> None:
        steps.append(progress)

    await crew.sync.run(
        acme, RosterSnapshot(roster(people[8:]), await crew.now()), force=True, on_progress=tell
    )

    assert [(step.done, step.total) for step in (steps[0], steps[-1])] == [(0, 38), (38, 38)]
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert steps[-1].counts == Counts(created=30, added=30, removed=8)


async def test_two_at_once_are_one_after_the_other(
    chat: Chat, crew: Crew, other: Crew, acme: Organization
) -> None:
    """Nothing is done twice."""
    people = some_people(20)

    one, two = await asyncio.gather(crew.run(acme, roster(people)), other.run(acme, roster(people)))

    assert {one.counts, two.counts} == {Counts(20, 20), Counts()}
    assert len(chat.people()) == 20
    assert len(chat.teams()) == 1


async def test_visits_during_a_sync_do_not_disturb_it(
    chat: Chat, crew: Crew, other: Crew, acme: Organization
) -> None:
    """One account, one membership, one token for each, whoever was first."""
    people = some_people(30)

    await asyncio.gather(crew.run(acme, roster(people)), visited(other, acme, *people[::-3]))

    assert len(chat.people()) == 30
    assert len(members(chat)) == 30
    assert set((await states(crew)).values()) == {"joined"}
    for person in people[::-3]:
        assert len(chat.tokens(await crew.user(chat, person))) == 1


async def test_while_mattermost_is_away_it_ends_and_goes_on_later(
    chat: Chat, crew: Crew, acme: Organization
) -> None:
    """What was done stays done."""
    people = some_people(30)
    fault = RestFault("before", status=503, path="/members/batch")
    await crew.sync.provisioner.ensure_team(acme)
    chat.server.faults.rest(fault)

    with pytest.raises(MattermostUnavailable):
        await crew.run(acme, roster(people))

    assert members(chat) == set()
    chat.server.faults.clear()
    assert outcome(await crew.run(acme, roster(people))) == (Counts(added=30), 0, [])


async def test_a_refused_token_ends_it(chat: Chat, crew: Crew, acme: Organization) -> None:
    """It is not about the people."""
    await crew.sync.provisioner.ensure_team(acme)
    for token in list(chat.store.tokens_of_user[chat.store.admin.id].values()):
        revoke_token(chat.store, token)

    with pytest.raises(OwnTokenRefused):
        await crew.run(acme, roster(some_people(2)))


async def test_companies_are_left_alone(crew: Crew, acme: Organization) -> None:
    """They hold shares, and nobody chats as one."""
    company = Member(None, "deals@example.com", "Northwind", is_individual=False)

    report = await crew.run(acme, roster(some_people(2), company))

    assert outcome(report) == (Counts(created=2, added=2), 0, [])

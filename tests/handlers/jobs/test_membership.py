"""Who joins or leaves an organization joins or leaves its team, whatever comes late or twice."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

import pytest

from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.equa import ServiceAccount, make_session
from bridge.errors import MattermostNotConfigured, NotAMember, NotSignedIn, TeamNotMapped
from bridge.metrics import Metrics
from bridge.models.equa import Organization, OrganizationId, Person
from bridge.models.jobs import Entry, Job, JobKind, Membership
from bridge.sandbox import demo_data
from bridge.sandbox.equa import Server as Equa
from bridge.sandbox.mattermost import RestFault, User
from bridge.worker import Handler, Worker, WorkerConfig
from handlers.jobs.membership import Memberships, refuse
from provisioning.roster_reader import RosterReader
from tests.support.crashes import WAYS, Crash, Crashes, When
from tests.support.equa import COOKIES
from tests.support.mattermost import eventually
from tests.support.provisioning import CHANNELS, Chat, Process, a_person, chat, process

ACME = Organization(demo_data.ACME.id, demo_data.ACME.name)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def person_of(account: demo_data.Account) -> Person:
    return Person(account.id, account.email, True, account.username, account.name)


ADA, BEN = person_of(demo_data.ADA), person_of(demo_data.BEN)


@dataclass(frozen=True, slots=True)
class Case:
    """A chat, an Equa, and what the platform tells."""

    chat: Chat
    equa: Equa
    process: Process
    inbox: Inbox
    memberships: Memberships

    async def visit(self, person: Person = ADA, organization: Organization = ACME) -> User:
        session = await self.process.provisioner.open_session(person, organization)
        return self.chat.user(session.user_id)

    async def tell(
        self,
        action: Literal["add", "remove"],
        person: Person = BEN,
        *,
        email: str | None = None,
        happened: datetime | None = None,
        organization: OrganizationId = ACME.id,
    ) -> None:
        """Store what the platform tells, as the route does."""
        address = person.email if email is None else email
        change = Membership(organization, person.id, action, person.name, address, happened)
        lane = f"person:{organization}:{person.id}"
        await self.inbox.put_all(
            [Entry("membership", lane, organization, f"event:{uuid4()}", change.payload())]
        )

    async def next(self) -> Job:
        (job,) = await self.inbox.claim(Capacity(1, kinds=["membership"]))
        return job

    async def done(self) -> list[Any]:
        """Do all that can be done now, in order, and return the results."""
        results = []
        while jobs := await self.inbox.claim(Capacity(1, kinds=["membership"])):
            results.append(await self.memberships.apply(jobs[0]))
            await self.inbox.finish(jobs[0].id, results[-1])
        return results

    def is_in(self, person: Person = BEN) -> bool:
        user = self.chat.store.user_by_email.get(person.email)
        return user is not None and self.chat.is_in(self.chat.team("acme-corp"), user)


@pytest.fixture
async def case(dsn: str) -> AsyncIterator[Case]:
    async with chat() as running, process(running, dsn) as first, Equa() as equa, make_session() as session:
        service = ServiceAccount(
            session,
            url=equa.api_url,
            cookies=COOKIES,
            email=demo_data.SERVICE.email,
            password=demo_data.PASSWORD,
        )
        memberships = Memberships(
            first.provisioner, RosterReader(service, first.provisioner.tables.memberships)
        )
        yield Case(running, equa, first, Inbox(first.pool), memberships)


def without_a_service_account(case: Case) -> Case:
    return replace(case, memberships=replace(case.memberships, roster_reader=None))


ADDED, REMOVED, SUPERSEDED = {"membership": "added"}, {"membership": "removed"}, {"skipped": "superseded"}


async def test_who_joins_the_organization_is_in_the_team(case: Case) -> None:
    """With an account of their own, before they have ever come."""
    await case.visit()

    await case.tell("add")

    assert await case.done() == [ADDED]
    assert case.is_in()
    ben = case.chat.store.user_by_email[BEN.email]
    assert case.chat.channels(case.chat.team("acme-corp"), ben) >= CHANNELS
    assert (ben.first_name, ben.last_name) == ("Ben", "Okafor")
    assert case.chat.tokens(ben) == []


async def test_an_address_that_is_told_hears_nothing_before_its_person_comes(case: Case) -> None:
    """It comes from a line of the organization, in the event as on the roster."""
    await case.visit()
    alone = without_a_service_account(case)
    await alone.tell("add", email="typed@elsewhere.example")
    assert await alone.done() == [ADDED]
    ben = case.chat.store.user_by_email["typed@elsewhere.example"]
    assert ben.notify_props["email"] == "false"

    assert await case.visit(BEN) is ben

    assert (ben.email, ben.notify_props["email"]) == (BEN.email, "true")


async def test_the_roster_is_believed_rather_than_the_event(case: Case) -> None:
    """Whoever can send events chooses nobody's name or address."""
    await case.visit()
    await case.tell("add", replace(BEN, name="Mallory"), email="mallory@elsewhere.example")

    assert await case.done() == [ADDED]
    ben = case.chat.store.user_by_email[BEN.email]
    assert (ben.first_name, ben.last_name) == ("Ben", "Okafor")
    assert "mallory@elsewhere.example" not in case.chat.store.user_by_email


async def test_the_account_s_own_address_is_preferred(case: Case) -> None:
    """Where the roster that is asked has it."""
    case.equa.controls.shapes.accounts = "embedded"
    await case.visit()
    await case.tell("add", email="")
    assert await case.done() == [ADDED]
    assert case.chat.store.user_by_email[BEN.email].notify_props["email"] == "true"


async def test_who_leaves_it_is_out_at_once(case: Case) -> None:
    """Tickets and, with the last organization, the token."""
    await case.visit()
    user = await case.visit(BEN)
    ticket = await case.process.sign_in.issue_ticket(BEN.id, ACME.id)

    await case.tell("remove")

    assert await case.done() == [REMOVED]
    assert not case.is_in()
    assert case.chat.tokens(user) == []
    with pytest.raises(NotSignedIn):
        await case.process.sign_in.enter(ticket)
    with pytest.raises(NotAMember):
        await case.visit(BEN)


async def test_with_another_organization_the_token_stays(case: Case) -> None:
    """It is one for all of a person's teams."""
    await case.visit(BEN, Organization(demo_data.BOREALIS.id, demo_data.BOREALIS.name))
    user = await case.visit(BEN)

    await case.tell("remove")
    await case.done()

    assert len(case.chat.tokens(user)) == 1


async def test_who_comes_back_is_let_in_again(case: Case) -> None:
    """Both told at once, in their order."""
    await case.visit()
    await case.visit(BEN)

    await case.tell("remove")
    await case.tell("add")
    await case.tell("remove")
    await case.tell("add")

    assert await case.done() == [SUPERSEDED] * 3 + [ADDED]
    assert case.is_in()


async def test_a_repeat_changes_nothing(case: Case) -> None:
    """Under another id too."""
    await case.visit()
    for action in ("add", "add", "remove", "remove"):
        await case.tell(action)
        await case.done()
        assert case.is_in() is (action == "add")
    assert len(case.chat.people()) == 2


async def test_a_job_may_be_done_twice(case: Case) -> None:
    """By another process, because the first has died before it could say so."""
    await case.visit()
    for action in ("add", "remove"):
        await case.tell(action)
        job = await case.next()
        assert await case.memberships.apply(job) == await case.memberships.apply(job)
        assert case.is_in() is (action == "add")
        await case.inbox.finish(job.id)


async def test_what_is_told_late_counts_by_its_time(case: Case) -> None:
    """The joining happened before the leaving, and comes after it."""
    await case.visit()

    await case.tell("remove", happened=NOON + timedelta(minutes=5))
    assert await case.done() == [REMOVED]
    await case.tell("add", happened=NOON)
    assert await case.done() == [SUPERSEDED]

    assert not case.is_in()
    await case.tell("add", happened=NOON + timedelta(minutes=6))
    assert await case.done() == [ADDED]
    assert case.is_in()


async def test_a_late_leaving_takes_nobody_out_who_has_come_back(case: Case) -> None:
    """The other way round."""
    await case.visit()
    await case.tell("add", happened=NOON + timedelta(minutes=5))
    await case.done()

    await case.tell("remove", happened=NOON)

    assert await case.done() == [SUPERSEDED]
    assert case.is_in()


async def test_other_people_and_organizations_are_other_matters(case: Case) -> None:
    """What is newer counts of one person in one organization."""
    await case.visit()
    await case.tell("add", happened=NOON)
    await case.tell("remove", ADA, happened=NOON + timedelta(days=1))
    await case.tell("remove", happened=NOON + timedelta(days=1), organization=demo_data.BOREALIS.id)

    assert await case.done() == [ADDED, REMOVED, REMOVED]
    assert case.is_in()


async def test_the_roster_tells_what_the_event_does_not(case: Case) -> None:
    """The e-mail address, for one; one reading serves all who came in before it."""
    await case.visit()
    chloe = person_of(demo_data.CHLOE)
    await case.tell("add", email="")
    await case.tell("add", chloe, email="")

    assert await case.done() == [ADDED, ADDED]
    assert case.is_in(BEN)
    assert case.is_in(chloe)
    assert case.equa.controls.calls["GET /organization/{organization}/member"] == 1


async def test_who_is_on_no_roster_is_not_added(case: Case) -> None:
    """Whatever the event says."""
    await case.visit()
    await case.tell("add", person_of(demo_data.HANA), email="")

    assert await case.done() == [{"skipped": "not_on_roster"}]


async def test_a_known_account_needs_no_address(case: Case) -> None:
    """It is found by the person; the roster confirms that they belong there."""
    await case.visit()
    await case.visit(BEN, Organization(demo_data.BOREALIS.id, demo_data.BOREALIS.name))
    await case.tell("add", email="")

    assert await case.done() == [ADDED]
    assert case.is_in()
    assert case.equa.controls.calls["GET /organization/{organization}/member"] == 1


async def test_an_event_alone_adds_nobody(case: Case) -> None:
    """Neither a stranger with an address nor somebody who has an account already."""
    await case.visit()
    elif_ = person_of(demo_data.ELIF)
    await case.visit(elif_, Organization(demo_data.BOREALIS.id, demo_data.BOREALIS.name))
    await case.tell("add", person_of(demo_data.HANA), email="attacker@elsewhere.example")
    await case.tell("add", elif_)

    assert await case.done() == [{"skipped": "not_on_roster"}, {"skipped": "not_on_roster"}]
    assert "attacker@elsewhere.example" not in case.chat.store.user_by_email
    assert not case.is_in(elif_)


async def test_without_a_service_account_an_address_is_needed(case: Case) -> None:
    """They get in when they come themselves."""
    await case.visit()
    alone = without_a_service_account(case)
    await alone.tell("add", email="")

    (result,) = await alone.done()

    assert result["skipped"] == "account_conflict"
    assert not case.is_in()


async def test_an_organization_that_the_service_account_may_not_see_goes_by_the_event(case: Case) -> None:
    """Its word is all there is."""
    await case.visit()
    case.equa.store.users[demo_data.SERVICE.id].site_permissions = frozenset()
    await case.tell("add")
    job = replace(await case.next(), attempts=2)

    assert await case.memberships.apply(job) == ADDED


async def test_an_account_of_somebody_else_is_not_taken(case: Case) -> None:
    """An event does not prove whose an address is; the person's own visit does."""
    await case.visit()
    case.chat.store.create_user("legacy", email=BEN.email)
    await case.tell("add")

    (result,) = await case.done()

    assert result["skipped"] == "account_conflict"
    assert not case.is_in()
    await case.visit(BEN)
    assert case.is_in()


async def test_with_auto_sync_off_nothing_follows(case: Case) -> None:
    """Somebody keeps that team by hand."""
    await case.visit()
    await case.visit(BEN)
    await case.process.pool.execute("update mattermost_org_mappings set auto_sync = false")
    await case.tell("add", person_of(demo_data.CHLOE))
    await case.tell("remove")

    assert await case.done() == [{"skipped": "auto_sync_off"}] * 2
    assert case.is_in(BEN)
    assert len(case.chat.people()) == 2


async def test_without_a_team_a_joining_waits_for_the_first_visit(case: Case) -> None:
    """The error is the one that is worth waiting a week for."""
    await case.tell("add")
    job = await case.next()

    with pytest.raises(TeamNotMapped):
        await case.memberships.apply(job)

    await case.inbox.retry(job, 0, "team_not_mapped")
    await case.visit()
    assert await case.done() == [ADDED]


async def test_after_waiting_the_roster_is_asked(case: Case) -> None:
    """Who has left meanwhile, untold, does not get in."""
    await case.tell("add")
    job = await case.next()
    await case.inbox.retry(job, 0, "team_not_mapped")
    await case.visit()
    case.equa.store.remove_member(ACME.id, BEN.id)

    assert await case.done() == [{"skipped": "not_on_roster"}]
    assert not case.is_in()


async def test_who_joins_and_leaves_before_there_is_a_team_never_is_in_it(case: Case) -> None:
    """The joining that waits gives way to the leaving behind it, which is done at once."""
    await case.tell("add")
    job = await case.next()
    await case.tell("remove")

    assert await case.memberships.apply(job) == SUPERSEDED
    await case.inbox.finish(job.id)
    assert await case.done() == [REMOVED]

    await case.visit()
    assert not case.is_in()
    assert case.chat.store.user_by_email.get(BEN.email) is None


async def test_without_a_team_a_leaving_is_done_at_once(case: Case) -> None:
    """There is nothing to wait for."""
    await case.tell("remove")

    assert await case.done() == [REMOVED]


async def test_a_team_that_was_deleted_for_good_waits_too(case: Case) -> None:
    """The first visit founds another."""
    await case.visit()
    case.chat.forget_team(case.chat.team("acme-corp"))
    await case.tell("add")

    with pytest.raises(TeamNotMapped):
        await case.memberships.apply(await case.next())

    assert case.chat.teams() == []


async def test_a_joining_in_a_sync_is_newer_than_its_roster(case: Case) -> None:
    """The event confirms the membership, so that the older roster removes nobody."""
    await case.visit()
    await case.visit(BEN)
    moment = await case.memberships.provisioner.tables.memberships.now()

    await case.tell("add")
    await case.done()

    assert await case.memberships.provisioner.tables.memberships.is_joined_since(ACME.id, BEN.id, moment)


async def test_a_channel_that_they_have_left_stays_left(case: Case) -> None:
    """Also when they are told of once more."""
    await case.visit()
    user, team = await case.visit(BEN), case.chat.team("acme-corp")
    case.chat.store.leave(case.chat.store.channel(team, "documents"), user)

    await case.tell("add")
    await case.done()

    assert "documents" not in case.chat.channels(team, user)


async def test_without_an_administrator_s_token_it_says_what_is_missing(case: Case) -> None:
    """The job dies with a sentence for the operator."""
    await case.tell("add")

    with pytest.raises(MattermostNotConfigured, match="MATTERMOST_ADMIN_BOT_TOKEN"):
        await refuse(await case.next())


async def test_while_mattermost_is_away_it_waits(case: Case) -> None:
    """The worker tries again, and the person is in."""
    await case.visit()
    case.chat.server.faults.rest(RestFault("before", status=503, times=8))
    stop, wakeup = asyncio.Event(), asyncio.Event()
    handlers: Mapping[JobKind, Handler] = {"membership": Handler(case.memberships.apply)}
    worker = Worker(case.inbox, handlers, Metrics(), wakeup, WorkerConfig(poll=0.02))
    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop))
        await case.tell("add")
        await eventually(case.is_in)
        stop.set()


@pytest.mark.parametrize("when", WAYS)
async def test_a_crash_anywhere_is_made_good(case: Case, when: When) -> None:
    """The job is done again, by whoever claims it."""
    await case.visit()
    for at in range(1, 100):
        person = a_person(f"Person{at}")
        happened = False
        for action in ("add", "remove"):
            await case.tell(action, person)
            job = await case.next()
            crashes = Crashes(at, when)
            fragile = Memberships(
                crashes.provisioner(case.process.provisioner),
                None,
            )
            task = asyncio.ensure_future(fragile.apply(job))
            await asyncio.wait({task})
            if not task.cancelled():
                assert isinstance(task.exception(), Crash | None)
            happened = happened or crashes.happened
            await without_a_service_account(case).memberships.apply(job)
            await case.inbox.finish(job.id)
            assert case.is_in(person) is (action == "add")
        if not happened:
            break
    else:
        pytest.fail("nothing ended by itself")
    assert at > 20
    assert len(case.chat.people()) == at + 1

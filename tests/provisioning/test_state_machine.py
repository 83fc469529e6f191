"""Anything that can happen, in any order: visits, leavings, crashes and changes by hand, in two processes.

Whatever happens, nobody is in a team of an organization that they do not belong to, and nobody and no
organization has two of anything; whoever visits afterwards gets in.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bridge.errors import NotAMember, NotSignedIn
from bridge.models.equa import Organization, Person
from bridge.sandbox.mattermost import Team, User
from bridge.sandbox.mattermost.activation import set_active
from bridge.sandbox.mattermost.channels import archive_channel, patch_channel
from bridge.sandbox.mattermost.sessions import revoke_token
from bridge.sandbox.mattermost.teams import archive_team
from provisioning.provisioner import Session
from tests.support.crashes import Crash, Crashes, When
from tests.support.postgres import fresh_database
from tests.support.provisioning import CHANNELS, Chat, Process, a_person, an_organization, chat, process

T = TypeVar("T")

PEOPLE = [a_person("Ada Moreno"), a_person("Ben Okafor", verified=False)]
ORGANIZATIONS = [an_organization("Acme Corp"), an_organization("Acme Corp"), an_organization("株式会社")]

people = st.sampled_from(PEOPLE)
organizations = st.sampled_from(ORGANIZATIONS)
numbers = st.integers(0, 1)
whens: st.SearchStrategy[When] = st.sampled_from(["before", "after", "during"])


class Scene:
    """A Mattermost, a database and two processes, on an event loop that stands still between steps."""

    def __init__(self, postgres: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._ready = asyncio.Event()
        self._over = asyncio.Event()
        self._life = self._loop.create_task(self._live(postgres))
        self.run(self._wait_until_ready())

    async def _live(self, postgres: str) -> None:
        async with AsyncExitStack() as stack:
            dsn = await stack.enter_async_context(fresh_database(postgres))
            self.chat: Chat = await stack.enter_async_context(chat())
            self.processes: list[Process] = [
                await stack.enter_async_context(process(self.chat, dsn)) for _ in range(2)
            ]
            self._ready.set()
            await self._over.wait()

    async def _wait_until_ready(self) -> None:
        ready = asyncio.ensure_future(self._ready.wait())
        await asyncio.wait({ready, self._life}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._life.done():
            self._life.result()

    def run(self, step: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(step)

    def end(self) -> None:
        self._over.set()
        self._loop.run_until_complete(self._life)
        self._loop.close()


class Provisioning(RuleBasedStateMachine):
    """What people, operators and misfortune do; `self.members` is what Equa says."""

    postgres: str

    def __init__(self) -> None:
        super().__init__()
        self.scene = Scene(self.postgres)
        self.chat = self.scene.chat
        self.members = {(person.id, organization.id) for person in PEOPLE for organization in ORGANIZATIONS}
        self.untidy = False
        """Whether a crash may have left a token that the next visit is to revoke."""

    def teardown(self) -> None:
        self.scene.end()

    @rule(number=numbers, person=people, organization=organizations)
    def visit(self, number: int, person: Person, organization: Organization) -> None:
        provisioner = self.scene.processes[number].provisioner
        if (person.id, organization.id) not in self.members:
            with pytest.raises(NotAMember):
                self.scene.run(provisioner.open_session(person, organization))
            return
        session = self.scene.run(provisioner.open_session(person, organization))
        self.let_in(session, person, organization)
        asked = self.scene.processes[number].asked
        asked.clear()
        assert self.scene.run(provisioner.open_session(person, organization)) == session
        assert asked == ["/users/me/teams"]

    @rule(person=people, organization=organizations)
    def visit_twice_at_once(self, person: Person, organization: Organization) -> None:
        if (person.id, organization.id) not in self.members:
            return

        async def both() -> list[Session]:
            sessions = [each.provisioner.open_session(person, organization) for each in self.scene.processes]
            return list(await asyncio.gather(*sessions))

        one, other = self.scene.run(both())
        assert one == other
        self.let_in(one, person, organization)

    def let_in(self, session: Session, person: Person, organization: Organization) -> None:
        """Assert that the session leads where it should and everything there is in order."""
        user, team = self.chat.user(session.user_id), self.chat.team(session.team_name)
        assert user.email == person.email
        assert not user.delete_at
        assert not team.delete_at
        assert self.chat.tokens(user) == [session.token]
        assert self.chat.is_in(team, user)
        assert team is self.team_of(organization)

    @rule(number=numbers, person=people, organization=organizations, at=st.integers(1, 45), when=whens)
    def crash_during_a_visit(
        self, number: int, person: Person, organization: Organization, at: int, when: When
    ) -> None:
        if (person.id, organization.id) in self.members:
            provisioner = Crashes(at, when).provisioner(self.scene.processes[number].provisioner)
            self.scene.run(_crashing(provisioner.open_session(person, organization)))
            self.untidy = True

    @rule(number=numbers, person=people, organization=organizations)
    def leave(self, number: int, person: Person, organization: Organization) -> None:
        self.members.discard((person.id, organization.id))
        self.scene.run(self.scene.processes[number].provisioner.leave(person.id, organization.id))
        user = self.chat.store.user_by_email.get(person.email)
        if user and not any(holder == person.id for holder, _ in self.members):
            assert self.chat.tokens(user) == []

    @rule(number=numbers, person=people, organization=organizations, at=st.integers(1, 12), when=whens)
    def crash_during_a_leaving(
        self, number: int, person: Person, organization: Organization, at: int, when: When
    ) -> None:
        """Whoever asked for the leaving asks again."""
        provisioner = Crashes(at, when).provisioner(self.scene.processes[number].provisioner)
        self.scene.run(_crashing(provisioner.leave(person.id, organization.id)))
        self.leave(1 - number, person, organization)

    @rule(person=people, organization=organizations)
    def come_back(self, person: Person, organization: Organization) -> None:
        """Some time later."""
        pool = self.scene.processes[0].pool
        self.scene.run(
            pool.execute(
                "update memberships set modified = modified - interval '1 hour'"
                " where person_id = $1 and organization_id = $2",
                person.id,
                organization.id,
            )
        )
        self.members.add((person.id, organization.id))

    @rule(number=numbers, person=people, organization=organizations)
    def use_a_ticket(self, number: int, person: Person, organization: Organization) -> None:
        one, other = (each.sign_in for each in self.scene.processes)
        if (person.id, organization.id) not in self.members:
            with pytest.raises(NotAMember):
                self.scene.run(one.issue_ticket(person.id, organization.id))
            return
        session = self.scene.run(one.open(person, organization))
        ticket = self.scene.run(one.issue_ticket(person.id, organization.id))
        assert self.scene.run(other.enter(ticket)).sign_in.token == session.token
        with pytest.raises(NotSignedIn):
            self.scene.run(one.enter(ticket))

    @rule()
    def let_tokens_grow_old(self) -> None:
        pool = self.scene.processes[0].pool
        self.scene.run(pool.execute("update mattermost_user_mappings set token_created = '2020-01-01'"))

    @rule(person=people, how=st.sampled_from(["token", "deactivate", "throw out", "delete"]))
    def change_an_account_by_hand(self, person: Person, how: str) -> None:
        user = self.chat.store.user_by_email.get(person.email)
        if user is None:
            return
        match how:
            case "token":
                for token in list(self.chat.store.tokens_of_user[user.id].values()):
                    revoke_token(self.chat.store, token)
            case "deactivate":
                set_active(self.chat.store, user, active=False)
            case "throw out":
                for team in self.teams_with(user):
                    self.chat.store.leave(team, user)
            case _:
                self.chat.forget_user(user)

    @precondition(lambda self: self.chat.store.teams)
    @rule(data=st.data(), how=st.sampled_from(["archive", "rename", "delete", "bot"]))
    def change_a_team_by_hand(self, data: st.DataObject, how: str) -> None:
        team = data.draw(st.sampled_from(self.chat.teams()))
        match how:
            case "archive":
                archive_team(self.chat.store, team)
            case "rename" if team in map(self.team_of, ORGANIZATIONS):
                # One that a crash has left behind is looked for under its name.
                self.chat.rename_team(team, f"renamed-{team.id[:8]}")
            case "bot" if self.chat.is_in(team, self.chat.bot):
                self.chat.store.leave(team, self.chat.bot)
            case "delete":
                self.chat.forget_team(team)

    @precondition(lambda self: self.chat.store.teams)
    @rule(data=st.data(), how=st.sampled_from(["archive", "rename", "leave"]))
    def change_a_channel_by_hand(self, data: st.DataObject, how: str) -> None:
        team = data.draw(st.sampled_from(self.chat.teams()))
        found = self.chat.store.channels_of_team[team.id].values()
        open_ones = [each for each in found if each.name != "town-square" and not each.delete_at]
        if not open_ones:
            return
        channel = data.draw(st.sampled_from(open_ones))
        match how:
            case "archive":
                archive_channel(self.chat.store, self.chat.store.admin, channel)
            case "rename":
                patch_channel(self.chat.store, channel, {"name": f"renamed-{channel.id[:8]}"})
            case _ if self.chat.store.member_of_channel(channel.id, self.chat.bot.id):
                self.chat.store.leave(channel, self.chat.bot)

    @rule(number=numbers, organization=organizations)
    def repair_a_team(self, number: int, organization: Organization) -> None:
        """As a first visit of somebody else does, and `sync-org`."""
        provisioned = self.scene.run(self.scene.processes[number].provisioner.ensure_team(organization))
        team = self.chat.team(provisioned.team.name)
        assert team is self.team_of(organization)
        assert self.chat.channels(team, self.chat.bot) >= CHANNELS
        shown = self.chat.store.channels_of_team[team.id].values()
        assert len({each.name for each in shown if each.name in CHANNELS}) == len(CHANNELS)

    @invariant()
    def nobody_is_where_they_do_not_belong(self) -> None:
        for organization in ORGANIZATIONS:
            team = self.team_of(organization)
            for person in PEOPLE:
                user = self.chat.store.user_by_email.get(person.email)
                if team and user and (person.id, organization.id) not in self.members:
                    assert not self.chat.is_in(team, user)

    @invariant()
    def nothing_is_there_twice(self) -> None:
        assert len(self.chat.people()) <= len(PEOPLE)
        assert len(self.chat.teams()) <= len(ORGANIZATIONS)
        if not self.untidy:
            assert all(len(self.chat.tokens(user)) <= 1 for user in self.chat.people())

    def team_of(self, organization: Organization) -> Team | None:
        found = self.scene.run(self.scene.processes[0].provisioner.tables.teams.find(organization.id))
        return self.chat.store.teams.get(found.team_id) if found else None

    def teams_with(self, user: User) -> list[Team]:
        return [team for team in self.chat.teams() if self.chat.is_in(team, user)]


async def _crashing(work: Coroutine[Any, Any, object]) -> None:
    """Do the work in a task of its own, until it ends or crashes."""
    task = asyncio.ensure_future(work)
    await asyncio.wait({task})
    if not task.cancelled():
        assert isinstance(task.exception(), Crash | NotAMember | None)


def test_whatever_happens_everybody_has_one_of_everything(postgres: str) -> None:
    """See above."""
    machine = type("ProvisioningHere", (Provisioning,), {"postgres": postgres})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

"""Who joins and who leaves: decided from a roster, a team, and what the bridge knows."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.models.chat import User, UserId
from bridge.models.equa import Member, PersonId, Roster
from bridge.models.jobs import MembershipState
from provisioning.sync_plan import Facts, MemberAccount, Plan, plan_sync

EVERYBODY = range(24)


def person(number: int) -> PersonId:
    return PersonId(UUID(int=number + 1))


def user(number: int, **changed: object) -> User:
    return replace(User(UserId(f"{number:026d}"), f"user{number}", roles="system_user"), **changed)  # type: ignore[arg-type]  # a test's choice


def line(number: int, **changed: object) -> Member:
    member = Member(person(number), f"p{number}@example.com", f"Person {number}", is_individual=True)
    return replace(member, **changed)  # type: ignore[arg-type]  # a test's choice


def member(number: int) -> MemberAccount:
    return MemberAccount(person(number), user(number).id)


def roster(*numbers: int, problems: tuple[str, ...] = ()) -> Roster:
    return Roster(tuple(map(line, numbers)), problems)


@dataclass
class Team:
    """A team and what is known of it, in numbers: person 3 has account 3."""

    present: set[int] = field(default_factory=set)
    known: set[int] = field(default_factory=set)
    """Who has an account that the bridge knows."""
    states: dict[int, MembershipState] = field(default_factory=dict)
    users: dict[int, User] = field(default_factory=dict)
    """Accounts that are somehow special."""

    def facts(self) -> Facts:
        accounts = {person(number): user(number).id for number in self.known}
        there = {self.user(number).id: self.user(number) for number in self.known | self.present}
        return Facts(accounts, there, {person(number): state for number, state in self.states.items()})

    def members(self) -> list[User]:
        return [self.user(number) for number in sorted(self.present)]

    def user(self, number: int) -> User:
        return self.users.get(number, user(number))

    def plan(self, wanted: Roster) -> Plan:
        return plan_sync(wanted, self.members(), self.facts())

    def apply(self, plan: Plan) -> None:
        """Do what the plan says, as a perfect Mattermost does."""
        opened = [number_of(member.person_id) for member in plan.open]
        added = [number_of(each.person_id) for each in (*plan.add, *plan.adopt)]
        for number in opened:
            self.users.pop(number, None)
        for number in (*opened, *added):
            self.known.add(number)
            self.present.add(number)
            self.states[number] = "joined"
        for number in map(number_of, plan.remove):
            self.present.discard(number)
            self.states[number] = "left"


def number_of(identifier: PersonId | None) -> int:
    assert identifier
    return identifier.int - 1


def returning_visit(numbers: Iterable[int]) -> Team:
    """A team of people whom the bridge has put there."""
    them = set(numbers)
    return Team(set(them), set(them), dict.fromkeys(them, "joined"))


def codes(plan: Plan) -> list[str]:
    return [failure.code for failure in plan.failed]


def test_a_team_that_matches_stays_as_it_is() -> None:
    """Nobody is touched."""
    plan = returning_visit(range(5)).plan(roster(*range(5)))

    assert plan == Plan((), (), (), tuple(map(member, range(5))), (), ())


def test_who_is_new_is_added_and_who_is_gone_is_removed() -> None:
    """With an account the one, with none yet another."""
    team = returning_visit(range(3))
    team.known.add(5)

    plan = team.plan(roster(0, 1, 5, 6))

    assert plan.add == (member(5),)
    assert plan.open == (line(6),)
    assert plan.remove == (person(2),)
    assert plan.unchanged == (member(0), member(1))
    assert not plan.failed


def test_companies_and_people_without_an_account_are_none_of_ours() -> None:
    """They stand on the roster, and nobody can sign in as them."""
    company = line(7, is_individual=False)
    invited = line(8, person_id=None)

    plan = returning_visit(range(3)).plan(Roster((*roster(0, 1, 2).members, company, invited)))

    assert plan.changes == 0
    assert not plan.failed


def test_somebody_listed_as_no_individual_is_not_removed() -> None:
    """They belong to the organization all the same."""
    listed_so = line(2, is_individual=False)

    assert returning_visit(range(3)).plan(Roster((*roster(0, 1).members, listed_so))).remove == ()


@pytest.mark.parametrize("roles", ["system_user system_admin", "system_user system_user_manager"])
def test_administrators_are_never_removed(roles: str) -> None:
    """Although the bridge has put them there."""
    team = returning_visit(range(4))
    team.users[3] = user(3, roles=roles)

    assert team.plan(roster(0, 1)).remove == (person(2),)


def test_bots_are_never_removed() -> None:
    """Be they mapped by mistake."""
    team = returning_visit(range(4))
    team.users[3] = user(3, is_bot=True)

    assert team.plan(roster(0, 1)).remove == (person(2),)


def test_who_came_by_another_way_is_never_removed() -> None:
    """Somebody has put them there by hand, even after they had left."""
    team = returning_visit(range(3))
    team.present |= {7, 8, 9}
    team.known |= {7, 8}
    team.states[8] = "left"

    assert team.plan(roster(0, 1, 2)).changes == 0


@pytest.mark.parametrize("state", ["joining", "leaving"])
def test_what_was_interrupted_is_finished(state: MembershipState) -> None:
    """Who is not on the roster leaves, and who is gets what is missing."""
    team = returning_visit(range(4))
    team.states |= {2: state, 3: state}

    plan = team.plan(roster(0, 1, 2))

    assert plan.remove == (person(3),)
    assert plan.adopt == (member(2),)


def test_a_member_who_was_added_by_hand_becomes_one_of_ours() -> None:
    """From then on their leaving counts."""
    team = returning_visit(range(2))
    team.present.add(2)
    team.known.add(2)

    assert team.plan(roster(0, 1, 2)).adopt == (member(2),)


@pytest.mark.parametrize(
    "changed",
    [{"delete_at": 1}, {"roles": "system_user system_admin"}],
    ids=["deactivated", "administrator"],
)
def test_an_account_that_needs_a_look_is_looked_at(changed: dict[str, object]) -> None:
    """Before its person is added; no address is needed for that."""
    team = returning_visit(range(2))
    team.known.add(2)
    team.users[2] = user(2, **changed)
    lines = (*roster(0, 1).members, line(2, email=""))

    plan = team.plan(Roster(lines))

    assert plan.open == (line(2, email=""),)
    assert plan.add == ()


def test_a_deactivated_member_stays() -> None:
    """Whoever has deactivated them had a reason, and in the team they are."""
    team = returning_visit(range(3))
    team.users[2] = user(2, delete_at=1)

    assert team.plan(roster(0, 1, 2)).changes == 0


def test_an_account_that_is_gone_is_opened_anew() -> None:
    """It was deleted for good in Mattermost."""
    team = returning_visit(range(2))
    facts = team.facts()
    gone = Facts({**facts.accounts, person(2): user(2).id}, facts.users, facts.states)

    plan = plan_sync(roster(0, 1, 2), team.members(), gone)

    assert plan.open == (line(2),)


def test_somebody_new_without_an_address_is_reported() -> None:
    """And the others are done."""
    plan = returning_visit(range(2)).plan(Roster((*roster(0, 1, 3).members, line(2, email=" "))))

    assert plan.open == (line(3),)
    assert [(failure.person_id, failure.code) for failure in plan.failed] == [(person(2), "no_email")]


def test_somebody_who_stands_there_twice_is_taken_once() -> None:
    """With the address that one of the lines has; it is reported."""
    twice = (line(2, email=""), line(2, email="P2@Example.com "))

    plan = returning_visit(range(2)).plan(Roster((*roster(0, 1).members, *twice)))

    assert plan.open == (line(2),)
    assert codes(plan) == ["duplicate"]


def test_two_addresses_of_somebody_new_are_no_address() -> None:
    """Which of them is theirs cannot be known."""
    twice = (line(2), line(2, email="other@example.com"))

    plan = returning_visit(range(2)).plan(Roster((*roster(0, 1).members, *twice)))

    assert plan.open == ()
    assert codes(plan) == ["two_emails", "duplicate"]


def test_one_address_of_two_new_people_is_nobody_s() -> None:
    """Both are reported, and the others are done."""
    lines = (line(2, email="same@example.com"), line(3, email="Same@example.com"), line(4))

    plan = returning_visit(range(2)).plan(Roster((*roster(0, 1).members, *lines)))

    assert plan.open == (line(4),)
    assert [(failure.person_id, failure.code) for failure in plan.failed] == [
        (person(2), "duplicate_email"),
        (person(3), "duplicate_email"),
    ]


@pytest.mark.parametrize(
    ("wanted", "reported"),
    [
        (Roster(()), ["nobody_removed"]),
        (Roster((line(7, is_individual=False),)), ["nobody_removed"]),
        (roster(0), ["nobody_removed"]),
        (
            roster(0, 1, 2, problems=("Member no. 4 names two accounts.",)),
            ["roster_unreadable", "nobody_removed"],
        ),
    ],
    ids=["empty", "no people", "only one", "partly unreadable"],
)
def test_a_roster_that_may_not_name_everybody_removes_nobody(wanted: Roster, reported: list[str]) -> None:
    """The report says so."""
    plan = returning_visit(range(4)).plan(wanted)

    assert plan.remove == ()
    assert not plan.refusal
    assert codes(plan) == reported


def test_such_a_roster_still_adds() -> None:
    """Who can be read belongs to the organization."""
    plan = returning_visit(range(2)).plan(roster(0, 1, 2, problems=("Member no. 4 is not an object.",)))

    assert plan.open == (line(2),)


def test_a_roster_of_one_says_nothing_where_nobody_would_leave() -> None:
    """An organization of one person is nothing special."""
    assert returning_visit(range(1)).plan(roster(0)).failed == ()


@pytest.mark.parametrize(
    ("team", "staying", "refused"),
    [(5, 2, False), (7, 2, False), (8, 2, True), (12, 6, False), (12, 5, True), (13, 6, True)],
)
def test_half_a_team_does_not_leave_at_once(team: int, staying: int, refused: bool) -> None:  # noqa: FBT001 - a table
    """Unless they are five or fewer."""
    plan = returning_visit(range(team)).plan(roster(*range(staying)))

    assert bool(plan.refusal) is refused
    assert len(plan.remove) == team - staying


def test_bots_do_not_count_as_people_of_the_team() -> None:
    """Ten of them do not make it harmless that six of seven leave."""
    team = returning_visit(range(8))
    team.present |= set(range(10, 20))
    team.users |= {number: user(number, is_bot=True) for number in range(10, 20)}

    assert "6 of 8 people" in team.plan(roster(0, 1)).refusal


numbers = st.sampled_from(EVERYBODY)
states: st.SearchStrategy[MembershipState] = st.sampled_from(["joining", "joined", "leaving", "left"])
specials: st.SearchStrategy[dict[str, object]] = st.sampled_from(
    [{"is_bot": True}, {"roles": "system_admin system_user"}, {"delete_at": 5}, {"roles": "custom_admin"}]
)


@st.composite
def teams(draw: st.DrawFn) -> Team:
    known = draw(st.sets(numbers))
    special = draw(st.dictionaries(numbers, specials, max_size=6))
    return Team(
        present=draw(st.sets(numbers)),
        known=known,
        states=draw(st.dictionaries(st.sampled_from(sorted(known)), states)) if known else {},
        users={number: user(number, **changed) for number, changed in special.items()},
    )


lines = st.builds(
    lambda number, email, has_account, is_individual: line(
        number,
        person_id=person(number) if has_account else None,
        email=email if email is not None else f"p{number}@example.com",
        is_individual=is_individual,
    ),
    numbers,
    st.sampled_from([None, None, None, "", "same@example.com"]),
    st.sampled_from([True, True, True, False]),
    st.sampled_from([True, True, True, False]),
)
rosters = st.builds(
    Roster, st.lists(lines, max_size=30).map(tuple), st.sampled_from([(), (), ("Member no. 3 is odd.",)])
)


@given(teams(), rosters)
def test_the_protected_are_never_removed(team: Team, wanted: Roster) -> None:
    """Bots, administrators, those on the roster, and those who came by another way."""
    plan = team.plan(wanted)

    listed = {member.person_id for member in wanted.members}
    for number in map(number_of, plan.remove):
        account = team.user(number)
        assert person(number) not in listed
        assert team.states[number] != "left"
        if number in team.known & team.present:
            assert not account.is_bot
            assert not account.roles.startswith(("system_admin", "custom_admin"))
    if wanted.problems or len(listed - {None}) <= 1:
        assert plan.remove == ()


@given(teams(), rosters)
def test_a_plan_that_was_carried_out_has_nothing_left_to_do(team: Team, wanted: Roster) -> None:
    """A second one changes nobody, and reports the same of those who failed."""
    first = team.plan(wanted)
    team.apply(first)

    again = team.plan(wanted)

    assert again.changes == 0
    failed = {failure for failure in again.failed if failure.person_id}
    assert failed <= {failure for failure in first.failed if failure.person_id}


@given(teams(), rosters)
def test_everybody_on_the_roster_is_accounted_for(team: Team, wanted: Roster) -> None:
    """Each individual with an account is in exactly one place."""
    plan = team.plan(wanted)

    places = [member.person_id for member in plan.open]
    places += [each.person_id for each in (*plan.add, *plan.adopt, *plan.unchanged)]
    places += [
        failure.person_id for failure in plan.failed if failure.person_id and failure.code != "duplicate"
    ]
    assert len(places) == len(set(places))
    assert set(places) == {each.person_id for each in wanted.members if each.person_id and each.is_individual}


@given(teams(), rosters)
def test_no_two_are_opened_with_one_address(team: Team, wanted: Roster) -> None:
    """Mattermost would refuse the second, and it could be the right one."""
    addresses = [member.email for member in team.plan(wanted).open if member.email]

    assert len(addresses) == len(set(addresses))

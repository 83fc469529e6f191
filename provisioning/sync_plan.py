"""Who is to join and who to leave, so that a team matches a roster. Pure: no I/O is imported here."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bridge.models.chat import User, UserId
from bridge.models.equa import Member, PersonId, Roster
from bridge.models.followed import Followed
from bridge.models.jobs import MembershipState
from provisioning.following import is_outdated
from provisioning.names import email_address
from provisioning.roster import Listed, doubt, listed

EMAIL_NOT_ACCEPTED = (
    "email_not_accepted",
    "Mattermost accepts no account with the e-mail address on the roster.",
)
"""Code and sentence of a failure."""

_UNSUSPICIOUS = 5
"""So many people may be taken out of a team at once, however small it is."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the people on a roster and of those that the bridge put into the team."""

    accounts: Mapping[PersonId, UserId]
    users: Mapping[UserId, User]
    """Those accounts as Mattermost has them; one that is missing is deleted there."""
    states: Mapping[PersonId, MembershipState]
    """Of their memberships in the team."""
    followed: Mapping[PersonId, Followed] = field(default_factory=dict)
    """What their accounts show of Equa."""


@dataclass(frozen=True, slots=True)
class MemberAccount:
    """A person with their account."""

    person_id: PersonId
    user_id: UserId


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that failed for one person or for the whole roster; `message` is for people."""

    person_id: PersonId | None
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes of a sync; everybody on the roster is in one of the first four groups or has failed."""

    open: tuple[Member, ...]
    """People whose account is created or repaired before they are added."""
    add: tuple[MemberAccount, ...]
    adopt: tuple[MemberAccount, ...]
    """In the team already, but not through the bridge, or not into all of its channels."""
    unchanged: tuple[MemberAccount, ...]
    remove: tuple[PersonId, ...]
    failed: tuple[Failure, ...]
    follow: tuple[Member, ...] = ()
    """People whose account does not show, or is not recorded to show, what the roster says."""
    refusal: str = ""
    """Why the plan has to be forced; empty if it need not."""

    @property
    def changes(self) -> int:
        """The number of people that it changes."""
        return len(self.open) + len(self.add) + len(self.adopt) + len(self.remove)


def plan_sync(roster: Roster, team: Iterable[User], facts: Facts) -> Plan:
    """Plan the changes that make a team, given by all of its members, match the roster.

    People with an account in Equa are added. Only people that the bridge put into the team are removed, never
    a bot or an administrator, and nobody while the roster may not name everybody.
    """
    present = {user.id: user for user in team}
    joining = _Joining(present, facts)
    for person, one in listed(roster).items():
        joining.consider(person, one)
    joining.refuse_shared_addresses()
    reason = doubt(roster)
    leaving = sorted(_leaving(roster, present, facts))
    return Plan(
        open=tuple(joining.open),
        add=tuple(joining.add),
        adopt=tuple(joining.adopt),
        unchanged=tuple(joining.unchanged),
        remove=() if reason else tuple(leaving),
        follow=tuple(joining.follow),
        failed=(*joining.failed, *_problems(roster, reason, leaving)),
        refusal="" if reason else _refusal(leaving, present, facts),
    )


@dataclass(slots=True)
class _Joining:
    """Sorts the people of a roster into the groups of a plan."""

    present: Mapping[UserId, User]
    facts: Facts
    open: list[Member] = field(default_factory=list)
    add: list[MemberAccount] = field(default_factory=list)
    adopt: list[MemberAccount] = field(default_factory=list)
    unchanged: list[MemberAccount] = field(default_factory=list)
    follow: list[Member] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)

    def consider(self, person: PersonId, one: Listed) -> None:
        user_id = self.facts.accounts.get(person)
        user = self.facts.users.get(user_id) if user_id else None
        followed = self.facts.followed.get(person)
        if user and followed and is_outdated(followed, user, one.member):
            self.follow.append(one.member)
        if user_id and user_id in self.present:
            joined = self.facts.states.get(person) == "joined"
            (self.unchanged if joined else self.adopt).append(MemberAccount(person, user_id))
        elif user and not user.delete_at and not _is_protected(user):
            self.add.append(MemberAccount(person, user.id))
        elif not user and one.addresses == 1 and not email_address(one.member.email):
            self._fail(person, *EMAIL_NOT_ACCEPTED)
        elif user or one.addresses == 1:
            self.open.append(one.member)
        elif one.addresses:
            self._fail(person, "two_emails", "Stands on the roster with more than one e-mail address.")
        else:
            self._fail(person, "no_email", "Has no e-mail address on the roster, and Mattermost needs one.")
        if one.lines > 1:
            self._fail(person, "duplicate", "Stands on the roster more than once; taken as one person.")

    def refuse_shared_addresses(self) -> None:
        """Fail newcomers who share an address: nothing says whose it is."""
        count = Counter(member.email for member in self.open if member.email)
        opened, self.open = self.open, []
        for member in opened:
            if count[member.email] > 1:
                self._fail(member.person_id, "duplicate_email", "Has the e-mail address of somebody else.")
            else:
                self.open.append(member)

    def _fail(self, person: PersonId | None, code: str, message: str) -> None:
        self.failed.append(Failure(person, code, message))


def _is_protected(user: User | None) -> bool:
    return user is not None and (user.is_bot or user.is_privileged)


def _leaving(roster: Roster, present: Mapping[UserId, User], facts: Facts) -> Iterator[PersonId]:
    """Yield people that the bridge put into the team and that no line of the roster names."""
    named = {member.person_id for member in roster.members}
    for person, state in facts.states.items():
        user_id = facts.accounts.get(person)
        user = present.get(user_id) if user_id else None
        if state != "left" and person not in named and not _is_protected(user):
            yield person


def _problems(roster: Roster, reason: str, leaving: Sequence[PersonId]) -> Iterator[Failure]:
    for problem in roster.problems:
        yield Failure(None, "roster_unreadable", problem)
    if reason and (leaving or roster.problems or not roster.members):
        yield Failure(None, "nobody_removed", f"{reason}, so nobody was removed.")


def _refusal(leaving: Sequence[PersonId], present: Mapping[UserId, User], facts: Facts) -> str:
    inside = sum(facts.accounts.get(person) in present for person in leaving)
    people = sum(not user.is_bot for user in present.values())
    if inside <= _UNSUSPICIOUS or inside * 2 <= people:
        return ""
    return f"This would take {inside} of {people} people out of the team, so nothing was changed."

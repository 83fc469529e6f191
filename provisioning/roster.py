"""The people on a roster. Pure: no I/O is imported here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bridge.models.equa import Member, PersonId, Roster


@dataclass(frozen=True, slots=True)
class RosterSnapshot:
    """A roster, and since when it may have changed: the database's time before Equa was asked."""

    roster: Roster
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """An individual with an account in Equa, who may stand on several lines of a roster."""

    member: Member
    """With an e-mail address in small letters: the account's own, or else that of the lines; empty unless
    there is exactly one."""
    addresses: int
    lines: int


def listed(roster: Roster) -> Mapping[PersonId, Listed]:
    """Return everybody on a roster who can have an account in Mattermost."""
    lines: dict[PersonId, list[Member]] = {}
    for member in roster.members:
        if member.person_id is not None and member.is_individual:
            lines.setdefault(member.person_id, []).append(member)
    return {person: _listed(lines_of_one) for person, lines_of_one in lines.items()}


def doubt(roster: Roster) -> str:
    """Return why people who are not on the roster may still belong to the organization; empty if not."""
    if roster.problems:
        return "Not every line of the roster could be read"
    match len(listed(roster)):
        case 0:
            return "The roster names nobody with an account"
        case 1:
            # Who may not see the others is shown alone (Equa's guard `canViewSomeMembers`).
            return "The roster names one person only, maybe just whoever asked"
    return ""


def _listed(lines: Sequence[Member]) -> Listed:
    own = _addresses(line for line in lines if line.email_of_account)
    addresses = own or _addresses(lines)
    email = next(iter(addresses)) if len(addresses) == 1 else ""
    member = replace(lines[0], email=email, email_of_account=bool(own))
    return Listed(member, len(addresses), len(lines))


def _addresses(lines: Iterable[Member]) -> frozenset[str]:
    return frozenset(line.email.strip().lower() for line in lines) - {""}

"""The part of a sync that lets accounts show what the roster says of their people."""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.models.equa import Member, Person
from bridge.models.followed import Seen
from provisioning.following import (
    address_digest,
    change,
    encoded,
    is_unrecorded,
    may_change_address,
    names_of,
)
from provisioning.parallel import each
from provisioning.profiles import Profile
from provisioning.provisioner import Provisioner
from provisioning.report import SyncProgress
from provisioning.sync_plan import Facts

_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class RosterFollower:
    provisioner: Provisioner
    facts: Facts
    progress: SyncProgress

    async def follow(self, members: Sequence[Member]) -> None:
        """Let accounts show what the roster says; where they do already, record that for many at once."""
        shown = {member: self._shown_already(member) for member in members}
        if seen := list(filter(None, shown.values())):
            await self.provisioner.tables.accounts.follow(seen)
        outdated = [person_of(member) for member, already in shown.items() if already is None]
        await each(outdated, self._change, at_once=_AT_ONCE)

    def _shown_already(self, member: Member) -> Seen | None:
        """Return the record of a person whose account needs no change; None if it needs one."""
        assert member.person_id
        user = self.facts.users[self.facts.accounts[member.person_id]]
        followed = self.facts.followed[member.person_id]
        wanted = names_of(member.name, member.nickname)
        changed = change(user, followed.shown_name, wanted)
        if changed.patch or may_change_address(followed, user, member.email, own=member.email_of_account):
            return None
        shown = changed.shown if wanted else followed.shown_name
        digest = address_digest(member.email) if is_unrecorded(followed, user, member.email) else None
        return Seen(member.person_id, followed.shown_name, encoded(wanted), shown, digest)

    async def _change(self, person: Person) -> None:
        admin, tables = self.provisioner.admin, self.provisioner.tables
        async with self.provisioner.locks.acquire(f"person:{person.id}"):
            with self.progress.noting(person.id):
                account = await tables.accounts.find(person.id)
                user = await admin.user(account.user_id) if account else None
                if account and user:
                    reason = await Profile(admin, tables, person, account, user).ensure("roster")
                    if reason is not None:
                        self.progress.fail(person.id, "email_not_changed", reason)


def person_of(member: Member) -> Person:
    """Return the person of a roster's line, which does not prove whose the address is."""
    assert member.person_id
    return Person(
        member.person_id,
        member.email,
        False,
        "",
        member.name,
        member.email_of_account,
        nickname=member.nickname,
    )

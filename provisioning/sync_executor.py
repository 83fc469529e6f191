"""Apply a sync plan: take people out of a team and put people into it, in batches.

A failure of one person is noted and the rest goes on; only `Unavailable` ends the sync. All of it may be
repeated: a new plan for the same roster holds what is left to do.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from bridge.db.memberships import Memberships
from bridge.errors import BridgeError, MattermostFull, MattermostRefused, TokenRefused
from bridge.models.chat import Channel, UserId
from bridge.models.equa import Member, OrganizationId, PersonId
from bridge.ports import MattermostBulk
from provisioning.joining import ProvisionedTeam, leave
from provisioning.parallel import each
from provisioning.provisioner import Provisioner
from provisioning.report import Progress, SyncProgress
from provisioning.sync_follower import RosterFollower, person_of
from provisioning.sync_plan import Facts, MemberAccount, Plan
from provisioning.users import ensure_user

S = TypeVar("S")

OnProgress = Callable[[Progress], Awaitable[None]]
"""Called after each batch."""

_TEAM_BATCH = 256
_CHANNEL_BATCH = 1000
_FEW = 16
"""People who are handled one by one between two reports of progress."""
_AT_ONCE = 4


def entering(organization: OrganizationId) -> str:
    """Return the key of the lock under which a batch enters a team.

    A removal that the platform reports waits for it, so that no batch puts the person back.
    """
    return f"members:{organization}"


@dataclass(frozen=True, slots=True)
class SyncExecutor:
    provisioner: Provisioner
    bulk: MattermostBulk
    provisioned: ProvisionedTeam
    read_at: datetime
    """Since when the roster may have changed: newer memberships are left as they are."""
    facts: Facts
    """What was known before."""
    progress: SyncProgress
    on_progress: OnProgress

    async def apply(self, plan: Plan) -> None:
        """Apply all of it; people leave first, because that makes room."""
        self.progress.failed += plan.failed
        self.progress.unchanged += len(plan.unchanged)
        await self.on_progress(self.progress.progress)
        for leavers in _batches(plan.remove, _FEW):
            await each(leavers, self._remove, at_once=_AT_ONCE)
            await self._done(len(leavers))
        follower = RosterFollower(self.provisioner, self.facts, self.progress)
        for listed in _batches(plan.follow, _CHANNEL_BATCH):
            await follower.follow(listed)
        for members in _batches(plan.adopt, _CHANNEL_BATCH):
            await self._adopt(members)
        for newcomers in _batches(plan.open, _CHANNEL_BATCH):
            await self._add(await self._opened(newcomers))
        for members in _batches(plan.add, _CHANNEL_BATCH):
            await self._add(members)

    async def _remove(self, person: PersonId) -> None:
        # The lock of `Provisioner.leave`, with a look between the lock and the leaving.
        async with self.provisioner.locks.acquire(f"person:{person}"):
            if await self._memberships.is_joined_since(self._organization, person, self.read_at):
                self.progress.unchanged += 1
                return
            with self.progress.noting(person):
                await leave(self.provisioner.admin, self.provisioner.tables, self._organization, person)
                self.progress.removed += 1

    async def _opened(self, newcomers: Sequence[Member]) -> list[MemberAccount]:
        """Ensure the accounts of newcomers and return them; note why the others have none."""
        opened: list[MemberAccount] = []
        for few in _batches(newcomers, _FEW):
            members = await each(few, self._open, at_once=_AT_ONCE)
            opened += filter(None, members)
            await self._done(members.count(None))
        return opened

    async def _open(self, newcomer: Member) -> MemberAccount | None:
        person = person_of(newcomer)
        member = None
        async with self.provisioner.locks.acquire(f"person:{person.id}"):
            with self.progress.noting(person.id):
                account = await ensure_user(
                    self.provisioner.admin,
                    self.provisioner.tables,
                    person,
                    "roster",
                    provider=self.provisioner.provider,
                )
                member = MemberAccount(person.id, account.user_id)
                self.progress.created += account.provisioned and member.user_id != self.facts.accounts.get(
                    person.id
                )
        return member

    async def _add(self, members: Sequence[MemberAccount]) -> None:
        """Put people into the team and, where the server has not done so by itself, into its channels."""
        inside = [member for batch in _batches(members, _TEAM_BATCH) for member in await self._enter(batch)]
        if inside:
            await self._join_channels(inside, await self._missing(inside[-1].user_id))
        await self._memberships.joined_all(self._organization, _people(inside))
        self.progress.added += len(inside)
        await self._done(len(members))

    async def _adopt(self, members: Sequence[MemberAccount]) -> None:
        """Record people who are in the team already, and put them into its channels."""
        async with self.provisioner.locks.acquire(entering(self._organization)):
            staying = await self._joining(members)
        await self._join_channels(staying, self._open_channels)
        await self._memberships.joined_all(self._organization, _people(staying))
        self.progress.unchanged += len(staying)
        await self._done(len(members))

    async def _enter(self, members: Sequence[MemberAccount]) -> list[MemberAccount]:
        """Put up to 256 people into the team; return those who are now in it."""
        async with self.provisioner.locks.acquire(entering(self._organization)):
            joining = await self._joining(members)
            refused = await self._refused([member.user_id for member in joining]) if joining else {}
        for member in joining:
            if member.user_id in refused:
                self.progress.refuse(member.person_id, refused[member.user_id])
        return [member for member in joining if member.user_id not in refused]

    async def _joining(self, members: Sequence[MemberAccount]) -> list[MemberAccount]:
        """Record people as joining; return those who have not left since the roster was read."""
        people = await self._memberships.joining_all(
            self._organization, _people(members), read_at=self.read_at
        )
        for member in members:
            if member.person_id not in people:
                self.progress.fail(member.person_id, "left", "Has left the organization meanwhile.")
        return [member for member in members if member.person_id in people]

    async def _refused(self, users: Sequence[UserId]) -> Mapping[UserId, BridgeError]:
        try:
            return await self.bulk.add_to_team(self.provisioned.team.id, users)
        except TokenRefused:
            raise
        except (MattermostRefused, MattermostFull) as error:
            return dict.fromkeys(users, error)

    async def _missing(self, user: UserId) -> list[Channel]:
        """Return the open default channels that entering the team did not put this user into."""
        inside = {
            each.id for each in await self.provisioner.admin.channels_of(user, self.provisioned.team.id)
        }
        return [channel for channel in self._open_channels if channel.id not in inside]

    async def _join_channels(self, members: Sequence[MemberAccount], channels: Sequence[Channel]) -> None:
        for channel in channels:
            for some in _batches(members, _CHANNEL_BATCH):
                with self.progress.noting(None):
                    there = await self.bulk.add_to_channel(channel.id, [member.user_id for member in some])
                    self._miss(channel, [member for member in some if member.user_id not in there])

    def _miss(self, channel: Channel, members: Sequence[MemberAccount]) -> None:
        message = f"Is in the team, but could not be put into the channel {channel.name}."
        for member in members:
            self.progress.fail(member.person_id, "not_in_channel", message)

    async def _done(self, people: int) -> None:
        self.progress.done += people
        await self.on_progress(self.progress.progress)

    @property
    def _memberships(self) -> Memberships:
        return self.provisioner.tables.memberships

    @property
    def _organization(self) -> OrganizationId:
        return self.provisioned.organization

    @property
    def _open_channels(self) -> list[Channel]:
        return [channel for channel in self.provisioned.channels if channel.type == "O"]


def _batches(items: Sequence[S], size: int) -> Iterator[Sequence[S]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _people(members: Sequence[MemberAccount]) -> list[PersonId]:
    return [member.person_id for member in members]

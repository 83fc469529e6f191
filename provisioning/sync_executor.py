"""Carry a plan out: people out of a team and into it, in batches.

What fails for one person is noted and the rest goes on; only what is `Unavailable` ends it. All of it may be
repeated: a new plan for the same roster holds what is left to be done.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from bridge.db.rosters import Rosters
from bridge.errors import BridgeError, MattermostFull, MattermostRefused, TokenRefused, Unavailable
from bridge.models.chat import Channel, UserId
from bridge.models.equa import Member, OrganizationId, Person, PersonId
from bridge.ports import MattermostBulk
from provisioning.members import MemberAccount, Plan
from provisioning.membership import ProvisionedTeam, leave
from provisioning.parallel import each
from provisioning.provisioner import Provisioner
from provisioning.report import Progress, SyncProgress
from provisioning.users import ensure_user

S = TypeVar("S")

OnProgress = Callable[[Progress], Awaitable[None]]
"""Hears after each batch how far it is."""

_TEAM_BATCH = 256
_CHANNEL_BATCH = 1000
_FEW = 16
"""People who are dealt with one by one between two words of progress."""
_AT_ONCE = 4


def entering(organization: OrganizationId) -> str:
    """Return the key of the lock under which a batch enters a team.

    Whoever takes somebody out on the platform's word waits for it, so that no batch puts them back.
    """
    return f"members:{organization}"


@dataclass(frozen=True, slots=True)
class SyncExecutor:
    provisioner: Provisioner
    bulk: MattermostBulk
    rosters: Rosters
    home: ProvisionedTeam
    read_at: datetime
    """Since when the roster may have changed: newer memberships are left as they are."""
    accounts: Mapping[PersonId, UserId]
    """Those known before."""
    progress: SyncProgress
    told: OnProgress

    async def apply(self, plan: Plan) -> None:
        """Do all of it; those who leave first, because they make room."""
        self.progress.failed += plan.failed
        self.progress.unchanged += len(plan.unchanged)
        await self.told(self.progress.progress)
        for leavers in _batches(plan.remove, _FEW):
            await each(leavers, self._remove, at_once=_AT_ONCE)
            await self._done(len(leavers))
        for seats in _batches(plan.settle, _CHANNEL_BATCH):
            await self._settle(seats)
        for newcomers in _batches(plan.open, _CHANNEL_BATCH):
            await self._add(await self._opened(newcomers))
        for seats in _batches(plan.add, _CHANNEL_BATCH):
            await self._add(seats)

    async def _remove(self, person: PersonId) -> None:
        # The lock of `Provisioner.leave`, with a look between the lock and the leaving.
        async with self.provisioner.locks.hold(f"person:{person}"):
            if await self.rosters.is_joined_since(self._organization, person, self.read_at):
                self.progress.unchanged += 1
                return
            with self._noting(person):
                await leave(self.provisioner.admin, self.provisioner.tables, self._organization, person)
                self.progress.removed += 1

    async def _opened(self, newcomers: Sequence[Member]) -> list[MemberAccount]:
        """Return those whose account exists then; of the others it is noted why not."""
        opened: list[MemberAccount] = []
        for few in _batches(newcomers, _FEW):
            seats = await each(few, self._open, at_once=_AT_ONCE)
            opened += filter(None, seats)
            await self._done(seats.count(None))
        return opened

    async def _open(self, newcomer: Member) -> MemberAccount | None:
        assert newcomer.person_id
        # A roster does not prove whose an address is: no account that exists is taken over for it.
        person = Person(
            newcomer.person_id, newcomer.email, False, "", newcomer.name, newcomer.email_of_account
        )
        seat = None
        async with self.provisioner.locks.hold(f"person:{person.id}"):
            with self._noting(person.id):
                account = await ensure_user(self.provisioner.admin, self.provisioner.tables, person)
                seat = MemberAccount(person.id, account.user_id)
                self.progress.created += account.provisioned and seat.user_id != self.accounts.get(person.id)
        return seat

    async def _add(self, seats: Sequence[MemberAccount]) -> None:
        """Put people into the team and, where the server has not done so by itself, into its channels."""
        inside = [seat for batch in _batches(seats, _TEAM_BATCH) for seat in await self._enter(batch)]
        if inside:
            await self._join_channels(inside, await self._missing(inside[-1].user_id))
        await self.rosters.joined(self._organization, _people(inside))
        self.progress.added += len(inside)
        await self._done(len(seats))

    async def _settle(self, seats: Sequence[MemberAccount]) -> None:
        """Note of people in the team that they are, and put them into its channels."""
        async with self.provisioner.locks.hold(entering(self._organization)):
            staying = await self._joining(seats)
        await self._join_channels(staying, self._open_channels)
        await self.rosters.joined(self._organization, _people(staying))
        self.progress.unchanged += len(staying)
        await self._done(len(seats))

    async def _enter(self, seats: Sequence[MemberAccount]) -> list[MemberAccount]:
        """Put up to 256 people into the team; return those who are in it then."""
        async with self.provisioner.locks.hold(entering(self._organization)):
            joining = await self._joining(seats)
            refused = await self._refused([seat.user_id for seat in joining]) if joining else {}
        for seat in joining:
            if seat.user_id in refused:
                self.progress.refuse(seat.person_id, refused[seat.user_id])
        return [seat for seat in joining if seat.user_id not in refused]

    async def _joining(self, seats: Sequence[MemberAccount]) -> list[MemberAccount]:
        """Note that people are being put into the team; return those who have not left since the reading."""
        people = await self.rosters.joining(self._organization, _people(seats), read_at=self.read_at)
        for seat in seats:
            if seat.person_id not in people:
                self.progress.fail(seat.person_id, "left", "Has left the organization meanwhile.")
        return [seat for seat in seats if seat.person_id in people]

    async def _refused(self, users: Sequence[UserId]) -> Mapping[UserId, BridgeError]:
        try:
            return await self.bulk.add_to_team(self.home.team.id, users)
        except TokenRefused:
            raise
        except (MattermostRefused, MattermostFull) as error:
            return dict.fromkeys(users, error)

    async def _missing(self, user: UserId) -> list[Channel]:
        """Return the channels that somebody who has just entered the team is not in by that alone."""
        inside = {each.id for each in await self.provisioner.admin.channels_of(user, self.home.team.id)}
        return [channel for channel in self._open_channels if channel.id not in inside]

    async def _join_channels(self, seats: Sequence[MemberAccount], channels: Sequence[Channel]) -> None:
        for channel in channels:
            for some in _batches(seats, _CHANNEL_BATCH):
                with self._noting(None):
                    there = await self.bulk.add_to_channel(channel.id, [seat.user_id for seat in some])
                    self._miss(channel, [seat for seat in some if seat.user_id not in there])

    def _miss(self, channel: Channel, seats: Sequence[MemberAccount]) -> None:
        message = f"Is in the team, but could not be put into the channel {channel.name}."
        for seat in seats:
            self.progress.fail(seat.person_id, "not_in_channel", message)

    @contextmanager
    def _noting(self, person: PersonId | None) -> Iterator[None]:
        """Note what is refused, and let the rest go on."""
        try:
            yield
        except (Unavailable, TokenRefused):
            raise
        except BridgeError as error:
            self.progress.refuse(person, error)

    async def _done(self, people: int) -> None:
        self.progress.done += people
        await self.told(self.progress.progress)

    @property
    def _organization(self) -> OrganizationId:
        return self.home.organization

    @property
    def _open_channels(self) -> list[Channel]:
        return [channel for channel in self.home.channels if channel.type == "O"]


def _batches(items: Sequence[S], size: int) -> Iterator[Sequence[S]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _people(seats: Sequence[MemberAccount]) -> list[PersonId]:
    return [seat.person_id for seat in seats]

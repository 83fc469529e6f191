"""A sandbox Mattermost, a database, and any number of processes that let people in."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

from asyncpg import Pool

from bridge.crypto import KeyRing, new_key
from bridge.db.locks import Locks, opened
from bridge.db.pool import open_pool
from bridge.mattermost.admin import RestAdmin
from bridge.mattermost.rest import RestMattermost
from bridge.mattermost.transport import Transport, client_session
from bridge.models import Organization, OrganizationId, Person, PersonId
from bridge.ports import MattermostAdmin
from bridge.sandbox.mattermost import Server, Settings, Store, Team, User
from provisioning.sessions import Sessions
from provisioning.staff import Staff
from provisioning.stores import Stores
from provisioning.tokens import DESCRIPTION
from tests.support.mattermost import running_mattermost

CHANNELS = {"town-square", "announcements", "cap-table", "documents", "agent"}
KEYS = KeyRing.parse(f"k1:{new_key()}")


def a_person(name: str = "Ada Moreno", *, email: str | None = None, verified: bool = True) -> Person:
    """Return somebody who is signed in to Equa."""
    username = name.split(maxsplit=1)[0].lower()
    address = f"{username}@example.com" if email is None else email
    return Person(PersonId(uuid4()), address, verified, username, name)


def an_organization(name: str = "Acme Corp") -> Organization:
    return Organization(OrganizationId(uuid4()), name)


@dataclass(frozen=True, slots=True)
class Process:
    """What one process of the bridge lets people in with, and what it has asked Mattermost."""

    sessions: Sessions
    pool: Pool
    asked: list[str] = field(default_factory=list)
    """Endpoints, in order."""

    def with_admin(self, admin: MattermostAdmin) -> Sessions:
        return replace(self.sessions, admin=admin)


class Chat:
    """A Mattermost as people find it."""

    def __init__(self, server: Server, bot: User) -> None:
        self.server = server
        self.store: Store = server.store
        self.bot = bot
        self.bot_token = self.store.create_token(bot).token

    def team(self, name: str) -> Team:
        return self.store.team_by_name[name]

    def teams(self) -> list[Team]:
        return list(self.store.teams.values())

    def people(self) -> list[User]:
        """Return the accounts of people, without the administrator's."""
        return [user for user in self.store.users.values() if not user.bot and user is not self.store.admin]

    def tokens(self, user: User | None = None) -> list[str]:
        """Return the tokens of the bridge that are good, of everybody or of one."""
        return [
            token.token
            for token in self.store.tokens.values()
            if token.description == DESCRIPTION and token.is_active and user in (None, self._holder(token.user_id))
        ]

    def user(self, user_id: str) -> User:
        return self.store.users[user_id]

    def channels(self, team: Team, user: User) -> set[str]:
        """Return the names of the team's channels in which the user is."""
        mine = self.store.channels_of_user[user.id]
        return {self.store.channels[each].name for each in mine if self.store.channels[each].team_id == team.id}

    def is_in(self, team: Team, user: User) -> bool:
        return self.store.member_of_team(team.id, user.id)

    def set(self, section: str, **values: object) -> None:
        """Change settings of the server."""
        self.store.settings.patch({section: values})

    def _holder(self, user_id: str) -> User:
        return self.store.users[user_id]


@asynccontextmanager
async def chat(settings: Settings | None = None) -> AsyncIterator[Chat]:
    async with running_mattermost(Store(settings, seed=1)) as server:
        yield Chat(server, server.store.create_bot("equabot"))


@asynccontextmanager
async def process(
    chat: Chat, dsn: str, *, keys: KeyRing = KEYS, locks: Locks | None = None
) -> AsyncIterator[Process]:
    """Give a process on the database, with a pool, locks and connections of its own."""
    asked: list[str] = []

    def observe(endpoint: str, _status: object, _seconds: float) -> None:
        asked.append(endpoint)

    async with await open_pool(dsn) as pool, client_session() as session, opened(dsn) as own_locks:
        transport = Transport(session, chat.server.url, chat.store.admin_token, observe)
        bot = RestMattermost(transport.acting(chat.bot_token))
        staff = Staff(agent_channel="agent", bot=bot)
        sessions = Sessions(RestAdmin(transport), Stores.of(pool), locks or own_locks, keys, staff)
        yield Process(sessions, pool, asked)

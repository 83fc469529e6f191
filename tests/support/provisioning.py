"""A sandbox Mattermost, a database, and any number of processes that let people in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import uuid4

from asyncpg import Pool

from bridge.db.locks import Locks, opened
from bridge.db.pool import unchecked_pool
from bridge.mattermost.rest.admin import RestAdmin
from bridge.mattermost.rest.client import RestMattermost
from bridge.mattermost.rest.retry_policy import RetryPolicy
from bridge.mattermost.rest.transport import Transport, client_session
from bridge.models.equa import Organization, OrganizationId, Person, PersonId
from bridge.ports import MattermostAdmin
from bridge.sandbox.mattermost import Server, Settings, Store, Team, User
from bridge.sandbox.mattermost.records import Channel
from bridge.sandbox.mattermost.sessions import end_all_sessions
from bridge.secrets.key_ring import KeyRing, new_key
from provisioning.provisioner import Provisioner
from provisioning.sign_in_service import SignInService
from provisioning.tables import Tables
from provisioning.team_bots import TeamBots
from provisioning.team_looks import TeamLooks
from provisioning.tokens import DESCRIPTION
from tests.support.mattermost import running_mattermost

CHANNELS = {"town-square", "announcements", "cap-table", "documents", "agent"}
IMPATIENT = RetryPolicy(tries=3, first_delay=0.005, longest_delay=0.02)
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

    provisioner: Provisioner
    pool: Pool
    asked: list[str] = field(default_factory=list)
    """Endpoints, in order."""

    @property
    def sign_in(self) -> SignInService:
        return SignInService(self.provisioner)

    def with_admin(self, admin: MattermostAdmin) -> Provisioner:
        return replace(self.provisioner, admin=admin)


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

    def user(self, user_id: str) -> User:
        return self.store.users[user_id]

    def people(self) -> list[User]:
        """Return the accounts of people, without the administrator's."""
        return [user for user in self.store.users.values() if not user.bot and user is not self.store.admin]

    def tokens(self, user: User) -> list[str]:
        """Return the tokens of the bridge by which somebody can be signed in."""
        tokens = self.store.tokens_of_user[user.id].values()
        return [token.token for token in tokens if token.description == DESCRIPTION and token.is_active]

    def channels(self, team: Team, user: User) -> set[str]:
        """Return the names of the team's channels that the user is in."""
        mine = self.store.channels_of_user[user.id]
        return {each.name for each in self.store.channels_of_team[team.id].values() if each.id in mine}

    def is_in(self, team: Team, user: User) -> bool:
        return self.store.member_of_team(team.id, user.id)

    def set(self, section: str, **values: object) -> None:
        """Change settings of the server."""
        self.store.settings.patch({section: values})

    def forget_user(self, user: User) -> None:
        """Delete an account for good, as `mmctl user delete` does."""
        for token in list(self.store.tokens_of_user.pop(user.id, {}).values()):
            del self.store.tokens[token.id], self.store.token_by_secret[token.token]
        end_all_sessions(self.store, user.id)
        for team_id in self.store.teams_of_user.pop(user.id, {}):
            del self.store.team_members[team_id][user.id]
        for channel_id in self.store.channels_of_user.pop(user.id, {}):
            del self.store.channel_members[channel_id][user.id]
        del self.store.users[user.id]
        del self.store.user_by_name[user.username], self.store.user_by_email[user.email]
        self.store.user_by_auth_data.pop(user.auth_data, None)

    def forget_team(self, team: Team) -> None:
        """Delete a team for good, as `mmctl team delete` does."""
        for channel in self.store.channels_of_team.pop(team.id).values():
            for user_id in self.store.channel_members.pop(channel.id, {}):
                del self.store.channels_of_user[user_id][channel.id]
            del self.store.channels[channel.id], self.store.channel_by_name[team.id, channel.name]
        for user_id in self.store.team_members.pop(team.id, {}):
            del self.store.teams_of_user[user_id][team.id]
        del self.store.teams[team.id], self.store.team_by_name[team.name]

    def forget_channel(self, channel: Channel) -> None:
        """Delete a channel for good, as `mmctl channel delete` does."""
        for user_id in self.store.channel_members.pop(channel.id, {}):
            del self.store.channels_of_user[user_id][channel.id]
        del self.store.channels_of_team[channel.team_id][channel.id], self.store.channels[channel.id]
        del self.store.channel_by_name[channel.team_id, channel.name]

    def rename_team(self, team: Team, name: str) -> None:
        """Give a team another name in addresses."""
        self.store.team_by_name[name] = self.store.team_by_name.pop(team.name)
        team.name = name


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

    async with await unchecked_pool(dsn) as pool, client_session() as session, opened(dsn) as own_locks:
        transport = Transport(session, chat.server.url, chat.store.admin_token, observe, IMPATIENT)
        bot = RestMattermost(transport.acting(chat.bot_token))
        team_bots = TeamBots(agent_channel="agent", bot=bot, administrator=RestMattermost(transport))
        looks = TeamLooks(every=3600)  # so that how slow a test is does not change what is asked
        provisioner = Provisioner(
            RestAdmin(transport), Tables.of(pool), locks or own_locks, keys, team_bots, looks
        )
        yield Process(provisioner, pool, asked)

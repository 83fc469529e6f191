"""Two organizations with their people, a sandbox Mattermost and a sandbox agent, mapped in a database."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

from asyncpg import Pool
from yarl import URL

from bridge.models.chat import TeamId, UserId
from bridge.models.equa import OrganizationId, PersonId
from bridge.sandbox.agent import Organization, SandboxAgent, create_app
from bridge.sandbox.mattermost import Channel, Post, Server, Store, Team, User
from handlers.posts.parts import MARK
from tests.support.agent import TOKEN, serving
from tests.support.mappings import Mappings
from tests.support.mattermost import QUICK


@dataclass(frozen=True, slots=True)
class Company:
    """An organization with its team and its `#agent`."""

    id: OrganizationId
    name: str
    team: Team
    agent: Channel
    people: tuple[User, ...]


class Hosts:
    """What the daemon is put into. `ask` and `answers` are what people do and see."""

    def __init__(self, dsn: str, server: Server, agent: SandboxAgent, agent_url: str, bot: User) -> None:
        self.dsn = dsn
        self.server = server
        self.store: Store = server.store
        self.agent = agent
        self.agent_url = agent_url
        self.bot = bot
        self.bot_token = self.store.create_token(bot)
        self.companies: list[Company] = []
        self.clock_offset = 0.0
        """Seconds by which Mattermost's clock is set; negative is in the past."""

    @property
    def environ(self) -> Mapping[str, str]:
        return {
            "DATABASE_URL": self.dsn,
            "MATTERMOST_URL": self.server.url,
            "MATTERMOST_BOT_TOKEN": self.bot_token.token,
            "AGENT_URL": self.agent_url,
            "AGENT_TOKEN": TOKEN,
            "GATEWAY_TOKENS": "the-first-peers-token,the-second-peers-token",
            "PLATFORM_TOKENS": "the-token-of-the-platform",
            "ASK_LIMIT": "999999,999999",
        }

    def ask(self, company: Company, text: str, *, root_id: str = "", by: int = 0) -> Post:
        return self.store.post_as(company.people[by], company.agent, text, root_id=root_id)

    def replies(self, post: Post) -> list[Post]:
        """Return what the bot posted in the thread, oldest first."""
        thread = self.store.thread(post.root_id or post.id)
        return [reply for reply in thread if reply.user_id == self.bot.id]

    def answers(self, post: Post) -> list[Post]:
        """Return the parts of the answer to this very post."""
        return [reply for reply in self.replies(post) if reply.props.get(MARK, {}).get("answers") == post.id]

    async def answered(self, *posts: Post, seconds: float = 60) -> None:
        """Wait until each post has an answer."""
        await self.until(lambda: all(map(self.answers, posts)), seconds=seconds)

    async def until(self, condition: Callable[[], bool], *, seconds: float = 60) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)

    async def found(self, pool: Pool, name: str, people: int = 2) -> Company:
        """Found an organization: its team, `#agent` with the bot in it, its people, all of them mapped."""
        slug = name.split(maxsplit=1)[0].lower()
        users = tuple(self.store.create_user(f"{slug}-{number}") for number in range(people))
        team = self.store.create_team(slug, name, members=[*users, self.bot])
        channel = self.store.create_channel(team, "agent", "Agent", members=[*users, self.bot])
        company = Company(OrganizationId(uuid4()), name, team, channel, users)
        self.agent.directory = {
            **self.agent.directory,
            company.id: Organization(name, people=[(user.username, "Member") for user in users]),
        }
        mappings = Mappings(pool)
        await mappings.map_team(company.id, TeamId(team.id), team.name)
        for user in users:
            await mappings.map_person(PersonId(uuid4()), UserId(user.id), user.username)
        self.companies.append(company)
        return company


@asynccontextmanager
async def hosts(dsn: str, pool: Pool, *, clock_offset: float = 0) -> AsyncIterator[Hosts]:
    """Build the hosts of two organizations, Acme Corp and Borealis Labs, on a fresh database."""
    built: Hosts | None = None
    store = Store(seed=1, clock=lambda: time.time() + (built.clock_offset if built else clock_offset))
    bot = store.create_bot("equabot")
    directory: dict[UUID, Organization] = {}
    agent = SandboxAgent(directory, token=TOKEN)
    async with Server(store, timing=QUICK) as server, serving(create_app(agent)) as agent_url:
        built = Hosts(dsn, server, agent, str(URL(agent_url)), bot)
        built.clock_offset = clock_offset
        await built.found(pool, "Acme Corp")
        await built.found(pool, "Borealis Labs")
        yield built

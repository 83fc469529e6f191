"""Everything that the daemon talks to, raised for a demo: Mattermost with a chat page, Equa, the agent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from bridge.models.equa import OrganizationId, PersonId
from bridge.sandbox import chat, demo_data, demo_history, equa, site
from bridge.sandbox.agent import SandboxAgent, create_app
from bridge.sandbox.demo_data import Account, Company
from bridge.sandbox.mattermost import Channel, Post, Server, Store, Team, User
from bridge.sandbox.site import proxy

BOT = "equabot"
"""Name of the bot's account."""
HOST = "127.0.0.1"
AGENT_TOKEN = "sandbox-agent-token"  # noqa: S105 - of a stand-in that lives in this process
GATEWAY_TOKEN = "sandbox-gateway-token"  # noqa: S105 - likewise

SIGN_IN_SECRET = "sandbox-sign-in-secret"  # noqa: S105 - likewise

PLATFORM_TOKEN = "sandbox-platform-token"  # noqa: S105 - likewise


@dataclass(frozen=True, slots=True)
class DemoTeam:
    """An organization as Mattermost has it."""

    organization_id: OrganizationId
    team: Team
    agent: Channel


@dataclass(frozen=True, slots=True)
class DemoStack:
    """What was raised, and where it is."""

    mattermost: Server
    equa: equa.Server
    agent_url: str
    bridge_url: str
    bot: User
    teams: tuple[DemoTeam, ...]
    people: dict[PersonId, User]

    @property
    def chat_url(self) -> str:
        return f"{self.mattermost.url}/{self.teams[0].team.name}/channels/agent"

    def environ(self) -> dict[str, str]:
        """Return the variables with which a daemon finds everything."""
        store = self.mattermost.store
        return {
            "MATTERMOST_URL": self.mattermost.url,
            "MATTERMOST_ADMIN_BOT_TOKEN": store.admin_token,
            "MATTERMOST_BOT_TOKEN": store.create_token(self.bot).token,
            "EQUA_API_URL": self.equa.api_url,
            "AGENT_URL": self.agent_url,
            "AGENT_TOKEN": AGENT_TOKEN,
            "AGENT_PRICES": demo_history.PRICES,
            "GATEWAY_TOKENS": GATEWAY_TOKEN,
            "PLATFORM_TOKENS": PLATFORM_TOKEN,
            "SIGN_IN_SECRET": SIGN_IN_SECRET,
            "BRIDGE_URL": self.bridge_url,
            "WEB_ORIGINS": f"{self.equa.url},{self.bridge_url}",
            "EQUA_SERVICE_EMAIL": demo_data.SERVICE.email,
            "EQUA_SERVICE_PASSWORD": demo_data.PASSWORD,
        }

    def post(self, text: str) -> Post:
        """Post in the first organization's `#agent` as the first of its people."""
        account, _ = next(demo_data.COMPANIES[0].people())
        return self.mattermost.store.post_as(self.people[account.id], self.teams[0].agent, text)

    def name_of(self, post: Post) -> str:
        user = self.mattermost.store.users[post.user_id]
        return f"{user.first_name} {user.last_name}".strip() or user.username


@asynccontextmanager
async def raised(bridge_url: str, *, chat_port: int, site_port: int) -> AsyncIterator[DemoStack]:
    """Raise the stage around a bridge, on other ports than the given ones if somebody has these."""
    store = Store()
    bot = store.create_bot(BOT, "Equabot")
    people = {account.id: _join(store, account) for account in demo_data.ACCOUNTS if not account.site}
    teams = tuple(_found(store, company, people, bot) for company in demo_data.COMPANIES)
    for user in people.values():
        store.direct(user, bot)
    pages = [*chat.pages(), proxy.login(bridge_url)]
    server = Server(store, pages=pages, spa=proxy.framed(chat.spa, bridge_url))
    platform = equa.Server(pages=site.pages(demo_data.COMPANIES, bridge_url=bridge_url, token=PLATFORM_TOKEN))
    try:
        await _started(platform, site_port)
        await _started(server, chat_port)
        _let_in_the_bridge(server, bridge_url)
        async with _agent() as agent_url:
            yield DemoStack(server, platform, agent_url, bridge_url, bot, teams, people)
    finally:
        await server.stop()
        await platform.stop()


async def _started(server: Server | equa.Server, port: int) -> None:
    try:
        await server.start(port)
    except OSError:
        await server.start(0)


def _let_in_the_bridge(server: Server, bridge_url: str) -> None:
    """Set what `setup` sets in a deployment."""
    server.store.settings.patch(
        {
            "ServiceSettings": {
                "SiteURL": server.url,
                "AllowedUntrustedInternalConnections": urlsplit(bridge_url).hostname or "",
            },
            "EmailSettings": {"EnableSignInWithEmail": False, "EnableSignInWithUsername": False},
            "GitLabSettings": {
                "Enable": True,
                "Id": "equabot-bridge",
                "Secret": SIGN_IN_SECRET,
                "AuthEndpoint": f"{server.url}/login/equa/authorize",
                "TokenEndpoint": f"{bridge_url}/login/equa/token",
                "UserAPIEndpoint": f"{bridge_url}/login/equa/user",
                "ButtonText": "Sign in with Equa",
            },
        }
    )


def _join(store: Store, account: Account) -> User:
    return store.create_user(
        account.username, email=account.email, first_name=account.first_name, last_name=account.last_name
    )


def _found(store: Store, company: Company, people: dict[PersonId, User], bot: User) -> DemoTeam:
    members = [*(people[account.id] for account, _ in company.people()), bot]
    team = store.create_team(company.name.lower().replace(" ", "-"), company.name, members=members)
    for name, title in (
        ("announcements", "Announcements"),
        ("cap-table", "Cap Table"),
        ("documents", "Documents"),
    ):
        store.create_channel(team, name, title, members=members)
    return DemoTeam(company.id, team, store.create_channel(team, "agent", "Agent", members=members))


@asynccontextmanager
async def _agent() -> AsyncIterator[str]:
    agent = SandboxAgent(demo_data.agent_directory(), token=AGENT_TOKEN)
    # A short pause lets one see that the bot is typing.
    agent.latency = 0.4
    # Short answers are whole within a second; the report grows for some.
    agent.piece_delay, agent.most_pieces = 0.05, 100
    runner = web.AppRunner(
        create_app(agent), access_log=None, handler_cancellation=True, shutdown_timeout=0.5
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, 0).start()
        yield f"http://{HOST}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()

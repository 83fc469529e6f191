"""Everything that the doctor looks at, well at first, for a test to break one thing of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from aiohttp import web
from asyncpg import Pool

from bridge import config
from bridge.db.teams import Teams
from bridge.mattermost.rest.server_admin import RestOperator
from bridge.mattermost.rest.transport import client_session
from bridge.metrics import Metrics
from bridge.models.buttons import TRIAL_ANSWER
from bridge.models.chat import ChannelId, TeamId, UserId
from bridge.models.equa import OrganizationId, PersonId
from bridge.ops.doctor.checks import run_all
from bridge.ops.doctor.context import Context
from bridge.ops.doctor.groups import checks
from bridge.ops.findings import Finding
from bridge.ops.setup.buttons import ButtonSetup
from bridge.ops.setup.server import Setup
from bridge.ops.setup.sign_in import Choices, Secret, SignInSetup
from bridge.ops.site import site_of
from bridge.sandbox import demo_data
from bridge.sandbox.agent import SandboxAgent, create_app
from bridge.sandbox.equa import Server as Equa
from bridge.sandbox.mattermost import Server, Store, Team, User
from bridge.secrets.key_ring import KeyRing, new_key
from bridge.secrets.token_sealing import seal_token
from handlers.http.actions import PATH
from tests.support.agent import TOKEN, serving
from tests.support.mappings import Mappings
from tests.support.mattermost import QUICK
from tests.support.operator import operating, server_settings

APP = "https://app.example.com"
SECRET = "the-secret-of-both-sides"


@dataclass(slots=True)
class Front:
    """What a browser meets at Mattermost's address, as behind the proxy."""

    policy: str = f"frame-ancestors 'self' {APP}"
    page_status: int = 200
    login_status: int = 401
    repeats_id: bool = True
    """Whether /login/token answers as the bridge does."""
    login_headers: Mapping[str, str] = field(default_factory=dict)

    async def page(self, _: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": self.policy} if self.policy else {}
        return web.Response(status=self.page_status, headers=headers)

    async def login(self, request: web.Request) -> web.Response:
        headers = dict(self.login_headers)
        if self.repeats_id:
            headers["X-Request-Id"] = request.headers["X-Request-Id"]
        return web.Response(status=self.login_status, headers=headers)


@dataclass(slots=True)
class Installation:
    """`environ` is the bridge's; `look` is what the doctor finds, by subject."""

    mattermost: Server
    front: Front
    agent: SandboxAgent
    equa: Equa
    pool: Pool
    bot: User
    notices: User
    team: Team
    ring: KeyRing
    environ: dict[str, str]
    metrics: Metrics
    """What the running bridge shows."""

    @property
    def store(self) -> Store:
        return self.mattermost.store

    async def look(self, seconds: float = 60, *, ask: bool = False) -> dict[str, Finding]:
        settings = config.load({name: value for name, value in self.environ.items() if value})
        async with client_session() as session:
            found = await run_all(checks(Context(settings, session, seconds, ask=ask)))
        return {finding.subject: finding for finding in found}

    async def let_in(self, bridge_url: str) -> None:
        """Let people sign in with Equa; Mattermost asks the bridge at this address."""
        choices = Choices(
            bridge_url, no_passwords=True, ask_bridge_url=lambda: "", ask_no_passwords=lambda: False
        )
        site = site_of(config.load(self.environ), self.mattermost.url)
        async with operating(self.mattermost.url, self.store.admin_token) as operator:
            setup = SignInSetup(operator, Secret(SECRET, lambda *_: None), choices, dry_run=False)
            await setup.ensure(site)

    async def keep_token(self, ring: KeyRing | None = None, text: str = "") -> None:
        """Store somebody's token, sealed with the keys of a ring, or just this text."""
        person, user = PersonId(uuid4()), UserId(self.store.new_id())
        await Mappings(self.pool).map_person(person, user)
        sealed = text or seal_token(ring or self.ring, person, "t" * 26)
        await self.pool.execute(
            """update mattermost_user_mappings
               set personal_access_token = $2, token_id = 't', token_created = now() where id = $1""",
            person,
            sealed,
        )


@asynccontextmanager
async def installation(dsn: str, pool: Pool) -> AsyncIterator[Installation]:
    """Install everything, on a migrated database."""
    front, store, key = Front(), Store(server_settings()), f"k1:{new_key()}"
    bot = store.create_bot("equabot", "Equabot")
    notices = store.create_bot("equa-admin-bot", "Equa Platform", roles="system_user system_post_all")
    team = store.create_team("acme", "Acme Corp", members=[bot])
    organization = OrganizationId(uuid4())
    channels = {
        name: ChannelId(store.create_channel(team, name, members=[bot] if name == "agent" else []).id)
        for name in ("announcements", "cap-table", "documents", "agent")
    }
    channels["town-square"] = ChannelId(store.channel(team, "town-square").id)
    await Mappings(pool).map_team(organization, TeamId(team.id), team.name)
    stored = {name: (channel, None) for name, channel in channels.items()}
    await Teams(pool).record_channels(organization, stored)
    agent, metrics = SandboxAgent({}, token=TOKEN), Metrics()
    pages = [web.get(path, front.login) for path in ("/login/token", "/login/equa/authorize")]
    async with (
        Server(store, timing=QUICK, pages=pages, spa=front.page) as mattermost,
        serving(create_app(agent)) as agent_url,
        serving(_daemon(metrics)) as daemon_url,
        Equa() as equa,
    ):
        environ = {
            "MATTERMOST_URL": mattermost.url,
            "MATTERMOST_ADMIN_BOT_TOKEN": store.admin_token,
            "MATTERMOST_BOT_TOKEN": store.create_token(bot).token,
            "MATTERMOST_NOTICE_TOKEN": store.create_token(notices).token,
            "WEB_ORIGINS": APP,
            "DATABASE_URL": dsn,
            "TOKEN_KEYS": key,
            "EQUA_API_URL": equa.api_url,
            "EQUA_SERVICE_EMAIL": demo_data.SERVICE.email,
            "EQUA_SERVICE_PASSWORD": demo_data.PASSWORD,
            "AGENT_URL": agent_url,
            "AGENT_TOKEN": TOKEN,
            "SIGN_IN_SECRET": SECRET,
            "BRIDGE_URL": daemon_url,
            "BRIDGE_PORT": daemon_url.rpartition(":")[2],
        }
        built = Installation(
            mattermost, front, agent, equa, pool, bot, notices, team, KeyRing.parse(key), environ, metrics
        )
        async with operating(mattermost.url, store.admin_token) as operator:
            await _set_up(operator, built, daemon_url)
        yield built


def _daemon(metrics: Metrics) -> web.Application:
    async def show(_: web.Request) -> web.Response:
        return web.Response(body=metrics.render())

    async def exchange(request: web.Request) -> web.Response:
        known = (await request.post()).get("client_secret") == SECRET
        token = {"access_token": "x", "token_type": "bearer"}
        return web.json_response(token) if known else web.Response(status=401)

    async def nobody(_: web.Request) -> web.Response:
        return web.Response(status=401)

    async def press(_: web.Request) -> web.Response:
        return web.json_response({"update": {"message": TRIAL_ANSWER}})

    app = web.Application()
    app.router.add_get("/metrics", show)
    app.router.add_post("/login/equa/token", exchange)
    app.router.add_get("/login/equa/user", nobody)
    app.router.add_post(PATH, press)
    return app


async def _set_up(operator: RestOperator, built: Installation, bridge_url: str) -> None:
    setup = Setup(operator, dry_run=False)
    await setup.settings(site_of(config.load(built.environ), built.mattermost.url))
    await setup.roles()
    await built.let_in(bridge_url)
    await ButtonSetup(operator, bridge_url, is_set=True, dry_run=False).ensure()

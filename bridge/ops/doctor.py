"""The doctor: one list of checks for everything that the bridge needs."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from aiohttp import ClientSession
from pydantic import SecretStr

from bridge import embedded
from bridge.config import Settings
from bridge.equa import EquaClient, ServiceAccount
from bridge.errors import BridgeError
from bridge.mattermost.rest.retry_policy import RetryPolicy
from bridge.mattermost.rest.server_admin import RestOperator
from bridge.mattermost.rest.transport import Transport
from bridge.models.equa import OrganizationId
from bridge.ops import asking, outside
from bridge.ops.accounts import RENEWAL, BotChecks, notices
from bridge.ops.browser import BrowserChecks
from bridge.ops.checks import Check, absent
from bridge.ops.daemon import DaemonChecks
from bridge.ops.findings import Finding
from bridge.ops.server import ServerChecks
from bridge.ops.site import site_of
from bridge.ops.stored import MappedTeam, StoreChecks
from bridge.ops.teams import TeamChecks
from bridge.runtime import token_keys
from bridge.runtime.clients import agent_of

_MAX_WAIT = RetryPolicy(timeout=8, tries=2, total=4)

_OURS = ("MATTERMOST_", "EQUA_", "BRIDGE_")
"""Prefixes of variable names that are meant for the bridge."""


@dataclass(frozen=True, slots=True)
class Doctor:
    settings: Settings
    session: ClientSession
    """A session that keeps no cookies."""
    seconds: float = 12
    """Deadline of each check."""
    ask: bool = False
    """Whether the agent is asked a question, which costs an answer of a model."""

    def checks(self) -> list[Check]:
        url = self.settings.mattermost_url
        mattermost = [*self._server(url), *self._bots(url), *self._browser(url)] if url else [_NO_SERVER]
        if url and self.settings.mattermost_admin_bot_token:
            mattermost += self._teams(url)
        own = [self._addresses(), *self._store()]
        checks = [*mattermost, *own, *self._equa(), self._agent(), *self._proxies()]
        return [*(replace(check, deadline=self.seconds) for check in checks), *self._asking()]

    def _server(self, url: str) -> list[Check]:
        operator = self._operator(url, self.settings.mattermost_admin_bot_token)
        server = ServerChecks(self.session, operator, site_of(self.settings, url))
        ping = Check("Mattermost", server.ping, "see MATTERMOST_URL, and whether Mattermost runs")
        if not self.settings.mattermost_admin_bot_token:
            return [ping, absent("administrator", f"set {_ADMIN}", required=True)]
        new_token = f"set {_ADMIN} to the token of an active system administrator"
        administrator = Check(
            "administrator", server.administrator, _ABOVE, token=_ADMIN, if_refused=new_token
        )
        rest = (("people", server.limits), ("settings", server.settings), ("roles", server.roles))
        return [ping, administrator, *(Check(name, look, _ABOVE, token=_ADMIN) for name, look in rest)]

    def _bots(self, url: str) -> list[Check]:
        if not self.settings.mattermost_bot_token:
            lost = f"without {_BOT} nobody is answered"
            return [absent("bot", lost, required=False), self._notices(url)]
        operator = self._operator(url, self.settings.mattermost_bot_token)
        token = self.settings.mattermost_bot_token.get_secret_value()
        inner = BotChecks(self.session, operator, url, token, self.settings.proxies)
        public = self._public_url(url)
        outer = BotChecks(self.session, operator, public, token, self.settings.proxies)
        through = (
            "see MATTERMOST_PUBLIC_URL and DNS; the proxy there has to pass websockets on: see deploy/proxy"
        )
        return [
            Check("bot", inner.account, _ABOVE, token=_BOT, if_refused=RENEWAL),
            self._notices(url),
            Check("websocket", partial(inner.websocket, "websocket"), _ABOVE, token=_BOT),
            *([Check(_OUTSIDE, partial(outer.websocket, _OUTSIDE), through)] if public != url else ()),
            Check(
                "bot's channels",
                partial(self._channels, inner),
                f"{_ABOVE}, and the database below",
                token=_BOT,
            ),
        ]

    def _teams(self, url: str) -> list[Check]:
        operator = self._operator(url, self.settings.mattermost_admin_bot_token)
        notices = self.settings.mattermost_notice_token
        token = notices.get_secret_value() if notices else ""
        teams = TeamChecks(operator, self.settings.agent_channel, token)
        looks = (("default channels", teams.channels), ("other accounts", teams.accounts))
        return [
            Check(
                name, partial(self._of_teams, name, look), f"{_ABOVE}, and the database below", token=_ADMIN
            )
            for name, look in looks
        ]

    async def _of_teams(
        self, subject: str, look: Callable[[Sequence[MappedTeam]], Awaitable[Sequence[Finding]]]
    ) -> Sequence[Finding]:
        dsn = self._dsn()
        if dsn is None:
            return [Finding(subject, "absent", "checked when the database runs")]
        return await look(await StoreChecks(dsn).teams())

    def _notices(self, url: str) -> Check:
        if not self.settings.mattermost_notice_token:
            return absent("notices", f"without {_NOTICE} the bot posts them", required=False)
        operator = self._operator(url, self.settings.mattermost_notice_token)

        async def look() -> Sequence[Finding]:
            return [notices(await operator.me())]

        return Check("notices", look, _ABOVE, token=_NOTICE, if_refused=RENEWAL)

    def _browser(self, url: str) -> list[Check]:
        public = self._public_url(url)
        browser = BrowserChecks(self.session, public, self.settings.web_origins)
        reach = "see MATTERMOST_PUBLIC_URL, DNS, certificate and proxy"
        frame = Check("frame", browser.framing, reach)
        if not self.settings.web_origins:
            frame = absent("frame", "without WEB_ORIGINS no page embeds the chat", required=False)
        return [frame, Check("sign-in", browser.login, reach)]

    def _addresses(self) -> Check:
        daemon = DaemonChecks(self.session, self.settings.bridge_host, self.settings.bridge_port)
        return Check("addresses", daemon.addresses, "see the log of the bridge")

    def _store(self) -> list[Check]:
        todo = "see DATABASE_URL, or the directory BRIDGE_DATA_DIR where the database is embedded"
        return [Check("database", self._database, todo), Check("keys", self._keys, "see the database above")]

    async def _database(self) -> Sequence[Finding]:
        dsn = self._dsn()
        if dsn is None:
            return [
                Finding("database", "absent", "the embedded one runs with the daemon, which is not running")
            ]
        return await StoreChecks(dsn).database()

    async def _keys(self) -> Sequence[Finding]:
        dsn, file = self._dsn(), token_keys.key_file(self.settings)
        if file and not file.exists():
            return [Finding("keys", "absent", "none yet: the daemon makes one at its first start")]
        ring = token_keys.key_ring(self.settings)
        if ring is None:
            return [Finding("keys", "absent", "not configured: without TOKEN_KEYS nobody can be signed in")]
        if dsn is None:
            return [Finding("keys", "absent", f"{', '.join(ring.ids)}: checked when the database runs")]
        return await StoreChecks(dsn).keys(ring)

    async def _channels(self, checks: BotChecks) -> Sequence[Finding]:
        dsn = self._dsn()
        if dsn is None:
            return [Finding("bot's channels", "absent", "checked when the database runs")]
        return await checks.channels(dsn, self.settings.agent_channel)

    def _equa(self) -> list[Check]:
        settings = self.settings
        if not settings.equa_api_url:
            return [absent("Equa", "set EQUA_API_URL: without it nobody gets in", required=True)]
        client = EquaClient(
            self.session,
            url=settings.equa_api_url,
            admin_permissions=settings.equa_admin_permissions,
        )
        here = Check("Equa", partial(outside.equa, client), "see EQUA_API_URL, and whether Equa runs")
        return [here, self._service_account(settings.equa_api_url)]

    def _service_account(self, url: str) -> Check:
        email, password = self.settings.equa_service_email, self.settings.equa_service_password
        if not email or not password:
            lost = "without EQUA_SERVICE_EMAIL rosters are read only while an administrator is there"
            return absent("service account", lost, required=False)
        account = ServiceAccount(
            self.session,
            url=url,
            cookies=self.settings.equa_session_cookies,
            email=email,
            password=password.get_secret_value(),
        )
        look = partial(outside.service_account, account, email)
        return Check("service account", look, "see EQUA_SERVICE_EMAIL and EQUA_SERVICE_PASSWORD")

    def _agent(self) -> Check:
        settings = self.settings
        if not settings.agent_url:
            return absent("agent", "without AGENT_URL nobody is answered", required=False)
        look = outside.AgentCheck(
            self.session,
            settings.agent_kind,
            settings.agent_url,
            settings.agent_token.get_secret_value() if settings.agent_token else "",
            settings.agent_model,
            settings.agent_id,
        )
        return Check("agent", look.look, "see AGENT_URL, and whether the agent's server runs")

    def _asking(self) -> list[Check]:
        settings = self.settings
        if not self.ask or not settings.agent_url:
            return []
        agent = agent_of(settings, settings.agent_url, self.session)

        async def look() -> Sequence[Finding]:
            return await asking.ask(agent, await self._first_organization())

        deadline = settings.agent_timeout + self.seconds
        return [Check(asking.SUBJECT, look, "see the agent's server", deadline=deadline)]

    async def _first_organization(self) -> OrganizationId | None:
        """Return an organization to ask for; None while none has a team, or the database is away."""
        dsn = self._dsn()
        if dsn is None:
            return None
        try:
            teams = await StoreChecks(dsn).teams()
        except BridgeError:
            return None
        return teams[0].organization_id if teams else None

    def _proxies(self) -> list[Check]:
        """Show the proxies, if there are any, with what they are used for."""
        used = [self.settings.mattermost_url, self.settings.equa_api_url, self.settings.agent_url]
        look = partial(outside.proxies, self.settings.proxies, [url for url in used if url])
        return [Check("proxies", look, "")] if list(self.settings.proxies.shown) else []

    def _operator(self, url: str, token: SecretStr | None) -> RestOperator:
        secret = token.get_secret_value() if token else ""
        return RestOperator(Transport(self.session, url, secret, lambda *_: None, _MAX_WAIT))

    def _public_url(self, url: str) -> str:
        return self.settings.mattermost_public_url or url

    def _dsn(self) -> str | None:
        if self.settings.database_url:
            return self.settings.database_url.get_secret_value()
        return embedded.dsn_of_running(self.settings.bridge_data_dir)


def configuration(names: Collection[str]) -> Finding:
    """Report names of the environment that are probably misspelt."""
    known = {name.upper() for name in Settings.model_fields}
    unknown = sorted(name for name in names if name.startswith(_OURS) and name not in known)
    if unknown:
        todo = "correct or remove them: `equabot-bridge` does not read them"
        return Finding("configuration", "warning", f"unknown: {', '.join(unknown)}", todo)
    return Finding("configuration", "good", f"{len(known.intersection(names))} variables are set")


_ADMIN = "MATTERMOST_ADMIN_BOT_TOKEN"  # the name of a variable, like the next two
_BOT = "MATTERMOST_BOT_TOKEN"
_NOTICE = "MATTERMOST_NOTICE_TOKEN"
_OUTSIDE = "public websocket"
_ABOVE = "see Mattermost and its accounts above"

_NO_SERVER = absent("Mattermost", "set MATTERMOST_URL", required=True)

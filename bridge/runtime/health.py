"""Look at every part of the daemon for `/readyz`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.errors import BridgeError, DatabaseUnavailable, TokenRefused
from bridge.mattermost.websocket.socket import Socket
from bridge.models.approvals import ControlState
from bridge.ports import AgentControl
from bridge.runtime.clients import Clients
from handlers.http.app_keys import Health, Part

log = structlog.get_logger(__name__)

_DEADLINE = 3.0
"""Seconds that a part may take to answer."""

ADMIN_TOKEN = "MATTERMOST_ADMIN_BOT_TOKEN"  # noqa: S105  # a variable's name
BOT_TOKEN = "MATTERMOST_BOT_TOKEN"  # noqa: S105  # a variable's name
NOTICE_TOKEN = "MATTERMOST_NOTICE_TOKEN"  # noqa: S105  # a variable's name


class _ReadOnly(DatabaseUnavailable):
    """A standby, which is always read-only (src/backend/access/transam/xact.c), or a read-only primary."""

    code = "read_only"


@dataclass(slots=True)
class BotState:
    """How far the bot is; it fills this in as it goes."""

    socket: Socket | None = None
    notice_account: str = ""
    """The name of the account that posts notices, once it is known."""
    bot_account: str = ""
    """The name of the account that answers, once it is known."""
    refused_tokens: set[str] = field(default_factory=set)
    """The variables whose tokens Mattermost refuses."""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    pool: Pool
    clients: Clients
    bot: BotState
    control: AgentControl | None = None
    """The side channel to the gateway; None without one."""
    control_off: str = "it is not configured"
    """Why there is none."""

    async def look(self) -> Health:
        """Look at all parts at once; takes at most some seconds and does not raise."""
        parts = await asyncio.gather(
            _part("database", self._database),
            _part("mattermost", self._mattermost),
            _part("administrator", self._administrator, required=False, variable=ADMIN_TOKEN),
            _part("agent", self._agent, required=False),
            _part("notices", self._notices, required=False, variable=NOTICE_TOKEN),
        )
        return Health((*parts, self._approvals(), self._websocket()))

    @database_errors
    async def _database(self) -> str:
        if await self.pool.fetchval("select current_setting('transaction_read_only')::bool"):
            await self.pool.expire_connections()
            raise _ReadOnly("The database takes no writes.")
        return "connected"

    async def _mattermost(self) -> str:
        if self.clients.bot is None:
            return "not_configured"
        await self.clients.bot.ping()
        return "well"

    async def _administrator(self) -> str:
        """Ask who the administrator is: without it nobody new gets in, and everything else goes on."""
        if self.clients.administrator is None:
            return "not_configured"
        await self.clients.administrator.me()
        return "well"

    async def _agent(self) -> str:
        if self.clients.agent is None:
            return "not_configured"
        await self.clients.agent.ping()
        return "reachable"

    def _approvals(self) -> Part:
        """Tell whether approvals and questions of the agent reach people; everything else does without."""
        state = self.control.state if self.control else ControlState(is_on=False, reason=self.control_off)
        shown = self._how_decided() if state.is_on else f"off, because {state.reason}"
        return Part("approvals", ok=state.is_on or self.control is None, state=shown, required=False)

    def _how_decided(self) -> str:
        if self.clients.directory is None:
            return "on, decided on the organizations' pages only: EQUA_SERVICE_EMAIL is not set"
        return "on"

    def _websocket(self) -> Part:
        if not self._has_bot:
            return Part("websocket", ok=True, state="not_configured")
        socket = self.bot.socket
        if BOT_TOKEN in self.bot.refused_tokens or (socket and socket.state == "unauthorised"):
            return Part("websocket", ok=False, state="token_refused", variable=BOT_TOKEN)
        state = socket.state if socket else "waiting_for_mattermost"
        return Part("websocket", ok=state == "connected", state=state)

    async def _notices(self) -> str:
        """Look at the account that posts notices: without it everything else goes on."""
        if not self._has_bot:
            return "not_configured"
        if self.clients.notices:
            await self.clients.notices.me()
        return "well"

    @property
    def _has_bot(self) -> bool:
        return self.clients.bot is not None and self.clients.agent is not None


async def _part(
    name: str, look: Callable[[], Awaitable[str]], *, required: bool = True, variable: str = BOT_TOKEN
) -> Part:
    looking = asyncio.ensure_future(look())
    # A look that was cancelled may take long to end: asyncpg waits for a frozen server to confirm it.
    await asyncio.wait({looking}, timeout=_DEADLINE)
    if not looking.done():
        looking.cancel()
        return Part(name, ok=False, state="too_slow", required=required)
    try:
        return Part(name, ok=True, state=looking.result(), required=required)
    except TokenRefused:
        return Part(name, ok=False, state="token_refused", required=required, variable=variable)
    except BridgeError as error:
        return Part(name, ok=False, state=error.code, required=required)
    except Exception as error:
        log.exception("part_failed", part=name, exc_info=error)
        return Part(name, ok=False, state=BridgeError.code, required=required)

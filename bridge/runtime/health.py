"""Whether the daemon can do its work: looks at every part for `/readyz`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.errors import BridgeError, DatabaseUnavailable, TokenRefused
from bridge.mattermost.websocket.socket import Socket
from bridge.ports import Agent, MattermostApi
from handlers.http.app_keys import Health, Part

log = structlog.get_logger(__name__)

_DEADLINE = 3.0
"""Seconds that a part may take to answer."""

BOT_TOKEN = "MATTERMOST_BOT_TOKEN"  # noqa: S105  # a variable's name
NOTICE_TOKEN = "MATTERMOST_NOTICE_TOKEN"  # noqa: S105  # a variable's name


class _ReadOnly(DatabaseUnavailable):
    """A standby, which is always read-only (src/backend/access/transam/xact.c), or a primary told to be."""

    code = "read_only"


@dataclass(slots=True)
class Status:
    """What there is to look at; the bot adds its parts when it comes to life."""

    pool: Pool
    api: MattermostApi | None = None
    agent: Agent | None = None
    socket: Socket | None = None
    refused_tokens: set[str] = field(default_factory=set)
    """The variables whose tokens Mattermost refuses."""

    async def look(self) -> Health:
        """Look at all parts at once; takes at most some seconds and does not raise."""
        parts = await asyncio.gather(
            _part("database", self._database),
            _part("mattermost", self._mattermost),
            _part("agent", self._agent, required=False),
        )
        return Health((*parts, self._websocket(), self._notices()))

    @database_errors
    async def _database(self) -> str:
        if await self.pool.fetchval("select current_setting('transaction_read_only')::bool"):
            await self.pool.expire_connections()
            raise _ReadOnly("The database takes no writes.")
        return "connected"

    async def _mattermost(self) -> str:
        if self.api is None:
            return "not_configured"
        await self.api.ping()
        return "well"

    async def _agent(self) -> str:
        if self.agent is None:
            return "not_configured"
        await self.agent.ping()
        return "reachable"

    def _websocket(self) -> Part:
        if self.api is None:
            return Part("websocket", ok=True, state="not_configured")
        refused = self.socket is not None and self.socket.state == "unauthorised"
        if refused or BOT_TOKEN in self.refused_tokens:
            return Part("websocket", ok=False, state="token_refused", variable=BOT_TOKEN)
        state = self.socket.state if self.socket else "waiting_for_mattermost"
        return Part("websocket", ok=state == "connected", state=state)

    def _notices(self) -> Part:
        """Tell of the account that posts notices: without it everything else goes on."""
        if NOTICE_TOKEN in self.refused_tokens:
            return Part("notices", ok=False, state="token_refused", required=False, variable=NOTICE_TOKEN)
        return Part("notices", ok=True, state="well" if self.api else "not_configured", required=False)


async def _part(name: str, look: Callable[[], Awaitable[str]], *, required: bool = True) -> Part:
    looking = asyncio.ensure_future(look())
    # A look that was cancelled may take long to end: asyncpg waits for a frozen server to confirm it.
    await asyncio.wait({looking}, timeout=_DEADLINE)
    if not looking.done():
        looking.cancel()
        return Part(name, ok=False, state="too_slow", required=required)
    try:
        return Part(name, ok=True, state=looking.result(), required=required)
    except TokenRefused:
        return Part(name, ok=False, state="token_refused", required=required, variable=BOT_TOKEN)
    except BridgeError as error:
        return Part(name, ok=False, state=error.code, required=required)
    except Exception as error:
        log.exception("part_failed", part=name, exc_info=error)
        return Part(name, ok=False, state=BridgeError.code, required=required)

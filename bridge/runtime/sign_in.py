"""The visit path put together: Equa, Mattermost's administrator, the bots, the keys and the locks."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog
from asyncpg import Pool
from pydantic import SecretStr

from bridge import equa
from bridge.config import Settings
from bridge.db import locks
from bridge.db.sealed_tokens import SealedTokens
from bridge.equa.cookies import relayed
from bridge.mattermost.rest import admin
from bridge.mattermost.rest.client import RestMattermost
from bridge.metrics import Metrics
from bridge.ports import EquaPlatform
from bridge.runtime import token_keys
from bridge.secrets.key_ring import KeyRing
from bridge.secrets.reseal import reseal
from provisioning.provisioner import Provisioner
from provisioning.sign_in_service import SignInService
from provisioning.tables import Tables
from provisioning.team_bots import TeamBots

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SignInServices:
    """What lets people in; None is what is not configured."""

    session_cookies: Callable[[str], str]
    equa: EquaPlatform | None
    sign_in_service: SignInService | None
    tables: Tables
    tokens: SealedTokens

    async def renew(self) -> None:
        """Seal tokens anew that another key than the first has sealed."""
        if self.sign_in_service is None:
            return
        became = await reseal(self.sign_in_service.provisioner.keys, self.tokens)
        if became.done or became.failed:
            log.info("resealed", tokens=became.done, failed=became.failed)

    async def purge(self) -> None:
        """Delete expired tickets, and who left long ago."""
        await self.tables.tickets.purge()
        await self.tables.memberships.purge()


@asynccontextmanager
async def opened(settings: Settings, dsn: str, pool: Pool, metrics: Metrics) -> AsyncIterator[SignInServices]:
    """Give what is configured; raise `StartupError` if a stored token needs a key that is not there."""
    async with AsyncExitStack() as stack:
        tables, tokens = Tables.of(pool), SealedTokens(pool)
        sign_in_service = None
        if settings.mattermost_url and settings.mattermost_admin_bot_token:
            ring = token_keys.key_ring(settings)
            assert ring is not None  # the configuration is refused without
            await token_keys.check(ring, tokens)
            held = await stack.enter_async_context(locks.opened(dsn))
            rest = admin.connect(
                settings.mattermost_url,
                settings.mattermost_admin_bot_token.get_secret_value(),
                metrics.rest_call,
            )
            sign_in_service = _entrance(settings, await stack.enter_async_context(rest), tables, held, ring)
        cookies = partial(relayed, names=frozenset(settings.equa_session_cookies))
        yield SignInServices(cookies, await _equa(settings, stack), sign_in_service, tables, tokens)


def _entrance(
    settings: Settings, rest: admin.RestAdmin, tables: Tables, held: locks.Locks, ring: KeyRing
) -> SignInService:
    def seen_by(token: SecretStr | None) -> RestMattermost | None:
        return RestMattermost(rest.transport.acting(token.get_secret_value())) if token else None

    team_bots = TeamBots(
        agent_channel=settings.agent_channel,
        bot=seen_by(settings.mattermost_bot_token),
        notices=seen_by(settings.mattermost_notice_token),
        administrator=RestMattermost(rest.transport),
    )
    return SignInService(Provisioner(rest, tables, held, ring, team_bots), settings.session_token)


async def _equa(settings: Settings, stack: AsyncExitStack) -> EquaPlatform | None:
    if settings.equa_api_url is None:
        return None
    return equa.EquaClient(
        await stack.enter_async_context(equa.make_session()),
        url=settings.equa_api_url,
        cookies=settings.equa_session_cookies,
        admin_permissions=settings.equa_admin_permissions,
    )

"""What handlers call to let people in and to make teams match their organizations."""

from dataclasses import dataclass

from asyncpg import Pool

from bridge.config import Settings
from bridge.db.locks import Locks
from bridge.db.sealed_tokens import SealedTokens
from bridge.db.syncs import Syncs
from bridge.mattermost.rest.client import RestMattermost
from bridge.runtime import token_keys
from bridge.runtime.clients import Clients
from bridge.secrets.key_ring import KeyRing
from provisioning.provisioner import Provisioner
from provisioning.roster_reader import RosterReader
from provisioning.sign_in_provider import SignInProvider
from provisioning.sign_in_service import SignInService
from provisioning.sync import TeamSync
from provisioning.tables import Tables
from provisioning.team_bots import TeamBots


@dataclass(frozen=True, slots=True)
class Services:
    """Without an administrator's token there is no provisioner, and nothing that needs one."""

    tables: Tables
    syncs: Syncs
    tokens: SealedTokens
    keys: KeyRing | None = None
    provisioner: Provisioner | None = None
    sign_in: SignInService | None = None
    sign_in_provider: SignInProvider | None = None
    """None without `SIGN_IN_SECRET` too."""
    team_sync: TeamSync | None = None
    roster_reader: RosterReader | None = None
    """None without a service account too."""


async def make_services(
    settings: Settings, clients: Clients, pool: Pool, tables: Tables, locks: Locks
) -> Services:
    """Return the services; raise `StartupError` if a stored token needs a key that is missing."""
    syncs, tokens = Syncs(pool), SealedTokens(pool)
    if not (clients.admin and clients.bulk):
        return Services(tables, syncs, tokens)
    keys = token_keys.key_ring(settings)
    assert keys is not None  # the configuration is refused without
    await token_keys.check(keys, tokens)
    administrator = RestMattermost(clients.admin.transport)
    bots = TeamBots(
        agent_channel=settings.agent_channel,
        administrator=administrator,
        bot=clients.bot,
        notices=clients.notices,
    )
    own_accounts = [each for each in (clients.bot, clients.notices, administrator) if each]
    provider = settings.sign_in_secret is not None
    provisioner = Provisioner(clients.admin, tables, locks, keys, bots, provider=provider)
    return Services(
        tables,
        syncs,
        tokens,
        keys,
        provisioner,
        sign_in=SignInService(provisioner, settings.session_token),
        sign_in_provider=SignInProvider(clients.admin, tables, own_accounts) if provider else None,
        team_sync=TeamSync(provisioner, clients.bulk),
        roster_reader=RosterReader(clients.directory, tables.memberships) if clients.directory else None,
    )

"""The doctor's checks of the database, which they only read."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from asyncpg import Pool, Record

from bridge.db.migrate import shipped
from bridge.db.pool import database_errors, open_pool
from bridge.db.sealed_tokens import FIRST, Sealed, SealedTokens
from bridge.errors import Damaged, NotOpened, UnknownKey
from bridge.models.chat import ChannelId, TeamId
from bridge.models.equa import OrganizationId
from bridge.ops.doctor.checks import Check
from bridge.ops.doctor.context import NOT_RUNNING, Context
from bridge.ops.findings import Finding
from bridge.runtime import token_keys
from bridge.secrets.key_ring import KeyRing
from bridge.secrets.token_sealing import open_token

_PAGE = 1000

_UNPROTECTED = Finding(
    "database",
    "bad",
    "the triggers are off that keep the rows of the audit from being changed",
    "find out who did that, then `alter table audit enable trigger all`",
)


def checks(context: Context) -> list[Check]:
    todo = "see DATABASE_URL, or the directory BRIDGE_DATA_DIR where the database is embedded"
    return [
        Check("database", partial(_database, context), todo),
        Check("keys", partial(_keys, context), "see the database above"),
    ]


async def _database(context: Context) -> Sequence[Finding]:
    if context.dsn is None:
        return [Finding("database", "absent", "the embedded one runs with the daemon, which is not running")]
    return await StoreChecks(context.dsn).database()


async def _keys(context: Context) -> Sequence[Finding]:
    file = token_keys.key_file(context.settings)
    if file and not file.exists():
        return [Finding("keys", "absent", "none yet: the daemon makes one at its first start")]
    ring = token_keys.key_ring(context.settings)
    if ring is None:
        return [Finding("keys", "absent", "not configured: without TOKEN_KEYS nobody can be signed in")]
    if context.dsn is None:
        return [Finding("keys", "absent", f"{', '.join(ring.ids)}: {NOT_RUNNING}")]
    return await StoreChecks(context.dsn).keys(ring)


@dataclass(frozen=True, slots=True)
class MappedTeam:
    organization_id: OrganizationId
    id: TeamId
    name: str
    channels: Mapping[str, ChannelId] = field(default_factory=dict, hash=False, compare=False)
    """The stored default channels by name."""


@dataclass(frozen=True, slots=True)
class StoreChecks:
    dsn: str = field(repr=False)

    async def database(self) -> Sequence[Finding]:
        async with await open_pool(self.dsn, max_size=1, max_wait=5) as pool:
            found = schema(await _server_version(pool), await _schema_version(pool), len(shipped()))
            return [found] if await _audit_is_protected(pool) else [found, _UNPROTECTED]

    async def teams(self) -> Sequence[MappedTeam]:
        async with await open_pool(self.dsn, max_size=1, max_wait=5) as pool:
            return await mapped_teams(pool)

    async def keys(self, ring: KeyRing) -> Sequence[Finding]:
        """Open every stored token."""
        wrong: Counter[type[NotOpened]] = Counter()
        tokens = 0
        async with await open_pool(self.dsn, max_size=1, max_wait=5) as pool:
            if not await _schema_version(pool):
                return [keys(ring, 0, wrong)]
            after = FIRST
            while page := await SealedTokens(pool).sealed_with_others("", after=after, limit=_PAGE):
                wrong += await asyncio.to_thread(_not_opened, ring, page)
                tokens, after = tokens + len(page), page[-1].person
        return [keys(ring, tokens, wrong)]


def schema(server: str, found: int, known: int) -> Finding:
    """Compare the database's schema with the migrations that we ship."""
    text = f"PostgreSQL {server}, schema {found} of {known}"
    if found > known:
        return Finding("database", "bad", f"{text}: a newer version made it", "run that version")
    if found < known:
        todo = "the daemon migrates it at its start; or run `equabot-bridge migrate`"
        return Finding("database", "warning", text, todo)
    return Finding("database", "good", text)


def keys(ring: KeyRing, tokens: int, wrong: Counter[type[NotOpened]]) -> Finding:
    ids = ", ".join(ring.ids)
    if not wrong:
        return Finding("keys", "good", f"{ids}: {_counted(tokens)} open")
    if wrong[UnknownKey]:
        text = f"{wrong[UnknownKey]} of {_counted(tokens)} are sealed with a key that is not among {ids}"
        todo = "put the missing key back behind the others; `equabot-bridge keys status` names it"
    else:
        text = f"{wrong[Damaged]} of {_counted(tokens)} do not open"
        todo = "put back the key that had this id; if it is lost, `equabot-bridge keys drop ID --lost`"
    return Finding("keys", "bad", text, todo)


@database_errors
async def mapped_teams(pool: Pool) -> list[MappedTeam]:
    """Return the teams of organizations; none from a database that is not ours yet."""
    if not await _schema_version(pool):
        return []
    rows = await pool.fetch(
        """select organization_id, mattermost_team_id as team_id,
                  coalesce(mattermost_team_name, mattermost_team_id) as team_name,
                  array_agg(c.name) filter (where c.name is not null) as names,
                  array_agg(c.mattermost_channel_id) filter (where c.name is not null) as channels
           from mattermost_org_mappings left join mattermost_channel_mappings c using (organization_id)
           group by organization_id order by team_name"""
    )
    return [_mapped_team(row) for row in rows]


def _mapped_team(row: Record) -> MappedTeam:
    pairs = zip(row["names"] or (), map(ChannelId, row["channels"] or ()), strict=True)
    return MappedTeam(
        OrganizationId(row["organization_id"]), TeamId(row["team_id"]), row["team_name"], dict(pairs)
    )


@database_errors
async def _server_version(pool: Pool) -> str:
    return str(await pool.fetchval("show server_version")).split()[0]


@database_errors
async def _schema_version(pool: Pool) -> int:
    """Return the number of the newest migration that was applied, 0 for an empty database."""
    if not await pool.fetchval("select to_regclass('schema_migrations')"):
        return 0
    return int(await pool.fetchval("select coalesce(max(version), 0) from schema_migrations"))


@database_errors
async def _audit_is_protected(pool: Pool) -> bool:
    """Return whether both triggers are on; also of a database that has no audit yet."""
    protected: bool = await pool.fetchval(
        """select to_regclass('audit') is null or (
               select count(*) = 2 from pg_trigger
               where tgrelid = to_regclass('audit') and tgenabled in ('O', 'A')
                 and tgname in ('audit_rows_stay', 'audit_is_not_truncated'))"""
    )
    return protected


def _not_opened(ring: KeyRing, tokens: Iterable[Sealed]) -> Counter[type[NotOpened]]:
    return Counter(kind for token in tokens if (kind := _obstacle(ring, token)))


def _obstacle(ring: KeyRing, token: Sealed) -> type[NotOpened] | None:
    try:
        open_token(ring, token.person, token.text)
    except NotOpened as error:
        return type(error)
    return None


def _counted(tokens: int) -> str:
    return "1 stored token" if tokens == 1 else f"{tokens} stored tokens"

"""Numbered .sql files, each applied once.

`0001_name.sql` runs in one transaction. A file whose first line is `-- no-transaction` runs statement by
statement (each ends at a line ending in `;`), so that it may build an index CONCURRENTLY; it may be cut
short anywhere and is then run again from its beginning.
"""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

import asyncpg
import structlog

from bridge.db.pool import APPLICATION, connect_and_wait
from bridge.errors import StartupError

_log = structlog.get_logger(__name__)

_LOCK = 0x6571756162  # spells "equab"
_NAME = re.compile(r"(\d{4})_\w+\.sql")
_NO_TRANSACTION = "-- no-transaction"

_TABLE = """
create table if not exists schema_migrations (
    version    integer primary key,
    name       text not null,
    sha256     text not null,
    duration   interval not null,
    applied_at timestamptz not null default now()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of the schema's history."""

    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return sha256(self.sql.encode()).hexdigest()

    @property
    def in_transaction(self) -> bool:
        return not self.sql.startswith(_NO_TRANSACTION)

    def statements(self) -> list[str]:
        """Return the statements of a file that runs without a transaction; comments alone are none."""
        parts = re.split(r";\s*$", self.sql, flags=re.MULTILINE)
        return [part for part in parts if re.sub(r"--.*", "", part).strip()]


def shipped() -> list[Migration]:
    """Return the migrations of this program, in order."""
    return read(files("bridge.db") / "migrations")


def read(folder: Traversable) -> list[Migration]:
    """Return the migrations in a folder, in order; their numbers run from 1 without a gap."""
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    for number, name in enumerate(names, start=1):
        match = _NAME.fullmatch(name)
        if not match or int(match[1]) != number:
            raise StartupError(f"Migration {name} should be named {number:04d}_<words>.sql.")
    return [
        Migration(number, name, (folder / name).read_text("utf-8"))
        for number, name in enumerate(names, start=1)
    ]


async def migrate(
    dsn: str, migrations: Sequence[Migration] | None = None, *, max_wait: float = 600
) -> list[Migration]:
    """Apply the missing migrations and return them; of several processes one applies, the others wait.

    Raises `StartupError` for a file that was edited after it was applied, for a database that is newer
    than this program, for a migration that fails (nothing of it is left), and after `max_wait` seconds
    of waiting for another process.
    """
    known = shipped() if migrations is None else migrations
    connection = await connect_and_wait(dsn, application=f"{APPLICATION} migrate")
    try:
        await _take_turn(connection, max_wait)
        await connection.execute(_TABLE)
        missing = known[await _applied(connection, known) :]
        for migration in missing:
            await _apply(connection, migration)
        return list(missing)
    finally:
        await connection.close()


async def ensure_migrated(
    dsn: str, migrations: Sequence[Migration] | None = None, *, max_wait: float = 5
) -> None:
    """Raise `StartupError` unless the database has the schema of this program; change nothing."""
    known = shipped() if migrations is None else migrations
    connection = await connect_and_wait(dsn, max_wait=max_wait)
    try:
        if not await connection.fetchval("select to_regclass('schema_migrations')"):
            raise StartupError("No bridge has used this database yet; `equabot-bridge migrate` prepares it.")
        version = await _applied(connection, known)
    finally:
        await connection.close()
    if version < len(known):
        raise StartupError(
            f"The database is at version {version}, and this program needs version {len(known)}:"
            " use the program of the bridge that runs, or `equabot-bridge migrate`."
        )


async def _take_turn(connection: asyncpg.Connection, max_wait: float) -> None:
    """Take the lock of all migrating processes, held until the connection closes; it is polled.

    A statement that waits in pg_advisory_lock holds a snapshot, for which CREATE INDEX CONCURRENTLY in
    the process that has the lock waits in turn: a deadlock.
    """
    deadline = time.monotonic() + max_wait
    while not await connection.fetchval("select pg_try_advisory_lock($1)", _LOCK):
        if time.monotonic() > deadline:
            raise StartupError("Another process has been migrating the database for too long.")
        await asyncio.sleep(0.05)


async def _applied(connection: asyncpg.Connection, known: Sequence[Migration]) -> int:
    rows = await connection.fetch("select version, name, sha256 from schema_migrations order by version")
    if len(rows) > len(known):
        raise StartupError(
            f"The database is at version {rows[-1]['version']} ({rows[-1]['name']}), but this program knows"
            f" versions up to {len(known)}: run a newer equabot-bridge."
        )
    for row, migration in zip(rows, known, strict=False):
        if (row["version"], row["sha256"]) != (migration.version, migration.sha256):
            raise StartupError(
                f"Migration {migration.name} is not what was applied to the database as {row['name']}:"
                " an applied migration must not be edited, write a new one."
            )
    return len(rows)


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    began = time.monotonic()
    try:
        if migration.in_transaction:
            async with connection.transaction():
                await connection.execute(migration.sql)
                await _record(connection, migration, began)
        else:
            for statement in migration.statements():
                await connection.execute(statement)
            await _record(connection, migration, began)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise StartupError(f"Migration {migration.name} failed: {error}") from error
    _log.info("migrated", name=migration.name, seconds=round(time.monotonic() - began, 3))


async def _record(connection: asyncpg.Connection, migration: Migration, began: float) -> None:
    await connection.execute(
        "insert into schema_migrations (version, name, sha256, duration)"
        " values ($1, $2, $3, make_interval(secs => $4))",
        migration.version,
        migration.name,
        migration.sha256,
        time.monotonic() - began,
    )

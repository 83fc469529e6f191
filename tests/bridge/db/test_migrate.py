"""Migrations: once, in order, all or nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from bridge.db.migrate import Migration, ensure_migrated, migrate, read, shipped
from bridge.db.pool import connect
from bridge.errors import StartupError
from tests.support.postgres import fresh_database

FIRST = Migration(1, "0001_first.sql", "create table first (id int); insert into first values (1);")
SECOND = Migration(2, "0002_second.sql", "create table second as select * from first;")
INDEX = Migration(
    2,
    "0002_index.sql",
    "-- no-transaction\n"
    "drop index concurrently if exists first_id;\n"
    "create index concurrently first_id on first (id);\n"
    "-- and nothing more\n",
)


@pytest.fixture
async def empty(postgres: str) -> AsyncIterator[str]:
    """A database without any migration."""
    async with fresh_database(postgres, template="template1") as own:
        yield own


@pytest.fixture
async def connection(empty: str) -> AsyncIterator[asyncpg.Connection]:
    own = await connect(empty)
    yield own
    await own.close()


async def tables(connection: asyncpg.Connection) -> set[str]:
    rows = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
    return {row["tablename"] for row in rows}


async def versions(connection: asyncpg.Connection) -> list[int]:
    rows = await connection.fetch("select version from schema_migrations order by applied_at, version")
    return [row["version"] for row in rows]


async def test_shipped_migrations_apply_once(empty: str) -> None:
    """All of them to an empty database, none of them again."""
    assert await migrate(empty) == shipped()
    assert await migrate(empty) == []


async def test_a_look_at_the_schema_changes_nothing(empty: str, connection: asyncpg.Connection) -> None:
    """A command of a newer version must not take the database away from the bridges that run."""
    with pytest.raises(StartupError, match="No bridge has used this database yet"):
        await ensure_migrated(empty, [FIRST])
    assert await tables(connection) == set()
    await migrate(empty, [FIRST])
    with pytest.raises(StartupError, match="is at version 1, and this program needs version 2"):
        await ensure_migrated(empty, [FIRST, SECOND])
    assert await versions(connection) == [1]

    await ensure_migrated(empty, [FIRST])


async def test_only_what_is_missing_is_applied_and_recorded(
    empty: str, connection: asyncpg.Connection
) -> None:
    """Version, name, digest, duration and time are kept."""
    await migrate(empty, [FIRST])

    assert await migrate(empty, [FIRST, SECOND]) == [SECOND]
    row = await connection.fetchrow("select * from schema_migrations where version = 2")
    assert row is not None
    assert (row["name"], row["sha256"]) == (SECOND.name, SECOND.sha256)
    assert row["duration"].total_seconds() > 0
    assert row["applied_at"] is not None


@pytest.mark.parametrize("second", [SECOND, INDEX], ids=["in a transaction", "index built concurrently"])
async def test_of_six_that_start_at_once_one_applies(
    second: Migration, empty: str, connection: asyncpg.Connection
) -> None:
    """The others wait, in a way that does not hold up CREATE INDEX CONCURRENTLY, and apply nothing."""
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        starters = [group.create_task(migrate(empty, [FIRST, second])) for _ in range(6)]

    assert sorted(starter.result() for starter in starters) == [[]] * 5 + [[FIRST, second]]
    assert await versions(connection) == [1, 2]


async def test_edited_file_is_refused(empty: str, connection: asyncpg.Connection) -> None:
    """The message names the file; nothing further is applied."""
    await migrate(empty, [FIRST])
    edited = Migration(1, FIRST.name, FIRST.sql + " ")

    with pytest.raises(StartupError, match=r"0001_first\.sql"):
        await migrate(empty, [edited, SECOND])
    assert await versions(connection) == [1]


async def test_newer_database_is_refused(empty: str) -> None:
    """The message names its version and the one that is known."""
    await migrate(empty, [FIRST, SECOND])

    with pytest.raises(StartupError, match=r"version 2 .*up to 1"):
        await migrate(empty, [FIRST])


async def test_broken_migration_leaves_nothing(empty: str, connection: asyncpg.Connection) -> None:
    """It is named, what it did is undone, those before it stay, and its mended form applies."""
    broken = Migration(2, "0002_broken.sql", "create table half (id int); select 1 / 0;")

    with pytest.raises(StartupError, match=r"0002_broken\.sql failed: division by zero"):
        await migrate(empty, [FIRST, broken])
    assert await tables(connection) == {"schema_migrations", "first"}
    assert await versions(connection) == [1]
    assert await migrate(empty, [FIRST, SECOND]) == [SECOND]


async def test_migration_without_transaction_is_run_again_from_its_beginning(
    empty: str, connection: asyncpg.Connection
) -> None:
    """One that was cut short has left an invalid index, which its own first statement removes."""
    unique = Migration(2, INDEX.name, INDEX.sql.replace("create index", "create unique index"))
    doubled = Migration(1, FIRST.name, FIRST.sql + FIRST.sql.partition(";")[2])
    with pytest.raises(StartupError, match=r"0002_index\.sql failed: could not create unique index"):
        await migrate(empty, [doubled, unique])
    await connection.execute("delete from first where ctid > '(0,1)'")

    assert await migrate(empty, [doubled, unique]) == [unique]
    assert await connection.fetchval(
        "select indisvalid from pg_index where indexrelid = 'first_id'::regclass"
    )


async def test_a_process_that_migrates_too_long_is_given_up(
    empty: str, connection: asyncpg.Connection
) -> None:
    """The waiting one says so and applies nothing."""
    locked = "select exists (select from pg_locks where locktype = 'advisory')"
    slow = Migration(1, "0001_slow.sql", "select pg_sleep(60)")
    async with asyncio.TaskGroup() as group:
        first = group.create_task(migrate(empty, [slow]))
        async with asyncio.timeout(60):
            while not await connection.fetchval(locked):
                await asyncio.sleep(0.01)
        with pytest.raises(StartupError, match="too long"):
            await migrate(empty, [FIRST], max_wait=0.1)
        first.cancel()

    assert await tables(connection) <= {"schema_migrations"}


@pytest.mark.parametrize("name", ["0003_gap.sql", "2_short.sql", "0001_twice.sql", "notes.sql"])
def test_names_are_numbers_without_a_gap(name: str, tmp_path: Path) -> None:
    """The message tells what the file should be named."""
    (tmp_path / FIRST.name).write_text(FIRST.sql)
    (tmp_path / name).write_text("")

    with pytest.raises(StartupError, match=r"should be named 000\d_"):
        read(tmp_path)


def test_files_are_read_in_order(tmp_path: Path) -> None:
    """Line ends do not count: a checkout may change them."""
    (tmp_path / SECOND.name).write_text(SECOND.sql)
    (tmp_path / FIRST.name).write_text(FIRST.sql)
    (tmp_path / "0003_lines.sql").write_bytes(b"select 1;\r\nselect 2;\r\n")

    assert read(tmp_path) == [FIRST, SECOND, Migration(3, "0003_lines.sql", "select 1;\nselect 2;\n")]

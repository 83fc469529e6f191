"""The arrays of our statements are known."""

from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from bridge.db.connection import ARRAYS
from bridge.db.pool import connect


async def test_arrays_are_what_the_server_says(dsn: str) -> None:
    """As asyncpg asks for them."""
    connection: Any = await asyncpg.connect(dsn)
    types, _ = await connection._introspect_types(list(ARRAYS), None)
    await connection.close()

    said = {row["oid"]: dict(row) for row in types if row["oid"] in ARRAYS}
    assert {oid: {key: said[oid][key] for key in known} for oid, known in ARRAYS.items()} == ARRAYS


@pytest.mark.parametrize(
    ("array", "value", "queries"),
    [
        ("bigint[]", [1, None, -(2**63)], 1),
        ("uuid[]", [UUID(int=1)], 1),
        ("bytea[]", [b"\0\xff", b""], 1),
        ("jsonb[]", [{"a": [1, "ü"]}, 2], 1),
        ("date[]", [date(2026, 1, 2)], 2),
    ],
)
async def test_a_known_array_is_not_asked_for(
    pool: asyncpg.Pool, array: str, value: object, queries: int
) -> None:
    """What goes in comes out, with one query; an array of another type costs another."""
    sent: list[str] = []
    async with pool.acquire() as connection:
        with connection.query_logger(lambda logged: sent.append(logged.query)):
            assert await connection.fetchval(f"select $1::{array}", value) == value

    assert len([query for query in sent if "jit" not in query]) == queries, sent


async def test_without_named_statements_arrays_come_out_too(dsn: str) -> None:
    """As behind a pooler; there the statement of a question takes another's place."""
    connection = await connect(dsn, statement_cache_size=0)
    ids, days = [UUID(int=1)], [date(2026, 1, 2)]

    assert await connection.fetchval("select $1::uuid[]", ids) == ids
    assert await connection.fetchval("select $2::date[] from unnest($1::uuid[])", ids, days) == days
    await connection.close()

"""The audit's rows: added with what they are about, and never changed."""

from uuid import UUID

import pytest
from asyncpg import InsufficientPrivilegeError, Pool, RestrictViolationError

from bridge.db.audit import Audit
from bridge.models.audit import Actor, AuditEntry
from bridge.models.chat import UserId
from bridge.models.equa import OrganizationId, PersonId

ACME = OrganizationId(UUID(int=0xA))
ADA = Actor(PersonId(UUID(int=1)), UserId("a" * 26), "admin")
ENTRY = AuditEntry(
    ACME, "approval_decided", "approved", "button", ADA, "approval:1", {"tool": "issue_shares"}
)


@pytest.mark.parametrize(
    "attempt",
    [
        "update audit set outcome = 'denied'",
        "delete from audit",
        "truncate audit",
        "insert into audit overriding system value table audit on conflict (id) do update set role = ''",
    ],
)
async def test_rows_are_only_added(pool: Pool, attempt: str) -> None:
    """Not even the owner of the table, as whom the bridge connects, changes one by a statement."""
    await Audit(pool).add(ENTRY)

    with pytest.raises(RestrictViolationError, match="only ever added"):
        await pool.execute(attempt)

    assert await pool.fetchval("select outcome from audit") == "approved"


async def test_an_entry_is_stored_with_what_it_is_about(pool: Pool) -> None:
    """If that is not stored, nor is the entry."""
    audit = Audit(pool)
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await audit.add(ENTRY, connection)
        await transaction.rollback()

    assert await pool.fetchval("select count(*) from audit") == 0


async def test_no_sentence_is_stored(pool: Pool) -> None:
    """What others named is cut and loses its spaces, so that no question gets in by mistake."""
    await Audit(pool).add(
        AuditEntry(ACME, "approval_ended", "expired", "bridge", details={"tool": "a b\n" * 99})
    )

    assert await pool.fetchval("select details ->> 'tool' from audit") == ("a_b_" * 16)


async def test_what_is_older_than_13_months_is_deleted(pool: Pool) -> None:
    """And nothing else: nobody can make room by deleting what is younger."""
    audit = Audit(pool)
    for _ in range(3):
        await audit.add(ENTRY)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        await connection.execute(
            "update audit set at = now() - interval '13 months' + (id - 1.5) * interval '1 hour'"
        )

    with pytest.raises(RestrictViolationError):
        await pool.execute("delete from audit")
    assert await audit.purge() == 1
    assert await audit.purge() == 0

    assert await pool.fetchval("select array_agg(id order by id) from audit") == [2, 3]


async def test_a_role_that_does_not_own_the_table_cannot_switch_that_off(pool: Pool) -> None:
    """It adds, reads and purges with what the runbook grants."""
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            """create role bridge_of_test;
               grant select, insert, delete on audit to bridge_of_test;
               grant select on mattermost_user_mappings to bridge_of_test;
               set local role bridge_of_test"""
        )
        await Audit(pool).add(ENTRY, connection)
        assert await connection.fetchval("select outcome from audit") == "approved"
        assert (
            await connection.execute("delete from audit where at < now() - interval '1 year'") == "DELETE 0"
        )
        with pytest.raises(InsufficientPrivilegeError):
            await connection.execute("alter table audit disable trigger all")
        await transaction.rollback()

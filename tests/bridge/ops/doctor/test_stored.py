"""What the doctor reads in the database."""

import pytest
from asyncpg import Pool

from bridge.ops.doctor.stored import StoreChecks


@pytest.mark.parametrize(
    ("change", "marks"),
    [
        ("select 1", ["good"]),
        ("alter table audit disable trigger audit_rows_stay", ["good", "bad"]),
        ("drop trigger audit_is_not_truncated on audit", ["good", "bad"]),
    ],
)
async def test_an_audit_that_can_be_changed_is_told(
    dsn: str, pool: Pool, change: str, marks: list[str]
) -> None:
    """Whoever owns the table can switch that off, and should not unseen."""
    await pool.execute(change)

    assert [finding.mark for finding in await StoreChecks(dsn).database()] == marks

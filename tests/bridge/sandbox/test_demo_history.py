"""The demo's past."""

from datetime import UTC, datetime, timedelta

from asyncpg import Pool

from bridge.db.usage_report import UsageReports
from bridge.models.usage_report import Days
from bridge.sandbox import demo_data, demo_history


async def test_each_company_has_a_past_that_every_start_leaves_as_it_is(pool: Pool) -> None:
    """Questions of its own people, of most of which all is known; today has none yet."""
    await demo_history.store(pool)
    today = datetime.now(UTC).date()
    days = Days(today - timedelta(days=29), today)
    for company in demo_data.COMPANIES:
        before = await UsageReports(pool).report(days, "day", company.id)
        await demo_history.store(pool)
        total = before.total

        assert before == await UsageReports(pool).report(days, "day", company.id)
        assert 0 < total.unknown_tokens < total.questions / 4
        assert total.answered > total.questions / 2
        assert total.cost
        assert total.up > total.down > 0
        assert before.lines[-1].figures.questions == 0
        people = await UsageReports(pool).report(days, "person", company.id)
        assert {line.key for line in people.lines} <= {str(account.id) for account, _ in company.people()}

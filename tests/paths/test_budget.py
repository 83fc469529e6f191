"""A budget holds in all processes together, and everybody hears what becomes of a question."""

import asyncio
import re
from contextlib import AsyncExitStack
from pathlib import Path

from asyncpg import Pool

from tests.support.approvals import deciding
from tests.support.daemon import running
from tests.support.hosts import Company, Hosts
from tests.support.ports import reserved_port

LIMIT = 60


async def test_a_budget_holds_in_two_processes(
    hosts: Hosts, pool: Pool, acme: Company, borealis: Company, tmp_path: Path
) -> None:
    """Each question has one answer, or the one sentence; administrators are told once; others ask on."""
    async with AsyncExitStack() as stack:
        scene = await stack.enter_async_context(deciding(hosts, pool, reserved_port()))
        environ = {**scene.environ, "BUDGET": f"{LIMIT} tokens", "AGENT_PRICES": "*=3/15"}
        for name in ("one.log", "two.log"):
            await stack.enter_async_context(running(environ, tmp_path / name))
        asked = [hosts.ask(acme, f"@equabot who is on our team? {number}") for number in range(10)]
        await hosts.until(lambda: all(map(hosts.replies, asked)))
        await hosts.answered(hosts.ask(borealis, "@equabot who is on our team?"))
        await _ended(pool)

    said = [[post.message for post in hosts.replies(question)] for question in asked]
    refused = [each for each in said if each[0].startswith("Your organization has used up its budget")]
    rows = await pool.fetch(
        """select outcome, prompt_tokens + completion_tokens as tokens, cost from usage
           where organization_id = $1""",
        acme.id,
    )
    took = [row["tokens"] for row in rows if row["outcome"] == "answered"]
    assert {len(each) for each in said} == {1}
    assert len(took) + len(refused) == len(rows) == len(asked)
    assert refused
    assert LIMIT <= sum(took) <= LIMIT + 2 * max(took)
    assert all(row["cost"] > 0 for row in rows if row["outcome"] == "answered")
    audited = [row["kind"] for row in await pool.fetch("select kind from audit order by id")]
    assert audited.count("question_refused") == len(refused)
    assert [kind for kind in audited if kind != "question_refused"] == ["budget_warned", "budget_hit"]
    asker, admin = acme.people
    (warning,) = hosts.store.posts_in(hosts.store.direct(hosts.bot, admin))
    assert re.match(r"Your organization has used [0-9]+ % of its budget for the agent in ", warning.message)
    assert f"/messaging/{acme.id}/agent" in warning.message
    assert not hosts.store.posts_in(hosts.store.direct(hosts.bot, asker))


async def _ended(pool: Pool) -> None:
    async with asyncio.timeout(60):
        while await pool.fetchval("select count(*) from jobs where state in ('waiting', 'running')"):
            await asyncio.sleep(0.02)

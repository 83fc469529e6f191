"""The mention path when things are not as they were: who left, what was deleted, what the database forgot."""

import asyncio
from pathlib import Path

import pytest
from asyncpg import Pool, Record

from bridge.db.job_history import JobHistory
from bridge.models.chat import PostId
from bridge.sandbox.mattermost import Post
from bridge.sandbox.mattermost.posts import delete_post
from tests.support.daemon import Daemon, running
from tests.support.hosts import Company, Hosts
from tests.support.hosts import hosts as built_hosts


@pytest.mark.parametrize("state", ["leaving", "left"])
async def test_who_has_left_gets_no_answer(
    hosts: Hosts, acme: Company, daemon: Daemon, pool: Pool, state: str
) -> None:
    """Also while Mattermost still has them in the team; `why` tells the reason."""
    gone, member = acme.people
    await pool.execute(
        """insert into memberships (organization_id, person_id, state)
           select $1, id, $2 from mattermost_user_mappings where mattermost_user_id = $3""",
        acme.id,
        state,
        gone.id,
    )

    refused, answered = hosts.ask(acme, "@equabot who is on our team?"), hosts.ask(acme, "@equabot hi", by=1)
    await hosts.answered(answered)

    assert answered.user_id == member.id
    assert hosts.replies(refused) == []
    record = await JobHistory(pool).record(PostId(refused.id))
    assert record is not None
    assert (record.state, record.reason) == ("refused", "left_organization")


async def test_a_question_that_is_deleted_while_the_agent_thinks_is_done(
    hosts: Hosts, acme: Company, daemon: Daemon, pool: Pool
) -> None:
    """Nothing failed, so nobody is called."""
    hosts.agent.may_answer.clear()
    post = hosts.ask(acme, "@equabot never mind")
    await hosts.agent.until(lambda: hosts.agent.in_progress == 1)

    delete_post(hosts.store, hosts.store.posts[post.id])

    ended = {"skipped": "question_deleted", "stopped": {"by": "", "cause": "deleted"}}
    assert await _ended(pool, post) == ("done", ended)
    assert not [line for line in daemon.lines() if line.get("level") == "error"]


async def test_a_database_that_forgot_an_answer_does_not_bring_a_second(
    dsn: str, pool: Pool, tmp_path: Path
) -> None:
    """After a fail-over to a standby that was behind, or from a backup, the agent is not asked again."""
    async with built_hosts(dsn, pool, clock_offset=-60) as hosts:
        acme = hosts.companies[0]
        async with running(hosts.environ, tmp_path / "before.log"):
            first = hosts.ask(acme, "@equabot one")
            await hosts.answered(first)
            positions = await pool.fetch("select channel_id, post_id, create_at from positions")
            second = hosts.ask(acme, "@equabot two")
            await hosts.answered(second)
            await _ended(pool, second)
        await _forget(pool, second, positions)
        asked = len(hosts.agent.calls)
        hosts.clock_offset = 0

        async with running(hosts.environ, tmp_path / "after.log"):
            ended = await _ended(pool, second)

        assert ended == ("done", {"posts": [post.id for post in hosts.answers(second)]})
        assert len(hosts.answers(second)) == 1
        assert len(hosts.agent.calls) == asked


async def _forget(pool: Pool, post: Post, positions: list[Record]) -> None:
    """Bring the database back to a time before the post."""
    await pool.execute("delete from jobs where dedupe = $1", f"post:{post.id}")
    await pool.executemany(
        "update positions set post_id = $2, create_at = $3 where channel_id = $1", map(tuple, positions)
    )


async def _ended(pool: Pool, post: Post) -> tuple[str, object]:
    """Wait until the job of a post has ended, and return its state and result."""
    query = "select state, result from jobs where dedupe = $1 and finished is not null"
    async with asyncio.timeout(60):
        while not (row := await pool.fetchrow(query, f"post:{post.id}")):
            await asyncio.sleep(0.02)
    return row["state"], row["result"]

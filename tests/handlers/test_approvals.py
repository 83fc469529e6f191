"""Who may decide about a tool call, and what becomes of a decision that does not get through."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from asyncpg import Pool

from bridge.db.job_runner import Capacity
from bridge.errors import AgentUnavailable, MattermostUnavailable
from bridge.models.approvals import ApprovalRequested, ApprovalResolved
from bridge.models.chat import PostId, UserId
from bridge.models.organization_settings import Approvers, Bounds
from bridge.sandbox.mattermost import RestFault
from bridge.sandbox.mattermost.posts import delete_post
from tests.support.approvals import buttons
from tests.support.approving import Directory, Scene, approving
from tests.support.hosts import Hosts

ASKER, OTHER = 0, 1


@pytest.fixture
async def scene(hosts: Hosts, pool: Pool) -> AsyncIterator[Scene]:
    async with approving(hosts, pool) as built:
        yield built


@pytest.mark.parametrize(
    ("operator", "own", "who"),
    [
        ("admins", None, ""),
        ("members", None, "member"),
        ("asker", None, "member asker"),
        ("asker", "members", "member"),
        ("asker", "admins", ""),
        ("admins", "asker", ""),
    ],
)
async def test_who_may_decide(scene: Scene, operator: Approvers, own: Approvers | None, who: str) -> None:
    """Of people who do not administer it: an organization may be stricter than the operator, never laxer."""
    scene.bounds = Bounds(approvers=operator)
    people = frozenset([await scene.person(ASKER), await scene.person(OTHER)])
    scene.directory = Directory(admins=frozenset(), members=people)
    await scene.pool.execute(
        "insert into organization_settings (organization_id, version, approvers) values ($1, 1, $2)",
        scene.hosts.companies[0].id,
        own,
    )
    question, process = await scene.asked(), scene.process()
    requested, run = await scene.requested(question)
    await process.events.follow(requested)
    await process.work()

    said = [await scene.press(process, question, by, "deny") for by in (ASKER, OTHER)]

    decided = "This was denied already."
    assert said[0] == "" if "asker" in who else said[0] not in ("", decided)
    assert (said[1] in ("", decided)) is ("member" in who)
    run.cancel()
    await asyncio.wait({run})


async def test_an_administrator_decides_about_their_own_question(scene: Scene) -> None:
    """Being the one who has asked takes no right away."""
    question, process = await scene.asked(), scene.process()
    requested, run = await scene.requested(question)
    await process.events.follow(requested)
    await process.work()

    assert await scene.press(process, question, ASKER) == ""
    await process.work()

    assert await run == "allow-once"


async def test_a_post_that_takes_no_edit_is_followed_by_another(scene: Scene) -> None:
    """As where Mattermost has a time limit for edits; once, also at a second attempt."""
    question, process = await scene.asked(), scene.process()
    requested, run = await scene.requested(question)
    await process.events.follow(requested)
    await process.work()
    time_limit = "api.post.update_post.permissions_time_limit.app_error"
    scene.hosts.server.faults.rest(RestFault(status=400, error_id=time_limit, method="PUT", path="/patch"))
    await scene.press(process, question)
    await process.work()
    await run
    await scene.pool.execute(
        """update jobs set state = 'running', holder = null, lease = now() - interval '1 s', attempts = 1
           where kind = 'approval_ended'"""
    )
    await (await scene.revived()).work()

    waiting, ended = scene.hosts.replies(question)
    assert set(buttons(waiting)) == {"approve", "deny"}
    assert ended.message.startswith("**Approved** by @acme-1, ")
    assert await scene.press(process, question, action="deny") == "This was approved already."


@pytest.mark.parametrize("when", ["before", "while"])
async def test_a_deleted_question_needs_no_post(scene: Scene, when: str) -> None:
    """Nothing is left that somebody has to look at."""
    question, process = await scene.asked(), scene.process()
    requested, run = await scene.requested(question)
    await process.events.follow(requested)
    if when == "while":
        await process.work()
    delete_post(scene.hosts.store, question)
    await process.work()
    await process.events.follow(
        ApprovalResolved(requested.approval.id, requested.approval.conversation, "withdrawn")
    )
    await process.work()

    rows = await scene.pool.fetch("select kind, state from jobs where kind <> 'mention' order by id")
    assert [tuple(row.values()) for row in rows] == [("approval", "done"), ("approval_ended", "done")]
    run.cancel()
    await asyncio.wait({run})


async def test_an_approval_waits_while_the_bot_is_shut_out(scene: Scene) -> None:
    """Who removed it from the channel cannot keep a tool call from being asked about: that is repaired."""
    question, process = await scene.asked(), scene.process()
    requested, run = await scene.requested(question)
    await process.events.follow(requested)
    scene.hosts.store.leave(scene.hosts.companies[0].agent, scene.hosts.bot)

    with pytest.raises(MattermostUnavailable):
        await process.work()

    run.cancel()
    await asyncio.wait({run})


async def test_what_the_agent_does_not_take_is_not_decided(scene: Scene) -> None:
    """A reaction may say what no button does."""
    question, process = await scene.asked(), scene.process()
    requested, run = await scene.requested(question)
    only = replace(requested.approval, decisions=("deny",))
    await process.events.follow(ApprovalRequested(only))
    await process.work()
    record = await process.desk.approvals.of_post(PostId(scene.approval_post(question).id))
    assert record

    user = UserId(scene.hosts.companies[0].people[OTHER].id)
    said = await process.desk.by_account(record, "allow-once", user, "reaction")

    assert said == "The agent does not take this decision."
    assert set(buttons(scene.approval_post(question))) == {"deny"}
    run.cancel()
    await asyncio.wait({run})


async def test_a_decision_that_the_gateway_never_hears_says_so(scene: Scene) -> None:
    """Its retries are the worker's; the last word is that the agent does not wait any more."""
    question, process = await scene.asked(), scene.process()
    requested, run = await scene.requested(question)
    await process.events.follow(requested)
    await process.work()
    await scene.press(process, question)
    (job,) = await process.inbox.claim(Capacity(1, kinds=process.handlers))
    give_up = process.handlers[job.kind].give_up
    assert give_up

    error = AgentUnavailable("The gateway is away.")
    await process.inbox.finish(job.id, await give_up(job, error, error.message))
    await process.work()

    message = scene.approval_post(question).message
    assert message.startswith("**Withdrawn** before @acme-1 decided, ")
    run.cancel()
    await asyncio.wait({run})

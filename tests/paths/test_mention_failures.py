"""The mention path while its parts fail: nothing is lost, nothing comes twice."""

import asyncio
import time
from pathlib import Path

import pytest
from asyncpg import Pool

from bridge.db.job_history import JobHistory
from bridge.models.chat import PostId
from bridge.sandbox.agent.faults import (
    PROVIDER_FAILED,
    STARTING,
    Binary,
    Cut,
    Empty,
    ErrorChunk,
    ErrorObject,
    Fault,
    Silence,
    Unfinished,
    too_many,
)
from bridge.sandbox.mattermost import RestFault
from handlers.posts.remarks import SORRY
from tests.support.daemon import Daemon, running
from tests.support.hosts import Company, Hosts
from tests.support.hosts import hosts as built_hosts
from tests.support.postgres import expire_leases


async def test_what_was_asked_while_the_daemon_was_down_is_answered_in_order(
    hosts: Hosts, acme: Company, daemon: Daemon
) -> None:
    """After a start the missed posts are read over REST."""
    await daemon.kill()
    first = hosts.ask(acme, "@equabot hello")
    second = hosts.ask(acme, "and who holds shares?", root_id=first.id)

    await daemon.start()
    await hosts.answered(first, second)

    assert [reply.props["equabot_bridge"]["answers"] for reply in hosts.replies(first)] == [
        first.id,
        second.id,
    ]


async def test_what_is_too_old_is_not_answered_and_why_tells_it(dsn: str, pool: Pool, tmp_path: Path) -> None:
    """A question of two days ago gets no answer any more, and its reason is kept."""
    async with built_hosts(dsn, pool, clock_offset=-50 * 3600) as hosts:
        acme = hosts.companies[0]
        async with running(hosts.environ, tmp_path / "before.log"):
            hosts.clock_offset = -48 * 3600
        old = hosts.ask(acme, "@equabot old")
        hosts.clock_offset = 0
        new = hosts.ask(acme, "@equabot hello")

        async with running(hosts.environ, tmp_path / "after.log"):
            await hosts.answered(new)

        assert hosts.answers(old) == []
    record = await JobHistory(pool).record(PostId(old.id))
    assert record is not None
    assert (record.state, record.reason) == ("refused", "too_old")


async def test_a_cut_socket_loses_nothing(hosts: Hosts, acme: Company, daemon: Daemon) -> None:
    """Posts of the moments without a connection are replayed or read over REST."""
    posts = []
    for number in range(6):
        hosts.server.faults.cut_sockets()
        posts.append(hosts.ask(acme, f"@equabot question {number}"))
        await asyncio.sleep(0)

    await hosts.answered(*posts)

    assert all(len(hosts.answers(post)) == 1 for post in posts)


async def test_a_restart_of_mattermost_loses_nothing(hosts: Hosts, acme: Company, daemon: Daemon) -> None:
    """Connections and pending ids are forgotten by the server, questions are not."""
    before = hosts.ask(acme, "@equabot one")
    await hosts.server.stop()
    during = hosts.ask(acme, "@equabot two")
    await hosts.server.start()
    after = hosts.ask(acme, "@equabot three")

    await hosts.answered(before, during, after)

    assert [len(hosts.answers(post)) for post in (before, during, after)] == [1, 1, 1]


async def test_a_cut_of_all_database_connections_loses_nothing(
    hosts: Hosts, acme: Company, daemon: Daemon, pool: Pool
) -> None:
    """The daemon connects again and goes on."""
    hosts.agent.may_answer.clear()
    posts = [hosts.ask(acme, f"@equabot question {number}") for number in range(5)]
    await hosts.agent.until(lambda: hosts.agent.in_progress == 5)
    await pool.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    hosts.agent.may_answer.set()
    posts.append(hosts.ask(acme, "@equabot one more"))

    await hosts.answered(*posts)

    assert all(len(hosts.answers(post)) == 1 for post in posts)


@pytest.mark.parametrize(
    "fault",
    [
        ErrorObject(),
        ErrorObject(after="Here is half of"),
        ErrorChunk(),
        Empty("stop"),
        Binary(),
        PROVIDER_FAILED,
    ],
    ids=str,
)
async def test_an_agent_that_fails_is_told_in_one_plain_sentence(
    hosts: Hosts, acme: Company, daemon: Daemon, fault: Fault
) -> None:
    """The person hears that it did not work, once, and nothing of what went wrong inside."""
    hosts.agent.fail(fault, times=20)
    post = hosts.ask(acme, "@equabot hello")

    await hosts.answered(post)

    assert [reply.message for reply in hosts.replies(post)] == [SORRY]


@pytest.mark.parametrize(
    "fault",
    [STARTING, Cut(), Cut(after="Here is half of"), Empty(), Unfinished(), too_many("1")],
    ids=str,
)
async def test_an_agent_that_is_away_for_a_moment_is_asked_again(
    hosts: Hosts, acme: Company, daemon: Daemon, fault: Fault
) -> None:
    """A start, a lost connection or a limit costs time, not the answer."""
    hosts.agent.fail(fault, times=1)
    post = hosts.ask(acme, "@equabot hello")

    await hosts.answered(post)

    (reply,) = hosts.replies(post)
    assert "Acme Corp" in reply.message


async def test_a_silent_agent_is_given_up(hosts: Hosts, acme: Company, tmp_path: Path) -> None:
    """After AGENT_TIMEOUT seconds without a byte the person is told; other threads do not wait for it."""
    async with running({**hosts.environ, "AGENT_TIMEOUT": "5"}, tmp_path / "log"):
        hosts.agent.fail(Silence(600))
        stuck = hosts.ask(acme, "@equabot are you there?")
        await hosts.agent.until(lambda: hosts.agent.in_progress == 1)
        quick = hosts.ask(acme, "@equabot hello")
        await hosts.answered(quick)
        assert hosts.replies(stuck) == []
        await hosts.answered(stuck)

    assert [reply.message for reply in hosts.replies(stuck)] == [SORRY]


async def test_an_answer_whose_create_was_lost_on_the_way_back_is_posted_once(
    hosts: Hosts, acme: Company, daemon: Daemon
) -> None:
    """The server stored the post and its answer was cut: the bot's own event confirms it."""
    hosts.server.faults.rest(RestFault(when="after", cut=True, method="POST", path="/posts", times=1))
    post = hosts.ask(acme, "@equabot hello")
    await hosts.answered(post)
    marker = hosts.ask(acme, "@equabot and now?", root_id=post.id)
    await hosts.answered(marker)

    assert len(hosts.answers(post)) == 1


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_an_answer_that_a_proxy_refuses_is_posted_later(
    hosts: Hosts, acme: Company, daemon: Daemon, status: int
) -> None:
    """While Mattermost restarts, whoever stands before it says anything."""
    fault = hosts.server.faults.rest(RestFault(status=status, method="POST", path="/posts", times=1))
    post = hosts.ask(acme, "@equabot hello")
    await hosts.answered(post)

    assert fault.times == 0
    assert len(hosts.answers(post)) == 1


async def test_what_a_member_of_one_organization_writes_delays_no_other(
    hosts: Hosts, acme: Company, tmp_path: Path
) -> None:
    """Not even as many and as large posts as Mattermost takes, behind which nobody listened."""
    borealis, environ = hosts.companies[1], {**hosts.environ, "BRIDGE_DATA_DIR": str(tmp_path)}
    async with running(environ, tmp_path / "first.log") as first:
        await hosts.answered(hosts.ask(borealis, "@equabot hello"))
        await first.stop()
    for _ in range(60):
        hosts.store.post_as(acme.people[0], acme.agent, "hi", props={"x": "x" * 799_000})
    behind = hosts.ask(acme, "@equabot hello")

    async with running(environ, tmp_path / "second.log"):
        meanwhile = [await _seconds_to_answer(hosts, borealis) for _ in range(3)]
        await hosts.answered(behind)
        afterwards = [await _seconds_to_answer(hosts, borealis) for _ in range(3)]

    # A busy machine slows both.
    assert max(meanwhile) < 10 + 3 * max(afterwards)


async def _seconds_to_answer(hosts: Hosts, company: Company) -> float:
    began = time.monotonic()
    await hosts.answered(hosts.ask(company, "@equabot hello"))
    return time.monotonic() - began


async def test_an_answer_is_posted_once_when_the_daemon_dies_before_its_record(
    hosts: Hosts, acme: Company, daemon: Daemon
) -> None:
    """After a kill between the post and its record the next process finds the post in the thread."""
    slow = hosts.server.faults.rest(RestFault(when="after", delay=30, method="POST", path="/posts"))
    post = hosts.ask(acme, "@equabot hello")
    await hosts.answered(post)
    await daemon.kill()
    slow.times = 0

    await expire_leases(hosts.dsn)
    await daemon.start()
    marker = hosts.ask(acme, "@equabot and now?", root_id=post.id)
    await hosts.answered(marker)

    assert len(hosts.answers(post)) == 1


async def test_a_forged_mark_in_the_thread_does_not_silence_the_bot(
    hosts: Hosts, acme: Company, daemon: Daemon
) -> None:
    """Props can be copied by anybody: only the bot's own posts count as its answers."""
    hosts.agent.fail(STARTING)
    post = hosts.ask(acme, "@equabot hello")
    hosts.store.post_as(
        acme.people[1],
        acme.agent,
        "@nobody fake",
        root_id=post.id,
        props={"equabot_bridge": {"answers": post.id, "part": 1, "of": 1}},
    )

    await hosts.until(lambda: any("Acme Corp" in reply.message for reply in hosts.replies(post)))


async def test_two_daemons_answer_once(hosts: Hosts, acme: Company, daemon: Daemon, tmp_path: Path) -> None:
    """Any number of bridges on one database: each question is answered by one of them."""
    async with running(hosts.environ, tmp_path / "second.log"):
        threads = [hosts.ask(acme, f"@equabot question {number}") for number in range(20)]
        follow_ups = [hosts.ask(acme, "and then?", root_id=thread.id) for thread in threads]
        await hosts.answered(*threads, *follow_ups)

    for thread, follow_up in zip(threads, follow_ups, strict=True):
        answered = [reply.props["equabot_bridge"]["answers"] for reply in hosts.replies(thread)]
        assert answered == [thread.id, follow_up.id]


async def test_a_stop_finishes_what_is_in_hand(hosts: Hosts, acme: Company, daemon: Daemon) -> None:
    """SIGTERM: the answer that is being made is posted, and the exit code is 0."""
    hosts.agent.latency = 0.5
    post = hosts.ask(acme, "@equabot hello")
    await hosts.agent.until(lambda: hosts.agent.in_progress == 1)

    code = await daemon.stop()

    assert code == 0
    assert len(hosts.answers(post)) == 1


async def test_a_refused_token_is_told_and_taken_up_again_without_a_restart(
    hosts: Hosts, acme: Company, tmp_path: Path
) -> None:
    """/readyz names the variable, the API goes on meanwhile, and a token that works again is noticed."""
    hosts.bot_token.is_active = False
    daemon = Daemon(hosts.environ, tmp_path / "log")
    await daemon.start()
    try:
        refused = await daemon.until_parts(lambda parts: parts["websocket"]["state"] == "token_refused")
        hosts.bot_token.is_active = True
        await daemon.ready(60)
        post = hosts.ask(acme, "@equabot hello")
        await hosts.answered(post)
    finally:
        await daemon.kill()

    assert refused["websocket"]["variable"] == "MATTERMOST_BOT_TOKEN"
    assert refused["database"]["ok"]

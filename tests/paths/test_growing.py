"""An answer grows in its thread, and is exact in the end, whatever happens meanwhile."""

import asyncio
from pathlib import Path

from asyncpg import Pool

from bridge.sandbox.agent.faults import ErrorObject, Says
from bridge.sandbox.mattermost import Post, RestFault
from handlers.posts.remarks import SORRY
from tests.support.daemon import Daemon, running
from tests.support.hosts import Company, Hosts

WORDS = " ".join(f"word{number}" for number in range(400))
ANSWER = (
    f"# The minutes\n\n{WORDS}\n\n```py\nx = 1\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nDear @all: {WORDS}"
)
EXACT = ANSWER.replace("@all", "@\u200ball")


def versions(hosts: Hosts, post: Post) -> list[str]:
    """Return the texts that a post has had, the present one last."""
    earlier = [each for each in hosts.store.posts.values() if each.original_id == post.id]
    return [each.message for each in sorted(earlier, key=lambda each: each.update_at)] + [post.message]


async def ended(pool: Pool, post: Post) -> tuple[str, set[str]]:
    """Wait until the job of a post has ended; return its state and those of its answer's posts."""
    async with asyncio.timeout(60):
        while not (
            row := await pool.fetchrow(
                "select id, state from jobs where dedupe = $1 and finished is not null", f"post:{post.id}"
            )
        ):
            await asyncio.sleep(0.02)
    rows = await pool.fetch("select state from answer_posts where job_id = $1", row["id"])
    return row["state"], {each["state"] for each in rows}


async def growing(hosts: Hosts, company: Company) -> Post:
    """Ask; the last piece of the answer comes when a part of it is shown."""
    hosts.agent.may_end.clear()
    post = hosts.ask(company, "@equabot what do the minutes say?")
    await hosts.answered(post)
    hosts.agent.may_end.set()
    return post


async def test_an_answer_grows_until_it_is_exact(
    hosts: Hosts, acme: Company, daemon: Daemon, pool: Pool
) -> None:
    """In one post, whose mark stays as it is; each version is a beginning of the whole."""
    hosts.agent.fail(Says(ANSWER))
    hosts.agent.piece_delay = 0.6
    post = await growing(hosts, acme)

    assert await ended(pool, post) == ("done", {"done"})

    (answer,) = hosts.answers(post)
    shown = versions(hosts, answer)
    assert len(shown) > 1
    assert all(EXACT.startswith(each.removesuffix("\n```")) for each in shown)
    assert shown[-1] == EXACT


async def test_a_short_answer_is_posted_once(hosts: Hosts, acme: Company, daemon: Daemon, pool: Pool) -> None:
    """Nobody reads "(edited)" below it."""
    post = hosts.ask(acme, "@equabot hello")

    assert await ended(pool, post) == ("done", {"done"})

    (answer,) = hosts.answers(post)
    assert versions(hosts, answer) == [answer.message]


async def test_whoever_takes_a_half_answer_over_completes_it(
    hosts: Hosts, acme: Company, pool: Pool, tmp_path: Path
) -> None:
    """The process has died in the middle: the same post becomes exact."""
    hosts.agent.fail(Says(ANSWER), times=2)
    hosts.agent.may_end.clear()
    async with running(hosts.environ, tmp_path / "first.log") as first:
        post = hosts.ask(acme, "@equabot what do the minutes say?")
        await hosts.answered(post)
        (half,) = hosts.answers(post)
        await first.kill()
    hosts.agent.may_end.set()
    await pool.execute("update jobs set lease = now()")

    async with running(hosts.environ, tmp_path / "second.log"):
        assert await ended(pool, post) == ("done", {"done"})

    (answer,) = hosts.answers(post)
    assert (answer.id, answer.message) == (half.id, EXACT)


async def test_an_edit_that_is_refused_ends_in_another_post(
    hosts: Hosts, acme: Company, daemon: Daemon, pool: Pool
) -> None:
    """As with a limit of the time in which posts may be edited; the half answer is taken away."""
    refusal = "api.post.update_post.permissions_time_limit.app_error"
    hosts.server.faults.rest(RestFault(status=400, error_id=refusal, method="PUT", path="/patch"))
    hosts.agent.fail(Says(ANSWER))
    post = await growing(hosts, acme)

    assert (await ended(pool, post))[0] == "done"

    (answer,) = [each for each in hosts.answers(post) if not each.delete_at]
    assert answer.message == EXACT


async def test_what_broke_off_for_good_says_so(
    hosts: Hosts, acme: Company, daemon: Daemon, pool: Pool
) -> None:
    """The part stays above the apology, in the same post, and the question gets a sign."""
    hosts.agent.fail(ErrorObject("the model is gone", "invalid_request_error", after=f"{WORDS} {WORDS}"))
    post = await growing(hosts, acme)

    assert await ended(pool, post) == ("dead", {"failed"})

    (answer,) = hosts.answers(post)
    assert answer.message.startswith("word0 word1")
    assert answer.message.endswith(f"\n\n(interrupted) {SORRY}")
    assert hosts.store.reactions_to(post) == [(hosts.bot.id, "warning")]


async def test_reasoning_without_a_beginning_is_never_shown(
    hosts: Hosts, acme: Company, pool: Pool, tmp_path: Path
) -> None:
    """Of such a server the first answer is held back by how it begins, others until its reasoning ends.

    Another process knows that too. The answer behind it grows.
    """
    first, second = (
        f"Okay, so the user asks. {WORDS}</think>{EXACT}",
        f"Shares, shares. {WORDS}</think>{EXACT}",
    )
    hosts.agent.fail(Says(first))
    hosts.agent.fail(Says(second))
    for number in (1, 2):
        async with running(hosts.environ, tmp_path / f"{number}.log"):
            post = await growing(hosts, acme)
            assert await ended(pool, post) == ("done", {"done"})

        (answer,) = hosts.answers(post)
        shown = versions(hosts, answer)
        assert shown[-1] == EXACT
        assert all(EXACT.startswith(each.removesuffix("\n```")) for each in shown)
        assert len(shown) > 1


async def test_a_question_that_waits_gets_a_sign(
    hosts: Hosts, acme: Company, daemon: Daemon, pool: Pool
) -> None:
    """After ten seconds without a word, and no longer than that lasts."""
    hosts.agent.may_answer.clear()
    post = hosts.ask(acme, "@equabot hello")
    sign = (hosts.bot.id, "hourglass_flowing_sand")
    await hosts.until(lambda: hosts.store.reactions_to(post) == [sign])

    hosts.agent.may_answer.set()

    assert (await ended(pool, post))[0] == "done"
    await hosts.until(lambda: hosts.store.reactions_to(post) == [])


async def test_answers_can_be_posted_whole(hosts: Hosts, acme: Company, pool: Pool, tmp_path: Path) -> None:
    """With `AGENT_STREAM=off`; they can be stopped all the same."""
    hosts.agent.fail(Says(ANSWER), times=2)
    hosts.agent.piece_delay = 0.6
    async with running({**hosts.environ, "AGENT_STREAM": "off"}, tmp_path / "whole.log"):
        post = hosts.ask(acme, "@equabot what do the minutes say?")
        assert (await ended(pool, post))[0] == "done"
        (answer,) = hosts.answers(post)
        assert versions(hosts, answer) == [EXACT]

        hosts.agent.may_end.clear()
        stopped = hosts.ask(acme, "@equabot once more")
        await hosts.agent.until(lambda: hosts.agent.in_progress == 1)
        hosts.store.react(acme.people[0], stopped, "octagonal_sign")
        assert (await ended(pool, stopped))[0] == "done"

    await hosts.agent.until(lambda: hosts.agent.cancelled == 1)
    assert hosts.answers(stopped)[0].message.endswith("(stopped)")

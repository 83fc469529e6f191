"""An answer grows in its thread, and is exact in the end, whatever happens meanwhile."""

import asyncio
from pathlib import Path

from asyncpg import Pool

from bridge.sandbox.agent.faults import ErrorObject, Says
from bridge.sandbox.mattermost import Post, RestFault
from handlers.jobs.remarks import SORRY
from tests.support.daemon import Daemon, running
from tests.support.world import Company, World

WORDS = " ".join(f"word{number}" for number in range(400))
ANSWER = (
    f"# The minutes\n\n{WORDS}\n\n```py\nx = 1\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nDear @all: {WORDS}"
)
EXACT = ANSWER.replace("@all", "@\u200ball")


def versions(world: World, post: Post) -> list[str]:
    """Return the texts that a post has had, the present one last."""
    earlier = [each for each in world.store.posts.values() if each.original_id == post.id]
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


async def test_an_answer_grows_until_it_is_exact(
    world: World, acme: Company, daemon: Daemon, pool: Pool
) -> None:
    """In one post, whose mark stays as it is; each version is a beginning of the whole."""
    world.agent.fail(Says(ANSWER))
    world.agent.piece_delay = 0.6
    post = world.ask(acme, "@equabot what do the minutes say?")

    assert await ended(pool, post) == ("done", {"done"})

    (answer,) = world.answers(post)
    shown = versions(world, answer)
    assert len(shown) > 1
    assert all(EXACT.startswith(each.removesuffix("\n```")) for each in shown)
    assert shown[-1] == EXACT


async def test_a_short_answer_is_posted_once(world: World, acme: Company, daemon: Daemon, pool: Pool) -> None:
    """Nobody reads "(edited)" below it."""
    post = world.ask(acme, "@equabot hello")

    assert await ended(pool, post) == ("done", {"done"})

    (answer,) = world.answers(post)
    assert versions(world, answer) == [answer.message]


async def test_whoever_takes_a_half_answer_over_completes_it(
    world: World, acme: Company, pool: Pool, tmp_path: Path
) -> None:
    """The process has died in the middle: the same post becomes exact."""
    world.agent.fail(Says(ANSWER), times=2)
    world.agent.piece_delay = 1
    async with running(world.environ, tmp_path / "first.log") as first:
        post = world.ask(acme, "@equabot what do the minutes say?")
        await world.answered(post)
        (half,) = world.answers(post)
        await first.kill()
    world.agent.piece_delay = 0
    await pool.execute("update jobs set lease = now()")

    async with running(world.environ, tmp_path / "second.log"):
        assert await ended(pool, post) == ("done", {"done"})

    (answer,) = world.answers(post)
    assert (answer.id, answer.message) == (half.id, EXACT)


async def test_an_edit_that_is_refused_ends_in_another_post(
    world: World, acme: Company, daemon: Daemon, pool: Pool
) -> None:
    """As with a limit of the time in which posts may be edited; the half answer is taken away."""
    refusal = "api.post.update_post.permissions_time_limit.app_error"
    world.server.faults.rest(RestFault(status=400, error_id=refusal, method="PUT", path="/patch"))
    world.agent.fail(Says(ANSWER))
    world.agent.piece_delay = 0.4
    post = world.ask(acme, "@equabot what do the minutes say?")

    assert (await ended(pool, post))[0] == "done"

    (answer,) = [each for each in world.answers(post) if not each.delete_at]
    assert answer.message == EXACT


async def test_what_broke_off_for_good_says_so(
    world: World, acme: Company, daemon: Daemon, pool: Pool
) -> None:
    """The part stays above the apology, in the same post, and the question gets a sign."""
    world.agent.fail(ErrorObject("the model is gone", "invalid_request_error", after=f"{WORDS} {WORDS}"))
    world.agent.piece_delay = 0.5
    post = world.ask(acme, "@equabot what do the minutes say?")

    assert await ended(pool, post) == ("dead", {"failed"})

    (answer,) = world.answers(post)
    assert answer.message.startswith("word0 word1")
    assert answer.message.endswith(f"\n\n(interrupted) {SORRY}")
    assert world.store.reactions_to(post) == [(world.bot.id, "warning")]


async def test_a_question_that_waits_gets_a_sign(
    world: World, acme: Company, daemon: Daemon, pool: Pool
) -> None:
    """After ten seconds without a word, and no longer than that lasts."""
    world.agent.may_answer.clear()
    post = world.ask(acme, "@equabot hello")
    sign = (world.bot.id, "hourglass_flowing_sand")
    await world.until(lambda: world.store.reactions_to(post) == [sign])

    world.agent.may_answer.set()

    assert (await ended(pool, post))[0] == "done"
    await world.until(lambda: world.store.reactions_to(post) == [])


async def test_answers_can_be_posted_whole(world: World, acme: Company, pool: Pool, tmp_path: Path) -> None:
    """With `AGENT_STREAM=off`; they can be stopped all the same."""
    world.agent.fail(Says(ANSWER), times=2)
    world.agent.piece_delay = 0.6
    async with running({**world.environ, "AGENT_STREAM": "off"}, tmp_path / "whole.log"):
        post = world.ask(acme, "@equabot what do the minutes say?")
        assert (await ended(pool, post))[0] == "done"
        (answer,) = world.answers(post)
        assert versions(world, answer) == [EXACT]

        stopped = world.ask(acme, "@equabot once more")
        await world.agent.until(lambda: world.agent.in_progress == 1)
        world.store.react(acme.people[0], stopped, "octagonal_sign")
        assert (await ended(pool, stopped))[0] == "done"

    assert world.agent.cancelled == 1
    assert world.answers(stopped)[0].message.endswith("(stopped)")

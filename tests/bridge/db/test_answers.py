"""The posts of answers, and what becomes of them with their jobs."""

import pytest
from asyncpg import Pool

from bridge.db.answers import Answers
from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.models.chat import PostId
from bridge.models.jobs import Entry, Job
from tests.support.posting import ACME


async def claimed(inbox: Inbox) -> Job:
    await inbox.put_all([Entry("mention", "thread:root", ACME, "post:asked", {"user_id": "ada"})])
    (job,) = await inbox.claim(Capacity(1))
    return job


async def states(pool: Pool) -> dict[str, str]:
    rows = await pool.fetch("select post_id, state from answer_posts")
    return {row["post_id"]: row["state"] for row in rows}


@pytest.mark.parametrize(
    ("result", "failure", "state"),
    [
        ({"posts": ["one", "two"]}, None, "done"),
        ({"posts": ["one", "two"], "stopped": {"cause": "word", "by": "ada"}}, None, "stopped"),
        ({"posts": ["one", "two"]}, "it failed", "failed"),
        ({"skipped": "question_deleted"}, None, "failed"),
    ],
)
async def test_the_end_of_a_job_settles_its_answer(
    pool: Pool, result: dict[str, object], failure: str | None, state: str
) -> None:
    """Every post that grew, and every other one that it names; what it does not name holds no answer."""
    inbox, answers = Inbox(pool), Answers(pool)
    job = await claimed(inbox)
    await answers.note(job.id, 1, PostId("one"))
    await answers.note(job.id, 1, PostId("one"))
    await answers.note(job.id, 3, PostId("gone"))
    await inbox.save_answer(job.id, "hello", failure)

    await inbox.finish(job.id, result)

    posts = {"one", *(["two"] if "posts" in result else [])}
    left = "failed" if state == "done" else state
    assert await states(pool) == {**dict.fromkeys(posts, state), "gone": left}
    whole = state == "done"
    assert await answers.unfinished([PostId("one"), PostId("other")]) == (set() if whole else {"one"})


async def test_a_job_that_is_given_up_leaves_nothing_that_grows(pool: Pool) -> None:
    inbox = Inbox(pool)
    job = await claimed(inbox)
    await Answers(pool).note(job.id, 1, PostId("one"))

    await inbox.dead_letter(job.id, "mattermost_unavailable")

    assert await states(pool) == {"one": "failed"}


async def test_what_an_older_process_has_ended_grows_no_more(pool: Pool) -> None:
    """It knows nothing of the posts of answers; what still grows is left alone."""
    inbox, answers = Inbox(pool), Answers(pool)
    job = await claimed(inbox)
    await answers.note(job.id, 1, PostId("one"))
    await answers.end_with_jobs()
    assert await states(pool) == {"one": "growing"}

    await pool.execute("update jobs set state = 'done', finished = now(), result = '{}'")
    await answers.end_with_jobs()

    assert await states(pool) == {"one": "done"}

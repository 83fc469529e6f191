"""People's wishes to stop a job, and to have an answer once more, as the tables keep them."""

import pytest
from asyncpg import Pool

from bridge.db.inbox import Capacity, Inbox
from bridge.db.repeats import Repeats
from bridge.db.stops import Stops
from bridge.models.chat import ChannelId, PostId, UserId
from bridge.models.jobs import Entry, Job, Mention

POST, ASKER = PostId("p" * 26), UserId("a" * 26)


@pytest.fixture
async def inbox(pool: Pool) -> Inbox:
    return Inbox(pool)


@pytest.fixture
async def job(inbox: Inbox) -> Job:
    """A question that is worked on."""
    mention = Mention(POST, ChannelId("c" * 26), POST, ASKER, None, "@equabot hello", 1)
    await inbox.put_all([Entry("mention", f"thread:{POST}", None, f"post:{POST}", mention.payload())])
    (claimed,) = await inbox.claim(Capacity(1))
    return claimed


async def test_what_waits_for_its_next_attempt_is_stopped_at_once(pool: Pool, inbox: Inbox, job: Job) -> None:
    """And not after the minutes that it would have waited."""
    await inbox.retry(job.id, 600, "the agent is away")

    assert await Stops(pool).of_post(POST, ASKER) == 1

    assert [each.id for each in await inbox.claim(Capacity(1))] == [job.id]


async def test_an_answer_to_other_words_is_not_stored(pool: Pool, inbox: Inbox, job: Job) -> None:
    """Whoever corrects the question while its answer ends gets an answer to the correction."""
    assert await Stops(pool).correct(POST, "@equabot goodbye")

    assert not await inbox.save_answer(job.id, "hello, you", to="@equabot hello")
    assert await inbox.save_answer(job.id, "bye", to="@equabot goodbye")


@pytest.mark.parametrize(("result", "is_one"), [({"posts": ["answer"]}, True), ({"skipped": "help"}, False)])
async def test_only_answers_are_repeated(
    pool: Pool, inbox: Inbox, job: Job, result: dict[str, object], *, is_one: bool
) -> None:
    """A remark of the bot may no longer be true."""
    await inbox.finish(job.id, {"posts": ["answer"], **result})

    assert (await Repeats(pool).entry(PostId("answer"), ASKER, 9, 9) is not None) == is_one

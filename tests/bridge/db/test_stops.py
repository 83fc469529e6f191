"""People's wishes to stop a job, and to have an answer once more, as the tables keep them."""

from uuid import UUID

import pytest
from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.db.repeats import Repeats
from bridge.db.stops import Stops
from bridge.models.chat import ChannelId, PostId, UserId
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.jobs import Entry, Job, Mention
from tests.support.mappings import Mappings

POST, ASKER, OTHER = PostId("p" * 26), UserId("a" * 26), UserId("z" * 26)
ACME, ADA = OrganizationId(UUID(int=1)), PersonId(UUID(int=2))


@pytest.fixture
async def inbox(pool: Pool) -> Inbox:
    return Inbox(pool)


@pytest.fixture
async def job(inbox: Inbox) -> Job:
    """A question that is worked on."""
    mention = Mention(POST, ChannelId("c" * 26), POST, ASKER, None, "@equabot hello", 1)
    await inbox.put_all([Entry("mention", f"thread:{POST}", ACME, f"post:{POST}", mention.payload())])
    (claimed,) = await inbox.claim(Capacity(1))
    return claimed


async def test_what_waits_for_its_next_attempt_is_stopped_at_once(pool: Pool, inbox: Inbox, job: Job) -> None:
    """And not after the minutes that it would have waited."""
    await inbox.retry(job, 600, "the agent is away")

    assert await Stops(pool).of_post(POST, ASKER) == 1

    assert [each.id for each in await inbox.claim(Capacity(1))] == [job.id]


async def test_what_fails_while_it_is_stopped_has_its_next_attempt_at_once(
    pool: Pool, inbox: Inbox, job: Job
) -> None:
    """The attempt did not hear of it any more; the next one does."""
    assert await Stops(pool).of_post(POST, ASKER) == 1

    await inbox.retry(job, 600, "the agent is away")

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


async def audited(pool: Pool) -> list[tuple[object, ...]]:
    rows = await pool.fetch("select kind, person_id, user_id, role, via, subject, details from audit")
    return [(*row.values(),) for row in rows]


@pytest.mark.parametrize(
    ("result", "row"),
    [
        (
            {"stopped": {"cause": "reaction", "by": "a" * 26}},
            (ADA, ASKER, "asker", "reaction", "reaction"),
        ),
        (
            {"stopped": {"cause": "reaction", "by": OTHER}},
            (None, OTHER, "admin", "reaction", "reaction"),
        ),
        ({"stopped": {"cause": "word", "by": "a" * 26}}, (ADA, ASKER, "asker", "thread", "word")),
        ({"skipped": "question_deleted"}, (None, None, None, "thread", "deleted")),
        ({"posts": ["answer"]}, None),
        ({"posts": ["remark"], "skipped": "help"}, None),
    ],
)
async def test_a_stopped_answer_is_audited_with_its_end(
    pool: Pool, inbox: Inbox, job: Job, result: dict[str, object], row: tuple[str | None, ...] | None
) -> None:
    """Once, with who it was, as far as Mattermost says it."""
    await Mappings(pool).map_person(ADA, ASKER)
    await inbox.finish(job.id, result)
    await inbox.finish(job.id, result)

    if row is None:
        assert await audited(pool) == []
    else:
        *who, cause = row
        assert await audited(pool) == [("answer_stopped", *who, f"post:{POST}", {"cause": cause})]


async def test_what_has_not_begun_is_audited_when_it_is_stopped(pool: Pool, inbox: Inbox) -> None:
    """By an administrator of the organization here; a second time changes nothing."""
    mention = Mention(POST, ChannelId("c" * 26), POST, ASKER, None, "@equabot hello", 1)
    await inbox.put_all([Entry("mention", f"thread:{POST}", ACME, f"post:{POST}", mention.payload())])

    assert await Stops(pool).of_post(POST, OTHER, as_admin=True) == 1
    assert await Stops(pool).of_post(POST, OTHER, as_admin=True) == 0

    assert await audited(pool) == [
        ("answer_stopped", None, OTHER, "admin", "reaction", f"post:{POST}", {"cause": "reaction"})
    ]

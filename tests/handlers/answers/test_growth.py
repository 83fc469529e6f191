"""A growing answer: how often it is shown, and what ends its growing."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from bridge.errors import MattermostRefused, MattermostUnavailable
from bridge.ingest.post_acks import PostAcks
from bridge.metrics import Metrics
from bridge.models.chat import PostId
from bridge.models.jobs import JobId
from handlers.answers.growth import Growth, Rhythm
from handlers.posts.lease_guard import LeaseGuard
from handlers.posts.parts import MARK, ReplyTarget
from handlers.posts.posting import Poster
from tests.support.posting import CHANNEL, ME, FakeInbox, FakeMattermost, a_job, failing

TARGET = ReplyTarget(CHANNEL, PostId("root"), PostId("question"))
QUICK = Rhythm(hold=0.01, first_pause=0.01, longer=1, most_edits=5)
ROOT_GONE = MattermostRefused(
    "Mattermost refused.", http_status=400, error_id="api.post.create_post.root_id.app_error"
)


class FakeAnswers:
    def __init__(self) -> None:
        self.noted: list[tuple[int, PostId]] = []
        self.edits = 0

    async def note(self, _job: JobId, part: int, post: PostId) -> None:
        self.noted.append((part, post))

    async def grant_edits(self, _job: JobId, _post: PostId, wanted: int, most: int) -> tuple[int, int]:
        before = self.edits
        self.edits = min(most, before + wanted)
        return before, self.edits - before


@pytest.fixture
def mattermost() -> FakeMattermost:
    return FakeMattermost()


@pytest.fixture
def answers() -> FakeAnswers:
    return FakeAnswers()


@pytest.fixture
def growth(mattermost: FakeMattermost, answers: FakeAnswers) -> Growth:
    poster = Poster(cast(Any, mattermost), ME, 400, PostAcks())
    lease = LeaseGuard(cast(Any, FakeInbox()), JobId(1))
    parts = (poster, cast(Any, answers), Metrics(), a_job(), TARGET, lease, ())
    return Growth(*parts, rhythm=QUICK)


@contextmanager
def showing(growth: Growth) -> Iterator[tuple[asyncio.Task[None], asyncio.Event]]:
    """Show it until the end of the block, or until the event is set."""
    over = asyncio.Event()
    yield asyncio.create_task(growth.keep_showing(over)), over
    over.set()


async def until(condition: Any) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


async def test_an_answer_is_edited_a_limited_number_of_times(
    growth: Growth, mattermost: FakeMattermost, answers: FakeAnswers
) -> None:
    """However long it grows; its post was stored before the first edit."""
    with showing(growth) as (task, over):
        for number in range(40):
            growth.add(f"Word{number} ")
            await asyncio.sleep(0.01)
        await until(lambda: growth.edits == QUICK.most_edits)
        over.set()
        await task

    assert len(mattermost.edits) == QUICK.most_edits
    assert [draft.props for draft in mattermost.drafts] == [
        {MARK: {"answers": "question", "part": 1, "of": 0, "grows": True}}
    ]
    assert answers.noted == [(1, "new1")]


async def test_edits_are_counted_over_all_attempts(
    growth: Growth, mattermost: FakeMattermost, answers: FakeAnswers
) -> None:
    """However often a process dies or the question is corrected, the posts get no more edits than that."""
    for attempt in range(4):
        again = Growth(
            growth.poster,
            growth.answers,
            growth.metrics,
            growth.job,
            TARGET,
            growth.lease,
            (),
            growth.found,
            rhythm=QUICK,
        )
        with showing(again) as (task, over):
            again.add("Word " * 20 * attempt + "and ")
            await until(lambda: again.is_shown)  # noqa: B023
            for number in range(3):
                again.add(f"word{attempt}{number} ")
                await asyncio.sleep(0.05)
            over.set()
            await task
        growth.found = again.found

    assert 0 < len(mattermost.edits) <= QUICK.most_edits
    assert answers.edits == QUICK.most_edits


async def test_what_does_not_grow_is_not_edited(growth: Growth, mattermost: FakeMattermost) -> None:
    with showing(growth):
        growth.add("Hello there, ")
        await until(lambda: mattermost.drafts)
        await asyncio.sleep(0.1)

    assert mattermost.edits == []


async def test_a_long_answer_goes_on_in_another_post(growth: Growth, mattermost: FakeMattermost) -> None:
    with showing(growth):
        growth.add("A sentence of an answer. " * 45)
        await until(lambda: len(mattermost.drafts) == 3)

    assert [draft.props[MARK]["part"] for draft in mattermost.drafts] == [1, 2, 3]
    assert all(len(draft.message) <= 400 for draft in mattermost.drafts)


async def test_an_answer_whose_edits_are_refused_stops_growing(
    growth: Growth, mattermost: FakeMattermost
) -> None:
    """Its end finds another post for it."""
    mattermost.refuses_edits = MattermostRefused("Mattermost refused.", http_status=400)
    with showing(growth):
        growth.add("Hello there, ")
        await until(lambda: mattermost.drafts)
        growth.add("how are you? ")
        await until(lambda: not growth.enabled)
        growth.add("And so on. ")
        await asyncio.sleep(0.1)

    assert len(mattermost.edits) == 1


async def test_while_mattermost_is_away_it_waits(growth: Growth, mattermost: FakeMattermost) -> None:
    """A growing answer is written when there is time for it."""
    mattermost.refuses_edits = MattermostUnavailable("Mattermost does not answer.")
    with showing(growth) as (task, _):
        growth.add("Hello there, ")
        await until(lambda: mattermost.drafts)
        growth.add("how are you? ")
        await until(lambda: mattermost.edits)
        await asyncio.sleep(0.1)
        assert len(mattermost.edits) == 1
        assert not task.done()

    assert growth.enabled


async def test_a_deleted_question_ends_it(growth: Growth, mattermost: FakeMattermost) -> None:
    """Nobody waits any more: the agent need not go on."""
    mattermost.create = failing(ROOT_GONE)
    with showing(growth) as (task, _):
        growth.add("Hello there, ")
        with pytest.raises(MattermostRefused):
            await task

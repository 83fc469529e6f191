"""Putting an answer into its thread: every part once, by whichever word comes first."""

import asyncio
from typing import Any, cast
from uuid import UUID

import pytest

from bridge.confirmations import Confirmations
from bridge.errors import AgentFailed, BridgeError, MattermostRefused, MattermostUnavailable
from bridge.models import ChannelId, Draft, Post, PostId
from handlers.posting import MARK, Place, Poster
from tests.support.clock import Clock
from tests.support.posting import CHANNEL, ME, WRITER, Create, FakeMattermost, a_job, failing, never, posted

LIMIT = 200
PLACE = Place(CHANNEL, PostId("root"), PostId("question"))
AWAY = MattermostUnavailable("Mattermost does not answer.")
ARCHIVED = MattermostRefused("Mattermost refused.", http_status=400)


@pytest.fixture
def mattermost() -> FakeMattermost:
    return FakeMattermost()


@pytest.fixture
def poster(mattermost: FakeMattermost) -> Poster:
    return Poster(cast(Any, mattermost), ME, LIMIT, Confirmations())


def draft(pending: str = "pending", channel: ChannelId = CHANNEL) -> Draft:
    return Draft(channel, "hello", PostId("root"), pending_post_id=pending)


def mark(number: Any = 1, answers: str = "question", of: int = 2) -> dict[str, Any]:
    return {MARK: {"answers": answers, "part": number, "of": of}}


def there(name: str, props: dict[str, Any], *, by: Any = ME) -> Post:
    """Return a post that stands in the thread already."""
    return posted(Draft(CHANNEL, "earlier", PostId("root"), props), name, by=by)


async def begun(mattermost: FakeMattermost, creates: int = 1) -> None:
    """Wait until so many creates were begun."""
    async with asyncio.timeout(5):
        while len(mattermost.drafts) < creates:
            await asyncio.sleep(0)


async def seen(mattermost: FakeMattermost, poster: Poster, name: str = "seen") -> None:
    """Let the bot's own event tell of the last create, once it was begun."""
    await begun(mattermost)
    poster.confirmations.seen(posted(mattermost.drafts[-1], name))


async def test_the_answer_of_the_create_is_enough(mattermost: FakeMattermost, poster: Poster) -> None:
    """Usually it comes first, and nobody waits for the event."""
    assert await poster.create(draft()) == "new1"


async def test_the_answer_behind_the_event_is_waited_for(mattermost: FakeMattermost, poster: Poster) -> None:
    """It comes in a moment, and a create that was cut off would be a strange thing to see in a log."""
    answered = asyncio.Event()

    async def create(post: Post) -> Post:
        poster.confirmations.seen(posted(mattermost.drafts[-1], post.id))
        await asyncio.sleep(0)
        answered.set()
        return post

    mattermost.create = create

    assert await poster.create(draft()) == "new1"
    assert answered.is_set()


async def test_an_answer_that_is_slow_behind_the_event_is_not_waited_for(
    mattermost: FakeMattermost, poster: Poster
) -> None:
    """The post is there: after five seconds more the create is given up."""
    clock = Clock()
    mattermost.create = never
    creating = asyncio.create_task(poster.create(draft()))
    await seen(mattermost, poster)

    await clock.passes(4)
    assert not creating.done()
    await clock.passes(2)

    assert creating.result() == "seen"
    assert mattermost.in_progress == 0


@pytest.mark.parametrize("failure", [AWAY, ARCHIVED, ValueError()], ids=lambda each: type(each).__name__)
async def test_what_was_seen_is_there_whatever_its_create_says(
    mattermost: FakeMattermost, poster: Poster, failure: Exception
) -> None:
    """An event cannot tell of a post that does not exist."""

    async def create(_post: Post) -> Post:
        poster.confirmations.seen(posted(mattermost.drafts[-1], "seen"))
        raise failure

    mattermost.create = create

    assert await poster.create(draft()) == "seen"


async def test_a_create_that_failed_may_have_worked(mattermost: FakeMattermost, poster: Poster) -> None:
    """When its answer was lost, the event is waited for."""
    mattermost.create = failing(AWAY)
    creating = asyncio.create_task(poster.create(draft()))
    await begun(mattermost)
    await asyncio.sleep(0.01)
    assert not creating.done()

    await seen(mattermost, poster)

    assert await creating == "seen"


async def test_a_create_that_failed_and_that_nobody_sees_has_failed(
    mattermost: FakeMattermost, poster: Poster
) -> None:
    """After five seconds; a later attempt looks for the post before it posts again."""
    clock = Clock()
    mattermost.create = failing(AWAY)
    creating = asyncio.create_task(poster.create(draft()))
    await begun(mattermost)
    await clock.passes(4)
    assert not creating.done()

    await clock.passes(2)

    with pytest.raises(MattermostUnavailable):
        await creating


@pytest.mark.parametrize(
    "failure", [ARCHIVED, AgentFailed("x"), ZeroDivisionError()], ids=lambda each: type(each).__name__
)
async def test_a_create_that_was_refused_has_failed_at_once(
    mattermost: FakeMattermost, poster: Poster, failure: Exception
) -> None:
    """Mattermost has said that there is no such post, so there is nothing to wait for."""
    mattermost.create = failing(failure)

    with pytest.raises(type(failure)):
        async with asyncio.timeout(2):
            await poster.create(draft())


async def test_the_event_of_another_post_says_nothing(mattermost: FakeMattermost, poster: Poster) -> None:
    """Only the `pending_post_id` that was sent with it names a post."""
    mattermost.create = failing(ARCHIVED)
    poster.confirmations.seen(posted(draft("another"), "seen"))

    with pytest.raises(MattermostRefused):
        await poster.create(draft())


async def test_a_stop_ends_the_create(mattermost: FakeMattermost, poster: Poster) -> None:
    """Nothing goes on in the background."""
    mattermost.create = never
    creating = asyncio.create_task(poster.create(draft()))
    await begun(mattermost)

    creating.cancel()
    await asyncio.wait({creating})

    assert creating.cancelled()
    assert mattermost.in_progress == 0


async def test_four_creates_a_channel_are_made_at_once(mattermost: FakeMattermost, poster: Poster) -> None:
    """A real server deadlocks on more; another channel is not held up by that."""
    gate = asyncio.Event()
    most: dict[str, int] = {}

    async def create(post: Post) -> Post:
        most[post.channel_id] = most.get(post.channel_id, 0) + 1
        await gate.wait()
        return post

    mattermost.create = create
    other = ChannelId("d" * 26)
    async with asyncio.TaskGroup() as group:
        creating = [group.create_task(poster.create(draft(f"{n}"))) for n in range(10)]
        creating.append(group.create_task(poster.create(draft("other", other))))
        await begun(mattermost, 5)
        await asyncio.sleep(0.01)
        at_once = dict(most)
        gate.set()

    assert at_once == {CHANNEL: 4, other: 1}
    assert len({task.result() for task in creating}) == 11


TEXT = "\n\n".join(f"paragraph {number} " + "x" * 150 for number in range(3))


async def test_a_long_answer_is_posted_in_parts(mattermost: FakeMattermost, poster: Poster) -> None:
    """In their order, each in the thread, within the server's limit, and saying what it is."""
    job = a_job()

    posts = await poster.deliver(job, TEXT, PLACE, again=False)

    drafts = mattermost.drafts
    assert posts == ["new1", "new2", "new3"]
    assert "\n\n".join(draft.message for draft in drafts) == TEXT
    assert max(len(draft.message) for draft in drafts) <= LIMIT
    assert {(draft.channel_id, draft.root_id) for draft in drafts} == {(CHANNEL, "root")}
    assert [draft.props for draft in drafts] == [mark(number, of=3) for number in (1, 2, 3)]
    assert mattermost.threads_read == 0


async def test_a_part_is_known_by_an_id_that_only_its_job_gives(
    mattermost: FakeMattermost, poster: Poster
) -> None:
    """Every attempt sends the same, each part its own, and nobody can guess it from the question."""
    job, other = a_job(key=UUID(int=1)), a_job(key=UUID(int=2))
    for each in (job, job, other):
        await poster.deliver(each, TEXT, PLACE, again=False)

    ids = [draft.pending_post_id for draft in mattermost.drafts]
    assert ids[:3] == ids[3:6]
    assert len(set(ids)) == 6


async def test_a_cut_word_alarms_nobody(mattermost: FakeMattermost, poster: Poster) -> None:
    """`@alliance` is no alarm until a cut makes `@all` of it; what is done about that has room."""
    for before in (LIMIT - 4, LIMIT - 5, LIMIT - 6):
        await poster.deliver(a_job(), "-" * before + "@alliance", PLACE, again=False)

    messages = [draft.message for draft in mattermost.drafts]
    assert not any(message.endswith("@all") for message in messages)
    assert max(map(len, messages)) <= LIMIT


async def test_parts_that_are_there_are_not_posted_again(mattermost: FakeMattermost, poster: Poster) -> None:
    """After a crash the rest is posted, and all of it is returned in its order."""
    mattermost.posts = [there("second", mark(2)), there("first", mark(1))]

    posts = await poster.deliver(a_job(), TEXT, PLACE, again=True)

    assert posts == ["first", "second", "new1"]
    assert [draft.props[MARK]["part"] for draft in mattermost.drafts] == [3]


@pytest.mark.parametrize(
    "post",
    [
        there("x", mark(), by=WRITER),
        there("x", mark(answers="another question")),
        there("x", {}),
        there("x", {MARK: "1"}),
        there("x", {MARK: ["answers", "question"]}),
        there("x", mark("1")),
        there("x", mark(0)),
        there("x", mark(-1)),
        there("x", mark(None)),
        there("x", mark(1.0)),
    ],
    ids=lambda post: f"{post.props} by {post.user_id[0]}",
)
async def test_what_only_looks_like_a_part_is_none(
    mattermost: FakeMattermost, poster: Poster, post: Post
) -> None:
    """Anybody can copy our props into a post, and Mattermost may show anything: the answer is posted."""
    mattermost.posts = [post]

    assert await poster.deliver(a_job(), "the answer", PLACE, again=True) == ["new1"]


async def test_a_thread_that_cannot_be_read_is_not_posted_into(
    mattermost: FakeMattermost, poster: Poster
) -> None:
    """Posting without looking could post twice."""
    mattermost.failure = AWAY

    with pytest.raises(MattermostUnavailable):
        await poster.deliver(a_job(), "the answer", PLACE, again=True)

    assert mattermost.drafts == []


@pytest.mark.parametrize("fails_at", [1, 2, 3])
async def test_what_follows_a_part_that_failed_waits_for_it(
    mattermost: FakeMattermost, poster: Poster, fails_at: int
) -> None:
    """Parts stay in order: nothing behind a part is posted before it is."""

    def third_time(error: BridgeError) -> Create:
        async def create(post: Post) -> Post:
            if len(mattermost.drafts) == fails_at:
                raise error
            mattermost.posts.append(post)
            return post

        return create

    mattermost.create = third_time(ARCHIVED)
    job = a_job()
    with pytest.raises(MattermostRefused):
        await poster.deliver(job, TEXT, PLACE, again=False)
    posted_first = len(mattermost.posts)

    await poster.deliver(job, TEXT, PLACE, again=True)

    assert posted_first == fails_at - 1
    assert [post.props[MARK]["part"] for post in mattermost.posts] == [1, 2, 3]

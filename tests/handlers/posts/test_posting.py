"""An answer is posted into its thread: each part once, whatever arrives first."""

import asyncio
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

import pytest

from bridge.errors import AgentFailed, BridgeError, LeaseLost, MattermostRefused, MattermostUnavailable
from bridge.ingest.post_acks import PostAcks
from bridge.models.chat import ChannelId, Draft, Post, PostId
from bridge.models.jobs import JobId
from bridge.text.posts import posts_of
from handlers.posts.lease_guard import LeaseGuard
from handlers.posts.parts import MARK, Found, Part, ReplyTarget
from handlers.posts.posting import Poster
from tests.support.clock import Clock
from tests.support.posting import (
    CHANNEL,
    ME,
    WRITER,
    Create,
    FakeInbox,
    FakeMattermost,
    a_job,
    failing,
    never,
    posted,
)

LIMIT = 200
TARGET = ReplyTarget(CHANNEL, PostId("root"), PostId("question"))
AWAY = MattermostUnavailable("Mattermost does not answer.")
ARCHIVED = MattermostRefused("Mattermost refused.", http_status=400)


@pytest.fixture
def mattermost() -> FakeMattermost:
    return FakeMattermost()


@pytest.fixture
def poster(mattermost: FakeMattermost) -> Poster:
    return Poster(cast(Any, mattermost), ME, LIMIT, PostAcks())


@pytest.fixture
def inbox() -> FakeInbox:
    return FakeInbox()


@pytest.fixture
def lease(inbox: FakeInbox) -> LeaseGuard:
    return LeaseGuard(cast(Any, inbox), JobId(1))


def draft(pending: str = "pending", channel: ChannelId = CHANNEL) -> Draft:
    return Draft(channel, "hello", PostId("root"), pending_post_id=pending)


def mark(number: Any = 1, question: str = "question", of: int = 2) -> dict[str, Any]:
    return {MARK: {"answers": question, "part": number, "of": of}}


def there(name: str, props: dict[str, Any], *, by: Any = ME) -> Post:
    """Return a post that stands in the thread already."""
    return posted(Draft(CHANNEL, "earlier", PostId("root"), props), name, by=by)


async def begun(mattermost: FakeMattermost, creates: int = 1) -> None:
    """Wait until so many creates were begun."""
    async with asyncio.timeout(60):
        while len(mattermost.drafts) < creates:
            await asyncio.sleep(0)


async def seen(mattermost: FakeMattermost, poster: Poster, name: str = "seen") -> None:
    """Let the event of the last create arrive, once it has begun."""
    await begun(mattermost)
    poster.post_acks.seen(posted(mattermost.drafts[-1], name))


async def test_the_answer_of_the_create_is_enough(
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard
) -> None:
    """Usually it comes first, and nobody waits for the event."""
    assert await poster.create(draft(), lease) == "new1"


async def test_the_answer_behind_the_event_is_waited_for(
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard
) -> None:
    """It comes in a moment, and a create that was cut off would be a strange thing to see in a log."""
    answered = asyncio.Event()

    async def create(post: Post) -> Post:
        poster.post_acks.seen(posted(mattermost.drafts[-1], post.id))
        await asyncio.sleep(0)
        answered.set()
        return post

    mattermost.create = create

    assert await poster.create(draft(), lease) == "new1"
    assert answered.is_set()


async def test_an_answer_that_is_slow_behind_the_event_is_not_waited_for(
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard
) -> None:
    """The post is there: after five seconds more the create is given up."""
    clock = Clock()
    mattermost.create = never
    creating = asyncio.create_task(poster.create(draft(), lease))
    await seen(mattermost, poster)

    await clock.passes(4)
    assert not creating.done()
    await clock.passes(2)

    assert creating.result() == "seen"
    assert mattermost.in_progress == 0


@pytest.mark.parametrize("failure", [AWAY, ARCHIVED, ValueError()], ids=lambda each: type(each).__name__)
async def test_what_was_seen_is_there_whatever_its_create_says(
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard, failure: Exception
) -> None:
    """Mattermost sends no event for a post that does not exist."""

    async def create(_post: Post) -> Post:
        poster.post_acks.seen(posted(mattermost.drafts[-1], "seen"))
        raise failure

    mattermost.create = create

    assert await poster.create(draft(), lease) == "seen"


async def failed_create(
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard, clock: Clock
) -> asyncio.Task[PostId]:
    """Return a create whose answer was lost, and which waits for the post's event for a second more."""
    mattermost.create = failing(AWAY)
    creating = asyncio.create_task(poster.create(draft(), lease))
    await begun(mattermost)
    await clock.passes(4)
    assert not creating.done()
    return creating


async def test_a_create_that_failed_may_have_worked(
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard
) -> None:
    """When its answer was lost, the event is waited for."""
    creating = await failed_create(mattermost, poster, lease, Clock())

    await seen(mattermost, poster)

    assert await creating == "seen"


async def test_a_create_that_failed_and_that_nobody_sees_has_failed(
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard
) -> None:
    """After five seconds; a later attempt looks for the post before it posts again."""
    clock = Clock()
    creating = await failed_create(mattermost, poster, lease, clock)

    await clock.passes(2)

    with pytest.raises(MattermostUnavailable):
        await creating


@pytest.mark.parametrize(
    "failure", [ARCHIVED, AgentFailed("x"), ZeroDivisionError()], ids=lambda each: type(each).__name__
)
async def test_a_create_that_was_refused_has_failed_at_once(
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard, failure: Exception
) -> None:
    """Mattermost has said that there is no such post, so there is nothing to wait for."""
    clock = Clock()
    mattermost.create = failing(failure)
    creating = asyncio.create_task(poster.create(draft(), lease))
    await begun(mattermost)
    await clock.passes(0)

    assert isinstance(creating.exception(), type(failure))


async def test_the_event_of_another_post_says_nothing(
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard
) -> None:
    """Only the `pending_post_id` that was sent with it names a post."""
    mattermost.create = failing(ARCHIVED)
    poster.post_acks.seen(posted(draft("another"), "seen"))

    with pytest.raises(MattermostRefused):
        await poster.create(draft(), lease)


async def test_a_stop_ends_the_create(mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard) -> None:
    """Nothing goes on in the background."""
    mattermost.create = never
    creating = asyncio.create_task(poster.create(draft(), lease))
    await begun(mattermost)

    creating.cancel()
    await asyncio.wait({creating})

    assert creating.cancelled()
    assert mattermost.in_progress == 0


async def test_four_answers_a_channel_are_posted_at_once(
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard
) -> None:
    """A real server deadlocks on more; another channel is not held up by that."""
    write_limit = asyncio.Event()
    most: dict[str, int] = {}

    async def create(post: Post) -> Post:
        most[post.channel_id] = most.get(post.channel_id, 0) + 1
        await write_limit.wait()
        return post

    mattermost.create = create
    other = ChannelId("d" * 26)
    async with asyncio.TaskGroup() as group:
        posting = [
            group.create_task(
                poster.deliver(a_job(), "hello", replace(TARGET, channel_id=each), lease, there=Found())
            )
            for each in (*[CHANNEL] * 10, other)
        ]
        await begun(mattermost, 5)
        await Clock().passes(1)
        at_once = dict(most)
        write_limit.set()

    assert at_once == {CHANNEL: 4, other: 1}
    assert len({post for task in posting for post in task.result()}) == 11


async def test_what_is_there_is_looked_for_when_it_is_its_turn(
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard
) -> None:
    """Whoever had to wait for others may have been overtaken meanwhile."""
    mattermost.create = never
    others = [
        asyncio.create_task(poster.deliver(a_job(), "hello", TARGET, lease, there=Found())) for _ in range(4)
    ]
    await begun(mattermost, 4)
    late = asyncio.create_task(poster.deliver(a_job(), "hello", TARGET, lease, there=None))
    await Clock().passes(1)
    mattermost.posts = [there("meanwhile", mark(of=1))]
    for other in others:
        other.cancel()

    async with asyncio.timeout(60):
        assert await late == ["meanwhile"]
    assert len(mattermost.drafts) == 4


async def test_what_is_not_ours_any_more_is_not_posted(
    mattermost: FakeMattermost, poster: Poster, inbox: FakeInbox, lease: LeaseGuard
) -> None:
    """Another process has taken the job over: it posts."""
    inbox.ours = False

    with pytest.raises(LeaseLost):
        await poster.deliver(a_job(), "hello", TARGET, lease, there=Found())

    assert mattermost.drafts == []


async def test_each_part_is_posted_only_while_the_job_is_ours(
    mattermost: FakeMattermost, poster: Poster, inbox: FakeInbox
) -> None:
    """A part can take a minute; with a fresh proof nobody is asked."""
    now = 0.0
    lease = LeaseGuard(cast(Any, inbox), JobId(1), lambda: now, known=0.0)

    async def create(post: Post) -> Post:
        nonlocal now
        now, inbox.ours = now + 6.0, len(mattermost.drafts) < 2
        return post

    mattermost.create = create

    with pytest.raises(LeaseLost):
        await poster.deliver(a_job(), TEXT, TARGET, lease, there=Found())

    assert len(mattermost.drafts) == 2
    assert inbox.asked == [1, 1]


TEXT = "\n\n".join(f"paragraph {number} " + "x" * 150 for number in range(3))


async def test_a_long_answer_is_posted_in_parts(
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard
) -> None:
    """In their order, each in the thread, within the server's limit, and saying what it is."""
    job = a_job()

    posts = await poster.deliver(job, TEXT, TARGET, lease, there=Found())

    drafts = mattermost.drafts
    assert posts == ["new1", "new2", "new3"]
    assert "\n\n".join(draft.message for draft in drafts) == TEXT
    assert max(len(draft.message) for draft in drafts) <= LIMIT
    assert {(draft.channel_id, draft.root_id) for draft in drafts} == {(CHANNEL, "root")}
    assert [draft.props for draft in drafts] == [mark(number, of=3) for number in (1, 2, 3)]
    assert mattermost.threads_read == 0


async def test_a_part_is_known_by_an_id_that_only_its_job_gives(
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard
) -> None:
    """Every attempt sends the same, each part its own, and nobody can guess it from the question."""
    job, other = a_job(key=UUID(int=1)), a_job(key=UUID(int=2))
    for each in (job, job, other):
        await poster.deliver(each, TEXT, TARGET, lease, there=Found())

    ids = [draft.pending_post_id for draft in mattermost.drafts]
    assert ids[:3] == ids[3:6]
    assert len(set(ids)) == 6


async def test_a_cut_word_alarms_nobody(
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard
) -> None:
    """`@alliance` is no alarm until a cut makes `@all` of it; what is done about that has room."""
    for before in (LIMIT - 4, LIMIT - 5, LIMIT - 6):
        await poster.deliver(a_job(), "-" * before + "@alliance", TARGET, lease, there=Found())

    messages = [draft.message for draft in mattermost.drafts]
    assert not any(message.endswith("@all") for message in messages)
    assert max(map(len, messages)) <= LIMIT


async def test_parts_that_are_there_are_not_posted_again(
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard
) -> None:
    """After a crash the rest is posted, and all of it is returned in its order."""
    mattermost.posts = [there("second", mark(2)), there("first", mark(1))]

    posts = await poster.deliver(a_job(), TEXT, TARGET, lease, there=None)

    assert posts == ["first", "second", "new1"]
    assert [draft.props[MARK]["part"] for draft in mattermost.drafts] == [3]


@pytest.mark.parametrize(
    "post",
    [
        there("x", mark(), by=WRITER),
        there("x", mark(question="another question")),
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
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard, post: Post
) -> None:
    """Anybody can copy our props into a post, and Mattermost may show anything: the answer is posted."""
    mattermost.posts = [post]

    assert await poster.deliver(a_job(), "the answer", TARGET, lease, there=None) == ["new1"]


async def test_a_thread_that_cannot_be_read_is_not_posted_into(
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard
) -> None:
    """Posting without looking could post twice."""
    mattermost.failure = AWAY

    with pytest.raises(MattermostUnavailable):
        await poster.deliver(a_job(), "the answer", TARGET, lease, there=None)

    assert mattermost.drafts == []


@pytest.mark.parametrize(
    ("marks", "complete"),
    [([], False), ([(1, 2)], False), ([(2, 2)], False), ([(2, 2), (1, 2)], True), ([(1, 1)], True)],
)
async def test_an_answer_is_complete_with_its_last_part(
    mattermost: FakeMattermost, poster: Poster, marks: list[tuple[int, int]], *, complete: bool
) -> None:
    """As many as its parts say that there are."""
    mattermost.posts = [there(f"part{number}", mark(number, of=of)) for number, of in marks]

    found = await poster.found(TARGET)

    assert found.complete == complete
    assert found.in_order == [f"part{number}" for number, _ in sorted(marks)]


@pytest.mark.parametrize("fails_at", [1, 2, 3])
async def test_what_follows_a_part_that_failed_waits_for_it(
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard, fails_at: int
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
        await poster.deliver(job, TEXT, TARGET, lease, there=Found())
    posted_first = len(mattermost.posts)

    await poster.deliver(job, TEXT, TARGET, lease, there=None)

    assert posted_first == fails_at - 1
    assert [post.props[MARK]["part"] for post in mattermost.posts] == [1, 2, 3]


def half(name: str, number: int = 1) -> Post:
    """Return a part that grows."""
    return there(name, {MARK: {"answers": "question", "part": number, "of": 0, "grows": True}})


@pytest.mark.parametrize("order", [1, -1])
async def test_a_half_part_whose_place_another_has_is_taken_away(
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard, order: int
) -> None:
    """Whoever put the other one there has died before that."""
    mattermost.posts = [half("half"), there("whole", mark(1, of=1))][::order]

    posts = await poster.deliver(a_job(), "earlier", TARGET, lease, there=None)

    assert (posts, mattermost.deleted, mattermost.edits) == (["whole"], ["half"], [])


async def test_what_an_edit_may_still_change_is_posted_anew(
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard
) -> None:
    """Mattermost has not answered an edit: carried out late, it would end the answer in its middle."""
    unsure = Part(PostId("half"), "exact", grows=True, unsure_until=lease.clock() + 1)

    posts = await poster.deliver(a_job(), "exact", TARGET, lease, Found({1: unsure}))

    assert (posts, mattermost.deleted) == (["new1"], ["half"])


async def test_what_has_grown_needs_few_edits_in_the_end(
    mattermost: FakeMattermost, poster: Poster, lease: LeaseGuard
) -> None:
    """It is cut in the same places as while it grew."""
    text = " ".join(f"word{number}" for number in range(150))
    shown = posts_of(text[:-20].rstrip(), LIMIT)
    parts = {number: Part(PostId(f"p{number}"), part, grows=True) for number, part in enumerate(shown, 1)}

    await poster.deliver(a_job(), text, TARGET, lease, Found(parts))

    assert [post for post, _ in mattermost.edits] == [f"p{len(parts)}"]

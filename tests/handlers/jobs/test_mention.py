"""A mention: what the agent is asked, and what becomes of its answer."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal, NoReturn, cast
from uuid import UUID

import pytest
import structlog
from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.errors import (
    AgentFailed,
    AgentMisconfigured,
    AgentUnavailable,
    AnswerInterrupted,
    LeaseLost,
    MattermostRefused,
    MattermostUnavailable,
    QuestionRefused,
    ThreadTooLong,
)
from bridge.ingest.post_acks import PostAcks
from bridge.ingest.unanswered import Unanswered
from bridge.metrics import Metrics
from bridge.models.agent import AnswerEvent, Done, Message, Question
from bridge.models.chat import ChannelId, Post, PostId, User, UserId
from bridge.models.equa import PersonId
from bridge.models.jobs import Entry, Job, JobId, JobKind, Mention
from bridge.worker import Handler
from bridge.worker.attempt import Attempt
from handlers.jobs.mention import Mentions
from handlers.posts.parts import MARK
from handlers.posts.posting import Poster
from handlers.posts.remarks import (
    ANOTHER_QUESTION,
    ASK_ADMINISTRATOR,
    HOW_TO_GET_IN,
    NEW_THREAD,
    SHORTER_QUESTION,
    SORRY,
)
from tests.support.clock import Clock
from tests.support.mentions import make_mentions
from tests.support.posting import ACME, CHANNEL, ME, WRITER, FakeMattermost, failing

ADA = PersonId(UUID(int=2))
SOMEBODY = UserId("s" * 26)
ROOT, ASKED = PostId("root"), PostId("asked")
AWAY = AgentUnavailable("The agent cannot be reached.")

Work = Callable[[], Awaitable[str]]


@dataclass
class FakeAgent:
    """Answers by doing its work, and records what it was asked."""

    remembers: bool = True
    work: Work | None = None
    said: str = "forty-two"
    failure: Exception | None = None
    asked: list[Question] = field(default_factory=list)

    async def answer(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        self.asked.append(question)
        if self.failure:
            raise self.failure
        yield Done(await self.work() if self.work else self.said)

    async def ping(self) -> None:
        """Be there."""


@dataclass
class Scene:
    """The handlers, the others that they talk to, and the table of their job."""

    pool: Pool
    inbox: Inbox
    mattermost: FakeMattermost
    agent: FakeAgent
    typed: list[tuple[ChannelId, str]]
    metrics: Metrics
    mentions: Mentions

    async def job(
        self,
        message: str = "@equabot hello",
        *,
        post: PostId = ASKED,
        kind: JobKind = "mention",
        create_at: int | None = None,
    ) -> Job:
        """Return the claimed job of a post in the thread of the root, by default one of this moment."""
        written = round(time.time() * 1000) if create_at is None else create_at
        mention = Mention(post, CHANNEL, ROOT, WRITER, ADA, message, written)
        await self.inbox.put_all(
            [Entry(kind, f"thread:{ROOT}", ACME, f"post:{mention.post_id}", mention.payload())]
        )
        (job,) = await self.inbox.claim(Capacity(1))
        return job

    def forget(self, *, remembers: bool = False) -> None:
        """Have an agent that remembers nothing."""
        self.agent.remembers = remembers
        questions = replace(self.mentions.questions, agent_remembers=remembers)
        self.mentions = replace(self.mentions, questions=questions)

    async def lose_lease(self) -> None:
        await self.pool.execute("update jobs set holder = gen_random_uuid()")

    async def kept(self) -> tuple[str | None, str | None]:
        """Return answer and failure as they stand in the table."""
        row = await self.pool.fetchrow("select answer, failure from jobs")
        assert row
        return row["answer"], row["failure"]

    async def attempt(self, job: Job) -> Mapping[str, Any] | None:
        """Do the job as the worker does, once; returns its result, None if it has none yet."""
        handler = Handler(self.mentions.answer, self.mentions.apologize)
        await Attempt(self.inbox, self.metrics, asyncio.Event()).run(job, handler)
        result: Mapping[str, Any] | None = await self.pool.fetchval(
            "select result from jobs where id = $1", job.id
        )
        return result

    @property
    def said(self) -> list[str]:
        return [draft.message for draft in self.mattermost.drafts]


@pytest.fixture
def scene(pool: Pool) -> Scene:
    inbox, mattermost, agent, metrics = Inbox(pool), FakeMattermost(), FakeAgent(), Metrics()
    typed: list[tuple[ChannelId, str]] = []

    async def typing(channel_id: ChannelId, parent_id: PostId | Literal[""]) -> None:
        typed.append((channel_id, parent_id))

    poster = Poster(cast(Any, mattermost), ME, 16_383, PostAcks())
    mentions = make_mentions(
        pool, api=mattermost, agent=agent, inbox=inbox, poster=poster, typing=typing, metrics=metrics
    )
    return Scene(pool, inbox, mattermost, agent, typed, metrics, mentions)


async def test_the_agent_is_asked_and_its_answer_posted(scene: Scene) -> None:
    """Who and where come from the job, the text without its mention; the answer names its question."""
    result = await scene.mentions.answer(await scene.job("@equabot who is on our team?"))

    assert scene.agent.asked == [Question(ACME, ADA, CHANNEL, ROOT, ASKED, "who is on our team?")]
    (draft,) = scene.mattermost.drafts
    assert (draft.channel_id, draft.root_id, draft.message) == (CHANNEL, ROOT, "forty-two")
    assert draft.props == {MARK: {"answers": ASKED, "part": 1, "of": 1}}
    assert result == {"posts": ["new1"]}


@pytest.mark.parametrize("message", ["@equabot", " @equabot! "])
async def test_a_bare_mention_is_asked_as_it_stands(scene: Scene, message: str) -> None:
    """Somebody only calls: the agent decides what to say to that, and it is never asked nothing."""
    await scene.mentions.answer(await scene.job(message))

    assert [question.text for question in scene.agent.asked] == [message]


async def test_the_answer_is_kept_before_it_is_posted(scene: Scene) -> None:
    """Whoever takes over after a crash posts the same answer, and does not ask again."""
    kept: list[object] = []

    async def create(post: Post) -> Post:
        kept.append(await scene.kept())
        return post

    scene.mattermost.create = create

    await scene.mentions.answer(await scene.job())

    assert kept == [("forty-two", None)]


async def test_a_kept_answer_is_posted_without_asking_again(scene: Scene) -> None:
    """It is looked for in the thread first."""
    job = replace(await scene.job(), answer="kept")

    await scene.mentions.answer(job)

    assert scene.agent.asked == []
    assert scene.mattermost.threads_read == 1
    assert scene.said == ["kept"]


async def test_an_answer_that_is_there_is_not_posted_again(scene: Scene) -> None:
    """The process before died between the post and its record."""
    job = replace(await scene.job(), answer="kept")
    mark = {MARK: {"answers": ASKED, "part": 1, "of": 1}}
    scene.mattermost.posts = [Post(PostId("there"), CHANNEL, ME, ROOT, "kept", 200, props=mark)]

    assert await scene.mentions.answer(job) == {"posts": ["there"]}
    assert scene.said == []


LONG_AGO = 31_000
"""Milliseconds."""


def part(number: int, of: int) -> Post:
    """Return a part of an answer that the database knows nothing of."""
    mark = {MARK: {"answers": ASKED, "part": number, "of": of}}
    return Post(PostId(f"there{number}"), CHANNEL, ME, ROOT, "earlier", 200, props=mark)


async def old(scene: Scene, kind: JobKind = "mention") -> Job:
    """Return the job of a post that is found only now."""
    return await scene.job(create_at=round(time.time() * 1000) - LONG_AGO, kind=kind)


async def test_what_was_answered_before_the_database_forgot_it_is_left(scene: Scene) -> None:
    """After a fail-over or a restored backup the post is found again; the agent is not asked again."""
    scene.mattermost.posts = [part(2, of=2), part(1, of=2)]

    assert await scene.mentions.answer(await old(scene)) == {"posts": ["there1", "there2"]}
    assert scene.agent.asked == []
    assert scene.said == []


async def test_of_an_answer_that_is_there_in_part_the_rest_is_posted(scene: Scene) -> None:
    """The process died in the middle, and the database forgot what it was going to say."""
    scene.agent.said = "x" * 16_000 + "\n\n" + "y" * 16_000
    scene.mattermost.posts = [part(1, of=2)]

    assert await scene.mentions.answer(await old(scene)) == {"posts": ["there1", "new1"]}
    assert scene.said == ["y" * 16_000]


async def test_an_old_post_without_an_answer_is_answered(scene: Scene) -> None:
    """Usually the bridge was away for a while."""
    assert await scene.mentions.answer(await old(scene)) == {"posts": ["new1"]}


async def test_for_a_new_post_nothing_is_looked_up(scene: Scene) -> None:
    await scene.mentions.answer(await scene.job(post=ROOT))

    assert scene.mattermost.threads_read == 0


async def test_what_was_just_read_without_an_answer_is_not_looked_up(scene: Scene) -> None:
    """After a loss a channel is read to its end, and each thread need not be read too."""
    job = await scene.job(post=ROOT, create_at=round(time.time() * 1000) - LONG_AGO)
    unanswered = Unanswered(fresh=3600)
    unanswered.note([Post(ROOT, CHANNEL, WRITER, "", "@equabot hello", 100)], ME)

    await replace(scene.mentions, unanswered=unanswered).answer(job)

    assert scene.mattermost.threads_read == 0


async def test_an_old_post_is_not_answered_without_looking(scene: Scene) -> None:
    """While Mattermost is away nothing is asked either: the next attempt looks."""
    scene.mattermost.failure = MattermostUnavailable("Mattermost does not answer.")

    with pytest.raises(MattermostUnavailable):
        await scene.mentions.answer(await old(scene))

    assert scene.agent.asked == []


async def test_what_the_agent_says_alarms_nobody(scene: Scene) -> None:
    """Neither what is kept nor what is posted."""
    scene.agent.said = "dear @all"

    await scene.mentions.answer(await scene.job())

    assert "@all" not in f"{scene.said} {await scene.kept()}"


async def test_an_agent_that_remembers_gets_the_new_message_only(scene: Scene) -> None:
    scene.mattermost.posts = [Post(ROOT, CHANNEL, WRITER, "", "before", 1)]

    await scene.mentions.answer(await scene.job())

    assert [(question.text, question.history) for question in scene.agent.asked] == [("hello", ())]


@pytest.mark.parametrize("remembers", [True, False])
async def test_with_more_than_one_person_everybody_is_named(
    scene: Scene,
    remembers: bool,  # noqa: FBT001 - a table's column
) -> None:
    """Who asks as well, and for an agent that remembers too."""
    scene.forget(remembers=remembers)
    scene.mattermost.users = {
        WRITER: User(WRITER, "ada", first_name="Ada", last_name="Moreno"),
        SOMEBODY: User(SOMEBODY, "ben"),
    }
    scene.mattermost.posts = [
        Post(ROOT, CHANNEL, SOMEBODY, "", "@equabot sell 5%", 1),
        line(2, "noted", ME),
        line(3, "no,\nsell 3%\nAda Moreno (@ada): sell all", SOMEBODY),
    ]

    await scene.mentions.answer(await scene.job("@equabot who am I?"))

    (asked,) = scene.agent.asked
    assert asked.text == "Ada Moreno (@ada): who am I?"
    expected = (
        Message("user", "@ben: sell 5%"),
        Message("assistant", "noted"),
        Message("user", "@ben: no,\n  sell 3%\n  Ada Moreno (@ada): sell all"),
    )
    assert asked.history == (() if remembers else expected)


async def test_names_are_looked_up_once(scene: Scene) -> None:
    """And somebody whose account is gone does not stop the answer."""
    scene.mattermost.users = {WRITER: User(WRITER, "ada")}
    scene.mattermost.posts = [Post(ROOT, CHANNEL, SOMEBODY, "", "before", 1)]

    job = await scene.job()
    await scene.mentions.answer(job)
    scene.mattermost.users = {}
    await scene.mentions.answer(job)

    assert [question.text for question in scene.agent.asked] == ["@ada: hello"] * 2


async def test_the_bots_own_remarks_are_no_answers(scene: Scene) -> None:
    """By their mark, or by their words where an older version wrote them."""
    mark = {MARK: {"answers": "x", "part": 1, "of": 1}}
    known = await history(
        scene,
        Post(ROOT, CHANNEL, WRITER, "", "hello?", 1),
        line(2, SORRY, ME, props=mark),
        line(3, HOW_TO_GET_IN, ME, props=mark),
        line(4, "I answer in another channel.", ME, props={MARK: {**mark[MARK], "remark": True}}),
        line(5, "an answer", ME, props=mark),
        line(6, SORRY),
    )

    assert known == (Message("user", "hello?"), Message("assistant", "an answer"), Message("user", SORRY))


def line(number: int, message: str, by: UserId = WRITER, at: int | None = None, **fields: Any) -> Post:
    """Return a reply in the thread; the question itself is asked at 100."""
    return Post(PostId(f"p{number:03}"), CHANNEL, by, ROOT, message, number if at is None else at, **fields)


async def history(scene: Scene, *posts: Post) -> tuple[Message, ...]:
    """Return the history that is sent to an agent that does not remember."""
    scene.forget()
    scene.mattermost.posts = [*posts, Post(ASKED, CHANNEL, WRITER, ROOT, "@equabot hello", 100)]
    await scene.mentions.answer(await scene.job(create_at=100))
    return scene.agent.asked[0].history


async def test_an_agent_that_does_not_remember_gets_the_thread(scene: Scene) -> None:
    """In its order, with who said what: the bot itself, or somebody else, without the mention."""
    known = await history(
        scene,
        Post(ROOT, CHANNEL, WRITER, "", "@equabot what is six times seven?", 1),
        line(2, "forty-two", ME),
        line(3, "really?", type="me"),
        line(4, "are you sure?"),
        line(5, "@equabot"),
    )

    assert known == (
        Message("user", "what is six times seven?"),
        Message("assistant", "forty-two"),
        Message("user", "really?"),
        Message("user", "are you sure?"),
        Message("user", "@equabot"),
    )


async def test_only_earlier_posts_of_people_and_the_bot_are_sent(scene: Scene) -> None:
    """No system posts, no webhooks, nothing empty, and nothing that came later."""
    known = await history(
        scene,
        Post(ROOT, CHANNEL, WRITER, "", "the beginning", 1),
        line(2, "somebody joined", type="system_join_channel"),
        line(3, "deployed", props={"from_webhook": "true"}),
        line(4, "  "),
        line(6, "later", at=101),
    )

    assert known == (Message("user", "the beginning"),)


@pytest.mark.parametrize("post_id", ["a" * 26, "z" * 26])
async def test_nothing_of_the_same_millisecond_is_lost(scene: Scene, post_id: str) -> None:
    """Ids are random, so they say nothing about the order."""
    known = await history(scene, Post(PostId(post_id), CHANNEL, WRITER, ROOT, "just before", 100))

    assert known == (Message("user", "just before"),)


async def test_of_a_long_thread_the_last_posts_are_sent(scene: Scene) -> None:
    """Fifty of them."""
    known = await history(scene, *(line(number, str(number)) for number in range(1, 91)))

    assert [message.text for message in known] == [str(number) for number in range(41, 91)]


async def test_of_long_posts_as_many_are_sent_as_fit(scene: Scene) -> None:
    """Whole posts, the last ones, 60,000 characters at most."""
    known = await history(scene, *(line(number, f"{number}" + "x" * 14_999) for number in range(1, 9)))

    assert [message.text[0] for message in known] == ["5", "6", "7", "8"]


async def test_a_question_that_opens_its_thread_has_no_history(scene: Scene) -> None:
    """There is nothing to read."""
    scene.forget()

    await scene.mentions.answer(await scene.job(post=ROOT))

    assert scene.agent.asked[0].history == ()
    assert scene.mattermost.threads_read == 0


@pytest.mark.parametrize("failure", [AWAY, ValueError("internal")], ids=["away", "a bug"])
async def test_what_may_pass_is_left_to_the_next_attempt(scene: Scene, failure: Exception) -> None:
    """Nothing is said and nothing kept, so that the agent is asked again."""
    scene.agent.failure = failure

    with pytest.raises(type(failure)):
        await scene.mentions.answer(await scene.job())

    assert scene.said == []
    assert await scene.kept() == (None, None)


@pytest.mark.parametrize(
    ("failure", "attempts", "age", "reason"),
    [
        (
            AgentFailed("The agent sent nothing."),
            1,
            0,
            "agent_failed after 1 attempt: The agent sent nothing.",
        ),
        (AWAY, 8, 60, "agent_unavailable after 8 attempts: The agent cannot be reached."),
        (AWAY, 2, 700, "agent_unavailable after 2 attempts: The agent cannot be reached."),
        (ValueError("internal"), 3, 10, "internal_error after 3 attempts: ValueError"),
    ],
    ids=["final", "too often", "too long", "a bug"],
)
async def test_when_it_is_given_up_the_person_hears_of_it(
    scene: Scene, failure: Exception, attempts: int, age: int, reason: str
) -> None:
    """One plain sentence in the thread; the reason is kept for an operator."""
    scene.agent.failure = failure
    created = datetime.now(UTC) - timedelta(seconds=age)
    job = replace(await scene.job(), attempts=attempts, created=created)

    result = await scene.attempt(job)

    assert scene.said == [SORRY]
    assert result == {"posts": ["new1"]}
    assert await scene.kept() == (SORRY, reason)


async def test_why_somebody_got_an_apology_is_logged(scene: Scene) -> None:
    """One line with the error's code; a bug's traceback is the worker's."""
    job = replace(await scene.job(), attempts=3)
    seen = []
    for failure in (AgentFailed("The agent sent nothing."), ValueError("internal")):
        with structlog.testing.capture_logs() as lines:
            await scene.mentions.apologize(job, failure, "why")
        await scene.pool.execute("update jobs set answer = null")
        seen.append([(line["event"], line["log_level"], line["code"], line["attempt"]) for line in lines])

    assert seen == [[("answer_failed", "warning", code, 3)] for code in ("agent_failed", "internal_error")]


@pytest.mark.parametrize("known", ["forty-two", None], ids=["when it was claimed", "since"])
async def test_an_answer_that_is_stored_gets_no_apology(scene: Scene, known: str | None) -> None:
    """Parts of it may stand in the thread; an apology after them would be wrong."""
    job = await scene.job()
    await scene.inbox.save_answer(job.id, "forty-two")

    result = await scene.mentions.apologize(replace(job, answer=known), AgentFailed("x"), "why")

    assert (result, scene.said, await scene.kept()) == (None, [], ("forty-two", None))


@pytest.mark.parametrize("text", ["", " \n", "\x00\x07", "\x1b"])
async def test_an_answer_without_text_is_none(scene: Scene, text: str) -> None:
    """Control characters cannot be posted, and saying nothing at all is no answer."""
    scene.agent.said = text

    await scene.attempt(await scene.job())

    assert scene.said == [SORRY]


@pytest.mark.parametrize("text", ["NO_REPLY", " NO_REPLY\n", "<think>nothing to say</think>\n\nNO_REPLY"])
async def test_an_agent_that_wants_to_say_nothing_says_nothing(scene: Scene, text: str) -> None:
    """The job is done, and `why` shows the reason."""
    scene.agent.said = text

    assert await scene.attempt(await scene.job()) == {"skipped": "no_reply"}
    assert scene.said == []


async def test_only_the_visible_part_of_an_answer_is_kept_and_posted(scene: Scene) -> None:
    scene.agent.said = (
        "<think>a secret</think>Hello. ![x](https://elsewhere.example/p.png?d=secret)\nNO_REPLY"
    )

    await scene.mentions.answer(await scene.job())

    assert "Hello." in scene.said[0]
    for hidden in ("a secret", "![", "NO_REPLY"):
        assert hidden not in f"{scene.said} {await scene.kept()}"


@pytest.mark.parametrize("text", ["<think>a secret", "[[reply_to_current]]", "MEDIA:/tmp/x.png"])
async def test_an_answer_of_which_nothing_remains_is_none(scene: Scene, text: str) -> None:
    scene.agent.said = text

    await scene.attempt(await scene.job())

    assert scene.said == [SORRY]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (AgentFailed("x"), SORRY),
        (QuestionRefused("x"), ANOTHER_QUESTION),
        (ThreadTooLong("x"), NEW_THREAD),
        (AgentMisconfigured("x"), ASK_ADMINISTRATOR),
        (AnswerInterrupted("x"), SORRY),
    ],
)
async def test_an_apology_says_who_can_help(scene: Scene, error: Exception, sentence: str) -> None:
    """At once where the end is known, and marked so that no agent takes it for its own words."""
    scene.agent.failure = error

    await scene.attempt(replace(await scene.job(), attempts=2))

    assert scene.said == [sentence]
    assert scene.mattermost.drafts[0].props[MARK]["remark"] is True


async def test_a_first_question_that_is_too_long_needs_no_new_thread(scene: Scene) -> None:
    scene.agent.failure = ThreadTooLong("x")

    await scene.attempt(await scene.job(post=ROOT))

    assert scene.said == [SHORTER_QUESTION]


async def test_an_answer_that_broke_off_is_asked_for_once_more(scene: Scene) -> None:
    """The agent may have acted on the question already."""
    scene.agent.failure = AnswerInterrupted("x")
    job = await scene.job()

    assert await scene.attempt(job) is None
    assert scene.said == []


async def test_an_apology_that_was_kept_stays_one(scene: Scene) -> None:
    """Whoever takes over posts it, and does not ask again."""
    job = replace(await scene.job(), answer=SORRY, failure="agent_failed after 1 attempt: x")

    await scene.mentions.answer(job)

    assert scene.agent.asked == []
    assert scene.said == [SORRY]
    assert 'answer_latency_seconds_count{outcome="failed"} 1.0' in scene.metrics.render().decode()


async def test_how_long_somebody_waited_is_measured(scene: Scene) -> None:
    await scene.mentions.answer(await scene.job())

    figures = scene.metrics.render().decode()
    assert 'answer_latency_seconds_count{outcome="answered"} 1.0' in figures
    assert 'agent_call_seconds_count{outcome="answered"} 1.0' in figures


@pytest.mark.parametrize("failure", [None, AgentFailed("nothing")], ids=["an answer", "an apology"])
async def test_whoever_lost_the_lease_posts_nothing(scene: Scene, failure: Exception | None) -> None:
    """While the agent was at work another process has taken the job over: it will answer."""

    async def taken_over() -> str:
        await scene.lose_lease()
        if failure:
            raise failure
        return "forty-two"

    scene.agent.work = taken_over

    assert await scene.attempt(await scene.job()) is None
    assert scene.said == []


async def test_a_post_that_fails_is_left_to_the_next_attempt(scene: Scene) -> None:
    """The answer is kept, so only the post is tried again."""
    clock = Clock()
    scene.mattermost.create = failing(MattermostUnavailable("Mattermost does not answer."))
    answering = asyncio.create_task(scene.mentions.answer(await scene.job()))
    async with asyncio.timeout(60):
        while not scene.mattermost.drafts:
            await asyncio.sleep(0.005)

    await clock.passes(6)

    with pytest.raises(MattermostUnavailable):
        await answering
    assert await scene.kept() == ("forty-two", None)


ROOT_GONE = MattermostRefused(
    "Mattermost refused.", http_status=400, error_id="api.post.create_post.root_id.app_error"
)
THREAD_GONE = MattermostRefused("Mattermost refused.", http_status=404, error_id="app.post.get.app_error")
SKIPPED = {"skipped": "question_deleted"}


@pytest.mark.parametrize("failure", [None, AgentFailed("nothing")], ids=["an answer", "an apology"])
async def test_a_question_that_was_deleted_meanwhile_is_done(scene: Scene, failure: Exception | None) -> None:
    """Nobody waits for the answer any more, and there is nowhere to put it."""
    scene.agent.failure = failure
    scene.mattermost.create = failing(ROOT_GONE)

    assert await scene.attempt(await scene.job()) == SKIPPED


async def test_a_question_that_was_deleted_before_it_is_read_is_done(scene: Scene) -> None:
    """Its thread cannot be read for the agent: that is no failure of the agent's."""
    scene.forget()
    scene.mattermost.failure = THREAD_GONE

    assert await scene.mentions.answer(await scene.job()) == SKIPPED
    assert scene.said == []
    assert await scene.kept() == (None, None)


async def test_a_question_that_was_deleted_before_the_next_attempt_is_done(scene: Scene) -> None:
    scene.mattermost.failure = THREAD_GONE

    assert await scene.mentions.answer(replace(await scene.job(), answer="kept")) == SKIPPED


async def test_an_invitation_to_a_deleted_post_is_done(scene: Scene, invitation: Job) -> None:
    scene.mattermost.create = failing(ROOT_GONE)

    assert await scene.mentions.invite(invitation) == SKIPPED


async def test_other_refusals_are_none_of_a_deleted_question(scene: Scene) -> None:
    scene.mattermost.create = failing(MattermostRefused("no", http_status=400))

    with pytest.raises(MattermostRefused):
        await scene.mentions.answer(await scene.job())


@pytest.mark.parametrize(
    ("status", "error_id"),
    [
        (403, "api.context.permissions.app_error"),
        (400, "api.post.create_post.can_not_post_to_deleted.error"),
    ],
)
async def test_an_answer_waits_while_the_bot_is_shut_out(scene: Scene, status: int, error_id: str) -> None:
    """It is no member, or the channel is archived: both are repaired, and then the answer is posted."""
    scene.mattermost.create = failing(MattermostRefused("no", http_status=status, error_id=error_id))

    with pytest.raises(MattermostUnavailable):
        await scene.mentions.answer(await scene.job())


@pytest.mark.parametrize(("post", "places"), [(ASKED, [ROOT]), (ROOT, [ROOT, ""])])
async def test_the_bot_is_shown_typing_while_the_agent_works(
    scene: Scene, post: PostId, places: list[str]
) -> None:
    """As long as it takes and no longer: in the thread, and for a question that began it in the channel."""
    clock = Clock()
    done, begun = asyncio.Event(), asyncio.Event()

    async def work() -> str:
        begun.set()
        await done.wait()
        return "forty-two"

    scene.agent.work = work
    answering = asyncio.create_task(scene.mentions.answer(await scene.job(post=post)))
    await begun.wait()
    for seconds in (0.3, 4.1, 4.1, 4.1):
        await clock.passes(seconds)
    shown = list(scene.typed)
    done.set()
    await answering
    await clock.passes(60)

    assert shown == [(CHANNEL, place) for place in places] * 4
    assert scene.typed == shown


async def test_a_quick_answer_comes_without_typing(scene: Scene) -> None:
    """Nobody is shown for less than a blink, which costs everybody in the channel two events."""
    Clock().stop()
    await scene.mentions.answer(await scene.job())
    assert scene.said == ["forty-two"]
    assert scene.typed == []


async def test_typing_that_cannot_be_shown_does_no_harm(scene: Scene) -> None:
    """The answer matters, not the dots."""
    clock, tried = Clock(), asyncio.Event()

    async def broken(_channel: ChannelId, _thread: PostId | Literal[""]) -> None:
        tried.set()
        raise ConnectionError

    async def work() -> str:
        await clock.passes(0.3)
        await tried.wait()
        return "forty-two"

    scene.agent.work = work
    signs = replace(scene.mentions.signs, typing=broken)
    await replace(scene.mentions, signs=signs).answer(await scene.job())

    assert scene.said == ["forty-two"]


@pytest.fixture
async def invitation(scene: Scene) -> Job:
    """The job of a post whose author has no mapping."""
    scene.mattermost.users[WRITER] = User(WRITER, "stranger")
    return await scene.job(kind="invite")


async def test_somebody_without_a_mapping_hears_how_to_get_in(scene: Scene, invitation: Job) -> None:
    """One sentence; the agent is not asked, and nobody waits for it."""
    assert await scene.mentions.invite(invitation) == {"posts": ["new1"]}

    assert scene.said == [HOW_TO_GET_IN]
    assert scene.agent.asked == []
    assert scene.typed == []


async def test_another_bot_is_left_alone(scene: Scene, invitation: Job) -> None:
    """Two bots that explain to each other how to get in would never end."""
    scene.mattermost.users[WRITER] = User(WRITER, "otherbot", is_bot=True)

    assert await scene.mentions.invite(invitation) == {"skipped": "other_bot"}
    assert scene.said == []


async def test_an_invitation_that_was_kept_is_looked_for_first(scene: Scene, invitation: Job) -> None:
    """A crash does not make it two."""
    mark = {MARK: {"answers": ASKED, "part": 1, "of": 1}}
    scene.mattermost.posts = [Post(PostId("there"), CHANNEL, ME, ROOT, HOW_TO_GET_IN, 200, props=mark)]

    assert await scene.mentions.invite(replace(invitation, answer=HOW_TO_GET_IN)) == {"posts": ["there"]}
    assert scene.said == []


async def test_an_old_post_that_was_invited_is_left(scene: Scene) -> None:
    """As an answer is: the database may have lost that it was."""
    scene.mattermost.users[WRITER] = User(WRITER, "stranger")
    scene.mattermost.posts = [part(1, of=1)]

    assert await scene.mentions.invite(await old(scene, "invite")) == {"posts": ["there1"]}
    assert scene.said == []


async def test_an_invitation_whose_lease_is_lost_is_not_posted(scene: Scene, invitation: Job) -> None:
    await scene.lose_lease()

    with pytest.raises(LeaseLost):
        await scene.mentions.invite(invitation)

    assert scene.said == []


async def test_an_author_who_cannot_be_looked_up_is_not_invited(scene: Scene, invitation: Job) -> None:
    """The worker decides whether it is tried again."""
    scene.mattermost.users.clear()

    with pytest.raises(MattermostRefused):
        await scene.mentions.invite(invitation)

    assert scene.said == []


async def test_a_correction_that_comes_with_the_end_of_the_answer_is_asked(scene: Scene) -> None:
    """The answer to the old words is not posted."""
    job = await scene.job("@equabot hello")

    async def corrected_meanwhile() -> str:
        await scene.mentions.stops.correct(ASKED, "@equabot goodbye")
        return "an answer"

    scene.agent.work = corrected_meanwhile

    result = await scene.mentions.answer(job)

    assert [question.text for question in scene.agent.asked] == ["hello", "goodbye"]
    assert (result, scene.said) == ({"posts": ["new1"]}, ["an answer"])


async def test_the_hourglass_of_an_attempt_that_died_is_taken_away(scene: Scene) -> None:
    """Also where the answer was stored already."""
    job = replace(await scene.job(), attempts=2, answer="forty-two")
    scene.mattermost.reactions = [(ASKED, "hourglass_flowing_sand")]

    await scene.mentions.answer(job)

    assert (scene.said, scene.mattermost.reactions) == (["forty-two"], [])


async def test_a_stop_does_not_wait_for_what_precedes_the_question(scene: Scene) -> None:
    """Files may take a minute to read."""
    job, reading = await scene.job(), asyncio.Event()

    class Endless(FakeMattermost):
        async def thread(self, root_id: PostId) -> NoReturn:
            reading.set()
            await asyncio.Event().wait()
            raise AssertionError("an event that nobody sets")

    questions = replace(scene.mentions.questions, api=cast(Any, Endless()))
    scene.mentions = replace(scene.mentions, questions=questions)
    answering = asyncio.create_task(scene.mentions.answer(job))
    await reading.wait()
    await scene.mentions.stops.of_post(ASKED, WRITER)
    watching = asyncio.create_task(scene.mentions.asking.signals.watch(0.01))

    async with asyncio.timeout(60):
        result = await answering

    watching.cancel()
    assert result["stopped"] == {"cause": "reaction", "by": WRITER}
    assert (scene.agent.asked, scene.said) == ([], ["(stopped)"])


class Noting(Inbox):
    """Notes which answers are posted before they are on disk."""

    unhurried: ClassVar[list[bool]] = []

    async def save_answer(self, *args: Any, is_findable: bool = False, **more: Any) -> bool:
        self.unhurried.append(is_findable)
        return await super().save_answer(*args, is_findable=is_findable, **more)


@pytest.mark.parametrize(
    ("length", "has_grown", "unhurried"), [(16_382, False, True), (16_383, False, False), (9, True, False)]
)
async def test_only_an_answer_of_one_post_that_is_found_whole_is_posted_before_it_is_on_disk(
    scene: Scene, length: int, *, has_grown: bool, unhurried: bool
) -> None:
    """Who finds a part of it after a crash asks again, and the other part comes from another answer."""
    job, scene.agent.said = replace(await scene.job(), attempts=2), "x" * length
    if has_grown:
        grown = {MARK: {"answers": ASKED, "part": 1, "of": 0, "grows": True}}
        scene.mattermost.posts = [Post(PostId("half"), CHANNEL, ME, ROOT, "so far", 1, props=grown)]
    inbox = Noting(scene.pool, holder=scene.inbox.holder)
    Noting.unhurried.clear()

    await replace(scene.mentions, inbox=inbox).answer(job)

    assert Noting.unhurried == [unhurried]


class Lost(Inbox):
    """Of a database that has lost the jobs in a crash."""

    async def on_disk(self, job: JobId) -> bool:
        return job < 0


async def test_of_a_question_that_was_lost_no_stop_is_taken(scene: Scene) -> None:
    """Its number is another question's by then, and so is the stop."""
    job, working = await scene.job(), asyncio.Event()

    async def endless() -> NoReturn:
        working.set()
        await asyncio.Event().wait()
        raise AssertionError("an event that nobody sets")

    scene.agent.work = endless
    answering = asyncio.create_task(replace(scene.mentions, inbox=Lost(scene.pool)).answer(job))
    await working.wait()
    await scene.mentions.stops.of_post(ASKED, WRITER)
    watching = asyncio.create_task(scene.mentions.asking.signals.watch(0.01))

    async with asyncio.timeout(60):
        with pytest.raises(LeaseLost):
            await answering

    watching.cancel()
    assert await scene.mentions.stops.requested() == {job.id}


async def test_of_a_command_that_was_a_question_the_half_answer_is_closed(scene: Scene) -> None:
    """An attempt at the question has died; then its asker has made "help" of it."""
    job = replace(await scene.job("@equabot help"), attempts=2)
    grown = {MARK: {"answers": ASKED, "part": 1, "of": 0, "grows": True}}
    half = Post(PostId("half"), CHANNEL, ME, ROOT, "so far", 1, props=grown)
    scene.mattermost.posts = [line(0, "root"), half]

    result = await scene.mentions.answer(job)

    assert result["skipped"] == "help"
    assert scene.mattermost.edits == [("half", "so far\n\n(interrupted)")]


async def test_a_question_that_becomes_a_command_is_done(scene: Scene) -> None:
    """While the agent works on it; the agent is not asked what it can do."""
    job = await scene.job("@equabot hello")

    async def corrected_meanwhile() -> str:
        await scene.mentions.stops.correct(ASKED, "@equabot help")
        return "an answer"

    scene.agent.work = corrected_meanwhile

    result = await scene.mentions.answer(job)

    assert (len(scene.agent.asked), result["skipped"]) == (1, "help")
    assert scene.said == ["Ask me anything."]

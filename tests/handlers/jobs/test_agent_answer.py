"""The answer to a question of the agent reaches it once, whatever dies."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from asyncpg import Pool

from bridge.agent.control.channel import GatewayControl
from bridge.db.agent_questions import AgentQuestions
from bridge.db.conversations import Conversations
from bridge.db.inbox import Inbox
from bridge.ingest.agent_questions import QuestionEvents
from bridge.models.approvals import AgentQuestion, Pending, QuestionRequested, QuestionResolved
from bridge.models.buttons import Button, Press
from bridge.models.chat import ChannelId, PostId, UserId
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.jobs import Entry, Job, JobId, Mention
from bridge.sandbox.agent import SandboxAgent
from handlers.agent_questions import ENDED, NOT_YOURS, QuestionDesk
from handlers.jobs.agent_answer import NOT_ACCEPTED, AgentAnswers
from tests.support.agent import ACME, agent_served
from tests.support.control import WHICH, Heard, asked, listening
from tests.support.crashes import Crash, Crashes, When

ASKER = UserId("a" * 26)
LANE = f"thread:{'t' * 26}"


def mention(text: str, post: str = "p" * 26) -> Mention:
    return Mention(
        PostId(post), ChannelId("c" * 26), PostId("t" * 26), ASKER, PersonId(uuid4()), text, create_at=1
    )


@dataclass
class Scene:
    """A person has asked something, and the agent asks back."""

    pool: Pool
    agent: SandboxAgent
    control: GatewayControl
    heard: Heard
    said: list[str] = field(default_factory=list)
    runs: list[asyncio.Task[Mapping[str, Any]]] = field(default_factory=list)

    @property
    def inbox(self) -> Inbox:
        return Inbox(self.pool)

    @property
    def questions(self) -> AgentQuestions:
        return AgentQuestions(self.pool)

    @property
    def events(self) -> QuestionEvents:
        return QuestionEvents(self.questions, Conversations(self.pool), self.inbox)

    async def ask(self, **changes: Any) -> AgentQuestion:
        """Let the agent ask; return its question as the bridge has stored it."""
        run = asyncio.create_task(asked(self.agent.control, {**WHICH, "isOther": True, **changes}))
        self.runs.append(run)
        question = (await self.heard.next(QuestionRequested, len(self.runs))).question
        await self.events.follow(QuestionRequested(question))
        return question

    def answers(self, crashes: Crashes | None = None) -> AgentAnswers:
        """Return the handler of a process; one with crashes dies at one of its calls."""
        whole: tuple[Any, ...] = (self.questions, self.inbox, self, self.control)
        questions, inbox, remarker, control = map(crashes.fragile, whole) if crashes else whole
        return AgentAnswers(questions, inbox, remarker, control, "equabot")

    async def say(self, _job: Job, _target: object, text: str) -> PostId:
        """Take what the bot says in the thread, as `Remarker` does."""
        self.said.append(text)
        return PostId("r" * 26)

    async def jobs(self, kind: str) -> int:
        found: int = await self.pool.fetchval("select count(*) from jobs where kind = $1", kind)
        return found

    async def state(self, question: AgentQuestion) -> str:
        record = await self.questions.get(question.id)
        assert record
        return record.state


@pytest.fixture
async def scene(pool: Pool) -> AsyncIterator[Scene]:
    async with agent_served() as (agent, url), listening(url) as (control, heard):
        await heard.next(Pending)
        asked_first = Entry("mention", LANE, ACME, "post:first", mention("hello").payload())
        await Inbox(pool).put_all([asked_first])
        scene = Scene(pool, agent, control, heard)
        yield scene
        for run in scene.runs:
            run.cancel()
        if scene.runs:
            await asyncio.wait(scene.runs)


def answer(question: AgentQuestion, text: str, number: int = 1) -> Job:
    payload = {**mention(text, f"{number}".rjust(26, "p")).payload(), "agent_question": question.id}
    return Job(
        JobId(number), "agent_answer", "", ACME, payload, 1, datetime.now(UTC), datetime.now(UTC), uuid4()
    )


@pytest.mark.parametrize("when", ["before", "after", "during"])
@pytest.mark.parametrize("hears", [True, False])
async def test_a_crash_at_any_call_loses_and_doubles_nothing(
    scene: Scene, when: When, *, hears: bool
) -> None:
    """The next attempt hands it over or finds it handed over; it becomes no new message in any case."""
    for at in range(1, 20):
        question = await scene.ask()
        crashes = Crashes(at, when)
        job = answer(question, "blue", at)
        try:
            await scene.answers(crashes).hand_over(job)
        except (Crash, asyncio.CancelledError):
            if hears and scene.runs[-1].done():
                await scene.events.follow(await scene.heard.next(QuestionResolved, at))
            await scene.answers().hand_over(replace(job, attempts=2))

        assert (await scene.runs[-1])["answers"] == {"answers": {"color": ["Blue"]}}
        assert await scene.state(question) == "answered"
        assert await scene.jobs("agent_question_end") == at
        if not crashes.happened:
            break
    else:
        raise AssertionError("There are more calls than were tried.")
    assert await scene.jobs("mention") == 1


async def test_the_second_of_two_answers_is_asked(scene: Scene) -> None:
    question = await scene.ask()

    assert "answered" in await scene.answers().hand_over(answer(question, "blue", 1))
    assert "asked" in await scene.answers().hand_over(answer(question, "or rather red?", 2))

    assert await scene.jobs("mention") == 2


async def test_an_answer_that_is_not_taken_is_asked_for_again(scene: Scene) -> None:
    """By a sentence of the bot, whether we or the agent does not take it."""
    question = await scene.ask(isOther=False)

    await scene.answers().hand_over(answer(question, "green", 1))
    await scene.answers().hand_over(answer(question, "@equabot red", 2))

    assert scene.said == ["Please answer with one of these: Blue, Red."]
    assert (await scene.runs[-1])["answers"] == {"answers": {"color": ["Red"]}}


async def test_what_the_agent_does_not_take_is_said(scene: Scene) -> None:
    """Its choices may have become others than those that it has reported."""
    question = await scene.ask()
    scene.agent.control.questions[question.id].record["questions"][0]["isOther"] = False

    await scene.answers().hand_over(answer(question, "green", 1))

    assert scene.said == [NOT_ACCEPTED]
    assert await scene.state(question) == "pending"


async def test_an_answer_that_never_gets_there_is_asked(scene: Scene) -> None:
    question = await scene.ask()
    job = answer(question, "blue")

    await scene.answers().lost(job, RuntimeError("away"), "it was away for ten minutes")

    assert await scene.jobs("mention") == 2
    assert await scene.state(question) == "withdrawn"


async def test_what_vanishes_while_nobody_hears_has_ended(scene: Scene) -> None:
    """The next look at all that waits says so; a young one may not be listed yet."""
    question = await scene.ask()
    await scene.events.follow(Pending(at=0))
    assert await scene.state(question) == "pending"

    await scene.pool.execute("update agent_questions set created = now() - interval '1 hour'")
    await scene.events.follow(Pending(at=int(datetime.now(UTC).timestamp() * 1000)))

    assert await scene.state(question) == "withdrawn"
    assert await scene.jobs("agent_question_end") == 1


async def test_what_expires_while_nobody_hears_has_ended(scene: Scene) -> None:
    question = await scene.ask()
    await scene.pool.execute("update agent_questions set expires_at = now() - interval '1 minute'")

    await scene.events.look()

    assert await scene.state(question) == "expired"


async def test_a_question_of_a_conversation_that_nobody_began_is_not_posted(scene: Scene) -> None:
    await scene.pool.execute("delete from jobs")

    question = await scene.ask()

    assert await scene.questions.get(question.id) is None
    assert await scene.jobs("agent_question") == 0


async def test_a_button_is_for_the_asker_while_the_agent_waits(scene: Scene) -> None:
    question = await scene.ask()
    desk = QuestionDesk(scene.questions, scene.inbox)
    channel, post = ChannelId("c" * 26), PostId("q" * 26)
    button = Button("question", question.id, "Red", ACME, channel)
    press, other = (Press(user, channel, post) for user in (ASKER, UserId("b" * 26)))
    foreign = replace(button, organization_id=OrganizationId(uuid4()))

    assert await desk.pressed(button, other) == NOT_YOURS
    assert await desk.pressed(foreign, press) == ENDED
    assert await desk.pressed(button, press) == ""
    assert await desk.pressed(button, press) == ""

    assert await scene.jobs("agent_answer") == 1
    payload = await scene.pool.fetchval("select payload from jobs where kind = 'agent_answer'")
    job = replace(answer(question, ""), payload=payload)
    await scene.answers().hand_over(job)
    assert (await scene.runs[-1])["answers"] == {"answers": {"color": ["Red"]}}
    assert await desk.pressed(button, press) == ENDED


async def test_an_answer_before_the_post_is_known_is_no_new_message(scene: Scene) -> None:
    """It would wait behind the question that it answers; an earlier post is none, nor is a second one."""
    await scene.pool.execute("update jobs set state = 'running'")
    question = await scene.ask()
    texts = (("before", 10), ("blue", 30), ("and another thing", 40))
    await scene.inbox.put_all(
        [
            Entry("mention", LANE, ACME, f"post:{at}", replace(mention(text), create_at=at).payload())
            for text, at in texts
        ]
    )

    await scene.questions.posted(question.id, PostId("q" * 26), 20)
    assert await scene.questions.take_early() == 1

    payload = await scene.pool.fetchval("select payload from jobs where kind = 'agent_answer'")
    assert payload["message"] == "blue"
    await scene.answers().hand_over(replace(answer(question, ""), payload=payload))
    assert (await scene.runs[-1])["answers"] == {"answers": {"color": ["Blue"]}}
    assert await scene.questions.take_early() == 0
    assert await scene.jobs("mention") == 3

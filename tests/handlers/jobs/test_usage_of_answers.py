"""What an answer took is stored with it, whatever became of it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest
from asyncpg import Record

from bridge.db.budgets import Budgets
from bridge.db.job_runner import Capacity
from bridge.errors import AgentFailed, AgentUnavailable
from bridge.models.agent import AnswerEvent, Began, Delta, Done, Question, Usage
from bridge.models.chat import PostId
from bridge.models.organization_settings import Budget
from bridge.models.usage import Price, Prices
from handlers.answers.budgets import BudgetGate
from tests.handlers.jobs.test_mention import ADA, ASKED, Scene
from tests.handlers.jobs.test_mention import scene as scene  # noqa: PLC0414  # a fixture
from tests.support.posting import WRITER

END = Done("forty-two", Usage(1000, 100), "sonnet-5")
AWAY = AgentUnavailable("The agent's connection broke.")
PRICES = Prices({"sonnet-5": Price(Decimal(3), Decimal(15))}, Price(Decimal(1), Decimal(1)))

Step = AnswerEvent | Exception | Callable[[], Awaitable[object]]


@dataclass
class Scripted:
    """Does what is written for each time that it is asked."""

    scripts: Sequence[Sequence[Step]]
    remembers: bool = True
    asked: list[Question] = field(default_factory=list)

    async def answer(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        self.asked.append(question)
        for step in self.scripts[len(self.asked) - 1]:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, Began | Delta | Done):
                yield step
            else:
                await step()

    async def ping(self) -> None:
        """Be there."""


def script(scene: Scene, *scripts: Sequence[Step]) -> None:
    agent: Any = Scripted(scripts)
    asking = replace(scene.mentions.asking, agent=agent, prices=PRICES)
    scene.mentions = replace(scene.mentions, asking=asking)


async def row(scene: Scene) -> Record:
    (found,) = await scene.pool.fetch("select * from usage")
    return found


def figures(found: Record) -> tuple[object, ...]:
    names = ("outcome", "runs", "unreported", "prompt_tokens", "completion_tokens", "cost")
    return tuple(found[name] for name in names)


async def test_an_answer_has_its_tokens_and_its_cost(scene: Scene) -> None:
    """By the price of the model that its server names."""
    script(scene, [Began("run", "main"), Delta("forty"), END])

    await scene.attempt(await scene.job())

    found = await row(scene)
    assert figures(found) == ("answered", 1, 0, 1000, 100, Decimal("0.0045"))
    assert (found["model"], found["person_id"], found["post_id"]) == ("sonnet-5", ADA, ASKED)
    assert 0 <= found["first_text"] <= found["last_text"]


async def test_what_is_not_reported_is_unknown(scene: Scene) -> None:
    """Never zero; a server that sends its answer in one piece has begun as well."""
    script(scene, [Done("forty-two", Usage(1000, None), "main")])

    await scene.attempt(await scene.job())

    assert figures(await row(scene)) == ("answered", 1, 1, 1000, None, None)


@pytest.mark.parametrize(
    ("first", "runs"),
    [([Began("run"), Delta("half"), AWAY], 2), ([AWAY], 1)],
    ids=["begun", "not begun"],
)
async def test_an_attempt_that_failed_counts_if_the_agent_had_begun(
    scene: Scene, first: Sequence[Step], runs: int
) -> None:
    """Its tokens were spent, and nobody knows how many."""
    script(scene, first, [Began("run"), END])
    await scene.attempt(await scene.job())
    await scene.pool.execute("update jobs set run_at = now()")
    (again,) = await scene.inbox.claim(Capacity(1))

    await scene.attempt(again)

    assert figures(await row(scene)) == ("answered", runs, runs - 1, 1000, 100, Decimal("0.0045"))


async def test_an_answer_to_words_that_were_edited_counts(scene: Scene) -> None:
    """Both were paid for."""

    async def corrected() -> None:
        await scene.mentions.stops.correct(ASKED, "@equabot goodbye")

    script(scene, [Began("run"), corrected, END], [Began("run"), END])

    await scene.attempt(await scene.job())

    assert figures(await row(scene)) == ("answered", 2, 0, 2000, 200, Decimal("0.0090"))


async def test_an_answer_that_is_stopped_reports_nothing(scene: Scene) -> None:
    async def stopped() -> None:
        await scene.mentions.stops.of_post(ASKED, WRITER)
        await asyncio.Event().wait()

    script(scene, [Began("run", "main"), Delta("half"), stopped])
    watching = asyncio.create_task(scene.mentions.asking.signals.watch(0.01))

    await scene.attempt(await scene.job())

    watching.cancel()
    found = await row(scene)
    assert figures(found) == ("stopped", 1, 1, None, None, None)
    assert found["model"] == "main"


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([Began("run"), Done("NO_REPLY", Usage(1000, 1), "main")], ("no_reply", 1, 0, 1000, 1)),
        ([Began("run"), AgentFailed("The agent ended.")], ("failed", 1, 1, None, None)),
        ([AgentFailed("The agent refuses.")], ("failed", 0, 0, 0, 0)),
    ],
    ids=["no reply", "failed", "refused"],
)
async def test_what_has_no_answer_has_a_row(
    scene: Scene, steps: Sequence[Step], expected: tuple[object, ...]
) -> None:
    """What the agent did not begin has used nothing."""
    script(scene, steps)

    await scene.attempt(await scene.job())

    assert figures(await row(scene))[:-1] == expected


async def test_what_the_bot_says_itself_is_no_answer(scene: Scene) -> None:
    script(scene)

    await scene.attempt(await scene.job("@equabot help"))

    assert await scene.pool.fetch("select from usage") == []


async def test_a_question_beyond_the_budget_is_refused(scene: Scene) -> None:
    """That is no failure; what an earlier attempt has shown ends there, and the audit has it."""
    script(scene, [Began("run"), END], [])
    gate = BudgetGate(Budgets(scene.pool, Budget(tokens=1100)), scene.inbox)
    scene.mentions = replace(scene.mentions, budgets=gate)
    await scene.attempt(await scene.job())
    asked = PostId("another")

    result = await scene.attempt(await scene.job(post=asked))

    assert result == {"posts": ["new2"], "skipped": "budget_reached"}
    assert scene.said[1].startswith("Your organization has used up its budget for this month: I can answer")
    (found,) = await scene.pool.fetch("select * from usage where post_id = $1", asked)
    assert (*figures(found), found["reason"]) == ("refused", 0, 0, 0, 0, 0, "budget_reached")
    (refused,) = await scene.pool.fetch("select * from audit where kind = 'question_refused'")
    assert (refused["outcome"], refused["subject"]) == ("budget_reached", f"post:{asked}")
    assert (refused["person_id"], refused["user_id"]) == (ADA, WRITER)
    assert 'answer_latency_seconds_count{outcome="failed"} 0.0' in scene.metrics.render().decode()

"""Questions of agents as the table keeps them."""

from datetime import timedelta
from uuid import UUID

import pytest
from asyncpg import Pool

from bridge.db.agent_questions import AgentQuestions
from bridge.models.approvals import AgentQuestionId, QuestionOutcome
from bridge.models.chat import UserId
from bridge.models.equa import PersonId
from tests.support.mappings import Mappings

ASKER, ADA = UserId("a" * 26), PersonId(UUID(int=2))
QUESTION = AgentQuestionId("q1")


@pytest.fixture
async def questions(pool: Pool) -> AgentQuestions:
    """One that waits for an answer."""
    await Mappings(pool).map_person(ADA, ASKER)
    await pool.execute(
        """insert into agent_questions (id, organization_id, conversation, lane, channel_id, thread, asker,
                                        run_id, asked, created, expires_at)
           values ('q1', $1, $3, 'thread:t', 'c', 't', $2, 'run', '[]',
                   now() - interval '1 hour', now() - interval '1 minute')""",
        UUID(int=1),
        ASKER,
        f"mattermost:{UUID(int=1)}:{'c' * 26}:{'t' * 26}",
    )
    return AgentQuestions(pool)


async def audited(pool: Pool) -> list[tuple[object, ...]]:
    rows = await pool.fetch("select outcome, person_id, user_id, role, via, subject from audit")
    return [(*row.values(),) for row in rows]


@pytest.mark.parametrize(
    ("ended", "who"),
    [
        (("job", None, "answered"), (ADA, ASKER, "asker", "thread")),
        (("job", "yes", "answered"), (ADA, ASKER, "asker", "button")),
        ((None, None, "answered"), (None, None, None, "bridge")),
        (("job", None, "expired"), (None, None, None, "bridge")),
        ((None, None, "cancelled"), (None, None, None, "bridge")),
    ],
)
async def test_an_end_is_audited_once(
    questions: AgentQuestions,
    pool: Pool,
    ended: tuple[str | None, str | None, QuestionOutcome],
    who: tuple[object, ...],
) -> None:
    """With who has answered, if that was the asker here."""
    answer, chosen, outcome = ended
    if answer:
        assert await questions.claim(QUESTION, answer, chosen)

    assert await questions.end(QUESTION, outcome)
    assert not await questions.end(QUESTION, "withdrawn")

    assert await audited(pool) == [(outcome, *who, "question:q1")]


async def test_what_ends_by_itself_is_audited_too(questions: AgentQuestions, pool: Pool) -> None:
    """Whether its time is over or the gateway has forgotten it."""
    await pool.execute(
        """insert into agent_questions select 'q2', organization_id, conversation, lane, channel_id, thread,
               asker, run_id, asked, created, now() + interval '1 hour' from agent_questions"""
    )

    assert len(await questions.expire()) == 1
    assert len(await questions.vanished([], timedelta(minutes=1))) == 1

    assert {row[0] for row in await audited(pool)} == {"expired", "withdrawn"}

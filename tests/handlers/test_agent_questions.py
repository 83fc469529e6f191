"""Whoever has left an organization does not answer its agent any more, by no way."""

import time
from datetime import timedelta
from uuid import UUID

import pytest
from asyncpg import Pool

from bridge.db.agent_questions import AgentQuestions
from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.db.memberships import Memberships
from bridge.models.approvals import AgentQuestion, AgentQuestionId, Choice, Inquiry
from bridge.models.buttons import Button, Press
from bridge.models.chat import ChannelId, Post, Posted, PostId, UserId
from bridge.models.conversations import Conversation
from bridge.models.equa import PersonId
from bridge.models.jobs import Entry
from handlers.agent_questions import NOT_A_MEMBER, QuestionDesk
from tests.support.approvals import ACME
from tests.support.mappings import Mappings

ADA, ASKER = PersonId(UUID(int=7)), UserId("a" * 26)
CHANNEL, POST = ChannelId("c" * 26), PostId("p" * 26)
ID = AgentQuestionId("q1")


@pytest.fixture
async def desk(pool: Pool) -> QuestionDesk:
    """What takes presses, while Acme's agent waits for an answer of Ada in her direct messages."""
    await Mappings(pool).map_person(ADA, ASKER)
    await Memberships(pool).join(ACME, ADA, verdict_age=timedelta())
    inbox, questions = Inbox(pool), AgentQuestions(pool)
    payload = {"user_id": ASKER, "post_id": POST, "person_id": str(ADA)}
    await inbox.put_all([Entry("direct", f"direct:{CHANNEL}", ACME, f"post:{POST}", payload)])
    await inbox.claim(Capacity(1, kinds=["direct"]))
    now = time.time_ns() // 1_000_000
    asked = (Inquiry("i", "", "Which?", (Choice("This"),)),)
    place = Conversation(ACME, CHANNEL, "", ADA)
    await questions.add(AgentQuestion(ID, place, "", asked, now, now + 60_000))
    await questions.posted(ID, POST, now)
    return QuestionDesk(questions, inbox)


async def pressed(desk: QuestionDesk) -> str:
    button = Button("question", ID, "This", ACME, CHANNEL, POST)
    return await desk.pressed(button, Press(ASKER, CHANNEL, POST))


async def is_answer(desk: QuestionDesk) -> bool:
    """Tell whether a direct message of Ada is taken for the answer."""
    later = time.time_ns() // 1_000_000 + 1_000
    post = Post(PostId("n" * 26), CHANNEL, ASKER, "", "This", later)
    (facts,) = await Mappings(desk.questions.pool).facts([Posted(post, "", f"{'b' * 26}__{ASKER}")], "agent")
    return facts.agent_question == ID


async def test_a_member_answers(desk: QuestionDesk) -> None:
    assert await is_answer(desk)
    assert await pressed(desk) == ""


async def test_who_has_left_does_not(desk: QuestionDesk) -> None:
    """The direct channel is theirs still."""
    await Memberships(desk.questions.pool).leave(ACME, ADA)

    assert not await is_answer(desk)
    assert await pressed(desk) == NOT_A_MEMBER
    assert not await desk.inbox.claim(Capacity(1, kinds=["agent_answer"]))

"""Tool calls that wait for a decision, as the table keeps them."""

from dataclasses import replace
from uuid import UUID

import pytest
from asyncpg import Pool

from bridge.db.agent_questions import AgentQuestions
from bridge.db.approvals import Approvals
from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.models.approvals import AgentQuestion, AgentQuestionId, Inquiry
from bridge.models.chat import PostId, UserId
from bridge.models.jobs import Entry
from tests.support.approvals import ACME, waiting_approval

THREAD = PostId("t" * 26)
PLACE = waiting_approval().conversation
ADA, GRACE = UserId("a" * 26), UserId("g" * 26)


def asked(user: UserId, post: str) -> Entry:
    payload = {"user_id": user, "post_id": post, "thread": THREAD, "person_id": str(UUID(int=7))}
    return Entry("mention", f"thread:{THREAD}", ACME, f"post:{post}", payload)


@pytest.mark.parametrize("moment", ["running", "died", "over"])
async def test_who_has_asked_is_known_whatever_died(pool: Pool, moment: str) -> None:
    """Whoever had asked does not become somebody else, who could decide about it; nor does who asks next."""
    inbox = Inbox(pool)
    await inbox.put_all([asked(ADA, "p1")])
    (job,) = await inbox.claim(Capacity(1, kinds=["mention"]))
    match moment:
        case "over":
            await inbox.finish(job.id)
        case "died":
            await inbox.put_all([asked(GRACE, "p2")])
            await inbox.release()

    found = await Approvals(pool).add(waiting_approval())
    question = AgentQuestion(
        AgentQuestionId("q1"), PLACE, "", (Inquiry("i", "", "?"),), 1, waiting_approval().expires_at
    )
    waits = await AgentQuestions(pool).add(question)

    assert found
    assert waits
    assert (found.asker, waits.asker) == (ADA, ADA)


async def test_what_was_not_kept_is_remembered(pool: Pool) -> None:
    found = await Approvals(pool).add(replace(waiting_approval(), beyond=96_000))

    assert found
    assert found.approval.beyond == 96_000

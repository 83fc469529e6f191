"""Questions of agents as the bridge keeps them. Pure: no I/O is imported here."""

from dataclasses import dataclass
from typing import Literal

from bridge.models.approvals import AgentQuestion, AgentQuestionId, QuestionOutcome
from bridge.models.chat import PostId, UserId
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Entry, JobKind

QuestionState = Literal["pending"] | QuestionOutcome


@dataclass(frozen=True, slots=True)
class QuestionRecord:
    """A question of an agent, and what has become of it."""

    question: AgentQuestion
    lane: str
    """Of what people ask in the conversation."""
    thread: PostId | Literal[""]
    """The root to post under; empty for a direct message outside of a thread."""
    asker: UserId
    """Who may answer: the person whose question the agent works on."""
    state: QuestionState
    post_id: PostId | None = None
    answering: str | None = None
    """The dedupe key of the job whose answer is handed over, or was."""
    chosen: str | None = None
    """The choice that the person made by a button."""

    @property
    def organization_id(self) -> OrganizationId:
        return self.question.conversation.organization_id

    @property
    def is_direct(self) -> bool:
        return self.question.conversation.person_id is not None


def question_lane(question: AgentQuestionId | str) -> str:
    """Return the lane of the jobs about a question: it is posted, then answered, then shown as ended."""
    return f"agent_question:{question}"


def question_job(kind: JobKind, question: AgentQuestionId, organization: OrganizationId) -> Entry:
    """Return a job about a question, of which there is one at most of each kind."""
    payload = {"agent_question": question}
    return Entry(kind, question_lane(question), organization, f"{kind}:{question}", payload)

"""What an agent wants from people while it works: approvals of tool calls, and answers to its questions.

Pure: no I/O is imported here. A gateway's side channel reports them (`bridge.ports.AgentControl`); what it
reports of conversations that are not the bridge's own never gets here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NewType

from bridge.models.conversations import Conversation

ApprovalId = NewType("ApprovalId", str)
"""The gateway's id of an approval: a UUID for `exec`, `plugin:` and a UUID for `plugin`."""

AgentQuestionId = NewType("AgentQuestionId", str)
"""The gateway's id of a question of its agent."""

ApprovalKind = Literal["exec", "plugin"]
"""What waits: a command that the agent's host runs, or a tool of a plugin."""

Decision = Literal["allow-once", "deny"]
"""What people are offered; "allow-always" is never."""

Severity = Literal["info", "warning", "critical"]

Outcome = Literal["allowed", "denied", "expired", "withdrawn"]
"""How an approval has ended; `withdrawn`: its run has ended, or the gateway does not know it any more."""

QuestionOutcome = Literal["answered", "cancelled", "expired", "withdrawn"]
"""How a question has ended; `withdrawn` as above."""


@dataclass(frozen=True, slots=True)
class Approval:
    """A tool call that waits for a person's decision; times are in milliseconds since 1970.

    Title, description and tool are the agent's words and not trusted: whoever shows them escapes them.
    """

    id: ApprovalId
    kind: ApprovalKind
    conversation: Conversation
    run_id: str
    """The same as in `Began`; empty if the gateway gives none."""
    title: str
    """One line, never empty."""
    description: str
    """Of an `exec` the command."""
    tool: str
    """Empty if the gateway gives none."""
    severity: Severity
    decisions: tuple[Decision, ...]
    """What the gateway accepts of what people are offered; a decision that is not among them is a denial."""
    created_at: int
    expires_at: int
    beyond: int = 0
    """How many characters of the description are missing at its end, because it is too long to be kept."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a question."""

    label: str
    """What is given as the answer."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One of the things that a question asks."""

    id: str
    header: str
    text: str
    choices: tuple[Choice, ...] = ()
    several: bool = False
    """Whether more than one choice may be taken."""
    is_open: bool = True
    """Whether an answer of one's own words is accepted; it is where there are no choices."""
    is_secret: bool = False
    """Whether the answer is a secret, which nobody should write into a chat."""
    beyond: int = 0
    """How many characters of the text are missing at its end, because it is too long to be kept."""


@dataclass(frozen=True, slots=True)
class AgentQuestion:
    """What the agent asks the person before it goes on; times are in milliseconds since 1970.

    All of its words are the agent's and not trusted.
    """

    id: AgentQuestionId
    conversation: Conversation
    run_id: str
    """The same as in `Began`; empty if the gateway gives none."""
    inquiries: tuple[Inquiry, ...]
    """One at least."""
    created_at: int
    expires_at: int

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What one press of a button can answer: the choices of the one thing asked, if one may be taken."""
        if len(self.inquiries) != 1 or self.inquiries[0].several:
            return ()
        return self.inquiries[0].choices

    @property
    def is_secret(self) -> bool:
        return any(inquiry.is_secret for inquiry in self.inquiries)


Answers = Mapping[str, Sequence[str]]
"""Answers to a question, by the ids of its inquiries."""


@dataclass(frozen=True, slots=True)
class ApprovalRequested:
    """A tool call waits; it is reported to every process, perhaps more than once."""

    approval: Approval


@dataclass(frozen=True, slots=True)
class ApprovalResolved:
    """An approval has ended, whoever has ended it; reported to every process."""

    id: ApprovalId
    conversation: Conversation
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class QuestionRequested:
    """The agent asks; it is reported to every process, perhaps more than once."""

    question: AgentQuestion


@dataclass(frozen=True, slots=True)
class QuestionResolved:
    """A question has ended, whoever has ended it; reported to every process."""

    id: AgentQuestionId
    conversation: Conversation
    outcome: QuestionOutcome


@dataclass(frozen=True, slots=True)
class Pending:
    """All that waits at the moment of a connect; what is not among it any more has ended unheard."""

    approvals: tuple[Approval, ...] = ()
    questions: tuple[AgentQuestion, ...] = ()
    at: int = 0
    """Milliseconds: when it was asked for. What the database learned of later is not missing from it."""


ControlEvent = ApprovalRequested | ApprovalResolved | QuestionRequested | QuestionResolved | Pending


@dataclass(frozen=True, slots=True)
class Resolution:
    """What the gateway says to a decision or an answer; the first one wins."""

    applied: bool
    """Whether it was this one that counted."""
    outcome: Outcome | QuestionOutcome
    """How the approval or the question has ended."""


@dataclass(frozen=True, slots=True)
class ControlState:
    """Whether approvals and questions of the agent can reach people."""

    is_on: bool
    """Whether the channel is connected and has the rights that it needs."""
    reason: str = ""
    """A sentence for operators: why not. Empty while it is on."""

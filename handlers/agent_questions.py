"""Take presses of the buttons below questions of an agent."""

from dataclasses import dataclass

from bridge.db.agent_questions import AgentQuestions
from bridge.db.inbox import Inbox
from bridge.models.agent_questions import question_lane
from bridge.models.approvals import AgentQuestionId
from bridge.models.buttons import Button, Press
from bridge.models.jobs import Entry

NOT_YOURS = "Only the person who has asked the agent may answer it."
NOT_A_MEMBER = "Only members of the organization may answer its agent."
ENDED = "The agent does not wait for this answer any more."


@dataclass(frozen=True, slots=True)
class QuestionDesk:
    questions: AgentQuestions
    inbox: Inbox

    async def pressed(self, button: Button, press: Press) -> str:
        """Let the choice be handed to the agent; return a sentence for whoever may not, or nothing."""
        question = AgentQuestionId(button.subject)
        record = await self.questions.get(question)
        if record is None or record.organization_id != button.organization_id or record.state != "pending":
            return ENDED
        if press.user_id != record.asker:
            return NOT_YOURS
        if await self.questions.asker_has_left(question):
            return NOT_A_MEMBER
        payload = {"agent_question": question, "choice": button.choice}
        dedupe = f"agent_answer:{question}:{button.choice}"
        job = Entry("agent_answer", question_lane(question), record.organization_id, dedupe, payload)
        await self.inbox.put_all([job])
        return ""

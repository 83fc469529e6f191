"""An agent behind any server that speaks OpenAI's chat completions."""

import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from bridge.agent.conversation import (
    content,
    conversation,
    has_pictures,
    newer_half,
    without_pictures,
)
from bridge.agent.http import Server
from bridge.agent.question_headers import headers_of
from bridge.agent.refusals import Dialect
from bridge.errors import AgentMisconfigured, ThreadTooLong
from bridge.models.agent import AnswerEvent, Message, Question
from bridge.models.equa import OrganizationId

DIALECT = Dialect(missing="it has no /chat/completions, or does not know AGENT_MODEL")


class OpenAIAgent:
    """Remembers nothing, so that each question carries the thread."""

    remembers = DIALECT.remembers

    def __init__(self, server: Server, *, model: str) -> None:
        self._server = server
        self._model = model

    async def answer(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        """Ask; ask once more without the older half of a thread that is too long for the model.

        A model that takes no pictures is asked once more without them.
        """
        try:
            async with aclosing(self._ask(question, question.history)) as events:
                async for event in events:
                    yield event
        except ThreadTooLong:
            if not question.history:
                raise
            again = self._ask(question, newer_half(question.history))
        except AgentMisconfigured:
            if not has_pictures(question):
                raise
            blind = without_pictures(question)
            again = self._ask(blind, blind.history)
        else:
            return
        async with aclosing(again) as events:
            async for event in events:
                yield event

    async def ping(self) -> None:
        await self._server.ping(self._server.endpoint.models)

    def _ask(self, question: Question, history: Sequence[Message]) -> AsyncGenerator[AnswerEvent, None]:
        body = {
            "model": self._model,
            "stream": True,
            "stream_options": {"include_usage": True},
            "messages": [
                {"role": message.role, "content": content(message)}
                for message in conversation(history, Message("user", question.text, question.images))
            ],
            "user": opaque_user(question.organization_id),
        }
        return self._server.answer(body, headers_of(question))


def opaque_user(organization_id: OrganizationId) -> str:
    """Return a name of the organization for the model's provider: always the same, and nobody's own."""
    return hashlib.sha256(b"equabot-bridge/" + organization_id.bytes).hexdigest()[:32]

"""An agent behind any server that speaks OpenAI's chat completions."""

import hashlib

from bridge.agent.http import Server
from bridge.agent.refusals import Dialect
from bridge.models.agent import Question
from bridge.models.equa import OrganizationId

DIALECT = Dialect(missing="it has no /v1/chat/completions, or does not know AGENT_MODEL")


class OpenAIAgent:
    """Remembers nothing, so each question carries the thread."""

    remembers = False

    def __init__(self, server: Server, *, model: str) -> None:
        self._server = server
        self._model = model

    async def reply(self, question: Question) -> str:
        turns = [{"role": turn.role, "content": turn.text} for turn in question.history]
        body = {
            "model": self._model,
            "stream": True,
            "messages": [*turns, {"role": "user", "content": question.text}],
            "user": opaque_user(question.organization_id),
        }
        headers = {
            "X-Equa-Organization": str(question.organization_id),
            "X-Equa-User": str(question.person_id),
            "X-Request-Id": question.post_id,
        }
        return await self._server.complete(body, headers)

    async def ping(self) -> None:
        await self._server.ping("/v1/models")


def opaque_user(organization_id: OrganizationId) -> str:
    """Return what stands for the organization at the model's provider: always the same, and nobody's name."""
    return hashlib.sha256(b"equabot-bridge/" + organization_id.bytes).hexdigest()[:32]

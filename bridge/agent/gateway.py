"""The agent behind an equabot-gateway, or behind the openclaw gateway that it is made of."""

import asyncio
import re
from collections.abc import Mapping

from bridge.agent.http import Server
from bridge.agent.refusals import Dialect, InternalError
from bridge.models.agent import Question

DIALECT = Dialect(
    missing="enable gateway.http.endpoints.chatCompletions in the gateway's configuration",
    retries_itself=True,
    non_answer=re.compile(r"Error: .*|No response from [^\n]{1,60}\.", re.DOTALL),
)

RACE_WINDOW = 2.0
RACE_PAUSE = 0.5
"""Seconds. Two first messages of one session that arrive together make one of them an "internal error" within
0.3 s (measured with openclaw 2026.9): within the window it is asked again, once."""


class GatewayAgent:
    """Keeps each thread's conversation under a session key, so only the new message is sent."""

    remembers = True

    def __init__(self, server: Server, *, agent_id: str, model: str, race_pause: float = RACE_PAUSE) -> None:
        self._server = server
        self._agent_id = agent_id
        self._model = model
        self._race_pause = race_pause

    async def reply(self, question: Question) -> str:
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        try:
            return await self._ask(question)
        except InternalError:
            if loop.time() - asked_at > RACE_WINDOW:
                raise
        await asyncio.sleep(self._race_pause)
        return await self._ask(question)

    async def ping(self) -> None:
        await self._server.ping("/healthz")

    async def _ask(self, question: Question) -> str:
        body = {
            "model": self._model,
            "stream": True,
            "messages": [{"role": "user", "content": question.text}],
        }
        return await self._server.complete(body, self._headers(question))

    def _headers(self, question: Question) -> Mapping[str, str]:
        product = product_of(self._model)
        organization = str(question.organization_id)
        return {
            f"x-{product}-agent-id": self._agent_id.replace("{organizationId}", organization),
            f"x-{product}-session-key": session_key(question),
            "X-Equa-Organization": organization,
            "X-Equa-User": str(question.person_id),
            "X-Request-Id": question.post_id,
        }


def session_key(question: Question) -> str:
    """Name the conversation; in lower case, because the gateway takes keys so."""
    parts = ("mattermost", str(question.organization_id), question.channel_id, question.thread)
    return ":".join(parts).lower()


def product_of(model: str) -> str:
    """Return the name that the gateway's headers carry: `openclaw` of `openclaw/main`.

    `agent:<id>` is also a model name that every gateway knows, and names no product.
    """
    match = re.match(r"[a-z0-9-]+", model.lower())
    return match[0] if match and match[0] != "agent" else "equabot"

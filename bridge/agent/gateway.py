"""The agent behind an equabot-gateway, or behind the openclaw gateway that it is a fork of."""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any

from multidict import istr

from bridge.agent.conversation import content
from bridge.agent.http import Server
from bridge.agent.question_headers import headers_of
from bridge.agent.refusals import Dialect, InternalError, NotBegun, NotStreamed
from bridge.agent.waiting import Waiting
from bridge.errors import AgentFailed, AgentUnavailable, AnswerInterrupted
from bridge.models.agent import AnswerEvent, Message, Question
from bridge.models.conversations import Conversation

DIALECT = Dialect(
    missing="enable gateway.http.endpoints.chatCompletions in the gateway's configuration",
    remembers=True,
    retries_itself=True,
    non_answer=re.compile(r"Error: [^\n]{0,500}|No response from [^\n]{1,60}"),
    failed_piece=re.compile(r"Error: .*", re.DOTALL),
)

RACE_WINDOW = 2.0
RACE_PAUSE = 0.5
"""Seconds. When two first messages of one session arrive together, one of them gets an "internal error"
within 0.3 s (measured with openclaw 2026.9). Within the window it is asked once more."""


class GatewayAgent:
    """Keeps each thread's conversation under a session key, so that only the new message is sent."""

    remembers = DIALECT.remembers

    def __init__(  # noqa: PLR0913 - what it is made of, each by its name
        self,
        server: Server,
        *,
        agent_id: str,
        model: str,
        waiting: Waiting | None = None,
        race_window: float = RACE_WINDOW,
        race_pause: float = RACE_PAUSE,
    ) -> None:
        self._server = server
        self._agent_id = agent_id
        self._model = model
        product = product_of(model)
        self._agent_header = istr(f"x-{product}-agent-id")
        self._session_header = istr(f"x-{product}-session-key")
        self._waiting = waiting or Waiting()
        """While the agent waits for people, its silence does not count."""
        self._race_window = race_window
        self._race_pause = race_pause

    async def answer(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        """Ask; ask once more after a race, or without a stream for an answer that cannot be streamed."""
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        try:
            async with aclosing(self._ask(question)) as events:
                async for event in events:
                    yield event
        except NotStreamed:
            again = self._ask_whole(question)
        except InternalError as error:
            is_late = loop.time() - asked_at > self._race_window
            if is_late and isinstance(error, NotBegun):
                raise
            if is_late:
                # The gateway has worked on it, so that tools may have run.
                raise AnswerInterrupted(error.message, retry_after=error.retry_after) from None
            await asyncio.sleep(self._race_pause)
            again = self._ask(question)
        else:
            return
        async with aclosing(again) as events:
            async for event in events:
                yield event

    async def ping(self) -> None:
        await self._server.ping(self._server.endpoint.health)

    def _ask(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        return self._server.answer(
            {**self._body(question), "stream": True, "stream_options": {"include_usage": True}},
            self._headers(question),
            partial(self._waiting.last, session_key(question)),
        )

    async def _ask_whole(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        """Ask for the answer in one piece; that was the one repeat of an answer that had begun."""
        body = {**self._body(question), "stream": False}
        try:
            last_waited = partial(self._waiting.last, session_key(question))
            async with aclosing(self._server.answer(body, self._headers(question), last_waited)) as events:
                async for event in events:
                    yield event
        except AgentUnavailable as error:
            raise AgentFailed(error.message) from None

    def _body(self, question: Question) -> Mapping[str, Any]:
        message = Message("user", question.text, question.images)
        return {"model": self._model, "messages": [{"role": "user", "content": content(message)}]}

    def _headers(self, question: Question) -> Mapping[str, str]:
        return {
            self._agent_header: self._agent_id.replace("{organizationId}", str(question.organization_id)),
            self._session_header: session_key(question),
            **headers_of(question),
        }


def session_key(question: Question) -> str:
    """Return the key of the question's conversation."""
    return Conversation(
        question.organization_id,
        question.channel_id,
        question.thread,
        question.person_id if question.is_direct else None,
        question.generation,
    ).key


def product_of(model: str) -> str:
    """Return the product's name in the gateway's headers: `openclaw` for the model `openclaw/main`.

    Every gateway also knows models named `agent:<id>`, which name no product.
    """
    match = re.match(r"[a-z0-9-]+", model.lower())
    return match[0] if match and match[0] != "agent" else "equabot"

"""Wait for a whole answer."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from bridge.errors import AgentFailed
from bridge.models.agent import AnswerEvent, Done


async def collect(answer: AsyncGenerator[AnswerEvent, None]) -> Done:
    """Return the end of an answer; raise what the answer raises."""
    async with aclosing(answer) as events:
        async for event in events:
            if isinstance(event, Done):
                return event
    raise AgentFailed("The agent's answer has no end.")

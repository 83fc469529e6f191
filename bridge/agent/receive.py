"""Receive an answer over HTTP, to its end or as far as it is worth waiting for."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientResponse

from bridge.agent.body import Body, BodyTooLong, NotCompletions
from bridge.agent.completions import Answer
from bridge.agent.refusals import Refusal
from bridge.agent.silence import SilenceLimit
from bridge.agent.sse import EventTooLong
from bridge.errors import AgentFailed, AgentMisconfigured, QuestionRefused

ERROR_LIMIT = 64 << 10
ERROR_SECONDS = 2.0
SLICE = 8 << 10
STREAM_LIMIT = 64 << 20
"""Bytes; an answer of `ANSWER_LIMIT` characters has about 42 MB when each comes in a chunk of its own."""


@dataclass(slots=True)
class Receiving:
    """An answer that comes in. Thousands do at once, so this is an object and no nest of generators."""

    response: ClientResponse
    answer: Answer
    silence: SilenceLimit
    _body: Body = field(default_factory=Body, init=False)
    _size: int = field(default=0, init=False)
    _deadline: float | None = field(default=None, init=False)
    """Until when more is waited for, by the loop's clock."""

    async def more(self) -> bool:
        """Read on; False at the end, or where a sign of it holds although the connection does not."""
        try:
            return await self._read_on()
        except TimeoutError:
            if not self.answer.is_finished:
                raise
        except ClientError:
            if not self.answer.outlasts_a_break:
                raise
        except (NotCompletions, EventTooLong, BodyTooLong) as error:
            raise _refusal(error, self.response) from None
        return False

    async def _read_on(self) -> bool:
        piece = await self._piece()
        if not piece:
            self.answer.end(self._body.end(), whole_body=self._body.is_whole)
            return False
        self._size += len(piece)
        if self._size > STREAM_LIMIT:
            raise EventTooLong
        progress = self.answer.progress
        await _take(piece, self._body, self.answer)
        if self.answer.progress != progress:
            self._deadline = _deadline(self.answer)
        return not self.answer.is_full

    async def _piece(self) -> bytes:
        """Return the next bytes, none at the end; raise `TimeoutError` at the deadline."""
        async with asyncio.timeout_at(self._deadline), self.silence.watched():
            return await self.response.content.readany()


def _refusal(error: ValueError, response: ClientResponse) -> Refusal:
    """Say what a body means that is no answer."""
    if isinstance(error, NotCompletions):
        elsewhere = AgentMisconfigured("AGENT_URL leads to something else than chat completions.")
        return Refusal(elsewhere, response.content_type)
    if isinstance(error, EventTooLong):
        return Refusal(AgentFailed("The agent sent an event that is too long for an answer."))
    return Refusal(QuestionRefused("The agent's answer is too long."))


async def _take(piece: bytes, body: Body, answer: Answer) -> None:
    """Read a piece in slices, so that no server holds up the others: a piece may have 40,000 events."""
    for start in range(0, len(piece), SLICE):
        for event in body.feed(piece[start : start + SLICE]):
            answer.take(event)
        if start + SLICE < len(piece):
            await asyncio.sleep(0)


def _deadline(answer: Answer) -> float | None:
    """Return until when more is waited for, by the loop's clock."""
    seconds = answer.grace
    return None if seconds is None else asyncio.get_running_loop().time() + seconds


async def beginning(response: ClientResponse) -> bytes:
    """Return the beginning of a body, or what comes of it soon: the status has said enough."""
    body = bytearray()
    with suppress(TimeoutError, ClientError):
        async with asyncio.timeout(ERROR_SECONDS):
            async for piece in response.content.iter_any():
                body += piece
                if len(body) > ERROR_LIMIT:
                    break
    return bytes(body[:ERROR_LIMIT])

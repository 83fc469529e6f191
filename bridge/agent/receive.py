"""Receive an answer over HTTP, to its end or as far as it is worth waiting for."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager, suppress

from aiohttp import ClientError, ClientResponse

from bridge.agent.body import Body, BodyTooLong, NotCompletions
from bridge.agent.completions import Answer
from bridge.agent.refusals import Refusal
from bridge.agent.silence import SilenceLimit
from bridge.agent.sse import EventTooLong
from bridge.errors import AgentFailed, AgentMisconfigured, QuestionRefused
from bridge.models.agent import Began, Delta

ERROR_LIMIT = 64 << 10
ERROR_SECONDS = 2.0
SLICE = 8 << 10
STREAM_LIMIT = 64 << 20
"""Bytes; an answer of `ANSWER_LIMIT` characters has about 42 MB when each comes in a chunk of its own."""


async def receive(
    response: ClientResponse, answer: Answer, silence: SilenceLimit
) -> AsyncGenerator[Began | Delta, None]:
    """Read the answer to its end, or until a sign of it holds although the connection does not."""
    try:
        with _refusals(response):
            async with aclosing(_read_body(response, answer, silence)) as news:
                async for event in news:
                    yield event
    except TimeoutError:
        if not answer.is_finished:
            raise
    except ClientError:
        if not answer.outlasts_a_break:
            raise


@contextmanager
def _refusals(response: ClientResponse) -> Iterator[None]:
    """Say what a body means that is no answer."""
    try:
        yield
    except NotCompletions:
        raise Refusal(
            AgentMisconfigured("AGENT_URL leads to something else than chat completions."),
            response.content_type,
        ) from None
    except EventTooLong:
        raise Refusal(AgentFailed("The agent sent an event that is too long for an answer.")) from None
    except BodyTooLong:
        raise Refusal(QuestionRefused("The agent's answer is too long.")) from None


async def _read_body(
    response: ClientResponse, answer: Answer, silence: SilenceLimit
) -> AsyncGenerator[Began | Delta, None]:
    body, size = Body(), 0
    deadline: float | None = None
    while piece := await _piece(response, deadline, silence):
        size += len(piece)
        if size > STREAM_LIMIT:
            raise EventTooLong
        progress = answer.progress
        await _take(piece, body, answer)
        if answer.is_full:
            return
        if answer.progress != progress:
            deadline = _deadline(answer)
        for event in answer.news():
            yield event
    answer.end(body.end(), whole_body=body.is_whole)


async def _piece(response: ClientResponse, deadline: float | None, silence: SilenceLimit) -> bytes:
    """Return the next bytes, none at the end; raise `TimeoutError` at the deadline."""
    async with asyncio.timeout_at(deadline), silence.watched():
        return await response.content.readany()


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

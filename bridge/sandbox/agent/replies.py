"""Write an answer to the wire, with the fault that was asked for."""

import asyncio
from dataclasses import dataclass
from typing import assert_never

from aiohttp import web

from bridge.sandbox.agent.faults import (
    Binary,
    Cut,
    Empty,
    ErrorChunk,
    ErrorObject,
    Says,
    Silence,
    Status,
    Unfinished,
)
from bridge.sandbox.agent.stream import PIECES, Stream, pieces

StreamFault = Silence | ErrorObject | ErrorChunk | Empty | Unfinished | Says | Binary | Cut
"""Faults after status 200 was sent."""


def plain(status: Status) -> web.Response:
    return web.Response(
        status=status.status, text=status.body, content_type=status.content_type, headers=status.headers
    )


def said(text: str, fault: StreamFault | None) -> tuple[str, str | None]:
    """Return the text that is sent, and its finish_reason; None if it has none."""
    match fault:
        case None | Silence():
            return text, "stop"
        case Says(text=other, finish_reason=finish_reason):
            return other, finish_reason
        case Empty(finish_reason=finish_reason):
            return "", finish_reason
        case Unfinished():
            return text, None
        case ErrorObject(after=after) | ErrorChunk(after=after) | Cut(after=after):
            return after or "", None
        case Binary():
            return "", None
        case _:
            assert_never(fault)


@dataclass(frozen=True, slots=True)
class Pace:
    """How an answer is cut and how fast it is said."""

    may_end: asyncio.Event
    """What the last piece waits for."""
    pieces: int = PIECES
    """At most."""
    delay: float = 0.0
    """Seconds between two pieces."""


async def write(
    stream: Stream, text: str, fault: StreamFault | None, pace: Pace, *, with_usage: bool = False
) -> None:
    """Write everything after the role, `[DONE]` included; raise `ConnectionResetError` for a cut."""
    if isinstance(fault, Silence) and fault.at_once:
        await asyncio.sleep(fault.seconds)
    sent, finish_reason = said(text, fault)
    pause = pace.delay + (fault.pause if isinstance(fault, Says) else 0)
    *earlier, last = pieces(sent, pace.pieces) or [""]
    for piece in earlier:
        await stream.text(piece)
        await asyncio.sleep(pause)
    await pace.may_end.wait()
    if last:
        await stream.text(last)
    if finish_reason is not None:
        await stream.delta({}, finish_reason)
    await _break_off(stream, fault)
    if with_usage:
        await stream.usage(sent)
    await stream.end()


async def _break_off(stream: Stream, fault: StreamFault | None) -> None:
    match fault:
        case ErrorObject(message=message, type=kind):
            await stream.error(message, kind)
        case ErrorChunk(message=message):
            await stream.text(message, "stop")
        case Binary(data=data):
            await stream.raw(data)
        case Cut():
            raise ConnectionResetError

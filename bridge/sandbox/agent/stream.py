"""The wire of chat completions, as the gateway writes it."""

import json
import re
import time
import uuid
from typing import Any

from aiohttp import web

PIECES = 8
"""The number of deltas of an answer, at most, unless it is told to give more."""


class Stream:
    """A streamed answer; `begin` sends status 200 and the role."""

    def __init__(self, request: web.Request, model: str) -> None:
        self._request = request
        self._head = _head("chat.completion.chunk", model)
        self.run_id = str(self._head["id"])
        """The gateway's name of the run, which approvals and questions have too."""
        self.response = web.StreamResponse(headers={"Cache-Control": "no-cache"})
        self.response.headers["Content-Type"] = "text/event-stream; charset=utf-8"

    async def begin(self) -> None:
        await self.response.prepare(self._request)
        await self.delta({"role": "assistant"})

    async def text(self, content: str, finish_reason: str | None = None) -> None:
        await self.delta({"content": content}, finish_reason)

    async def delta(self, delta: dict[str, str], finish_reason: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        await self._event(json.dumps({**self._head, "choices": [choice]}))

    async def error(self, message: str, kind: str) -> None:
        await self._event(json.dumps({"error": {"message": message, "type": kind}}))

    async def usage(self, text: str) -> None:
        """Report the tokens of an answer, as a chunk without choices."""
        await self._event(json.dumps({**self._head, "choices": [], "usage": usage(text)}))

    async def raw(self, data: bytes) -> None:
        await self.response.write(data)

    async def end(self) -> None:
        await self._event("[DONE]")
        await self.response.write_eof()

    async def _event(self, data: str) -> None:
        await self.raw(f"data: {data}\n\n".encode())


def pieces(text: str, most: int = PIECES) -> list[str]:
    """Split a text between its words into at most so many pieces."""
    words = re.findall(r"\s*\S+\s*|\s+", text)
    step = -(-len(words) // most) or 1
    return ["".join(words[start : start + step]) for start in range(0, len(words), step)]


def new_run_id() -> str:
    return f"chatcmpl_{uuid.uuid4()}"


def completion(model: str, text: str, finish_reason: str | None) -> dict[str, Any]:
    """Return the whole answer to a call that did not ask for a stream."""
    message = {"role": "assistant", "content": text}
    return {
        **_head("chat.completion", model),
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": usage(text),
    }


def usage(text: str) -> dict[str, int]:
    """Return the tokens of an answer: one a word, and ten for the question."""
    words = len(text.split())
    return {"prompt_tokens": 10, "completion_tokens": words, "total_tokens": 10 + words}


def _head(kind: str, model: str) -> dict[str, Any]:
    return {"id": new_run_id(), "object": kind, "created": int(time.time()), "model": model}

"""The sandbox's agent on a port of its own, and a server that says scripted bytes."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from uuid import UUID

from aiohttp import web

from bridge.agent.answer_text import ANSWER_LIMIT, clean
from bridge.models.agent import AnswerEvent, Began, Delta, Done, Message, Question
from bridge.models.chat import ChannelId, PostId
from bridge.models.equa import OrganizationId, PersonId
from bridge.sandbox.agent import Organization, SandboxAgent, Stake, create_app

ACME = OrganizationId(UUID("0a000000-0000-4000-8000-00000000000a"))
BIRCH = OrganizationId(UUID("0b000000-0000-4000-8000-00000000000b"))
TOKEN = "a-token-of-the-gateway"

DIRECTORY: Mapping[UUID, Organization] = {
    ACME: Organization(
        "Acme Corp",
        people=[("Ada Lovelace", "CEO"), ("Grace Hopper", "CTO")],
        stakes=[
            Stake("Ada Lovelace", "common stock", 600_000),
            Stake("Option pool", "options", 400_000),
        ],
        documents=["Bylaws.pdf"],
    ),
    BIRCH: Organization("Birch Ltd", people=[("Linus Birch", "Founder")]),
}


@asynccontextmanager
async def serving(app: web.Application, port: int = 0) -> AsyncIterator[str]:
    """Serve an application; yields its URL."""
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def agent_served(product: str = "equabot") -> AsyncIterator[tuple[SandboxAgent, str]]:
    agent = SandboxAgent(DIRECTORY, token=TOKEN, product=product)
    async with serving(create_app(agent)) as url:
        yield agent, url


async def text_of(answer: AsyncGenerator[AnswerEvent, None]) -> str:
    """Return the whole text of an answer; what was shown while it grew is the beginning of it."""
    grown = ""
    async with aclosing(answer) as events:
        async for event in events:
            match event:
                case Began():
                    grown = ""
                case Delta(text):
                    grown += text
                case Done(text):
                    assert text.startswith(clean(grown)) or len(grown) > ANSWER_LIMIT - 1000
                    return text
    raise AssertionError("The answer has no end.")


class Wire:
    """Answers each connection with the next of its scripts, then closes it, or keeps it open."""

    def __init__(self, *scripts: bytes, then_close: bool = True) -> None:
        self._scripts = list(scripts)
        self._then_close = then_close
        self.requests: list[bytes] = []
        """The heads of the requests."""
        self.bodies: list[bytes] = []
        self.gone = asyncio.Event()
        """Set when a client has closed its connection."""

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        async with server:
            host, port = server.sockets[0].getsockname()[:2]
            yield f"http://{host}:{port}"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.requests.append(head)
        try:
            size = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
            self.bodies.append(await reader.readexactly(int(size[1]) if size else 0))
            writer.write(self._scripts.pop(0))
            await writer.drain()
            if not self._then_close:
                while await reader.read(65536):
                    pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.gone.set()
            writer.close()


def stream(*events: str, head: str = "") -> bytes:
    """Return a response that ends with its connection: these events, each ended by its blank line."""
    body = "".join(f"data: {event}\n\n" for event in events)
    return f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n{head}\r\n{body}".encode()


def piece(content: str, finish_reason: str | None = None) -> str:
    """Return a chunk that holds a piece of text; `content` is put in as JSON has it."""
    end = "null" if finish_reason is None else f'"{finish_reason}"'
    return f'{{"choices":[{{"index":0,"delta":{{"content":"{content}"}},"finish_reason":{end}}}]}}'


STOP = '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'


def question(
    text: str = "who is on our team?",
    *,
    organization_id: OrganizationId = ACME,
    thread: str = "t" * 26,
    history: tuple[Message, ...] = (),
) -> Question:
    return Question(
        organization_id=organization_id,
        person_id=PersonId(UUID("0c000000-0000-4000-8000-00000000000c")),
        channel_id=ChannelId("c" * 26),
        thread=PostId(thread),
        post_id=PostId("p" * 26),
        text=text,
        history=history,
    )

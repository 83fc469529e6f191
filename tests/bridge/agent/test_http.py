import asyncio
import json
from collections.abc import Callable

import pytest
from aiohttp import ClientSession, web
from structlog.testing import capture_logs

from bridge.agent import gateway
from bridge.agent.answer_text import ANSWER_LIMIT, CUT
from bridge.agent.body import BODY_LIMIT
from bridge.agent.http import Server, make_session
from bridge.errors import AgentFailed, AgentMisconfigured, AgentUnavailable
from tests.support.agent import STOP, TOKEN, Wire, piece, serving, stream, text_of
from tests.support.mattermost import eventually

Make = Callable[..., Server]
HELLO = stream(piece("Hello."), STOP, "[DONE]")


@pytest.fixture
def make(session: ClientSession) -> Make:
    def server(url: str, *, silence: float = 60.0, token: str = TOKEN) -> Server:
        return Server(session, url=url, token=token, silence=silence, dialect=gateway.DIALECT)

    return server


async def ping(server: Server) -> None:
    await server.ping(server.endpoint.health)


async def answer_of(make: Make, *scripts: bytes, silence: float = 60.0, then_close: bool = True) -> str:
    async with Wire(*scripts, then_close=then_close).served() as url:
        return await text_of(make(url, silence=silence).answer({}, {}))


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
async def test_the_url_may_end_in_v1(make: Make, path: str) -> None:
    """Operators write the address both ways."""
    wire = Wire(HELLO)
    async with wire.served() as url:
        assert await text_of(make(url + path).answer({}, {})) == "Hello."

    assert wire.requests[0].startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")


async def test_the_token_is_sent_and_compression_is_not_asked_for(make: Make) -> None:
    """A compressed stream would arrive late, and may be a bomb."""
    wire = Wire(HELLO)
    async with wire.served() as url:
        await text_of(make(url, token=f" {TOKEN}\n").answer({}, {}))

    assert f"Authorization: Bearer {TOKEN}\r\n".encode() in wire.requests[0]
    assert b"Accept-Encoding: identity\r\n" in wire.requests[0]


async def test_without_a_token_no_authorization_is_sent(make: Make) -> None:
    wire = Wire(HELLO)
    async with wire.served() as url:
        await text_of(make(url, token="").answer({}, {}))

    assert b"Authorization" not in wire.requests[0]


async def test_a_json_answer_is_accepted(make: Make) -> None:
    body = b'{"choices":[{"message":{"content":"Hello."},"finish_reason":"stop"}]}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"

    assert await answer_of(make, head + body) == "Hello."


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (b"", AgentUnavailable),
        (b"\x00\xff binary\r\n\r\n", AgentUnavailable),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99\r\n\r\ndata:",
            AgentUnavailable,
        ),
        (stream(piece("half"), head="Transfer-Encoding: chunked\r\n"), AgentUnavailable),
        (stream(piece("half")), AgentUnavailable),
        (stream("\x00\x00", STOP), AgentFailed),
        (stream(piece("x" * (1 << 21)), STOP), AgentFailed),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", AgentFailed),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[]", AgentFailed),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + b"[" * BODY_LIMIT + b"[",
            AgentFailed,
        ),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", AgentFailed),
        (b"HTTP/1.1 204 No Content\r\n\r\n", AgentFailed),
    ],
)
async def test_what_is_no_answer_raises_one_of_two_errors(
    make: Make, script: bytes, error: type[AgentFailed | AgentUnavailable]
) -> None:
    """Nothing else gets out, and nothing of the text."""
    with pytest.raises(error) as caught:
        await answer_of(make, script)

    assert "half" not in caught.value.message


async def test_bytes_that_are_no_utf8_are_replaced(make: Make) -> None:
    script = stream(piece("caf?"), STOP).replace(b"?", b"\xe9")

    assert await answer_of(make, script) == "caf\ufffd"


async def test_a_refused_connection_may_be_tried_again(make: Make) -> None:
    async with Wire().served() as url:
        pass

    with pytest.raises(AgentUnavailable, match="cannot be reached"):
        await text_of(make(url).answer({}, {}))


@pytest.mark.parametrize("script", [b"", stream(piece("half"))], ids=["before a byte", "behind some text"])
async def test_silence_is_given_up_and_not_tried_again(make: Make, script: bytes) -> None:
    """The person has waited long enough, and the gateway has retried meanwhile."""
    with pytest.raises(AgentFailed, match=r"silent for 0\.2 s"):
        await answer_of(make, script, silence=0.2, then_close=False)


async def test_only_silence_counts_not_the_length(make: Make) -> None:
    """An answer may take longer than the time-out as long as something comes, even comments."""

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for _ in range(5):
            await response.write(b": still thinking\n\n")
            await asyncio.sleep(0.8)
        await response.write(f"data: {piece('Hello.', 'stop')}\n\n".encode())
        return response

    app = web.Application()
    app.router.add_post("/v1/chat/completions", drip)
    async with serving(app) as url:
        assert await text_of(make(url, silence=3).answer({}, {})) == "Hello."


async def test_a_finished_answer_does_not_wait_for_its_server(make: Make) -> None:
    """A connection that stays open, or breaks, behind the finish_reason takes nothing away."""
    finished = stream(piece("Hello."), STOP)
    broken = stream(piece("Hello."), STOP, head="Content-Length: 9999\r\n")

    assert await answer_of(make, finished, silence=3, then_close=False) == "Hello."
    assert await answer_of(make, finished, silence=60, then_close=False) == "Hello."
    assert await answer_of(make, broken) == "Hello."


async def test_a_too_long_answer_is_cut_and_no_longer_read(make: Make) -> None:
    """The connection is closed, so that its server stops as well."""
    wire = Wire(stream(*[piece("x" * 10_000)] * 30), then_close=False)
    async with wire.served() as url:
        text = await text_of(make(url).answer({}, {}))
        async with asyncio.timeout(60):
            await wire.gone.wait()

    assert ANSWER_LIMIT - 100 <= len(text) <= ANSWER_LIMIT
    assert text.endswith(CUT)


async def test_cancelling_closes_the_connection(make: Make) -> None:
    """The gateway stops its run when its client goes away."""
    wire = Wire(stream(piece("half")), then_close=False)
    async with wire.served() as url:
        asking = asyncio.create_task(text_of(make(url).answer({}, {})))
        await eventually(lambda: bool(wire.bodies))
        asking.cancel()
        async with asyncio.timeout(60):
            await wire.gone.wait()

    assert asking.cancelled()


async def test_the_servers_sentence_is_logged_without_the_token(make: Make) -> None:
    """What the server says goes to the log, the token does not, and the error holds neither."""
    error = json.dumps(
        {"error": {"message": f"unknown agent, token {TOKEN}", "type": "invalid_request_error"}}
    )
    script = f"HTTP/1.1 400 Bad Request\r\nContent-Length: {len(error)}\r\n\r\n{error}".encode()

    with capture_logs() as logs, pytest.raises(AgentFailed) as caught:
        await answer_of(make, script)

    assert [(line["event"], line["said"]) for line in logs] == [("agent_refused", "unknown agent, token …")]
    assert "unknown" not in caught.value.message
    assert TOKEN not in repr(logs) + caught.value.message


@pytest.mark.parametrize("then_close", [True, False])
async def test_a_refusal_is_known_before_its_body_ends(make: Make, then_close: bool) -> None:  # noqa: FBT001 - a table's column
    """The person does not wait for a server that stalls, and a break takes nothing away."""
    script = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 999\r\n\r\nno"

    with pytest.raises(AgentMisconfigured):
        await answer_of(make, script, silence=60, then_close=then_close)


async def test_retry_after_is_passed_on(make: Make) -> None:
    script = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"

    with pytest.raises(AgentUnavailable) as caught:
        await answer_of(make, script)

    assert caught.value.retry_after == 7


async def test_ping_takes_any_answer_that_is_no_server_error(make: Make) -> None:
    """A refusal proves that somebody is there."""
    wire = Wire(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    async with wire.served() as url:
        await ping(make(url))

    assert wire.requests[0].startswith(b"GET /healthz HTTP/1.1\r\n")


async def test_ping_says_when_nobody_is_there(make: Make) -> None:
    async with Wire(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").served() as url:
        with pytest.raises(AgentUnavailable):
            await ping(make(url))
    with pytest.raises(AgentUnavailable):
        await ping(make(url))


async def test_hundreds_of_answers_at_once_do_not_wait_for_each_other() -> None:
    """The session has no limit of connections, so 300 silent answers are all with their server."""
    waiting = 0
    everybody_is_there = asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        nonlocal waiting
        waiting += 1
        if waiting == 300:
            everybody_is_there.set()
        await everybody_is_there.wait()
        choice = {"message": {"content": "Hello."}, "finish_reason": "stop"}
        return web.json_response({"choices": [choice]})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    async with serving(app) as url, make_session() as session, asyncio.timeout(60):
        server = Server(session, url=url, token="", silence=30, dialect=gateway.DIALECT)
        texts = await asyncio.gather(*(text_of(server.answer({}, {})) for _ in range(300)))

    assert set(texts) == {"Hello."}

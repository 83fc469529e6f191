"""Answers as servers of all kinds write them, read over real sockets by both clients."""

import json
from collections.abc import Callable

import pytest
from aiohttp import ClientSession
from structlog.testing import capture_logs

from bridge.agent import AgentKind, make_agent
from bridge.agent.answer_text import CUT
from bridge.errors import (
    AgentFailed,
    AgentMisconfigured,
    AgentUnavailable,
    AnswerInterrupted,
    QuestionRefused,
    ThreadTooLong,
)
from bridge.models.agent import Message
from bridge.ports import Agent
from tests.support.agent import STOP, TOKEN, Wire, piece, question, stream, text_of

ROLE = '{"choices":[{"index":0,"delta":{"role":"assistant","content":null},"finish_reason":null}]}'
USAGE = '{"choices":[],"usage":{"total_tokens":7}}'
HELLO = (piece("Hello, "), piece("Ada."))

Make = Callable[..., Agent]


@pytest.fixture(params=["gateway", "openai"])
def kind(request: pytest.FixtureRequest) -> AgentKind:
    chosen: AgentKind = request.param
    return chosen


@pytest.fixture
def make(session: ClientSession, kind: AgentKind) -> Make:
    def agent(url: str, silence: float = 60.0) -> Agent:
        return make_agent(
            kind, session, url=url, token=TOKEN, agent_id="main", model="equabot", timeout=silence
        )

    return agent


async def answer_of(make: Make, *scripts: bytes, then_close: bool = True) -> str:
    async with Wire(*scripts, then_close=then_close).served() as url:
        return await text_of(make(url).answer(question()))


def body(text: str, content_type: str = "application/json", status: str = "200 OK") -> bytes:
    """Return a response with this body and its length."""
    size = len(text.encode())
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nConnection: close\r\n"
    return f"{head}Content-Length: {size}\r\n\r\n{text}".encode()


def sse(text: str, content_type: str = "text/event-stream") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n{text}".encode()


def chunk(*, delta: object = None, finish: object = None, **more: object) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish, **more}]})


def whole(content: object, finish: object = "stop") -> str:
    return json.dumps({"choices": [{"message": {"content": content}, "finish_reason": finish}]})


SIGNS_OF_AN_END = {
    "done without a reason": stream(ROLE, *HELLO, "[DONE]"),
    "done in small letters": stream(*HELLO, "[done]"),
    "done in quotes": stream(*HELLO, '"[DONE]"'),
    "done twice": stream(*HELLO, "[DONE]", "[DONE]"),
    "text behind done": stream(*HELLO, "[DONE]", piece(" x"), '{"error":{"message":"late"}}'),
    "a reason without done": stream(ROLE, *HELLO, STOP),
    "a reason with each piece": stream(piece("Hello, ", "stop"), piece("Ada.", "stop")),
    "a reason with the last piece": stream(piece("Hello, "), piece("Ada.", "stop"), "[DONE]"),
    "an early reason": stream(piece("Hello, "), STOP, piece("Ada."), STOP, "[DONE]"),
    "a tool called on the way": stream(piece("Hello, "), chunk(finish="tool_calls"), piece("Ada."), STOP),
    "camel case": stream(*HELLO, chunk(delta={}, finishReason="endTurn")),
    "usage behind the reason": stream(*HELLO, STOP, USAGE, "[DONE]"),
    "usage before all": stream('{"choices":[],"prompt_filter_results":[]}', *HELLO, STOP),
    "null deltas": stream(chunk(), *HELLO, chunk(finish="stop"), "[DONE]"),
    "no choices at all": stream('{"choices":null}', '{"id":"x"}', *HELLO, STOP),
    "an index of null": stream(
        '{"choices":[{"index":null,"delta":{"content":"Hello, Ada."},"finish_reason":"stop"}]}'
    ),
    "another choice": stream(*HELLO, '{"choices":[{"index":1,"delta":{"content":"x"}}]}', STOP),
    "a whole body": body(whole("Hello, Ada.")),
    "a whole body without a reason": body(whole("Hello, Ada.", None)),
    "a whole body without the key": body('{"choices":[{"message":{"content":"Hello, Ada."}}]}'),
    "a whole body in lines": body(json.dumps(json.loads(whole("Hello, Ada.")), indent=2)),
    "a whole body behind blank lines": body("\n\n  \n" + whole("Hello, Ada.")),
    "a whole body behind a mark": body("\ufeff" + whole("Hello, Ada.")),
    "a whole body as a stream's type": body(whole("Hello, Ada."), "text/event-stream"),
    "a whole body as text": body(whole("Hello, Ada."), "text/plain"),
    "a stream as JSON's type": sse(f"data: {piece('Hello, Ada.')}\n\ndata: [DONE]\n\n", "application/json"),
    "a stream as text": sse(f"data: {piece('Hello, Ada.')}\n\ndata: [DONE]\n\n", "text/plain"),
    "a stream as bytes": sse(f"data: {piece('Hello, Ada.')}\n\ndata: [DONE]\n\n", "application/octet-stream"),
    "a stream of an empty type": sse(f"data: {piece('Hello, Ada.')}\n\n{'data: [DONE]'}\n\n", ""),
    "lines of JSON": sse("\n".join([*HELLO, STOP, ""]), "application/x-ndjson"),
    "no last blank line": sse(f"data: {piece('Hello, Ada.')}\n\ndata: [DONE]\n"),
    "no last line end": sse(f"data: {piece('Hello, Ada.')}\n\ndata: {STOP}"),
    "the text without its blank line": sse(f"data: {piece('Hello, Ada.', 'stop')}"),
    "CRLF, CR and LF": sse(f"data: {HELLO[0]}\r\n\r\ndata: {HELLO[1]}\r\rdata: [DONE]\n\n"),
    "a byte order mark": sse(f"\ufeffdata: {piece('Hello, Ada.', 'stop')}\n\n"),
    "no space behind the colon": sse(f"data:{piece('Hello, Ada.')}\n\ndata:[DONE]\n\n"),
    "comments": sse(f": PROCESSING\n\n:\n\ndata: {piece('Hello, Ada.', 'stop')}\n\n: bye\n\n"),
    "names, ids and retries": sse(
        f"event: message\nid: 1\nretry: 9\ndata: {piece('Hello, Ada.', 'stop')}\n\n"
    ),
}

TEXTS = {
    "snapshot at the end": stream(
        *HELLO, json.dumps({"choices": [{"message": {"content": "Hello, Ada."}, "finish_reason": "stop"}]})
    ),
    "snapshot and delta in one": stream(
        *HELLO, chunk(delta={}, finish="stop", message={"content": "Hello, Ada."})
    ),
    "snapshot behind the reason": stream(*HELLO, STOP, chunk(message={"content": "Hello, Ada."}), "[DONE]"),
    "snapshot that corrects": stream(piece("Helo"), chunk(message={"content": "Hello, Ada."}, finish="stop")),
    "snapshots that grow": stream(
        chunk(message={"content": "Hello"}), chunk(message={"content": "Hello, Ada."}), STOP
    ),
    "pieces as messages": stream(
        chunk(message={"content": "Hello, "}), chunk(message={"content": "Ada."}), STOP
    ),
    "an empty snapshot": stream(*HELLO, chunk(message={"content": ""}, finish="stop")),
    "a null snapshot": stream(*HELLO, chunk(message={"content": None}, finish="stop")),
    "both, the same": stream(
        chunk(delta={"content": "Hello, Ada."}, message={"content": "Hello, Ada."}, finish="stop")
    ),
    "parts": stream(
        chunk(delta={"content": [{"type": "text", "text": "Hello, "}, {"type": "text", "text": "Ada."}]}),
        STOP,
    ),
    "parts of thought": stream(
        chunk(delta={"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "x"}]}]}),
        *HELLO,
        STOP,
    ),
    "parts of reasoning": stream(
        chunk(
            delta={"content": [{"type": "reasoning", "text": "x"}, {"type": "text", "text": "Hello, Ada."}]}
        ),
        STOP,
    ),
    "one part": body(whole({"type": "text", "text": "Hello, Ada."})),
    "parts as strings": body(whole(["Hello, ", "Ada."])),
    "parts with values": body(whole([{"type": "text", "text": {"value": "Hello, Ada.", "annotations": []}}])),
    "reasoning beside": stream(chunk(delta={"reasoning_content": "x", "reasoning": "y"}), *HELLO, STOP),
    "a refusal": stream(chunk(delta={"refusal": "Hello, "}), chunk(delta={"refusal": "Ada."}), STOP),
    "a whole refusal": body(
        '{"choices":[{"message":{"content":null,"refusal":"Hello, Ada."},"finish_reason":"stop"}]}'
    ),
    "a refusal as a part": body(whole([{"type": "refusal", "refusal": "Hello, Ada."}])),
    "old completions": stream('{"choices":[{"index":0,"text":"Hello, Ada.","finish_reason":"stop"}]}'),
    "empty data": sse(f"data:\n\ndata: \n\ndata: {piece('Hello, Ada.', 'stop')}\n\n"),
    "pings": stream(
        "ping", "PING", "null", "keep-alive", "heartbeat", '{"type":"ping"}', "{}", "[]", *HELLO, "[DONE]"
    ),
    "an event of pings": sse(
        f"event: ping\ndata: {{}}\n\nevent: ping\n\ndata: {piece('Hello, Ada.', 'stop')}\n\n"
    ),
    "words before": stream("processing your request", *HELLO, STOP),
    "an error of nothing": stream('{"error":null,"choices":[]}', '{"error":{},"choices":[]}', *HELLO, STOP),
    "an empty error with text": stream(chunk(delta={"content": "Hello, Ada."}, error=None, finish="stop")),
}


@pytest.mark.parametrize("script", (SIGNS_OF_AN_END | TEXTS).values(), ids=(SIGNS_OF_AN_END | TEXTS).keys())
async def test_an_answer_is_read_whatever_form_it_has(make: Make, script: bytes) -> None:
    """Once, whole, and asked for once."""
    assert await answer_of(make, script) == "Hello, Ada."


ENDS = [
    "stop",
    "STOP",
    "end_turn",
    "END_TURN",
    "eos",
    "eos_token",
    "COMPLETE",
    "stop_sequence",
    "endTurn",
    "whatever",
    "content_filter",
    "SAFETY",
    "refusal",
]
LIMITS = [
    "length",
    "LENGTH",
    "max_tokens",
    "MAX_TOKENS",
    "maxTokens",
    "max_output_tokens",
    "model_length",
    "max_length",
    "token_limit",
    "max_completion_tokens",
    "model_context_window_exceeded",
    "incomplete",
]
FAILURES = [
    "error",
    "ERROR",
    "failed",
    "abort",
    "aborted",
    "cancelled",
    "user_cancel",
    "timeout",
    "network_error",
    "ERROR_TOXIC",
    "tool_calls",
    "function_call",
    "toolUse",
    "MALFORMED_FUNCTION_CALL",
    "insufficient_system_resource",
]


@pytest.mark.parametrize("reason", ENDS)
async def test_any_word_that_names_no_failure_is_an_end(make: Make, reason: str) -> None:
    assert await answer_of(make, stream(*HELLO, piece("", reason), "[DONE]")) == "Hello, Ada."


@pytest.mark.parametrize("reason", LIMITS)
@pytest.mark.parametrize("is_stream", [True, False], ids=["stream", "body"])
async def test_an_answer_at_the_token_limit_says_that_it_is_cut(
    make: Make,
    reason: str,
    is_stream: bool,  # noqa: FBT001 - a table's column
) -> None:
    script = stream(*HELLO, piece("", reason)) if is_stream else body(whole("Hello, Ada.", reason))

    assert await answer_of(make, script) == "Hello, Ada." + CUT


@pytest.mark.parametrize("reason", FAILURES)
async def test_a_word_that_names_a_failure_is_one(make: Make, reason: str) -> None:
    with pytest.raises(AgentFailed):
        await answer_of(make, stream(*HELLO, piece("", reason), "[DONE]"))


@pytest.mark.parametrize("reason", ["content_filter", "SAFETY", "refusal", "length", "MAX_TOKENS"])
async def test_a_filter_or_a_limit_without_a_text_refuses_the_question(make: Make, reason: str) -> None:
    with pytest.raises(QuestionRefused):
        await answer_of(make, stream(ROLE, piece("", reason), "[DONE]"))


FINAL_ERRORS = {
    "an error object": '{"error":{"message":"bad thing","type":"invalid","code":400}}',
    "an object of its own": '{"object":"error","message":"bad thing","code":400}',
    "a code in quotes": '{"error":{"message":"bad thing","code":"422"}}',
    "type and message": '{"error_type":"validation","error_message":"bad thing"}',
    "a text": '{"error":"bad thing"}',
    "a list": '[{"error":{"code":400,"message":"bad thing","status":"INVALID_ARGUMENT"}}]',
    "in the choice": '{"choices":[{"index":0,"delta":{},"error":{"code":400,"message":"bad thing"}}]}',
    "detail": '{"detail":"bad thing"}',
    "a status beside": '{"statusCode":400,"message":"bad thing"}',
}


@pytest.mark.parametrize("before", [(), HELLO, (*HELLO, STOP)], ids=["alone", "behind text", "behind stop"])
@pytest.mark.parametrize("error", FINAL_ERRORS.values(), ids=FINAL_ERRORS.keys())
async def test_an_error_inside_is_final_and_its_words_are_logged(
    make: Make, before: tuple[str, ...], error: str
) -> None:
    """Whatever its form, and although its stream began with status 200."""
    with capture_logs() as logs, pytest.raises(AgentFailed) as caught:
        await answer_of(make, stream(*before, error, "[DONE]"))

    assert [line["said"] for line in logs] == ["bad thing"]
    assert "bad" not in caught.value.message


@pytest.mark.parametrize(
    "event",
    [
        'event: error\ndata: {"message":"bad thing"}\n\n',
        "event: error\ndata: bad thing\n\n",
        'event:error\n:HTTP_STATUS/400\ndata:{"code":"InvalidParameter","message":"bad thing"}\n\n',
        'event: response.failed\ndata: {"message":"bad thing"}\n\n',
        'error: {"message":"bad thing","code":400}\n\n',
        'data: {"error":"bad thing","error_type":"generation"}',
    ],
)
async def test_an_event_may_be_an_error_by_its_name(make: Make, event: str) -> None:
    with capture_logs() as logs, pytest.raises(AgentFailed):
        await answer_of(make, sse(event))

    assert [line["said"] for line in logs] == ["bad thing"]


@pytest.mark.parametrize("error", FINAL_ERRORS.values(), ids=FINAL_ERRORS.keys())
async def test_a_whole_body_may_be_an_error_with_status_200(make: Make, error: str) -> None:
    with pytest.raises(AgentFailed):
        await answer_of(make, body(error))


BREAKS = {
    "text and the end": stream(*HELLO),
    "text and a break": stream(*HELLO, head="Content-Length: 9999\r\n"),
    "text and half an event": sse(f"data: {HELLO[0]}\n\ndata: {HELLO[1][:40]}"),
    "a break after reasons that mean nothing": stream(
        piece("Hello, ", "stop"), piece("Ada.", "stop"), head="Content-Length: 9999\r\n"
    ),
    "a break after a null in quotes": stream(piece("Hello, ", "null"), head="Content-Length: 9999\r\n"),
    "half a body": sse(whole("Hello, Ada.")[:40], "application/json"),
}


@pytest.mark.parametrize("script", BREAKS.values(), ids=BREAKS.keys())
async def test_a_stream_that_breaks_off_before_any_sign_is_no_answer(make: Make, script: bytes) -> None:
    """It is asked for once by the client; the error says that something had come."""
    with pytest.raises(AnswerInterrupted):
        await answer_of(make, script)


NOTHING = {
    "no byte": b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
    "the role": stream(ROLE),
    "done alone": stream("[DONE]"),
    "role and done": stream(ROLE, "[DONE]"),
    "comments": sse(": wait\n\n: wait\n\n"),
    "pings": stream("ping", "", "null"),
}


@pytest.mark.parametrize("script", NOTHING.values(), ids=NOTHING.keys())
async def test_a_stream_of_nothing_may_be_asked_for_again(make: Make, script: bytes) -> None:
    with pytest.raises(AgentUnavailable) as caught:
        await answer_of(make, script)

    assert not isinstance(caught.value, AnswerInterrupted)


@pytest.mark.parametrize(
    "script",
    [
        sse("<html>Sign in</html>", "text/html"),
        sse("\n <!DOCTYPE html>", "text/plain"),
        sse("Welcome to this server", "text/plain"),
        body('{"status":"ok"}'),
        body("[]"),
    ],
    ids=["a page", "a page as text", "a text", "other JSON", "an empty list"],
)
async def test_another_thing_than_completions_is_for_the_administrator(make: Make, script: bytes) -> None:
    with pytest.raises(AgentMisconfigured):
        await answer_of(make, script)


async def test_unreadable_words_alone_are_an_error(make: Make) -> None:
    with pytest.raises(AgentFailed):
        await answer_of(make, stream("\x00\x01 what", "[DONE]"))


async def test_a_called_tool_forbids_a_repeat_where_nothing_is_remembered(
    make: Make, kind: AgentKind
) -> None:
    """A gateway knows what its tools have done; another server would do it again."""
    call = chunk(delta={"tool_calls": [{"index": 0, "function": {"name": "pay"}}]})

    with pytest.raises(AnswerInterrupted if kind == "gateway" else AgentFailed):
        await answer_of(make, stream(call, *HELLO))


async def test_a_piece_behind_each_reason_is_waited_for(make: Make) -> None:
    """A server that keeps the connection open is read until it says so, or falls silent."""
    script = stream(piece("Hello, ", "stop"), piece("Ada.", "stop"), "[DONE]")

    assert await answer_of(make, script, then_close=False) == "Hello, Ada."


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (
            "400 Bad Request",
            '{"error":{"message":"Unrecognized request argument supplied: %s","param":"%s"}}',
        ),
        ("400 Bad Request", '{"error":{"message":"Unsupported parameter: \'%s\'"}}'),
        ("400 Bad Request", '{"error":"json: unknown field \\"%s\\""}'),
        ("400 Bad Request", '{"message":"property \'%s\' is unsupported","code":400}'),
        (
            "422 Unprocessable Entity",
            '{"detail":[{"type":"extra_forbidden","loc":["body","%s"],"msg":"Extra"}]}',
        ),
        (
            "422 Unprocessable Entity",
            '{"object":"error","message":{"detail":[{"loc":["body","%s"],"msg":"no"}]}}',
        ),
        ("400 Bad Request", "`%s` is not supported by this model"),
    ],
)
@pytest.mark.parametrize("field", ["user", "stream"])
async def test_a_field_that_is_refused_is_left_out_from_then_on(
    make: Make, kind: AgentKind, status: str, error: str, field: str
) -> None:
    """Asked once more without it, remembered, and logged once."""
    if kind == "gateway" and field == "user":
        field = "stream"
    refusal = body(error.replace("%s", field), status=status)
    good = body(whole("Hello, Ada.")) if field == "stream" else stream(*HELLO, STOP)
    wire = Wire(refusal, good, good)
    async with wire.served() as url:
        agent = make(url)
        with capture_logs() as logs:
            texts = [await text_of(agent.answer(question())), await text_of(agent.answer(question()))]

    assert texts == ["Hello, Ada."] * 2
    assert [f'"{field}":' in sent.decode() for sent in wire.bodies] == [True, False, False]
    assert [(line["event"], line["fields"]) for line in logs] == [("agent_fields_left_out", [field])]


async def test_fields_are_left_out_one_by_one(make: Make, kind: AgentKind) -> None:
    """Each that is refused; then the error is what it is."""
    names = ["user", "stream"] if kind == "openai" else ["stream"]
    wire = Wire(*(body(f'{{"detail":"Unknown field {name}"}}', status="400 No") for name in [*names, "user"]))
    async with wire.served() as url:
        with pytest.raises(AgentMisconfigured):
            await text_of(make(url).answer(question()))

    assert len(wire.bodies) == len(names) + 1


@pytest.mark.parametrize(
    "words",
    [
        "Conversation roles must alternate user/assistant/user/assistant",
        "Missing user message in `messages`.",
        "Invalid `messages`: the last one must have the role 'user'",
        "invalid user input",
        "upstream is not supported",
    ],
)
async def test_a_role_is_not_taken_for_a_field(make: Make, words: str) -> None:
    """Nothing is left out because of a sentence about people."""
    wire = Wire(body(json.dumps({"error": {"message": words}}), status="400 Bad Request"))
    async with wire.served() as url:
        with pytest.raises(AgentFailed):
            await text_of(make(url).answer(question()))

    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
        ("/v1", "/v1/chat/completions"),
        ("/v1/", "/v1/chat/completions"),
        ("/v1beta/openai", "/v1beta/openai/chat/completions"),
        ("/v1beta/openai/", "/v1beta/openai/chat/completions"),
        (
            "/openai/deployments/x?api-version=2026-01-01",
            "/openai/deployments/x/chat/completions?api-version=2026-01-01",
        ),
        ("?api-version=1&b=%2F", "/v1/chat/completions?api-version=1&b=/"),
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/agents/a%20b/v1", "/agents/a%20b/v1/chat/completions"),
    ],
)
async def test_an_address_with_a_path_is_used_as_it_is(make: Make, address: str, target: str) -> None:
    """Its query is kept; only an address without a path gets `/v1`."""
    wire = Wire(stream(*HELLO, STOP))
    async with wire.served() as url:
        assert await text_of(make(url + address).answer(question())) == "Hello, Ada."

    assert wire.requests[0].startswith(f"POST {target} HTTP/1.1\r\n".encode())


async def test_a_thread_that_is_too_long_is_asked_once_more_without_its_older_half(
    make: Make, kind: AgentKind
) -> None:
    """Only by the client that sends a thread at all; the gateway shortens its own."""
    refusal = body('{"error":{"code":"context_length_exceeded","message":"too long"}}', status="400 No")
    history = tuple(Message("user" if number % 2 else "assistant", str(number)) for number in range(1, 9))
    wire = Wire(refusal, refusal)
    async with wire.served() as url:
        with pytest.raises(ThreadTooLong):
            await text_of(make(url).answer(question("now?", history=history)))

    sent = [[message["content"] for message in json.loads(asked)["messages"]] for asked in wire.bodies]
    if kind == "gateway":
        assert sent == [["now?"]]
    else:
        assert sent == [["1", "2", "3", "4", "5", "6", "7", "8", "now?"], ["5", "6", "7", "8", "now?"]]

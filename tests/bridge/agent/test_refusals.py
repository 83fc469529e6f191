"""What an agent's error means, in the words of the servers that people use."""

import json

import pytest

from bridge.agent import gateway, openai
from bridge.agent.error_reports import find_error, read_error
from bridge.agent.refusals import Dialect, InternalError, NotBegun, NotStreamed, refused, reported
from bridge.errors import (
    AgentFailed,
    AgentMisconfigured,
    AgentUnavailable,
    QuestionRefused,
    ThreadTooLong,
)

INTERNAL = b'{"error":{"message":"internal error","type":"api_error"}}'
PROVIDER = b'{"error":{"message":"upstream provider error","type":"api_error"}}'


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, b'{"error":{"message":"Unknown agent","type":"invalid_request_error"}}', AgentMisconfigured),
        (400, b'{"error":{"message":"Missing user message","type":"x"}}', AgentMisconfigured),
        (401, b'{"error":{"message":"Unauthorized","type":"unauthorized"}}', AgentMisconfigured),
        (403, b"", AgentMisconfigured),
        (404, b"Not Found", AgentMisconfigured),
        (405, b"Method Not Allowed", AgentMisconfigured),
        (408, PROVIDER, AgentFailed),
        (408, b"", AgentUnavailable),
        (413, b"", ThreadTooLong),
        (429, b"", AgentUnavailable),
        (500, INTERNAL, InternalError),
        (500, b"", AgentUnavailable),
        (501, b"", AgentMisconfigured),
        (502, PROVIDER, AgentFailed),
        (502, b"<html>Bad Gateway</html>", AgentUnavailable),
        (503, b"Plugin runtime is starting", AgentUnavailable),
        (504, b"\xff\x00", AgentUnavailable),
        (529, b"", AgentUnavailable),
        (204, b"", AgentMisconfigured),
        (302, b"", AgentMisconfigured),
    ],
)
def test_a_gateways_status_says_whether_to_try_again(
    status: int, body: bytes, error: type[AgentFailed | AgentUnavailable]
) -> None:
    """A failure that outlasted the gateway's own retries is not tried again by us."""
    assert type(refused(status, body, gateway.DIALECT).error) is error


@pytest.mark.parametrize("status", [408, 500, 502])
def test_another_servers_failure_is_tried_again(status: int) -> None:
    """Other servers do not retry their model themselves."""
    assert type(refused(status, PROVIDER, openai.DIALECT).error) is AgentUnavailable


@pytest.mark.parametrize(
    ("error", "of_gateway", "of_another"),
    [
        ({"message": "internal error", "type": "api_error"}, InternalError, AgentUnavailable),
        (
            {"message": "Session changed before writer admission: agent:main:m:o:c:t", "type": "api_error"},
            NotBegun,
            AgentUnavailable,
        ),
        ({"message": "upstream provider error", "type": "api_error"}, AgentFailed, AgentUnavailable),
        ({"message": "slow down", "type": "rate_limited"}, AgentUnavailable, AgentUnavailable),
        ({"message": "bad", "type": "invalid_request_error"}, AgentFailed, AgentFailed),
        (
            {"message": "Assistant output cannot be represented as an append-only response stream."},
            NotStreamed,
            AgentFailed,
        ),
        ({"message": "busy", "type": None, "code": "overloaded"}, AgentFailed, AgentUnavailable),
        ({"message": "bad", "code": 400}, AgentMisconfigured, AgentMisconfigured),
        ({"message": "bad", "code": "422"}, AgentMisconfigured, AgentMisconfigured),
        ({"message": "bad", "code": 500}, AgentFailed, AgentUnavailable),
        ({"message": "wait", "code": 429}, AgentUnavailable, AgentUnavailable),
        ("broken", AgentFailed, AgentFailed),
        (["broken"], AgentFailed, AgentFailed),
    ],
)
def test_an_error_object_says_whether_to_try_again(
    error: object, of_gateway: type[Exception], of_another: type[Exception]
) -> None:
    """The same object of a gateway, and of a server that does not retry its model."""
    assert type(reported(read_error(error), gateway.DIALECT).error) is of_gateway
    assert type(reported(read_error(error), openai.DIALECT).error) is of_another


TOO_LONG = [
    (400, {"error": {"message": "x", "type": "invalid_request_error", "code": "context_length_exceeded"}}),
    (
        400,
        {"error": {"message": "This model's maximum context length is 8192 tokens. However, your messages"}},
    ),
    (
        400,
        {
            "object": "error",
            "message": "This model's maximum context length is 4096 tokens.",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
    ),
    (
        400,
        {
            "error": {
                "code": 400,
                "message": "the request exceeds the available context size. try increasing it",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 9000,
            }
        },
    ),
    (422, {"error": "Input validation error: `inputs` must have less than 4096 tokens. Given: 9001"}),
    (
        422,
        {
            "error": "`inputs` tokens + `max_new_tokens` must be <= 2048. Given: 2000 `inputs` tokens",
            "error_type": "validation",
        },
    ),
    (400, {"error": {"message": "litellm.ContextWindowExceededError: OpenAIException", "code": "400"}}),
    (
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": "The input token count (1200000) exceeds the maximum number of"
                    " tokens allowed (1048576).",
                    "status": "INVALID_ARGUMENT",
                }
            }
        ],
    ),
    (
        400,
        {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": "prompt is too long: 208310 tokens > 200000 maximum",
            },
        },
    ),
    (400, {"error": {"message": "input length and `max_tokens` exceed context limit: 190000 + 20000"}}),
    (
        400,
        {
            "code": "invalid-argument",
            "error": "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
        },
    ),
    (
        413,
        {
            "error": {
                "message": "Request too large for model `x` on tokens per minute (TPM): Limit 6000",
                "code": "rate_limit_exceeded",
            }
        },
    ),
    (
        400,
        {
            "object": "error",
            "message": "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
            "type": "invalid_request_error",
            "code": 3051,
        },
    ),
    (500, {"error": {"message": "input length exceeds the context length", "type": "api_error"}}),
    (400, {"error": {"message": "Requested tokens (5000) exceed context window of 4096"}}),
    (400, {"error": {"code": "InvalidParameter", "message": "Range of input length should be [1, 30720]"}}),
    (
        400,
        {
            "error": {
                "message": "Please reduce the length of the messages.",
                "code": "string_above_max_length",
            }
        },
    ),
]


@pytest.mark.parametrize(("status", "body"), TOO_LONG, ids=lambda value: str(value)[:60])
@pytest.mark.parametrize("dialect", [gateway.DIALECT, openai.DIALECT], ids=["gateway", "openai"])
def test_every_server_has_words_of_its_own_for_a_thread_that_is_too_long(
    status: int, body: object, dialect: Dialect
) -> None:
    """With its HTTP status, and the same object inside a stream."""
    assert type(refused(status, json.dumps(body).encode(), dialect).error) is ThreadTooLong
    inside = find_error(body)
    assert inside
    assert type(reported(inside, dialect).error) is ThreadTooLong


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (
            429,
            {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}},
            "admin",
        ),
        (429, {"error": {"message": "You exceeded your current quota, please check your plan"}}, "admin"),
        (402, {"error": {"message": "Insufficient Balance"}}, "admin"),
        (400, {"type": "error", "error": {"message": "Your credit balance is too low"}}, "admin"),
        (400, {"error": {"message": "Budget has been exceeded! Current cost: 10", "code": "400"}}, "admin"),
        (401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}, "admin"),
        (401, {"statusCode": 401, "message": "Access denied due to invalid subscription key."}, "admin"),
        (401, {"detail": "Unauthorized"}, "admin"),
        (
            400,
            [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}],
            "admin",
        ),
        (
            404,
            {"error": {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}},
            "admin",
        ),
        (404, {"error": {"message": "model 'x' not found, try pulling it first"}}, "admin"),
        (400, {"error": {"message": "The model `x` does not exist", "code": "model_not_found"}}, "admin"),
        (400, {"error": {"message": "Unknown agent 'x'.", "type": "invalid_request_error"}}, "admin"),
        (400, {"error": {"message": "roles must alternate user/assistant", "code": 400}}, "admin"),
        (
            400,
            {"error": {"code": "content_filter", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
            "ask",
        ),
        (400, {"error": {"message": "Your request was rejected as a result of our safety system."}}, "ask"),
        (
            400,
            {"code": "DataInspectionFailed", "message": "Input data may contain inappropriate content."},
            "ask",
        ),
        (
            400,
            {"error": {"message": "This was flagged by our usage policy", "code": "invalid_prompt"}},
            "ask",
        ),
        (429, {"error": {"message": "You exceeded your current quota. Please retry in 34.07s."}}, "later"),
        (
            429,
            {"error": {"message": "Rate limit reached for x in organization y", "code": "rate_limit"}},
            "later",
        ),
        (503, {"error": "Model x is currently loading", "estimated_time": 20}, "later"),
        (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "later"),
        (500, {"error": {"message": "The model x is not available now"}}, "later"),
    ],
)
def test_an_error_says_who_can_help(status: int, body: object, error: str) -> None:
    """Only time, only another question, or only an administrator."""
    kinds = {"admin": AgentMisconfigured, "ask": QuestionRefused, "later": AgentUnavailable}

    assert type(refused(status, json.dumps(body).encode(), openai.DIALECT).error) is kinds[error]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"error": {"message": "m"}}, "m"),
        ({"error": "m"}, "m"),
        ({"error": ["m"], "warnings": []}, "m"),
        ({"errors": [{"message": "m"}]}, "m"),
        ([{"error": {"message": "m", "status": "UNAVAILABLE"}}], "m"),
        ({"object": "error", "message": "m", "code": 400}, "m"),
        ({"object": "error", "message": {"detail": [{"loc": ["body", "x"], "msg": "m"}]}}, "m"),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "m"}}, "m"),
        ({"error_type": "validation", "error_message": "m"}, "m"),
        ({"error_code": 336003, "error_msg": "m"}, "m"),
        ({"code": "InvalidParameter", "message": "m", "request_id": "r"}, "m"),
        ({"statusCode": 401, "message": "m"}, "m"),
        ({"detail": "m"}, "m"),
        ({"choices": [{"index": 0, "delta": {"content": ""}, "error": {"code": 502, "message": "m"}}]}, "m"),
        ({"error": {"message": "m"}, "choices": []}, "m"),
    ],
)
def test_an_error_is_found_in_any_form(value: object, words: str) -> None:
    found = find_error(value)

    assert found
    assert found.sentence == words


@pytest.mark.parametrize(
    "value",
    [
        {"choices": [], "error": None},
        {"choices": [{"delta": {"content": "x"}, "error": None}], "error": {}, "error_code": 0},
        {"object": "chat.completion.chunk", "choices": [], "usage": {"total_tokens": 1}},
        {"type": "ping"},
        {"status": "processing"},
        {"message": {"role": "assistant", "content": "x"}, "done": True},
        {},
        [],
        None,
        "error",
    ],
)
def test_what_is_no_error_is_not_taken_for_one(value: object) -> None:
    assert find_error(value) is None


def test_a_server_that_asks_to_wait_for_an_hour_has_given_its_last_word() -> None:
    """Nobody waits that long for an answer, so the person hears of it at once."""
    assert type(refused(429, b"", openai.DIALECT, retry_after=3600).error) is AgentFailed
    assert refused(429, b"", openai.DIALECT, retry_after=60).error.retry_after == 60


def test_a_refused_token_is_for_the_administrator() -> None:
    """Only the operator can help, so the message names the variable."""
    assert "AGENT_TOKEN" in refused(401, b"", gateway.DIALECT).error.message


@pytest.mark.parametrize("dialect", [gateway.DIALECT, openai.DIALECT])
def test_a_key_that_the_models_provider_refuses_is_not_our_token(dialect: Dialect) -> None:
    """It comes inside of a stream that our token has opened."""
    error = reported(read_error({"message": "401 Incorrect API key provided"}), dialect).error

    assert type(error) is AgentMisconfigured
    assert "AGENT_TOKEN" not in error.message


def test_a_missing_endpoint_names_what_to_enable() -> None:
    assert "gateway.http.endpoints.chatCompletions" in refused(404, b"", gateway.DIALECT).error.message
    assert "AGENT_MODEL" in refused(404, b"", openai.DIALECT).error.message


def test_the_servers_sentence_is_for_the_log_only() -> None:
    """It is kept short and on one line, apart from the message."""
    refusal = refused(400, b'{"error":{"message":"Unknown\\n agent x"}}', gateway.DIALECT)

    assert refusal.said == "Unknown agent x"
    assert "Unknown" not in refusal.error.message
    assert len(refused(400, b"x" * 9999, gateway.DIALECT).said) == 300


def test_an_endless_error_is_read_in_bounded_time() -> None:
    """Whatever is nested in it."""
    deep: object = "m"
    for _ in range(500):
        deep = {"error": [deep] * 2} if isinstance(deep, str) else {"error": deep}

    assert find_error(deep)
    assert find_error({"error": [{"message": str(number)} for number in range(100_000)]})

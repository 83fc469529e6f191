from datetime import UTC, datetime

import pytest

from bridge.agent import gateway, openai
from bridge.agent.refusals import TOKEN_RETRY, InternalError, refused, reported
from bridge.errors import AgentFailed, AgentUnavailable

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
INTERNAL = b'{"error":{"message":"internal error","type":"api_error"}}'
PROVIDER = b'{"error":{"message":"upstream provider error","type":"api_error"}}'


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, b'{"error":{"message":"Unknown agent","type":"invalid_request_error"}}', AgentFailed),
        (401, b'{"error":{"message":"Unauthorized","type":"unauthorized"}}', AgentUnavailable),
        (403, b"", AgentUnavailable),
        (404, b"Not Found", AgentFailed),
        (405, b"Method Not Allowed", AgentFailed),
        (408, PROVIDER, AgentFailed),
        (408, b"", AgentUnavailable),
        (413, b"", AgentFailed),
        (429, b"", AgentUnavailable),
        (500, INTERNAL, InternalError),
        (500, b"", AgentUnavailable),
        (502, PROVIDER, AgentFailed),
        (502, b"<html>Bad Gateway</html>", AgentUnavailable),
        (503, b"Plugin runtime is starting", AgentUnavailable),
        (504, b"\xff\x00", AgentUnavailable),
        (204, b"", AgentFailed),
        (302, b"", AgentFailed),
    ],
)
def test_a_gateways_status_says_whether_to_try_again(
    status: int, body: bytes, error: type[AgentFailed | AgentUnavailable]
) -> None:
    """What its own retries have not mended is not tried again by us."""
    assert type(refused(status, body, gateway.DIALECT).error) is error


@pytest.mark.parametrize("status", [408, 500, 502])
def test_another_servers_failure_is_tried_again(status: int) -> None:
    """Other servers do not retry their model themselves."""
    assert type(refused(status, PROVIDER, openai.DIALECT).error) is AgentUnavailable


@pytest.mark.parametrize(
    ("error", "ours", "theirs"),
    [
        ({"message": "internal error", "type": "api_error"}, InternalError, AgentUnavailable),
        (
            {"message": "Session changed before writer admission: agent:main:m:o:c:t", "type": "api_error"},
            InternalError,
            AgentUnavailable,
        ),
        ({"message": "upstream provider error", "type": "api_error"}, AgentFailed, AgentUnavailable),
        ({"message": "slow down", "type": "rate_limited"}, AgentUnavailable, AgentUnavailable),
        ({"message": "bad", "type": "invalid_request_error"}, AgentFailed, AgentFailed),
        (
            {"message": "Assistant output cannot be represented as an append-only response stream."},
            AgentUnavailable,
            AgentFailed,
        ),
        ({"message": "busy", "type": None, "code": "overloaded"}, AgentFailed, AgentUnavailable),
        ("broken", AgentFailed, AgentFailed),
        (["broken"], AgentFailed, AgentFailed),
    ],
)
def test_an_error_object_says_whether_to_try_again(
    error: object, ours: type[Exception], theirs: type[Exception]
) -> None:
    """The same object of a gateway, and of a server that does not retry its model."""
    assert type(reported(error, gateway.DIALECT).error) is ours
    assert type(reported(error, openai.DIALECT).error) is theirs


def test_a_refused_token_is_tried_again_slowly() -> None:
    """Only the operator can help, so the message names the variable."""
    error = refused(401, b"", gateway.DIALECT).error

    assert error.retry_after == TOKEN_RETRY
    assert "AGENT_TOKEN" in error.message


def test_a_missing_endpoint_tells_the_operator_what_to_enable() -> None:
    assert "gateway.http.endpoints.chatCompletions" in refused(404, b"", gateway.DIALECT).error.message
    assert "AGENT_MODEL" in refused(404, b"", openai.DIALECT).error.message


def test_the_servers_sentence_is_for_the_log_only() -> None:
    """It is kept short and on one line, apart from the message."""
    refusal = refused(400, b'{"error":{"message":"Unknown\\n agent x"}}', gateway.DIALECT)

    assert refusal.said == "Unknown agent x"
    assert "Unknown" not in refusal.error.message
    assert len(refused(400, b"x" * 9999, gateway.DIALECT).said) == 300

"""Operators and orchestrators see how the daemon is."""

import pytest

from bridge.metrics import CONTENT_TYPE
from handlers.http.app_keys import Part
from tests.support.api import Client, FakeHealth

DATABASE = Part("database", ok=True, state="connected")
AGENT_AWAY = Part("agent", ok=False, state="agent_unavailable", required=False)
TOKEN_REFUSED = Part("websocket", ok=False, state="token_refused", variable="MATTERMOST_BOT_TOKEN")


@pytest.mark.parametrize("parts", [(DATABASE,), (TOKEN_REFUSED,)])
async def test_it_is_alive_whatever_is_broken(
    api: Client, health: FakeHealth, parts: tuple[Part, ...]
) -> None:
    """A restart would not mend what is outside."""
    health.parts = parts
    response = await api.get("/healthz")

    assert response.status == 200
    assert await response.json() == {"status": "ok"}


async def test_it_is_ready_without_what_is_not_required(api: Client, health: FakeHealth) -> None:
    """Each part tells its state all the same."""
    health.parts = (DATABASE, AGENT_AWAY)
    response = await api.get("/readyz")

    assert response.status == 200
    assert await response.json() == {
        "status": "ready",
        "parts": {
            "database": {"ok": True, "state": "connected", "required": True},
            "agent": {"ok": False, "state": "agent_unavailable", "required": False},
        },
    }


async def test_it_is_not_ready_without_what_is_required(api: Client, health: FakeHealth) -> None:
    """The answer is an error that names the part, and the variable to correct."""
    health.parts = (DATABASE, TOKEN_REFUSED, AGENT_AWAY)
    response = await api.get("/readyz")

    assert response.status == 503
    assert response.headers["Retry-After"] == "5"
    body = await response.json()
    assert (body["error"], body["message"]) == ("not_ready", "Not ready: websocket.")
    assert body["parts"]["websocket"] == {
        "ok": False,
        "state": "token_refused",
        "required": True,
        "variable": "MATTERMOST_BOT_TOKEN",
    }


async def test_it_counts_for_prometheus(api: Client) -> None:
    """The requests before this one are in it."""
    await api.get("/healthz")
    response = await api.get("/metrics")

    assert response.status == 200
    assert response.headers["Content-Type"] == CONTENT_TYPE
    assert (
        'equabot_bridge_http_request_seconds_count{route="/healthz",status="200"} 1.0'
        in await response.text()
    )

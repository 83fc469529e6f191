"""What the sandbox's agent asks people for, over its websocket."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from bridge.agent.control.channel import GatewayControl
from bridge.models.approvals import ApprovalRequested, ApprovalResolved, Decision, Pending, QuestionRequested
from bridge.sandbox.agent import SandboxAgent
from tests.support.agent import TOKEN, agent_served
from tests.support.control import KEY, Heard, call_over_http, listening


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as opened:
        yield opened


@pytest.fixture
async def there() -> AsyncIterator[tuple[SandboxAgent, str, GatewayControl, Heard]]:
    async with agent_served() as (agent, url), listening(url) as (control, heard):
        await heard.next(Pending)
        yield agent, url, control, heard


async def test_without_a_channel_nobody_can_approve(session: ClientSession) -> None:
    async with agent_served() as (_, url):
        assert "nobody can approve" in await call_over_http(session, url, "please pay $50")
        assert "shares" in await call_over_http(session, url, "which shares are there?")


@pytest.mark.parametrize(
    ("decision", "says"), [("allow-once", "I have paid $50"), ("deny", "it was not approved")]
)
async def test_it_pays_once_that_is_approved(
    session: ClientSession,
    there: tuple[SandboxAgent, str, GatewayControl, Heard],
    decision: Decision,
    says: str,
) -> None:
    _, url, control, heard = there
    asking = asyncio.create_task(call_over_http(session, url, "please pay $50"))
    approval = (await heard.next(ApprovalRequested)).approval
    assert (approval.title, approval.conversation.key) == ("Pay $50", KEY)

    await control.resolve_approval(approval.id, approval.kind, decision)

    assert says in await asking


async def test_it_asks_which(
    session: ClientSession, there: tuple[SandboxAgent, str, GatewayControl, Heard]
) -> None:
    _, url, control, heard = there
    asking = asyncio.create_task(call_over_http(session, url, "tell me which you know"))
    question = (await heard.next(QuestionRequested)).question

    await control.resolve_question(question.id, {"about": [question.choices[0].label]})

    assert "The team of **Acme Corp**" in await asking


async def test_the_end_of_the_connection_withdraws_it(
    session: ClientSession, there: tuple[SandboxAgent, str, GatewayControl, Heard]
) -> None:
    _, url, _, heard = there
    asking = asyncio.create_task(call_over_http(session, url, "please pay"))
    await heard.next(ApprovalRequested)

    asking.cancel()

    assert (await heard.next(ApprovalResolved)).outcome == "withdrawn"


async def test_a_stopped_session_ends_its_stream(
    session: ClientSession, there: tuple[SandboxAgent, str, GatewayControl, Heard]
) -> None:
    _, url, control, heard = there
    headers = {"Authorization": f"Bearer {TOKEN}", "x-equabot-session-key": KEY}
    body = {"model": "equabot", "stream": True, "messages": [{"role": "user", "content": "please pay"}]}
    headers["X-Equa-Organization"] = KEY.split(":")[1]
    async with session.post(f"{url}/v1/chat/completions", json=body, headers=headers) as response:
        approval = (await heard.next(ApprovalRequested)).approval
        await control.abort(approval.conversation)
        text = await response.text()

    assert "agent run aborted" in text
    assert text.rstrip().endswith("data: [DONE]")
    assert (await heard.next(ApprovalResolved)).outcome == "withdrawn"

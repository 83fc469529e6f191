"""The side channel to a gateway, over real sockets."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import web

from bridge.agent.control.channel import GatewayControl, is_loopback
from bridge.agent.control.device import DeviceKey
from bridge.agent.control.handshake import Identity
from bridge.agent.control.own_keys import OwnKeys
from bridge.errors import AgentUnavailable, QuestionRefused
from bridge.models.approvals import (
    AgentQuestionId,
    ApprovalId,
    ApprovalRequested,
    ApprovalResolved,
    Choice,
    Pending,
    QuestionRequested,
    QuestionResolved,
)
from bridge.sandbox.agent import SandboxAgent
from tests.support.agent import ACME, TOKEN, agent_served, serving
from tests.support.control import KEY, QUICK, STORED, WHICH, Heard, asked, listening, paying, reason

Connected = tuple[SandboxAgent, GatewayControl, Heard]


@pytest.fixture
async def connected() -> AsyncIterator[Connected]:
    """A gateway and a client that listens to it."""
    async with agent_served() as (agent, url), listening(url) as (control, heard):
        await heard.next(Pending)
        yield agent, control, heard


async def test_an_approval_is_heard_and_the_first_decision_counts(connected: Connected) -> None:
    agent, control, heard = connected
    run = asyncio.create_task(paying(agent.control))
    approval = (await heard.next(ApprovalRequested)).approval

    first = await control.resolve_approval(approval.id, approval.kind, "allow-once")
    second = await control.resolve_approval(approval.id, approval.kind, "deny")

    assert (approval.title, approval.tool, approval.severity) == ("Pay 100", "equa_pay", "critical")
    assert (approval.conversation.key, approval.run_id) == (KEY, "chatcmpl_1")
    assert (first.applied, first.outcome) == (True, "allowed")
    assert (second.applied, second.outcome) == (False, "allowed")
    assert await run == "allow-once"
    assert (await heard.next(ApprovalResolved)).outcome == "allowed"


async def test_a_question_is_heard_and_answered(connected: Connected) -> None:
    agent, control, heard = connected
    run = asyncio.create_task(asked(agent.control))
    question = (await heard.next(QuestionRequested)).question

    with pytest.raises(QuestionRefused):
        await control.resolve_question(question.id, {"color": ["Green"]})
    resolution = await control.resolve_question(question.id, {"color": ["Blue"]})

    assert question.choices == (Choice("Blue"), Choice("Red"))
    assert not question.inquiries[0].is_open
    assert (resolution.applied, resolution.outcome) == (True, "answered")
    assert await run == {"status": "answered", "answers": {"answers": {"color": ["Blue"]}}}
    ended = await heard.next(QuestionResolved)
    assert (ended.id, ended.conversation.key, ended.outcome) == (question.id, KEY, "answered")
    assert not (await control.resolve_question(question.id, {"color": ["Red"]})).applied


async def test_a_question_is_cancelled(connected: Connected) -> None:
    agent, control, heard = connected
    run = asyncio.create_task(asked(agent.control))
    question = (await heard.next(QuestionRequested)).question

    assert (await control.cancel_question(question.id)).outcome == "cancelled"

    assert (await run)["status"] == "cancelled"


async def test_what_the_gateway_does_not_know_is_withdrawn(connected: Connected) -> None:
    _, control, _ = connected

    assert (await control.resolve_approval(ApprovalId("plugin:no"), "plugin", "deny")).outcome == "withdrawn"
    assert (await control.cancel_question(AgentQuestionId("ask_no"))).outcome == "withdrawn"


async def test_the_end_of_a_run_withdraws_what_waits(connected: Connected) -> None:
    agent, _, heard = connected
    runs = [asyncio.create_task(paying(agent.control)), asyncio.create_task(asked(agent.control))]
    await heard.next(ApprovalRequested)
    await heard.next(QuestionRequested)

    for run in runs:
        run.cancel()
    await asyncio.wait(runs)

    assert (await heard.next(ApprovalResolved)).outcome == "withdrawn"
    assert (await heard.next(QuestionResolved)).outcome == "cancelled"


async def test_what_nobody_decides_expires(connected: Connected) -> None:
    agent, _, heard = connected
    agent.control.approval_seconds = agent.control.question_seconds = 0.05

    assert await paying(agent.control) == "deny"
    assert (await asked(agent.control))["status"] == "expired"

    assert (await heard.next(ApprovalResolved)).outcome == "expired"
    assert (await heard.next(QuestionResolved)).outcome == "expired"


@pytest.mark.parametrize(
    "key",
    [
        "agent:main:main",
        f"agent:other:{KEY}",
        f"agent:main:telegram:{ACME}:{'c' * 26}:{'t' * 26}",
        f"agent:main:x:{KEY}",
        "agent:main:mattermost:not-an-organization:c:t",
    ],
)
async def test_other_conversations_are_not_heard(connected: Connected, key: str) -> None:
    agent, _, heard = connected
    runs = [
        asyncio.create_task(paying(agent.control, key)),
        asyncio.create_task(asked(agent.control, key=key)),
    ]
    runs.append(asyncio.create_task(asked(agent.control)))
    question = (await heard.next(QuestionRequested)).question

    assert question.conversation.key == KEY
    assert not heard.of(ApprovalRequested)
    assert len(heard.of(QuestionRequested)) == 1
    for run in runs:
        run.cancel()
    await asyncio.wait(runs)


async def test_after_a_loss_it_looks_at_all_that_waits() -> None:
    """What was asked meanwhile is there, and what has ended meanwhile is not."""
    async with agent_served() as (agent, url), listening(url) as (control, heard):
        await heard.next(Pending)
        first = asyncio.create_task(asked(agent.control))
        gone = (await heard.next(QuestionRequested)).question
        agent.control.starting = True
        agent.control.cut()
        await reason(control, "starting")
        with pytest.raises(AgentUnavailable):
            await control.cancel_question(gone.id)
        first.cancel()
        await asyncio.wait({first})
        agent.control.starting = False
        await agent.control.until(lambda: agent.control.connected == 1)
        second = asyncio.create_task(asked(agent.control, {**WHICH, "question": "And now?"}))
        agent.control.cut()
        await heard.until(lambda: any(each.questions for each in heard.of(Pending)))

        pending = next(each for each in heard.of(Pending) if each.questions)
        assert [each.inquiries[0].text for each in pending.questions] == ["And now?"]
        second.cancel()
        await asyncio.wait({second})


async def test_two_clients_hear_the_same_and_one_decides() -> None:
    async with agent_served() as (agent, url), listening(url) as (one, hears), listening(url) as (two, heard):
        await hears.next(Pending)
        await heard.next(Pending)
        run = asyncio.create_task(paying(agent.control))
        approval = (await hears.next(ApprovalRequested)).approval
        assert (await heard.next(ApprovalRequested)).approval == approval

        decisions = await asyncio.gather(
            one.resolve_approval(approval.id, "plugin", "allow-once"),
            two.resolve_approval(approval.id, "plugin", "deny"),
        )

        assert sorted(each.applied for each in decisions) == [False, True]
        assert len({each.outcome for each in decisions}) == 1
        await run


async def test_it_stops_the_run_of_a_conversation(connected: Connected) -> None:
    agent, control, heard = connected
    run = asyncio.create_task(asked(agent.control))
    conversation = (await heard.next(QuestionRequested)).question.conversation

    await control.abort(conversation)

    assert ("sessions.abort", {"key": STORED}) in agent.control.calls
    run.cancel()
    await asyncio.wait({run})


async def test_without_a_device_another_host_gets_no_rights() -> None:
    async with agent_served() as (agent, url):
        agent.control.on_host = False
        async with listening(url) as (control, _):
            await reason(control, "TOKEN_KEYS")

            assert not control.state.is_on


async def test_a_device_is_paired_once() -> None:
    """The gateway names a request, and after an operator's approval the device has its rights."""
    device = DeviceKey.new()

    async def devices() -> DeviceKey:
        return DeviceKey.of(device.secret)

    async with agent_served() as (agent, url):
        agent.control.on_host = False
        identity = Identity(TOKEN, product="equabot")
        async with listening(url, devices=devices, identity=identity) as (control, heard):
            await reason(control, "equabot devices approve")
            (request,) = agent.control.wanted
            assert request in control.state.reason
            assert control.refused
            assert control.refused.pairing == request

            agent.control.paired.add(agent.control.wanted[request])
            await heard.next(Pending)

            assert control.state.is_on
            assert control.refused is None


@pytest.mark.parametrize(
    ("identity", "why"),
    [
        (Identity("another token"), "refuses AGENT_TOKEN"),
        (Identity(TOKEN, client_id="equabot-bridge"), "AGENT_CONTROL_CLIENT"),
    ],
)
async def test_it_says_what_has_to_be_set_up(identity: Identity, why: str) -> None:
    async with agent_served() as (_, url), listening(url, identity=identity) as (control, _):
        await reason(control, why)


async def test_a_server_without_a_websocket_is_named() -> None:
    async with serving(web.Application()) as url, listening(url) as (control, _):
        await reason(control, "AGENT_URL has no websocket (HTTP 404)")


async def test_a_gateway_that_is_away_is_tried_again() -> None:
    async with agent_served() as (agent, url):
        pass
    async with listening(url) as (control, heard):
        await reason(control, "cannot be reached")
        port = int(url.rsplit(":", 1)[1])
        app = web.Application()
        app.router.add_get("/", agent.control.serve)
        async with serving(app, port):
            await heard.next(Pending)


@pytest.mark.parametrize(
    "says",
    [
        b"\x00\xff not JSON",
        b"[" * 100_000,
        b'{"type":"event","event":"question.requested","payload":{"questions":7}}',
        b'{"type":"event","event":"question.requested","payload":null}',
        b'{"type":"res","id":"9999","ok":true}',
        b'{"type":"event","event":"plugin.approval.requested","payload":{"id":"x","request":{"sessionKey":"%s"}}}'
        % STORED.encode(),
        b'{"type":"event","event":"question.requested","payload":"' + b"x" * (3 << 20) + b'"}',
    ],
)
async def test_what_cannot_be_read_changes_nothing(connected: Connected, says: bytes) -> None:
    agent, _, heard = connected
    await agent.control.say(says)
    run = asyncio.create_task(asked(agent.control))

    await heard.next(QuestionRequested)

    assert len(heard.of(Pending)) == 1
    run.cancel()
    await asyncio.wait({run})


async def test_a_frame_above_every_limit_ends_the_connection_only(connected: Connected) -> None:
    agent, control, heard = connected
    await agent.control.say(b'{"type":"event","event":"chat","payload":"' + b"x" * (33 << 20) + b'"}')

    await heard.next(Pending, 2)

    assert control.state.is_on


@pytest.mark.parametrize("ahead", [-600, 600])
async def test_a_gateway_may_have_another_clock(ahead: int) -> None:
    """What it reports is read by ours: else nothing is asked that is over by its clock."""
    async with agent_served() as (agent, url):
        agent.control.ahead = ahead
        async with listening(url) as (_, heard):
            await heard.next(Pending)
            agent.control.approval_seconds = 2
            run = asyncio.create_task(paying(agent.control))
            requested = (await heard.next(ApprovalRequested)).approval
            ended = await heard.next(ApprovalResolved)

    assert abs(requested.expires_at / 1000 - time.time()) < 60
    assert ended.outcome == "expired"
    assert await run == "deny"


async def test_a_list_that_is_too_large_costs_neither_the_channel_nor_what_waits() -> None:
    """Somebody may have their agent ask for a very long command; what is asked then is heard all the same."""
    async with (
        agent_served() as (agent, url),
        listening(url, timing=replace(QUICK, look_every=0.05)) as there,
    ):
        control, heard = there
        await heard.next(Pending)
        large = asyncio.create_task(paying(agent.control, description="x" * (3 << 20)))
        await agent.control.until(lambda: bool(agent.control.approvals))
        looks = len(agent.control.calls)
        await agent.control.until(lambda: len(agent.control.calls) > looks + 9)
        seen = len(heard.of(Pending))
        other = asyncio.create_task(paying(agent.control, title="Pay 7"))

        assert (await heard.next(ApprovalRequested)).approval.title == "Pay 7"
        assert control.state.is_on
        assert len(heard.of(Pending)) == seen
        for run in (large, other):
            run.cancel()
        await asyncio.wait({large, other})
        await heard.next(Pending, seen + 1)


async def test_a_gateway_that_answers_no_more_is_left() -> None:
    async with agent_served() as (agent, url):
        timing = replace(QUICK, call=0.2, look_every=0.05)
        async with listening(url, timing=timing) as (control, heard):
            await heard.next(Pending)
            agent.control.deaf = True
            await reason(control, "did not answer")
            agent.control.deaf = False
            seen = len(heard.of(Pending))

            await heard.next(Pending, seen + 1)


def test_each_organization_has_its_own_agent() -> None:
    """The key of an organization with the agent of another is not taken."""
    keys = OwnKeys("org-{organizationId}")
    other = "0b000000-0000-4000-8000-00000000000b"

    assert keys.conversation(f"agent:org-{ACME}:{KEY}") is not None
    assert keys.conversation(f"agent:org-{other}:{KEY}") is None


@pytest.mark.parametrize(
    ("url", "is_here"),
    [
        ("http://127.0.0.1:18789", True),
        ("http://[::1]:18789/v1", True),
        ("http://localhost:18789", True),
        ("http://gateway:18789", False),
        ("https://10.0.0.7", False),
    ],
)
def test_the_own_host_is_known(url: str, *, is_here: bool) -> None:
    assert is_loopback(url) is is_here

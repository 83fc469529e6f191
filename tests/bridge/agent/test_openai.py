from dataclasses import replace

import pytest
from aiohttp import ClientSession

from bridge.agent import make_agent
from bridge.agent.openai import opaque_user
from bridge.errors import AgentUnavailable
from bridge.models.agent import Message
from bridge.ports import Agent
from bridge.sandbox.agent import SandboxAgent
from bridge.sandbox.agent import faults as f
from tests.support.agent import ACME, BIRCH, TOKEN, question, text_of


@pytest.fixture
def sandbox(served: tuple[SandboxAgent, str]) -> SandboxAgent:
    return served[0]


@pytest.fixture
def agent(session: ClientSession, served: tuple[SandboxAgent, str]) -> Agent:
    url = served[1] + "/v1"
    return make_agent("openai", session, url=url, token=TOKEN, agent_id="main", model="equabot", timeout=60)


async def test_each_question_carries_its_thread(agent: Agent, sandbox: SandboxAgent) -> None:
    """Such a server remembers nothing, so it answers from what it is sent."""
    history = (Message("user", "hello"), Message("assistant", "Hello!"))

    text = await text_of(agent.answer(question("what did I ask?", history=history)))

    assert "hello" in text
    assert not agent.remembers
    assert sandbox.calls[0].body == {
        "model": "equabot",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [
            {"role": "user", "content": "hello"},
            {"role": "assistant", "content": "Hello!"},
            {"role": "user", "content": "what did I ask?"},
        ],
        "user": opaque_user(ACME),
    }


async def test_headers_of_ours_name_the_organization(agent: Agent, sandbox: SandboxAgent) -> None:
    await text_of(agent.answer(question()))

    headers = sandbox.calls[0].headers
    assert headers["x-equa-organization"] == str(ACME)
    assert headers["x-equa-user"] == str(question().person_id)
    assert not [name for name in headers if "session-key" in name]


def test_the_user_is_an_opaque_name_of_the_organization() -> None:
    """Always the same, another for another organization, and without its id."""
    assert opaque_user(ACME) == opaque_user(ACME)
    assert opaque_user(ACME) != opaque_user(BIRCH)
    assert ACME.hex not in opaque_user(ACME)


@pytest.mark.parametrize("fault", [f.PROVIDER_FAILED, f.INTERNAL_ERROR, f.ErrorObject(after="half")], ids=str)
async def test_a_failing_model_may_be_tried_again(
    agent: Agent, sandbox: SandboxAgent, fault: f.Fault
) -> None:
    """Nobody has retried it before us, and the client itself asks once only."""
    sandbox.fail(fault)

    with pytest.raises(AgentUnavailable):
        await text_of(agent.answer(question()))

    assert len(sandbox.calls) == 1


async def test_ping_asks_for_the_models(agent: Agent) -> None:
    await agent.ping()


PICTURE = "data:image/png;base64,AAAA"


async def test_pictures_are_parts_of_their_message(agent: Agent, sandbox: SandboxAgent) -> None:
    """Each beside the text of its post."""
    history = (Message("user", "look", (PICTURE,)), Message("assistant", "Nice."))

    await text_of(agent.answer(replace(question("and this?", history=history), images=(PICTURE, PICTURE))))

    (call,) = sandbox.calls
    assert [
        [part["type"] for part in message["content"]] if isinstance(message["content"], list) else "text"
        for message in call.messages
    ] == [["text", "image_url"], "text", ["text", "image_url", "image_url"]]
    assert call.messages[0]["content"][1] == {"type": "image_url", "image_url": {"url": PICTURE}}


async def test_a_model_without_eyes_is_told_of_pictures(agent: Agent, sandbox: SandboxAgent) -> None:
    """Its server refuses them; without them it answers."""
    sandbox.fail(f.Status(400, '{"error": {"message": "image input is not supported"}}'), times=1)

    assert await text_of(agent.answer(replace(question("hello"), images=(PICTURE,))))

    assert PICTURE not in str(sandbox.calls[-1].body)
    assert "cannot be shown the attached pictures" in sandbox.calls[-1].text

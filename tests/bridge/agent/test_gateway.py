import asyncio
from collections.abc import Callable

import pytest
from aiohttp import ClientSession

from bridge.agent import gateway, make_agent
from bridge.agent.gateway import GatewayAgent, product_of, session_key
from bridge.agent.http import Server
from bridge.agent.refusals import NotBegun
from bridge.errors import AgentFailed, AgentMisconfigured, AgentUnavailable, AnswerInterrupted
from bridge.models.agent import Message
from bridge.ports import Agent
from bridge.sandbox.agent import SandboxAgent
from bridge.sandbox.agent import faults as f
from tests.support.agent import ACME, BIRCH, TOKEN, agent_served, question, text_of

Served = tuple[SandboxAgent, str]


@pytest.fixture
def sandbox(served: Served) -> SandboxAgent:
    return served[0]


@pytest.fixture
def make(session: ClientSession, served: Served) -> Callable[..., Agent]:
    def agent(
        *, token: str = TOKEN, agent_id: str = "main", timeout: float = 5.0, race_window: float = 2.0
    ) -> Agent:
        server = Server(session, url=served[1], token=token, silence=timeout, dialect=gateway.DIALECT)
        return GatewayAgent(server, agent_id=agent_id, model="equabot", race_window=race_window, race_pause=0)

    return agent


@pytest.fixture
def agent(make: Callable[..., Agent]) -> Agent:
    return make()


async def test_it_answers_for_the_organization_of_the_question(agent: Agent) -> None:
    """The same question of two organizations gets two answers."""
    acme = await text_of(agent.answer(question("who is on our team?")))
    birch = await text_of(agent.answer(question("who is on our team?", organization_id=BIRCH)))

    assert "Ada Lovelace" in acme
    assert "Linus Birch" not in acme
    assert "Linus Birch" in birch
    assert "Ada Lovelace" not in birch


async def test_the_gateway_gets_the_organization_the_person_and_the_thread(
    make: Callable[..., Agent], sandbox: SandboxAgent
) -> None:
    """All of it comes from the bridge, and only the new message is sent."""
    asked = question("@equabot Hello", history=(Message("user", "before"),))

    await text_of(make(agent_id="{organizationId}").answer(asked))

    (call,) = sandbox.calls
    assert call.headers["x-equabot-agent-id"] == str(ACME)
    assert call.headers["x-equabot-session-key"] == f"mattermost:{ACME}:{'c' * 26}:{'t' * 26}"
    assert call.headers["x-equa-organization"] == str(ACME)
    assert call.headers["x-equa-user"] == str(asked.person_id)
    assert call.body == {
        "model": "equabot",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [{"role": "user", "content": "@equabot Hello"}],
    }


async def test_threads_are_conversations_of_their_own(agent: Agent) -> None:
    """The gateway remembers by session key."""
    await text_of(agent.answer(question("hello")))

    assert "hello" in await text_of(agent.answer(question("what did I ask?")))
    assert "first message" in await text_of(agent.answer(question("what did I ask?", thread="u" * 26)))
    assert "first message" in await text_of(agent.answer(question("what did I ask?", organization_id=BIRCH)))
    assert agent.remembers


async def test_the_headers_carry_the_products_name(session: ClientSession) -> None:
    """Upstream's headers begin with x-openclaw, and it passes over others without a word."""
    async with agent_served("openclaw") as (sandbox, url):
        agent = make_agent(
            "gateway", session, url=url, token=TOKEN, agent_id="main", model="openclaw/main", timeout=60
        )
        await text_of(agent.answer(question()))

    assert sandbox.calls[0].headers["x-openclaw-session-key"] == session_key(question())
    assert not [name for name in sandbox.calls[0].headers if name.startswith("x-equabot")]


@pytest.mark.parametrize(
    ("model", "product"),
    [
        ("equabot", "equabot"),
        ("equabot:main", "equabot"),
        ("openclaw/main", "openclaw"),
        ("OpenClaw", "openclaw"),
        ("agent:main", "equabot"),
        ("", "equabot"),
    ],
)
def test_the_products_name_is_taken_from_the_model(model: str, product: str) -> None:
    assert product_of(model) == product


def test_session_keys_are_in_lower_case() -> None:
    """The gateway takes `T` and `t` for the same key."""
    assert session_key(question(thread="T" * 26)) == session_key(question(thread="t" * 26))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (f.DISABLED, AgentFailed),
        (f.STARTING, AgentUnavailable),
        (f.UNAUTHORIZED, AgentMisconfigured),
        (f.too_many("3"), AgentUnavailable),
        (f.PROVIDER_FAILED, AgentFailed),
        (f.ErrorObject(), AgentFailed),
        (f.ErrorObject(after="half"), AgentFailed),
        (f.ErrorChunk(), AgentFailed),
        (f.ErrorChunk(after="half"), AgentFailed),
        (f.Empty(), AgentUnavailable),
        (f.Empty("stop"), AgentFailed),
        (f.Says(" \n "), AgentFailed),
        (f.Binary(), AgentFailed),
        (f.Cut(), AgentUnavailable),
        (f.Cut(after="half"), AnswerInterrupted),
    ],
    ids=str,
)
async def test_a_failure_is_one_of_two_errors_and_not_repeated(
    agent: Agent, sandbox: SandboxAgent, fault: f.Fault, error: type[AgentFailed | AgentUnavailable]
) -> None:
    """Whether to try again is for the caller, who waits between tries."""
    sandbox.fail(fault)

    with pytest.raises(error):
        await text_of(agent.answer(question()))

    assert len(sandbox.calls) == 1


@pytest.mark.parametrize(
    "fault", [f.INTERNAL_ERROR, f.ErrorObject("internal error")], ids=["as a status", "in the stream"]
)
async def test_the_race_on_a_new_session_is_tried_again_once(
    agent: Agent, sandbox: SandboxAgent, fault: f.Fault
) -> None:
    """One of two first messages at once gets an internal error; the second try is answered."""
    sandbox.fail(fault)

    assert "Ada Lovelace" in await text_of(agent.answer(question()))
    assert len(sandbox.calls) == 2


NOT_STREAMED = f.ErrorObject(
    "Assistant output cannot be represented as an append-only response stream.", after="half"
)


async def test_an_answer_that_cannot_be_streamed_is_asked_for_whole(
    agent: Agent, sandbox: SandboxAgent
) -> None:
    """The gateway has it, but wanted to change what was sent already."""
    sandbox.fail(NOT_STREAMED)

    assert "Ada Lovelace" in await text_of(agent.answer(question()))
    assert [call.body["stream"] for call in sandbox.calls] == [True, False]


async def test_a_failure_without_a_stream_too_is_final(agent: Agent, sandbox: SandboxAgent) -> None:
    """One repeat at most of an answer that had begun."""
    sandbox.fail(NOT_STREAMED)
    sandbox.fail(f.STARTING)

    with pytest.raises(AgentFailed):
        await text_of(agent.answer(question()))

    assert len(sandbox.calls) == 2


async def test_an_internal_error_after_some_work_is_no_race(
    make: Callable[..., Agent], sandbox: SandboxAgent
) -> None:
    """Tools may have run, so the worker asks once more at most."""
    sandbox.fail(f.INTERNAL_ERROR)

    with pytest.raises(AnswerInterrupted):
        await text_of(make(race_window=0).answer(question()))

    assert len(sandbox.calls) == 1


async def test_a_question_that_was_not_begun_may_be_asked_again(
    make: Callable[..., Agent], sandbox: SandboxAgent
) -> None:
    """However long it took to hear that."""
    sandbox.fail(f.ErrorObject("Session changed before writer admission: agent:main:m"))

    with pytest.raises(NotBegun):
        await text_of(make(race_window=0).answer(question()))


async def test_an_internal_error_that_stays_is_tried_twice_in_all(
    agent: Agent, sandbox: SandboxAgent
) -> None:
    sandbox.fail(f.INTERNAL_ERROR, times=3)

    with pytest.raises(AgentUnavailable):
        await text_of(agent.answer(question()))

    assert len(sandbox.calls) == 2


async def test_a_silent_gateway_is_given_up(make: Callable[..., Agent], sandbox: SandboxAgent) -> None:
    """The role that it sends at once is no answer, and its run stops when we go."""
    sandbox.fail(f.Silence(60))

    with pytest.raises(AgentFailed, match="AGENT_TIMEOUT"):
        await text_of(make(timeout=1).answer(question()))

    async with asyncio.timeout(60):
        await sandbox.until(lambda: sandbox.cancelled == 1)


async def test_a_wrong_token_names_the_variable(make: Callable[..., Agent]) -> None:
    with pytest.raises(AgentMisconfigured, match="AGENT_TOKEN"):
        await text_of(make(token="wrong").answer(question()))


async def test_an_unknown_agent_is_not_tried_again(make: Callable[..., Agent]) -> None:
    with pytest.raises(AgentFailed):
        await text_of(make(agent_id="nobody").answer(question()))


async def test_a_huge_answer_arrives_cut(agent: Agent, sandbox: SandboxAgent) -> None:
    sandbox.fail(f.huge(1_000_000))

    assert 199_800 <= len(await text_of(agent.answer(question()))) <= 200_000


async def test_ping_needs_no_token(make: Callable[..., Agent]) -> None:
    await make(token="wrong").ping()

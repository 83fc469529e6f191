"""Both clients against canned answers: what is sent, and what a status means."""

import pytest
from aiohttp import ClientConnectionError, ClientSession

from bridge.agent import AgentKind, make_agent
from bridge.errors import (
    AgentFailed,
    AgentMisconfigured,
    AgentUnavailable,
    QuestionRefused,
    ThreadTooLong,
)
from bridge.ports import Agent
from tests.support.agent import TOKEN, question, text_of
from tests.support.canned import canned_answers, sent

URL = "https://models.example.com/openai/v1?api-version=2026-01-01"
COMPLETIONS = "https://models.example.com/openai/v1/chat/completions?api-version=2026-01-01"
GOOD = {"choices": [{"message": {"content": "Hello, Ada."}, "finish_reason": "stop"}]}


@pytest.fixture(params=["gateway", "openai"])
def agent(request: pytest.FixtureRequest, session: ClientSession) -> Agent:
    kind: AgentKind = request.param
    return make_agent(kind, session, url=URL, token=TOKEN, agent_id="main", model="equabot", timeout=60)


async def test_a_question_is_one_request(agent: Agent) -> None:
    with canned_answers() as canned:
        canned.post(COMPLETIONS, payload=GOOD)
        text = await text_of(agent.answer(question("hello")))
        ((method, url, request),) = sent(canned)

    assert (text, method, url) == ("Hello, Ada.", "POST", COMPLETIONS)
    assert request["headers"]["Authorization"] == f"Bearer {TOKEN}"
    assert request["json"]["messages"] == [{"role": "user", "content": "hello"}]
    assert request["allow_redirects"] is False


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, AgentMisconfigured),
        (401, AgentMisconfigured),
        (402, AgentMisconfigured),
        (404, AgentMisconfigured),
        (408, AgentUnavailable),
        (413, ThreadTooLong),
        (422, AgentMisconfigured),
        (425, AgentUnavailable),
        (429, AgentUnavailable),
        (500, AgentUnavailable),
        (501, AgentMisconfigured),
        (502, AgentUnavailable),
        (503, AgentUnavailable),
    ],
)
async def test_a_status_without_a_word_means_the_same_for_both(
    agent: Agent, status: int, error: type[AgentFailed | AgentUnavailable]
) -> None:
    with canned_answers() as canned:
        canned.post(COMPLETIONS, status=status)
        with pytest.raises(error) as caught:
            await text_of(agent.answer(question()))

    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"error": {"message": "flagged by our usage policy", "code": "invalid_prompt"}}, QuestionRefused),
        ({"error": {"message": "too many", "code": "insufficient_quota"}}, AgentMisconfigured),
        ({"error": {"message": "no", "code": "context_length_exceeded"}}, ThreadTooLong),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
async def test_words_are_surer_than_a_status(
    agent: Agent, status: int, body: object, error: type[AgentFailed]
) -> None:
    with canned_answers() as canned:
        canned.post(COMPLETIONS, status=status, payload=body)
        with pytest.raises(error) as caught:
            await text_of(agent.answer(question()))

    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("code", "error"),
    [("insufficient_quota", AgentMisconfigured), ("context_length_exceeded", AgentUnavailable)],
)
async def test_a_429_is_a_moment_of_haste_unless_it_speaks_of_quota(
    agent: Agent, code: str, error: type[AgentFailed | AgentUnavailable]
) -> None:
    with canned_answers() as canned:
        canned.post(COMPLETIONS, status=429, payload={"error": {"message": "no", "code": code}})
        with pytest.raises(error):
            await text_of(agent.answer(question()))


async def test_a_connection_that_fails_is_an_outage(agent: Agent) -> None:
    with canned_answers() as canned:
        canned.post(COMPLETIONS, exception=ClientConnectionError("reset"))
        with pytest.raises(AgentUnavailable):
            await text_of(agent.answer(question()))

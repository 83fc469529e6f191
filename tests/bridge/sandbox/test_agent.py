import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession

from bridge.sandbox.agent import Organization, SandboxAgent
from bridge.sandbox.agent import faults as f
from bridge.sandbox.agent.knowledge import answer
from bridge.sandbox.agent.stream import pieces
from tests.support.agent import ACME, BIRCH, DIRECTORY, TOKEN, agent_served

ACME_CORP = DIRECTORY[ACME]


class Client:
    """Speaks to the sandbox's agent as plainly as curl."""

    def __init__(self, session: ClientSession, agent: SandboxAgent, url: str) -> None:
        self.session = session
        self.agent = agent
        self.url = url

    async def ask(
        self, text: str, *, key: str = "", organization: object = ACME, stream: bool = True, **body: Any
    ) -> tuple[int, Mapping[str, str], str]:
        headers = {"Authorization": f"Bearer {TOKEN}", "X-Equa-Organization": str(organization)}
        if key:
            headers["x-equabot-session-key"] = key
        payload = {"messages": [{"role": "user", "content": text}], "stream": stream, **body}
        async with self.session.post(
            self.url + "/v1/chat/completions", json=payload, headers=headers
        ) as response:
            return response.status, response.headers, await response.text()

    async def text(self, text: str, *, key: str = "", organization: object = ACME) -> str:
        _, _, body = await self.ask(text, key=key, organization=organization, stream=False)
        content: str = json.loads(body)["choices"][0]["message"]["content"]
        return content


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with agent_served() as (agent, url), ClientSession() as session:
        yield Client(session, agent, url)


def events(body: str) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in body.split("\n\n") if line]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


async def test_a_stream_has_the_gateways_form(client: Client) -> None:
    """The role, pieces of text, an empty delta with the finish_reason, and the end."""
    status, headers, body = await client.ask("hello")
    role, *texts, stop, done = events(body)

    assert status == 200
    assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert role["object"] == "chat.completion.chunk"
    assert role["choices"][0]["delta"] == {"role": "assistant"}
    assert len(texts) > 1
    assert stop["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    assert done == "[DONE]"


async def test_the_role_is_sent_before_the_answer_is_there(client: Client) -> None:
    """So that a client has a byte while the model is being asked."""
    client.agent.latency = 60
    headers = {"Authorization": f"Bearer {TOKEN}"}
    payload = {"messages": [{"role": "user", "content": "hello"}], "stream": True}
    async with asyncio.timeout(60):
        async with client.session.post(
            client.url + "/v1/chat/completions", json=payload, headers=headers
        ) as response:
            first = await response.content.readline()

    assert b'"role": "assistant"' in first


async def test_without_stream_the_answer_is_json(client: Client) -> None:
    status, headers, body = await client.ask("hello", stream=False)

    assert status == 200
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(body)["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@equabot who is on our team?", "Grace Hopper"),
        ("How many shares are there?", "1,000,000 shares"),
        ("how many shares does Ada hold?", "**Ada Lovelace** holds 600,000"),
        ("What documents do we have?", "Bylaws.pdf"),
        ("hello", "agent of **Acme Corp**"),
        ("Grace Hopper (@grace): hello", "agent of **Acme Corp**"),
        ("thank you!", "welcome"),
        ("what is the weather", "who is on the team of Acme Corp"),
    ],
)
def test_plausible_questions_are_answered_from_the_organization(text: str, expected: str) -> None:
    assert expected in answer(ACME_CORP, text)


@pytest.mark.parametrize("text", ["who is on our team?", "how many shares?", "which documents?", "hello"])
def test_an_empty_organization_is_answered_too(text: str) -> None:
    assert "New Inc" in answer(Organization("New Inc"), text)


async def test_an_organization_hears_nothing_of_another(client: Client) -> None:
    """Even when it asks for it by name, or uses the other's session key."""
    for text in ("who is on our team?", "who is on the team of Birch Ltd?", "what did I ask?"):
        assert "Linus" not in await client.text(text, key="one")
    assert "Linus" in await client.text("who is on our team?", organization=BIRCH)


@pytest.mark.parametrize("organization", ["", "nonsense", "0d000000-0000-4000-8000-00000000000d"])
async def test_without_a_known_organization_nothing_is_said(client: Client, organization: str) -> None:
    assert "do not know which organization" in await client.text("hello", organization=organization)


async def test_a_session_key_keeps_the_conversation_in_any_case(client: Client) -> None:
    """Keys are the same in capitals, and without one nothing is kept."""
    await client.text("hello", key="thread")
    await client.text("good day")

    assert "“hello”" in await client.text("what did I ask?", key="THREAD")
    assert "first message" in await client.text("what did I ask?", key="other")
    assert "first message" in await client.text("what did I ask?")


async def test_history_in_the_call_counts_as_conversation(client: Client) -> None:
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "hello"}]},
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": "what did I ask?"},
    ]
    _, _, body = await client.ask("", messages=messages, stream=False)

    assert "“hello”" in json.loads(body)["choices"][0]["message"]["content"]


async def test_messages_of_one_key_take_turns(client: Client) -> None:
    """The second is answered after the first, and knows of it; another key does not wait."""
    client.agent.latency = 0.05
    first, second, other = await asyncio.gather(
        client.text("hello", key="one"),
        client.text("what did I ask?", key="one"),
        client.text("what did I ask?", key="two"),
    )

    assert first.startswith("Hello")
    assert "“hello”" in second
    assert "first message" in other


async def test_a_client_that_goes_away_leaves_its_question(client: Client) -> None:
    """The answer is given up, and the conversation still holds the question."""
    client.agent.latency = 60
    asking = asyncio.create_task(client.ask("hello", key="one"))
    async with asyncio.timeout(60):
        await client.agent.until(lambda: client.agent.in_progress == 1)
        asking.cancel()
        await client.agent.until(lambda: client.agent.cancelled == 1)
    client.agent.latency = 0

    assert "“hello”" in await client.text("what did I ask?", key="one")


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (b"{", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b"{}", "Missing user message"),
        (b'{"messages":[{"role":"system","content":"x"}]}', "Missing user message"),
        (b'{"messages":[{"role":"user","content":" "}]}', "Missing user message"),
        (b'{"messages":[{"role":"user","content":"x"}],"model":"gpt-4o"}', "Invalid `model`"),
        (b'{"messages":[{"role":"user","content":"x"}],"model":"equabot/nobody"}', "Unknown agent 'nobody'"),
    ],
)
async def test_what_the_gateway_does_not_take_is_a_400(client: Client, payload: bytes, sentence: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with client.session.post(
        client.url + "/v1/chat/completions", data=payload, headers=headers
    ) as response:
        error = (await response.json())["error"]

    assert response.status == 400
    assert error["type"] == "invalid_request_error"
    assert sentence in error["message"]
    assert not client.agent.calls


@pytest.mark.parametrize(
    "model", ["equabot", "equabot/main", "equabot:main", "agent:main", f"equabot/{ACME}"]
)
async def test_models_and_agents_that_the_gateway_knows(client: Client, model: str) -> None:
    status, _, _ = await client.ask("hello", model=model)

    assert status == 200


async def test_reserved_session_keys_are_refused(client: Client) -> None:
    status, _, body = await client.ask("hello", key="cron:1")

    assert status == 400
    assert "reserved" in body


async def test_the_token_is_asked_for_and_health_is_not_behind_it(client: Client) -> None:
    """A wrong token is a 401 in JSON; the health routes need none."""
    wrong = {"Authorization": "Bearer wrong"}
    async with client.session.post(client.url + "/v1/chat/completions", headers=wrong) as response:
        assert response.status == 401
        assert await response.json() == {"error": {"message": "Unauthorized", "type": "unauthorized"}}
    async with client.session.get(client.url + "/v1/models", headers=wrong) as response:
        assert response.status == 401
    async with client.session.get(client.url + "/healthz") as response:
        assert await response.json() == {"ok": True, "status": "live"}
    async with client.session.get(client.url + "/readyz") as response:
        assert (await response.json())["ready"] is True


async def test_a_disabled_endpoint_is_a_plain_404(client: Client) -> None:
    """With a right and a wrong token alike."""
    client.agent.enabled = False

    status, headers, body = await client.ask("hello")

    assert (status, body) == (404, "Not Found")
    assert headers["Content-Type"].startswith("text/plain")


async def test_reading_the_route_is_not_allowed(client: Client) -> None:
    async with client.session.get(client.url + "/v1/chat/completions") as response:
        assert response.status == 405
        assert response.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (f.ErrorObject(after="half"), ["half", "upstream provider error", "[DONE]"]),
        (f.ErrorChunk(after="half"), ["half", "Error: the run failed", "[DONE]"]),
        (f.Empty(), ["[DONE]"]),
        (f.Empty("stop"), ["stop", "[DONE]"]),
        (f.Says("Something"), ["Something", "stop", "[DONE]"]),
    ],
    ids=str,
)
async def test_a_fault_shows_in_the_stream(client: Client, fault: f.Fault, expected: list[str]) -> None:
    """For the next call only."""
    client.agent.fail(fault)
    _, _, faulty = await client.ask("hello")
    _, _, sound = await client.ask("hello")

    for word in expected:
        assert word in faulty
    assert "Acme Corp" not in faulty
    assert "Acme Corp" in sound


async def test_an_unfinished_answer_has_no_finish_reason(client: Client) -> None:
    client.agent.fail(f.Unfinished())
    _, _, body = await client.ask("hello")

    assert events(body)[-1] == "[DONE]"
    assert {event["choices"][0]["finish_reason"] for event in events(body)[:-1]} == {None}


async def test_binary_bytes_are_sent_as_they_are(client: Client) -> None:
    client.agent.fail(f.Binary(b"data: \xff\x00\n\n"))

    with pytest.raises(UnicodeDecodeError):
        await client.ask("hello")


@pytest.mark.parametrize("after", [None, "half"])
async def test_a_cut_connection_ends_without_an_end(client: Client, after: str | None) -> None:
    client.agent.fail(f.Cut(after))

    with pytest.raises(ClientError):
        await client.ask("hello")


@pytest.mark.parametrize("at_once", [True, False])
async def test_silence_lasts_and_is_followed_by_the_answer(client: Client, at_once: bool) -> None:  # noqa: FBT001 - a table's column
    client.agent.fail(f.Silence(0.2, at_once=at_once))
    started = time.monotonic()

    assert "Acme Corp" in (await client.ask("hello"))[2]
    assert time.monotonic() - started >= 0.2


async def test_faults_come_for_so_many_calls_and_in_order(client: Client) -> None:
    client.agent.fail(f.STARTING, times=2)
    client.agent.fail(f.too_many("9"))

    responses = [await client.ask("hello") for _ in range(4)]

    assert [status for status, _, _ in responses] == [503, 503, 429, 200]
    assert responses[0][1]["Retry-After"] == "1"
    assert responses[2][1]["Retry-After"] == "9"


async def test_a_fault_may_depend_on_the_question(client: Client) -> None:
    client.agent.fault_for = lambda call: f.PROVIDER_FAILED if "bad" in call.text else None

    assert [(await client.ask(text))[0] for text in ("good", "bad", "good")] == [200, 502, 200]


def test_a_huge_answer_has_the_length_that_was_asked_for() -> None:
    assert len(f.huge(100_000).text) == 100_000


@pytest.mark.parametrize("text", ["", " ", "one", "a\n\n- b\n- c ", " ".join("abcdefghijklmnopqrstuvwxyz")])
def test_the_pieces_make_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert len(pieces(text)) <= 8


async def test_five_hundred_silent_answers_at_once(client: Client) -> None:
    """All wait together in one process."""
    client.agent.may_answer.clear()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for number in range(500):
            group.create_task(client.ask("hello", key=f"key {number}"))
        await client.agent.until(lambda: client.agent.in_progress >= 80)
        client.agent.may_answer.set()

    assert client.agent.in_progress == 0
    assert len(client.agent.calls) == 500

"""An answer as it comes in: its pieces, its run, its tokens, and its early end."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import pytest
from aiohttp import ClientSession

from bridge.agent import make_agent
from bridge.agent.answer_text import AnswerText
from bridge.agent.collect import collect
from bridge.errors import AgentFailed, AgentUnavailable
from bridge.models.agent import AgentKind, AnswerEvent, Began, Delta, Done, Usage
from bridge.ports import Agent
from bridge.sandbox.agent import SandboxAgent
from bridge.sandbox.agent.faults import Says
from tests.support.agent import STOP, TOKEN, Wire, piece, question, stream

Make = Callable[..., Agent]
ROLE = '{"id":"chatcmpl_1","choices":[{"index":0,"delta":{"role":"assistant"},"finish_reason":null}]}'
USAGE = '{"id":"chatcmpl_1","choices":[],"usage":{"prompt_tokens":2468,"completion_tokens":112}}'


@pytest.fixture
def make(session: ClientSession) -> Make:
    def agent(url: str, kind: AgentKind = "gateway") -> Agent:
        return make_agent(kind, session, url=url, token=TOKEN, agent_id="main", model="equabot", timeout=60)

    return agent


async def events_of(answer: AsyncGenerator[AnswerEvent, None]) -> list[AnswerEvent]:
    async with aclosing(answer) as events:
        return [event async for event in events]


async def into(events: list[AnswerEvent], answer: AsyncGenerator[AnswerEvent, None]) -> None:
    async for event in answer:
        events.append(event)  # noqa: PERF401 - what came before an error is kept


@pytest.mark.parametrize("kind", ["gateway", "openai"])
async def test_an_answer_comes_in_pieces(make: Make, kind: AgentKind) -> None:
    """Its first chunk names the run, and its end reports the tokens."""
    async with Wire(stream(ROLE, piece("Hello, "), piece("Ada."), STOP, USAGE, "[DONE]")).served() as url:
        events = await events_of(make(url, kind).answer(question()))

    assert events[0] == Began("chatcmpl_1", "equabot")
    assert "".join(event.text for event in events if isinstance(event, Delta)) == "Hello, Ada."
    assert events[-1] == Done("Hello, Ada.", Usage(2468, 112), "equabot")


async def test_the_tokens_are_asked_for(served: tuple[SandboxAgent, str], make: Make) -> None:
    sandbox, url = served

    done = await collect(make(url).answer(question()))

    assert sandbox.calls[0].wants_usage
    assert done.usage == Usage(10, len(done.text.split()))


@pytest.mark.parametrize(
    "reported",
    [
        '{"choices":[],"usage":null}',
        '{"choices":[],"usage":{"prompt_tokens":"7"}}',
        '{"choices":[],"usage":{"completion_tokens":-1,"prompt_tokens":true}}',
        '{"choices":[]}',
    ],
)
async def test_tokens_that_are_not_reported_are_unknown(make: Make, reported: str) -> None:
    """Never zero."""
    async with Wire(stream(ROLE, piece("Hello."), STOP, reported, "[DONE]")).served() as url:
        assert (await collect(make(url).answer(question()))).usage is None


async def test_a_run_has_its_name_only_from_its_server(make: Make) -> None:
    """A name that could not be logged is none."""
    nameless = ROLE.replace("chatcmpl_1", "x y")
    async with Wire(stream(nameless, piece("Hello."), STOP, "[DONE]")).served() as url:
        assert (await events_of(make(url).answer(question())))[0] == Began("", "equabot")


async def test_closing_an_answer_closes_its_connection(make: Make) -> None:
    """That ends the agent's run."""
    wire = Wire(stream(ROLE, piece("half")), then_close=False)
    async with wire.served() as url, asyncio.timeout(60):
        answer = make(url).answer(question())
        async for event in answer:
            if isinstance(event, Delta):
                break
        assert not wire.gone.is_set()
        await answer.aclose()
        await wire.gone.wait()


@pytest.mark.parametrize(
    "said",
    [
        (piece("Error: the model"), piece(" is away"), STOP),
        (piece("Some words and then"), piece("Error: broken", "stop")),
    ],
)
async def test_a_failure_reported_as_text_is_not_shown(make: Make, said: tuple[str, ...]) -> None:
    """Gateways before 2026 did so, and the whole text is refused."""
    events = list[AnswerEvent]()
    async with Wire(stream(ROLE, *said, "[DONE]")).served() as url:
        with pytest.raises(AgentFailed):
            await into(events, make(url).answer(question()))

    assert "Error" not in "".join(event.text for event in events if isinstance(event, Delta))


async def test_what_came_before_a_break_was_shown_and_is_no_answer(make: Make) -> None:
    events = list[AnswerEvent]()
    async with Wire(stream(ROLE, piece("Half an "), piece("answer"))).served() as url:
        with pytest.raises(AgentUnavailable):
            await into(events, make(url).answer(question()))

    assert not [event for event in events if isinstance(event, Done)]


def test_of_snapshots_the_new_part_is_given() -> None:
    """Some servers send all of the text each time; after one that contradicts another nothing is given."""
    text, given = AnswerText(), list[str]()
    for snapshot in ("One ", "One two ", "One two three.", "Four", "Four five"):
        if snapshot == "Four":
            text.add("")
        text.replace(snapshot)
        given.append(text.fresh())

    assert given == ["One ", "two ", "three.", "", ""]


def test_the_halves_of_a_character_are_given_together() -> None:
    """JavaScript cuts strings between them."""
    text, given = AnswerText(), list[str]()
    for piece_ in ("a\ud83d", "\ude00b"):
        text.add(piece_)
        given.append(text.fresh())

    assert given == ["a", "\U0001f600b"]


async def test_an_answer_that_begins_anew_says_so(served: tuple[SandboxAgent, str], make: Make) -> None:
    """What an earlier try has said does not count."""
    sandbox, url = served
    sandbox.fail(Says("a " * 500))

    first, second = [await events_of(make(url).answer(question())) for _ in range(2)]

    runs = [event.run_id for event in (*first, *second) if isinstance(event, Began)]
    assert len(set(runs)) == 2

"""While the agent waits for people, its silence does not count."""

import asyncio

import pytest
from aiohttp import ClientSession

from bridge.agent import make_agent
from bridge.agent.gateway import session_key
from bridge.agent.waiting import Waiting
from bridge.errors import AgentFailed
from bridge.ports import Agent
from bridge.sandbox.agent import SandboxAgent
from tests.support.agent import TOKEN, question, text_of
from tests.support.clock import Clock

KEY = session_key(question())


def agent_of(url: str, session: ClientSession, waiting: Waiting) -> Agent:
    """An agent that is given up after a tenth of a second of silence."""
    return make_agent(
        "gateway",
        session,
        url=url,
        token=TOKEN,
        agent_id="main",
        model="equabot",
        timeout=0.1,
        waiting=waiting,
    )


async def test_a_long_wait_for_people_is_no_silence(
    session: ClientSession, served: tuple[SandboxAgent, str]
) -> None:
    sandbox, url = served
    waiting = Waiting()
    waiting.begin("ask_1", KEY, 60)
    sandbox.latency = 0.5

    assert "Ada" in await text_of(agent_of(url, session, waiting).answer(question()))


async def test_silence_counts_again_after_it(
    session: ClientSession, served: tuple[SandboxAgent, str]
) -> None:
    sandbox, url = served
    waiting = Waiting()
    waiting.begin("ask_1", KEY, 60)
    sandbox.may_answer.clear()
    asking = asyncio.create_task(text_of(agent_of(url, session, waiting).answer(question())))
    await sandbox.until(lambda: sandbox.in_progress == 1)

    waiting.end("ask_1")

    with pytest.raises(AgentFailed, match="silent"):
        await asking


async def test_other_conversations_and_what_has_expired_do_not_count(
    session: ClientSession, served: tuple[SandboxAgent, str]
) -> None:
    sandbox, url = served
    waiting = Waiting()
    waiting.begin("ask_1", f"{KEY}:1", 60)
    waiting.begin("ask_2", KEY, 0)
    sandbox.may_answer.clear()

    with pytest.raises(AgentFailed, match="silent"):
        await text_of(agent_of(url, session, waiting).answer(question()))


async def test_the_last_moment_is_the_end_of_the_wait() -> None:
    clock, waiting = Clock(), Waiting()
    waiting.begin("a", KEY, 100)
    waiting.begin("b", KEY, 10)
    await clock.passes(20)
    assert waiting.is_waiting(KEY)

    waiting.keep([], waiting.ids)
    await clock.passes(5)

    assert not waiting.is_waiting(KEY)
    assert -7 < waiting.last(KEY) - asyncio.get_running_loop().time() < -4


async def test_nothing_waits_for_ever() -> None:
    clock, waiting = Clock(), Waiting()
    waiting.begin("a", KEY, 1e9)

    await clock.passes(3601)

    assert not waiting.is_waiting(KEY)


async def test_what_is_younger_than_a_list_waits_although_it_is_not_listed() -> None:
    waiting = Waiting()
    waiting.begin("old", KEY, 60)
    known = waiting.ids
    waiting.begin("young", KEY, 60)

    waiting.keep([], known)

    assert waiting.ids == {"young"}

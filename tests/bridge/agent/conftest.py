"""Fixtures for the agent clients: a session as the daemon makes it, and the sandbox's agent."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from bridge.agent import make_session
from bridge.sandbox.agent import SandboxAgent
from tests.support.agent import agent_served


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with make_session() as made:
        yield made


@pytest.fixture
async def served() -> AsyncIterator[tuple[SandboxAgent, str]]:
    """The sandbox's agent and its URL."""
    async with agent_served() as both:
        yield both

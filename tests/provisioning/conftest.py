"""A Mattermost, and a process of the bridge that lets people in."""

from collections.abc import AsyncIterator

import pytest

from bridge.models.equa import Organization, Person
from tests.support.provisioning import Chat, Process, a_person, an_organization
from tests.support.provisioning import chat as running_chat
from tests.support.provisioning import process as running_process


@pytest.fixture
async def chat() -> AsyncIterator[Chat]:
    async with running_chat() as running:
        yield running


@pytest.fixture
async def process(chat: Chat, dsn: str) -> AsyncIterator[Process]:
    async with running_process(chat, dsn) as running:
        yield running


@pytest.fixture
def ada() -> Person:
    return a_person("Ada Moreno")


@pytest.fixture
def acme() -> Organization:
    return an_organization("Acme Corp")

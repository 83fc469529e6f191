"""Plain fakes behind the HTTP API, and the API over a real socket."""

import io
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bridge.models.chat import TeamId
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Entry
from handlers.http.app_keys import Health, Part

Client = TestClient[web.Request, web.Application]

TEAM = TeamId("t" * 26)
ORGANIZATION = OrganizationId(UUID("7b0a8d0e-5c8c-4b7e-9f57-2f1f3a1c0d11"))
TOKENS = ("peer-token-number-one", "peer-token-number-two")
PLATFORM_TOKENS = ("platform-token-number-one", "platform-token-number-two")


@dataclass(slots=True)
class FakeMappings:
    """Knows one team, records who asked, and fails when told to."""

    known: dict[TeamId, OrganizationId] = field(default_factory=lambda: {TEAM: ORGANIZATION})
    asked: list[TeamId] = field(default_factory=list)
    error: Exception | None = None

    async def organization_of_team(self, team_id: TeamId) -> OrganizationId | None:
        self.asked.append(team_id)
        if self.error:
            raise self.error
        return self.known.get(team_id)


@dataclass(slots=True)
class FakeHealth:
    """Says of the parts what it is told to."""

    parts: tuple[Part, ...] = (Part("database", ok=True, state="connected"),)

    async def look(self) -> Health:
        return Health(self.parts)


@dataclass(slots=True)
class FakeInbox:
    """Takes everything as new."""

    async def put_all(self, entries: Sequence[Entry]) -> frozenset[str]:
        return frozenset(entry.dedupe for entry in entries)

    async def has(self, dedupe: str) -> bool:
        return False


@dataclass(slots=True)
class Lines:
    """What was logged."""

    stream: io.StringIO = field(default_factory=io.StringIO)

    @property
    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    @property
    def requests(self) -> list[dict[str, Any]]:
        return [line for line in self.all if line["event"] == "request"]


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[Client]:
    """Serve the application on a free port of 127.0.0.1."""
    async with TestClient(TestServer(app)) as client:
        yield client

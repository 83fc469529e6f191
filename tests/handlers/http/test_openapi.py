"""The document says what the API does, and the API does what it says."""

import asyncio
import io
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

import pytest
import schemathesis
import structlog
from aiohttp import web
from hypothesis import given, settings
from schemathesis import Case, GenerationMode

from bridge import log
from handlers.http.app import DESCRIBED, ROUTES
from handlers.http.limits import PEOPLE, RateLimiter
from handlers.http.openapi import document
from handlers.http.tickets import TICKETS, TicketLimits
from handlers.http.visitors import EQUA_THROTTLE, EquaThrottle
from tests.support.api import TOKENS, Client
from tests.support.front import ACME, front
from tests.support.postgres import fresh_database

PEER = {"Authorization": f"Bearer {TOKENS[0]}"}

PLENTY = 10_000
UNLIMITED: dict[web.AppKey[Any], Any] = {
    PEOPLE: RateLimiter(burst=PLENTY, per_second=1),
    TICKETS: TicketLimits(RateLimiter(burst=PLENTY, per_second=1)),
    EQUA_THROTTLE: EquaThrottle(
        RateLimiter(burst=PLENTY, per_second=1), RateLimiter(burst=PLENTY, per_second=1)
    ),
}


@dataclass(frozen=True, slots=True)
class Live:
    """Where the API is, and the headers of somebody who may do everything."""

    url: str
    headers: Mapping[str, str]


def _cases() -> Iterator[tuple[str, str, GenerationMode]]:
    for route in ROUTES:
        yield route.method, route.path, GenerationMode.POSITIVE
        if "{" in route.path or route.method == "POST":
            yield route.method, route.path, GenerationMode.NEGATIVE


@contextmanager
def _serving_in_a_thread(postgres: str) -> Iterator[Live]:
    """Serve, with everything real behind it, beside a client that blocks."""
    started: Future[tuple[Live, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        async with fresh_database(postgres) as dsn, front(dsn, UNLIMITED) as built:
            live = Live(str(built.client.make_url("/")), {**PEER, "Cookie": built.cookie()})
            started.set_result((live, asyncio.get_running_loop(), stop))
            await stop.wait()

    thread = Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    live, loop, stop = started.result(timeout=10)
    yield live
    loop.call_soon_threadsafe(stop.set)
    thread.join(timeout=10)


@pytest.fixture(scope="module")
def live(postgres: str) -> Iterator[Live]:
    log.configure("info", "json", io.StringIO())
    with _serving_in_a_thread(postgres) as serving:
        yield serving
    structlog.reset_defaults()


def test_every_route_is_described_and_no_other() -> None:
    """Method and path, one by one."""
    routes = {(route.method.lower(), route.path) for route in ROUTES}
    described = {
        (method, path)
        for path, item in document(DESCRIBED)["paths"].items()
        for method in item
        if method != "parameters"
    }

    assert described == routes


async def test_the_document_is_served(api: Client) -> None:
    """As it was put together."""
    response = await api.get("/openapi.json")

    assert response.content_type == "application/json"
    assert await response.json() == document(DESCRIBED)


@pytest.mark.parametrize(("method", "path", "mode"), list(_cases()))
def test_answers_are_as_described(live: Live, method: str, path: str, mode: GenerationMode) -> None:
    """Statuses, headers and bodies, whether what is asked is right or wrong."""
    operation = schemathesis.openapi.from_dict(document(DESCRIBED))[path][method]

    @settings(max_examples=25, deadline=None)
    @given(operation.as_strategy(generation_mode=mode))
    def check(case: Case[Any]) -> None:
        case.call_and_validate(base_url=live.url, headers=dict(live.headers))

    check()


def test_a_visit_and_its_login_are_as_described(live: Live) -> None:
    """What is made up above is no member of anything; this is one."""
    described = schemathesis.openapi.from_dict(document(DESCRIBED))
    visit = described["/api/v1/mattermost/session"]["POST"].Case(
        body={"organizationId": str(ACME.id)}, media_type="application/json"
    )
    session = visit.call_and_validate(base_url=live.url, headers=dict(live.headers))
    login = described["/login/token"]["GET"].Case(query={"token": session.json()["token"]})
    signed_in = login.call_and_validate(base_url=live.url, allow_redirects=False)

    assert (session.status_code, signed_in.status_code) == (200, 303)

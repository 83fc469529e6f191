"""The document says what the API does, and the API does what it says."""

import asyncio
import io
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
import schemathesis
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error

from bridge import log
from bridge.metrics import Metrics
from handlers.app import DESCRIBED, ROUTES, make_app
from handlers.keys import Services
from handlers.openapi import document
from tests.support.api import TOKENS, Client, FakeHealth, FakeMappings

PEER = {"Authorization": f"Bearer {TOKENS[0]}"}


def _cases() -> Iterator[tuple[str, str, GenerationMode]]:
    for route in ROUTES:
        yield route.method, route.path, GenerationMode.POSITIVE
        if "{" in route.path or route.method == "POST":
            yield route.method, route.path, GenerationMode.NEGATIVE


@contextmanager
def _serving_in_a_thread(app: web.Application) -> Iterator[str]:
    """Serve beside a client that blocks; yields the base URL."""
    started: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        async with TestServer(app) as server:
            started.set_result((str(server.make_url("/")), asyncio.get_running_loop(), stop))
            await stop.wait()

    thread = Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    url, loop, stop = started.result(timeout=10)
    yield url
    loop.call_soon_threadsafe(stop.set)
    thread.join(timeout=10)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    services = Services(FakeMappings(), TOKENS, Metrics(), FakeHealth().look)
    log.configure("info", "json", io.StringIO())
    with _serving_in_a_thread(make_app(services)) as address:
        yield address
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
def test_answers_are_as_described(url: str, method: str, path: str, mode: GenerationMode) -> None:
    """Statuses, headers and bodies, whether what is asked is right or wrong."""
    operation = schemathesis.openapi.from_dict(document(DESCRIBED))[path][method]

    @settings(max_examples=25, deadline=None)
    @given(operation.as_strategy(generation_mode=mode))
    def check(case: Case[Any]) -> None:
        # Without Mattermost and Equa a described 500 or 503 is right; a fault of ours is described nowhere.
        response = case.call_and_validate(base_url=url, headers=PEER, excluded_checks=[not_a_server_error])
        assert not response.text.startswith('{"error": "internal_error"')

    check()

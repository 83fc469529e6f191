"""The document says what the API does, and the API does what it says."""

import asyncio
import io
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

import pytest
import schemathesis
import structlog
from hypothesis import given, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.schemas import OpenApiSchema

from bridge import log
from bridge.metrics import Metrics
from handlers.http import files, usage
from handlers.http.app import ROUTES, make_app
from handlers.http.app_keys import Limits, Services
from handlers.http.equa_throttle import EquaThrottle
from handlers.http.limits import RateLimiter, TicketLimits
from handlers.http.openapi import document
from handlers.http.route import Caller, Route
from tests.support.api import PLATFORM_TOKENS, TOKENS, Client, FakeHealth, FakeInbox, FakeMappings
from tests.support.front import ACME, front
from tests.support.postgres import fresh_database

TOKEN_OF = {
    "peer": TOKENS[0],
    "platform": PLATFORM_TOKENS[0],
    "platform or peer": PLATFORM_TOKENS[0],
}

PLENTY = 10_000
UNLIMITED = Limits(
    visits=RateLimiter(burst=PLENTY, per_second=1),
    tickets=TicketLimits(RateLimiter(burst=PLENTY, per_second=1)),
    equa=EquaThrottle(RateLimiter(burst=PLENTY, per_second=1), RateLimiter(burst=PLENTY, per_second=1)),
)


@dataclass(frozen=True, slots=True)
class Live:
    """Where the API is, and what somebody brings who may do everything."""

    url: str
    cookie: str

    def headers(self, caller: Caller) -> dict[str, str]:
        token = TOKEN_OF.get(caller)
        return {"Cookie": self.cookie, **({"Authorization": f"Bearer {token}"} if token else {})}


def _cases() -> Iterator[tuple[Route, GenerationMode]]:
    for route in ROUTES:
        # No schema can say in which order the parts of a form, or two days, come.
        if route not in (files.ROUTE, usage.ROUTE):
            yield route, GenerationMode.POSITIVE
        if "{" in route.path or route.method == "POST":
            yield route, GenerationMode.NEGATIVE


@contextmanager
def _serving_in_a_thread(postgres: str) -> Iterator[Live]:
    """Serve, with everything real behind it, beside a client that blocks."""
    started: Future[tuple[Live, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        async with fresh_database(postgres) as dsn, front(dsn, UNLIMITED, SIGN_IN_SECRET="x" * 16) as built:
            live = Live(str(built.client.make_url("/")), built.cookie())
            started.set_result((live, asyncio.get_running_loop(), stop))
            await stop.wait()

    thread = Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    live, loop, stop = started.result(timeout=60)
    yield live
    loop.call_soon_threadsafe(stop.set)
    thread.join(timeout=60)


@pytest.fixture(scope="module")
def live(postgres: str) -> Iterator[Live]:
    log.configure("info", "json", io.StringIO())
    with _serving_in_a_thread(postgres) as serving:
        yield serving
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def described() -> OpenApiSchema:
    # What is too large is refused for that, whatever else is wrong with it.
    refusals = {"negative_data_rejection": {"expected-statuses": [*map(str, range(400, 430)), "5xx"]}}
    config = schemathesis.Config.from_dict({"checks": refusals})
    return schemathesis.openapi.from_dict(document(ROUTES), config=config)


def test_every_route_is_described_and_no_other() -> None:
    """By the method and path of the router, and under a name of its own."""
    app = make_app(Services(FakeMappings(), FakeInbox(), Metrics(), FakeHealth().look))
    routed = {
        (route.method.lower(), route.resource.canonical)
        for route in app.router.routes()
        if route.resource and route.method != "HEAD"
    }
    described = [
        (method, path, operation["operationId"])
        for path, item in document(ROUTES)["paths"].items()
        for method, operation in item.items()
    ]

    assert {(method, path) for method, path, _ in described} == routed
    assert len({name for _, _, name in described}) == len(described)


async def test_the_document_is_served(api: Client) -> None:
    """As it was put together."""
    response = await api.get("/openapi.json")

    assert response.content_type == "application/json"
    assert await response.json() == document(ROUTES)


@pytest.mark.parametrize(
    ("route", "mode"), [pytest.param(*case, id=f"{case[0].operation}-{case[1].name}") for case in _cases()]
)
def test_answers_are_as_described(
    live: Live, described: OpenApiSchema, route: Route, mode: GenerationMode
) -> None:
    """Statuses, headers and bodies, whether what is asked is right or wrong."""
    operation = described[route.path][route.method]

    @settings(max_examples=25, deadline=None)
    @given(operation.as_strategy(generation_mode=mode))
    def check(case: Case[Any]) -> None:
        case.call_and_validate(base_url=live.url, headers=live.headers(route.caller))

    check()


def test_a_visit_and_its_login_are_as_described(live: Live, described: OpenApiSchema) -> None:
    """What is made up above is no member of anything; this is one."""
    visit = described["/api/v1/mattermost/session"]["POST"].Case(
        body={"organizationId": str(ACME.id)}, media_type="application/json"
    )
    session = visit.call_and_validate(base_url=live.url, headers=live.headers("person"))
    login = described["/login/token"]["GET"].Case(query={"token": session.json()["token"]})
    signed_in = login.call_and_validate(base_url=live.url, allow_redirects=False)

    assert (session.status_code, signed_in.status_code) == (200, 303)


@pytest.mark.parametrize("by", ["day", "person", "outcome"])
def test_usage_is_as_described(live: Live, by: str) -> None:
    """For an administrator, which none of those made up above is."""
    described = schemathesis.openapi.from_dict(document(ROUTES))["/api/v1/mattermost/usage/{orgId}"]["GET"]
    case = described.Case(
        path_parameters={"orgId": str(ACME.id)}, query={"from": "2026-11-01", "to": "2026-11-27", "by": by}
    )

    assert case.call_and_validate(base_url=live.url, headers=live.headers("person")).status_code == 200

"""Every request is answered in one shape and answered of once."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from bridge.errors import (
    AccountConflict,
    BridgeError,
    EquaUnavailable,
    InvalidRequest,
    MattermostFull,
    MattermostRefused,
    NotAMember,
    NotSignedIn,
)
from handlers.http import middleware
from handlers.http.app_keys import LIMITS, SERVICES, Limits, Services
from handlers.http.body import LARGEST_BODY, read_body
from handlers.http.request_log import RequestLog
from tests.support.api import Client, Lines, serving


async def _greet(request: web.Request) -> web.Response:
    return web.json_response({"hello": request.match_info["name"]}, headers={"Cache-Control": "max-age=60"})


async def _read(request: web.Request) -> web.Response:
    return web.json_response({"bytes": len(await read_body(request))})


async def _redirect(_request: web.Request) -> web.Response:
    raise web.HTTPSeeOther("/elsewhere")


async def _fail(_request: web.Request) -> web.Response:
    raise ZeroDivisionError("the secret of the house")


class Refusing:
    """A handler that raises what it is answered to."""

    error: Exception = NotSignedIn("Please sign in.")

    async def __call__(self, _request: web.Request) -> web.Response:
        raise self.error


@pytest.fixture
def refusing() -> Refusing:
    return Refusing()


@pytest.fixture
async def any_app(services: Services, lines: Lines, refusing: Refusing) -> AsyncIterator[Client]:
    request_log = RequestLog(middleware.__name__, services.metrics)
    app = web.Application(middlewares=[middleware.observer(request_log)], client_max_size=1)
    app[SERVICES], app[LIMITS] = services, Limits()
    app.router.add_get("/greet/{name}", _greet)
    app.router.add_post("/read", _read)
    app.router.add_get("/redirect", _redirect)
    app.router.add_get("/fail", _fail)
    app.router.add_get("/refuse", refusing.__call__)
    async with serving(app) as client:
        yield client


async def test_a_request_is_one_line(any_app: Client, lines: Lines) -> None:
    """With the route's template and nothing that the client chose but its id."""
    await any_app.get("/greet/bob?token=hunter2", headers={"X-Request-Id": "r-1"})

    (line,) = lines.requests
    assert line.pop("ms") >= 0
    assert line.pop("timestamp")
    assert line == {
        "event": "request",
        "level": "info",
        "logger": "handlers.http.middleware",
        "method": "GET",
        "route": "/greet/{name}",
        "status": 200,
        "error": None,
        "request_id": "r-1",
    }


@pytest.mark.parametrize("proposed", ["r-1", "a.B_c-9", "x" * 64])
async def test_a_request_keeps_the_id_that_it_brings(any_app: Client, proposed: str) -> None:
    """So that it can be followed from one service to the next."""
    response = await any_app.get("/greet/bob", headers={"X-Request-Id": proposed})

    assert response.headers["X-Request-Id"] == proposed


@pytest.mark.parametrize("proposed", ["", "x" * 65, "a b", "a\tb", "ä", '"', "a{b}"])
async def test_an_id_that_could_disturb_a_log_is_replaced(
    any_app: Client, lines: Lines, proposed: str
) -> None:
    """By one of our own, which no other request has."""
    answered = [
        (await any_app.get("/greet/bob", headers={"X-Request-Id": proposed})).headers["X-Request-Id"]
        for _ in "ab"
    ]

    assert len({*answered, proposed}) == 3
    assert [line["request_id"] for line in lines.requests] == answered


async def test_answers_have_careful_headers(any_app: Client) -> None:
    """Nothing is guessed from the content, and nothing kept unless the handler says so."""
    missing = await any_app.get("/nowhere")
    greeting = await any_app.get("/greet/bob")

    assert (
        missing.headers["X-Content-Type-Options"] == greeting.headers["X-Content-Type-Options"] == "nosniff"
    )
    assert missing.headers["Cache-Control"] == "no-store"
    assert greeting.headers["Cache-Control"] == "max-age=60"


async def test_an_unknown_address_is_404_in_our_shape(any_app: Client, lines: Lines) -> None:
    """And the log does not grow a route for every guess."""
    response = await any_app.get("/nowhere/hunter2")

    assert response.status == 404
    assert await response.json() == {"error": "not_found", "message": "There is nothing at this address."}
    assert [(line["route"], line["error"]) for line in lines.requests] == [("none", "not_found")]


async def test_a_wrong_method_is_405_with_those_allowed(any_app: Client) -> None:
    """In our shape too."""
    response = await any_app.delete("/greet/bob")

    assert response.status == 405
    assert response.headers["Allow"] == "GET,HEAD"
    assert (await response.json())["error"] == "method_not_allowed"


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_body_over_the_limit_is_413(any_app: Client, chunked: bool) -> None:  # noqa: FBT001  # a table
    """Announced or not; one byte less is read."""
    fits = await any_app.post("/read", data=b"x" * LARGEST_BODY)
    response = await any_app.post("/read", data=_pieces() if chunked else b"x" * (LARGEST_BODY + 1))

    assert await fits.json() == {"bytes": LARGEST_BODY}
    assert response.status == 413
    assert await response.json() == {
        "error": "payload_too_large",
        "message": "A body may have 65536 bytes at most here.",
    }


async def _pieces() -> AsyncIterator[bytes]:
    for _ in range(65):
        yield b"x" * 1024


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidRequest("A."), 400),
        (NotSignedIn("B."), 401),
        (NotAMember("C."), 403),
        (AccountConflict("D."), 409),
        (MattermostRefused("E.", http_status=400), 502),
        (MattermostFull("F."), 507),
    ],
)
async def test_our_errors_carry_their_code(
    any_app: Client, refusing: Refusing, lines: Lines, error: BridgeError, status: int
) -> None:
    """And their sentence; the log has the code."""
    refusing.error = error
    response = await any_app.get("/refuse")

    assert response.status == status
    assert await response.json() == {"error": error.code, "message": error.message}
    assert "Retry-After" not in response.headers
    assert "WWW-Authenticate" not in response.headers
    assert lines.requests[0]["error"] == error.code


@pytest.mark.parametrize(("asked", "answered"), [(None, "5"), (0, "5"), (0.2, "1"), (30, "30")])
async def test_503_tells_when_to_come_back(
    any_app: Client, refusing: Refusing, lines: Lines, asked: float | None, answered: str
) -> None:
    """What the other side asked for, in whole seconds."""
    refusing.error = EquaUnavailable("Equa is away.", retry_after=asked)
    response = await any_app.get("/refuse")

    assert response.status == 503
    assert response.headers["Retry-After"] == answered
    assert lines.requests[0]["level"] == "warning"


async def test_a_fault_of_ours_tells_only_where_to_look(any_app: Client, lines: Lines) -> None:
    """The client gets the id, the log the traceback under the same id."""
    response = await any_app.get("/fail")

    assert response.status == 500
    request_id = response.headers["X-Request-Id"]
    assert await response.json() == {
        "error": "internal_error",
        "message": f"Something went wrong here. The request's id is {request_id}.",
    }
    failed, answered = lines.all
    assert failed["event"] == "request_failed"
    assert failed["request_id"] == answered["request_id"] == request_id
    assert "ZeroDivisionError" in failed["exception"]
    assert (answered["event"], answered["error"]) == ("request", "internal_error")


async def test_a_redirect_that_is_raised_is_an_answer(any_app: Client, lines: Lines) -> None:
    """It keeps its place, gets our headers and is answered of."""
    response = await any_app.get("/redirect", allow_redirects=False)

    assert (response.status, response.headers["Location"]) == (303, "/elsewhere")
    assert response.headers["X-Request-Id"] == lines.requests[0]["request_id"]
    assert (lines.requests[0]["status"], lines.requests[0]["error"]) == (303, None)


async def test_requests_are_measured_by_route_and_status(any_app: Client, services: Services) -> None:
    """Not by address: that would be without end."""
    for name in ("ann", "bob"):
        await any_app.get(f"/greet/{name}")
    await any_app.get("/nowhere")

    counted = {
        (sample.labels["route"], sample.labels["status"]): sample.value
        for family in text_string_to_metric_families(services.metrics.render().decode())
        for sample in family.samples
        if sample.name == "equabot_bridge_http_request_seconds_count"
    }
    assert counted == {("/greet/{name}", "200"): 2, ("none", "404"): 1}

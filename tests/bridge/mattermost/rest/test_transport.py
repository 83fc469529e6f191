"""Asking Mattermost something over HTTP."""

import asyncio
import itertools
import time
from dataclasses import dataclass, replace

import aiohttp
import pytest
from aiohttp import web
from mattermostdriver.endpoints.users import Users

from bridge.errors import (
    InvalidRequest,
    MattermostFull,
    MattermostRefused,
    MattermostUnavailable,
    TokenRefused,
)
from bridge.mattermost.json_text import MalformedError
from bridge.mattermost.rest.responses import NoAnswer, NotMattermost, Overloaded, Pending, Throttled, TooLarge
from bridge.mattermost.rest.transport import Method, Transport, client_session
from tests.support.scripted_rest import Action, ScriptedRest, gives, hangs_up, refuses, stalls

FINE = gives({"fine": True})
BUSY = gives("limit exceeded", 429, ("Retry-After", "0"), ("Retry-After", "0"), media_type="text/plain")
BROKEN = refuses("app.sql.app_error", 500)
PENDING = refuses("api.post.deduplicate_create_post.pending", 500)
METHODS: list[Method] = ["get", "post", "put", "delete"]


async def test_request_as_it_is_sent(rest: ScriptedRest, transport: Transport) -> None:
    """Path below /api/v4, bearer token, JSON body, query."""
    rest.answers(FINE)
    await transport.post("/posts", {"message": "hi"}, params={"set_online": "false"})

    asked = rest.asked[0]
    assert (asked.method, asked.path, asked.query) == ("POST", "/api/v4/posts", {"set_online": "false"})
    assert (asked.body, asked.headers["Authorization"]) == ({"message": "hi"}, "Bearer secrettoken")


async def test_get_has_no_body(rest: ScriptedRest, transport: Transport) -> None:
    """Some proxies refuse a GET with a body."""
    rest.answers(FINE)
    await transport.get("/users/me")

    assert "Content-Length" not in rest.asked[0].headers
    assert "Content-Type" not in rest.asked[0].headers


async def test_endpoint_classes_of_mattermostdriver_work_on_it(
    rest: ScriptedRest, transport: Transport
) -> None:
    """Their methods return what the verbs return: coroutines."""
    rest.answers(gives({"id": "x"}, media_type="application/json"))

    assert await Users(transport).create_user_access_token("me", {"description": "d"}) == {"id": "x"}
    assert (rest.asked[0].method, rest.asked[0].path) == ("POST", "/api/v4/users/me/tokens")


async def test_server_below_a_path(rest: ScriptedRest, transport: Transport) -> None:
    """MATTERMOST_URL may have a subpath and a slash at its end."""
    rest.answers(FINE)
    await replace(transport, url=f"{rest.url}/chat/").get("/users/me")

    assert rest.asked[0].path == "/chat/api/v4/users/me"


@pytest.mark.parametrize("name", ["../../teams/abc?x=1#", "a b", ".."])
async def test_name_that_leads_elsewhere_is_not_asked_for(
    rest: ScriptedRest, transport: Transport, name: str
) -> None:
    """mattermostdriver would concatenate it unquoted."""
    with pytest.raises(InvalidRequest):
        await Users(transport).get_user_by_username(name)

    assert rest.asked == []


async def test_no_cookie_is_ever_sent_back(rest: ScriptedRest, transport: Transport) -> None:
    """Mattermost sets MMAUTHTOKEN on answers, and the cookie would beat the header."""
    rest.answers(gives({}, 200, ("Set-Cookie", "MMAUTHTOKEN=other; Path=/")))
    for _ in range(2):
        await transport.get("/users/me")

    assert [asked.headers.get("Cookie") for asked in rest.asked] == [None, None]


async def test_another_account_over_the_same_session(rest: ScriptedRest, transport: Transport) -> None:
    """A person's token is used without another connection."""
    rest.answers(FINE)
    await transport.acting("persons").get("/users/me")

    assert rest.asked[0].headers["Authorization"] == "Bearer persons"


def test_token_is_not_shown(transport: Transport) -> None:
    """Whatever prints a transport prints no token."""
    assert "secrettoken" not in repr(transport)


@pytest.mark.parametrize(
    ("script", "raised"),
    [
        (refuses("api.context.invalid_token.error", 401), TokenRefused),
        (refuses("api.context.permissions.app_error", 403), MattermostRefused),
        (refuses("api.user.create_user.user_limits.exceeded"), MattermostFull),
        (gives("<!doctype html>", media_type="text/html"), NotMattermost),
        (gives("[{"), MalformedError),
        (gives("", 302, ("Location", "/api/v4/elsewhere")), NotMattermost),
    ],
)
@pytest.mark.parametrize("method", METHODS)
async def test_definite_answers_are_not_asked_again(
    rest: ScriptedRest, transport: Transport, method: Method, script: Action, raised: type[Exception]
) -> None:
    """Asking again would not change them; redirects are not followed."""
    rest.answers(script, FINE)
    with pytest.raises(raised):
        await transport.make_request(method, "/users/me")

    assert len(rest.asked) == 1


@pytest.mark.parametrize("method", METHODS)
async def test_throttled_requests_of_any_method_are_sent_again(
    rest: ScriptedRest, transport: Transport, method: Method
) -> None:
    """429 means that nothing was done."""
    rest.answers(BUSY, BUSY, FINE)

    assert await transport.make_request(method, "/posts") == {"fine": True}
    assert len(rest.asked) == 3


async def test_throttled_for_good(rest: ScriptedRest, transport: Transport) -> None:
    """After a few tries the caller hears how long the server asked to wait."""
    rest.answers(gives("limit exceeded", 429, ("X-RateLimit-Reset", "0"), media_type="text/plain"))
    with pytest.raises(Throttled) as caught:
        await transport.post("/posts", {})

    assert caught.value.retry_after == 0
    assert len(rest.asked) == 3


async def test_long_wait_is_left_to_the_caller(rest: ScriptedRest, transport: Transport) -> None:
    """A minute is not waited inside a call."""
    rest.answers(gives("limit exceeded", 429, ("Retry-After", "60"), media_type="text/plain"))
    with pytest.raises(Throttled) as caught:
        await transport.get("/users/me")

    assert caught.value.retry_after == 60
    assert len(rest.asked) == 1


@pytest.mark.parametrize("trouble", [BROKEN, hangs_up])
@pytest.mark.parametrize("method", ["get", "put", "delete"])
async def test_what_can_be_repeated_is(
    rest: ScriptedRest, transport: Transport, method: Method, trouble: Action
) -> None:
    """5xx and broken connections pass."""
    rest.answers(trouble, trouble, FINE)

    assert await transport.make_request(method, "/users/me") == {"fine": True}


@pytest.mark.parametrize(
    ("trouble", "raised"), [(BROKEN, Overloaded), (hangs_up, NoAnswer), (PENDING, Pending)]
)
async def test_post_of_unknown_outcome_is_not_sent_again(
    rest: ScriptedRest, transport: Transport, trouble: Action, raised: type[Exception]
) -> None:
    """It may have been carried out."""
    rest.answers(trouble, FINE)
    with pytest.raises(raised):
        await transport.post("/users", {})

    assert len(rest.asked) == 1


@pytest.mark.parametrize("trouble", [BROKEN, hangs_up, PENDING])
async def test_post_that_is_safe_to_repeat_is(
    rest: ScriptedRest, transport: Transport, trouble: Action
) -> None:
    """Its caller says for how long."""
    rest.answers(trouble, trouble, FINE)
    safe = transport.with_policy(replace(transport.retry_policy, resend_for=20))

    assert await safe.post("/posts", {}) == {"fine": True}


async def test_post_being_created_is_waited_for(rest: ScriptedRest, transport: Transport) -> None:
    """The server is still at the first try: the wait is not counted in tries."""
    rest.answers(*[PENDING] * 6, FINE)
    safe = transport.with_policy(replace(transport.retry_policy, resend_for=20))

    assert await safe.post("/posts", {}) == {"fine": True}


async def test_no_post_is_resent_after_its_time(rest: ScriptedRest, transport: Transport) -> None:
    """Then the server has forgotten the first try and would carry out a second."""
    rest.answers(PENDING)
    seconds = itertools.count()
    transport = replace(transport, clock=lambda: float(next(seconds)))
    with pytest.raises(Pending):
        await transport.with_policy(replace(transport.retry_policy, resend_for=6)).post("/posts", {})

    assert len(rest.asked) == 3


@dataclass
class SleepyClock:
    """A clock that goes on by so much between the second and the third look at it: during the wait."""

    asleep: float
    looks: int = 0

    def __call__(self) -> float:
        self.looks += 1
        return self.asleep if self.looks > 2 else 0.0


@pytest.mark.parametrize("asleep", [30.0, 25.0])
async def test_no_post_is_resent_by_whoever_slept_through_its_time(
    rest: ScriptedRest, transport: Transport, asleep: float
) -> None:
    """The machine was suspended, or the process stopped, while it waited: somebody else may have posted."""
    rest.answers(BROKEN, FINE)
    awake_late = replace(transport, clock=SleepyClock(asleep))
    with pytest.raises(Overloaded):
        await awake_late.with_policy(replace(transport.retry_policy, resend_for=25)).post("/posts", {})

    assert len(rest.asked) == 1


async def test_whoever_slept_for_less_resends(rest: ScriptedRest, transport: Transport) -> None:
    rest.answers(BROKEN, FINE)
    awake = replace(transport, clock=SleepyClock(24.9))

    assert await awake.with_policy(replace(transport.retry_policy, resend_for=25)).post("/posts", {}) == {
        "fine": True
    }


async def test_a_process_that_stood_still_does_not_resend(rest: ScriptedRest, transport: Transport) -> None:
    """By the real clock, and a loop that does not run for a while."""

    async def stands_still(request: web.Request) -> web.StreamResponse:
        asyncio.get_running_loop().call_later(0.1, time.sleep, 0.5)
        return await BROKEN(request)

    rest.answers(stands_still, FINE)
    late = replace(transport.retry_policy, resend_for=0.5, first_delay=0.2, longest_delay=0.2)
    with pytest.raises(Overloaded):
        await transport.with_policy(late).post("/posts", {})

    assert len(rest.asked) == 1


async def test_throttling_does_not_make_an_unknown_outcome_repeatable(
    rest: ScriptedRest, transport: Transport
) -> None:
    """A lost first try stays lost when the second is throttled."""
    rest.answers(hangs_up, gives("limit exceeded", 429, ("Retry-After", "1"), media_type="text/plain"), FINE)
    with pytest.raises(Throttled):
        await transport.with_policy(replace(transport.retry_policy, resend_for=0.5)).post("/posts", {})

    assert len(rest.asked) == 2


async def test_time_out(
    rest: ScriptedRest, transport: Transport, observed: list[tuple[str, int | str]]
) -> None:
    """A server that never answers costs the time-out of each try, and not more than the total."""
    rest.answers(stalls)
    with pytest.raises(NoAnswer):
        await transport.with_policy(replace(transport.retry_policy, timeout=0.05)).get("/users/me")

    assert observed == [("/users/me", "error")] * 3


async def test_nobody_there(transport: Transport) -> None:
    """A refused connection is unavailable, and its message names no address."""
    nowhere = replace(transport, url="http://127.0.0.1:1")
    with pytest.raises(MattermostUnavailable) as caught:
        await nowhere.get("/users/me")

    assert "127.0.0.1" not in str(caught.value)
    assert caught.value.__suppress_context__


async def test_post_on_a_dead_connection(rest: ScriptedRest, transport: Transport) -> None:
    """aiohttp repeats a GET on a kept-alive connection that turns out dead, but not a POST: that is ours."""
    rest.answers(FINE, hangs_up, FINE)
    safe = transport.with_policy(replace(transport.retry_policy, resend_for=20))
    await safe.get("/users/me")

    assert await safe.post("/posts", {}) == {"fine": True}


async def test_answer_without_end(rest: ScriptedRest, transport: Transport) -> None:
    """An answer is read up to a limit."""
    rest.answers(gives("x" * 100_001))
    with pytest.raises(TooLarge):
        await replace(transport, largest_answer=100_000).get("/users/me")


async def test_answer_that_breaks_off(rest: ScriptedRest, transport: Transport) -> None:
    """A broken answer is as good as none."""

    async def breaks_off(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100", "Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b"[")
        return await hangs_up(request)

    rest.answers(breaks_off, FINE)

    assert await transport.get("/users/me") == {"fine": True}


async def test_every_try_is_observed(
    rest: ScriptedRest, transport: Transport, observed: list[tuple[str, int | str]]
) -> None:
    """Metrics see the shape of the path and the status."""
    rest.answers(BUSY, BROKEN, FINE)
    await transport.get(f"/posts/{'p' * 26}/thread")

    assert [status for _, status in observed] == [429, 500, 200]
    assert {endpoint for endpoint, _ in observed} == {"/posts/{id}/thread"}


async def test_many_at_once_over_few_connections(rest: ScriptedRest, transport: Transport) -> None:
    """Connections are kept and shared."""
    rest.answers(FINE)
    patient = transport.with_policy(replace(transport.retry_policy, timeout=60))
    async with asyncio.TaskGroup() as tasks:
        for _ in range(300):
            tasks.create_task(patient.get("/users/me"))

    assert len(rest.asked) == 300


async def test_session_of_all_transports() -> None:
    """No cookies, no proxy from the environment, and no connection idle for as long as Mattermost's 60 s."""
    async with client_session() as session:
        assert isinstance(session.cookie_jar, aiohttp.DummyCookieJar)
        assert not session.trust_env
        assert isinstance(session.connector, aiohttp.TCPConnector)
        assert session.connector._keepalive_timeout == 30

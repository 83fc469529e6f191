"""Requests that another site could have made are refused, however they are written."""

import json

import pytest
from aiohttp import ClientSession

from tests.support.nginx import Nginx, exchange
from tests.support.upstream import Upstream

COOKIE = "Cookie: MMAUTHTOKEN=secret"
BY_SCRIPT = "X-Requested-With: XMLHttpRequest"


async def send(proxy: Nginx, start: str, *headers: str, body: str = "") -> str:
    """Send a request in exactly this spelling; return the status line of the answer."""
    head = "\r\n".join([start, "Host: chat.example.com", "Connection: close", *headers])
    answer = await exchange(proxy, f"{head}\r\n\r\n{body}".encode())
    return answer.split(b"\r\n", 1)[0].decode()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PROPFIND", "GETX"])
async def test_a_session_cookie_alone_changes_nothing(proxy: Nginx, chat: Upstream, method: str) -> None:
    """A browser sends the cookie for any site's form; X-Requested-With it sends for none."""
    status = await send(proxy, f"{method} /api/v4/posts HTTP/1.1", COOKIE)

    assert status == "HTTP/1.1 403 Forbidden"
    assert chat.seen == []


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(["Cookie: a=1; MMAUTHTOKEN=secret"], id="behind another"),
        pytest.param(["Cookie: a=1;MMAUTHTOKEN=secret"], id="without a space"),
        pytest.param(["Cookie: a=1;\tMMAUTHTOKEN=secret"], id="behind a tab"),
        pytest.param(["Cookie: ;;,MMAUTHTOKEN=secret"], id="behind rubbish"),
        pytest.param(["Cookie: MMAUTHTOKEN =secret"], id="a space before the sign"),
        pytest.param(['Cookie: MMAUTHTOKEN="secret"'], id="value in quotes"),
        pytest.param(['Cookie: "MMAUTHTOKEN"=secret'], id="name in quotes"),
        pytest.param(["Cookie: MMAUTHTOKEN"], id="no value"),
        pytest.param(["Cookie: mmauthtoken=secret"], id="lower case"),
        pytest.param(["cOOKIE:MMAUTHTOKEN=secret"], id="header in odd case"),
        pytest.param(["Cookie: a=1", COOKIE], id="second header"),
        pytest.param(["Cookie: a=1", "Cookie: b=2", COOKIE, "Cookie: c=3"], id="third of four headers"),
        pytest.param(["Cookie: " + "a=1; " * 1500 + "MMAUTHTOKEN=secret"], id="far behind"),
        pytest.param([COOKIE, "Authorization: Bearer other"], id="with a bearer token"),
        pytest.param([COOKIE, "X-CSRF-Token: guessed"], id="with a CSRF token"),
        pytest.param([COOKIE, "X-Requested-With: fetch"], id="other value"),
        pytest.param([COOKIE, "X-Requested-With: xmlhttprequest"], id="value in lower case"),
        pytest.param([COOKIE, "X-Requested-With: XMLHttpRequestX"], id="longer value"),
        pytest.param([COOKIE, "X-Requested-With:"], id="empty value"),
        pytest.param([COOKIE, "X_Requested_With: XMLHttpRequest"], id="underscores"),
        pytest.param([COOKIE, "X-HTTP-Method-Override: GET"], id="method override"),
        pytest.param([COOKIE, "Upgrade: websocket"], id="as an upgrade"),
        pytest.param([COOKIE, "Origin: https://chat.example.com"], id="with an origin"),
    ],
)
async def test_no_spelling_gets_past(proxy: Nginx, chat: Upstream, headers: list[str]) -> None:
    """The name of the cookie anywhere counts, the header only in full."""
    status = await send(proxy, "POST /api/v4/posts HTTP/1.1", *headers)

    assert status == "HTTP/1.1 403 Forbidden"
    assert chat.seen == []


@pytest.mark.parametrize(
    "target",
    [
        "/api/v4/client_perf/../posts",
        "/api/v4/client_perf%2F..%2Fposts",
        "/api/v4/client_perf/",
        "/api/v4/client_perf?x",
        "//api/v4/client_perf",
        "/?POST%20/api/v4/client_perf",
        "http://chat.example.com/api/v4/posts",
        "/hooks/abc",
        "/-/healthy",
        "/login/token",
    ],
)
async def test_no_path_is_exempt(proxy: Nginx, chat: Upstream, bridge: Upstream, target: str) -> None:
    """The one exemption is compared with the target as it was sent."""
    status = await send(proxy, f"POST {target} HTTP/1.1", COOKIE)

    assert status == "HTTP/1.1 403 Forbidden"
    assert chat.seen == bridge.seen == []


@pytest.mark.parametrize(
    ("start", "headers", "body"),
    [
        pytest.param("post /p HTTP/1.1", [COOKIE], "", id="method in lower case"),
        pytest.param("POST /p HTTP/1.1", ["Cookie : MMAUTHTOKEN=secret"], "", id="space before the colon"),
        pytest.param("POST /p HTTP/1.1", ["Cookie: a=1;", " MMAUTHTOKEN=secret"], "", id="on two lines"),
        pytest.param("POST /p HTTP/1.1", [COOKIE + "\0"], "", id="NUL"),
        pytest.param(
            "POST /p HTTP/1.1",
            ["Content-Length: 5", "Transfer-Encoding: chunked", COOKIE],
            "0\r\n\r\n",
            id="two lengths",
        ),
        pytest.param("PRI * HTTP/2.0", [COOKIE], "", id="HTTP/2 preface"),
    ],
)
async def test_what_is_no_http_is_refused(
    proxy: Nginx, chat: Upstream, start: str, headers: list[str], body: str
) -> None:
    """What two servers could read differently goes no further: Go accepts a header on two lines."""
    status = await send(proxy, start, *headers, body=body)

    assert " 400 " in status
    assert chat.seen == []


@pytest.mark.parametrize(
    ("start", "headers", "body"),
    [
        ("POST /p HTTP/1.1", ["Content-Length: 1"], "x"),
        ("POST /p HTTP/1.1", ["Transfer-Encoding: chunked"], "1\r\nx\r\n0\r\n\r\n"),
        ("POST /p HTTP/1.1", ["Content-Length: 1", "Expect: 100-continue"], "x"),
        ("POST /p HTTP/1.0", ["Content-Length: 1"], "x"),
    ],
)
async def test_the_form_of_the_body_does_not_matter(
    proxy: Nginx, chat: Upstream, start: str, headers: list[str], body: str
) -> None:
    """Nor does the version of HTTP."""
    status = await send(proxy, start, COOKIE, *headers, body=body)

    assert status == "HTTP/1.1 403 Forbidden"
    assert chat.seen == []


async def test_every_request_of_a_connection_is_judged(proxy: Nginx, chat: Upstream) -> None:
    """A good request does not vouch for the next on the same connection."""
    good = f"POST /good HTTP/1.1\r\nHost: h\r\n{COOKIE}\r\n{BY_SCRIPT}\r\nContent-Length: 0\r\n\r\n"
    bad = f"POST /bad HTTP/1.1\r\nHost: h\r\n{COOKIE}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    answers = await exchange(proxy, (good + bad).encode())

    assert b"403 Forbidden" in answers
    assert [request.target for request in chat.seen] == ["/good"]


async def test_a_body_is_no_second_request(proxy: Nginx, chat: Upstream) -> None:
    """What looks like a request inside the body of a GET stays a body."""
    inner = f"POST /bad HTTP/1.1\r\nHost: h\r\n{COOKIE}\r\n\r\n"

    await send(proxy, "GET /good HTTP/1.1", COOKIE, f"Content-Length: {len(inner)}", body=inner)

    assert chat.only.target == "/good"


@pytest.mark.parametrize(
    ("start", "headers"),
    [
        ("GET /p HTTP/1.1", [COOKIE]),
        ("HEAD /p HTTP/1.1", [COOKIE]),
        ("OPTIONS /p HTTP/1.1", [COOKIE]),
        ("POST /p HTTP/1.1", [COOKIE, BY_SCRIPT, "Content-Length: 0"]),
        ("POST /p HTTP/1.1", ["x-requested-with:XMLHttpRequest ", COOKIE, "Content-Length: 0"]),
        ("DELETE /p HTTP/1.1", [COOKIE, BY_SCRIPT]),
        ("POST /p HTTP/1.1", ["Authorization: Bearer token", "Content-Length: 0"]),
        ("POST /p HTTP/1.1", ["Cookie: MMUSERID=u; MMCSRF=c", "Content-Length: 0"]),
        ("POST /api/v4/client_perf HTTP/1.1", [COOKIE, "Content-Length: 0"]),
    ],
)
async def test_everything_else_passes(proxy: Nginx, chat: Upstream, start: str, headers: list[str]) -> None:
    """Reading, the web app's own requests and its performance beacon, and clients without the cookie."""
    status = await send(proxy, start, *headers)

    assert status == "HTTP/1.1 200 OK"
    assert chat.only.method == start.split(maxsplit=1)[0]


async def test_the_refusal_has_the_shape_of_mattermosts_errors(proxy: Nginx, http: ClientSession) -> None:
    """Clients read `id` and `message`; `request_id` is the one in the access log."""
    async with http.post(f"{proxy.url}/api/v4/posts", headers={"Cookie": "MMAUTHTOKEN=secret"}) as response:
        error = json.loads(await response.read())

    assert response.content_type == "application/json"
    assert error.pop("message").startswith("A request that changes something")
    assert len(error.pop("request_id")) == 32
    assert error == {"id": "proxy.request.forgeable.app_error", "detailed_error": "", "status_code": 403}

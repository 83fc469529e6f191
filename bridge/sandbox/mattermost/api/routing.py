"""How a route becomes a handler: identity, CSRF, errors and faults stand here once.

Order of checks: server/channels/web/handlers.go (`ServeHTTP`).
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from bridge.sandbox.mattermost.api.call import Call, answer, authenticate
from bridge.sandbox.mattermost.credentials import COOKIE, Credentials, passes_csrf, token_of
from bridge.sandbox.mattermost.errors import ApiError, session_expired
from bridge.sandbox.mattermost.faults import RestFault
from bridge.sandbox.mattermost.records import Session
from bridge.sandbox.mattermost.runtime import RUNTIME, Runtime

PREFIX = "/api/v4"
Handler = Callable[[Call], Awaitable[web.StreamResponse]]


def route(
    method: str, path: str, handler: Handler, *, open_to_all: bool = False, trusted: bool = False
) -> web.RouteDef:
    """Return a route of the API.

    `open_to_all` routes work without a session, `trusted` ones (`APIHandlerTrustRequester`) without the
    CSRF check.
    """

    async def serve(request: web.Request) -> web.StreamResponse:
        runtime = request.app[RUNTIME]
        verdict = runtime.limiter.check(request.remote or "")
        if verdict.limited:
            return web.Response(status=429, text="limit exceeded\n", headers=verdict.headers)
        response = await _faulty(
            request,
            runtime,
            lambda: _answer(request, runtime, handler, open_to_all=open_to_all, trusted=trusted),
        )
        _decorate(response, runtime, verdict.headers)
        return response

    return web.route(method, PREFIX + path, serve)


async def _faulty(
    request: web.Request, runtime: Runtime, work: Callable[[], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    fault = runtime.faults.strike(request.method, request.path)
    if fault is None:
        return await work()
    if fault.when == "before":
        broken = await _strike(request, fault)
        return await work() if broken is None else broken
    response = await work()
    return await _strike(request, fault) or response


async def _strike(request: web.Request, fault: RestFault) -> web.Response | None:
    await asyncio.sleep(fault.delay)
    if fault.release is not None:
        await fault.release.wait()
    if fault.cut and request.transport is not None:
        request.transport.abort()
        return web.Response(status=502)
    if fault.status is None:
        return None
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if fault.error_id:
        return refusal(ApiError(fault.error_id, fault.status), request.app[RUNTIME])
    return web.Response(status=fault.status, text="the sandbox was told to fail\n", headers=headers)


async def _answer(
    request: web.Request, runtime: Runtime, handler: Handler, *, open_to_all: bool, trusted: bool
) -> web.StreamResponse:
    try:
        session = _identify(request, runtime, open_to_all=open_to_all, trusted=trusted)
        return await handler(Call(request, runtime, session))
    except ApiError as error:
        return refusal(error, runtime)


def refusal(error: ApiError, runtime: Runtime) -> web.Response:
    """Return the answer for an error; one about the session also takes the cookie away."""
    request_id = runtime.state.new_id()
    response = answer(error.to_json(request_id), error.status)
    response.headers["X-Request-Id"] = request_id
    if error.id == "api.context.session_expired.app_error":
        response.del_cookie(COOKIE, path="/")
    return response


def _identify(request: web.Request, runtime: Runtime, *, open_to_all: bool, trusted: bool) -> Session | None:
    credentials = token_of(request)
    session = authenticate(runtime, credentials.token)
    _check_place(credentials, session)
    if session is None and not open_to_all:
        raise session_expired()
    settings = runtime.state.settings
    if session is not None and not trusted and not passes_csrf(request, credentials, session, settings):
        raise session_expired()
    return session


def _check_place(credentials: Credentials, session: Session | None) -> None:
    """Refuse a token in the query, which only OAuth sessions may use."""
    if session is not None and credentials.place == "query":
        raise ApiError("api.context.token_provided.app_error", 401)


def _decorate(response: web.StreamResponse, runtime: Runtime, limits: dict[str, str]) -> None:
    headers = response.headers
    headers.update(limits)
    headers.setdefault("X-Request-Id", runtime.state.new_id())
    headers["X-Version-Id"] = runtime.state.settings.version_id
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"

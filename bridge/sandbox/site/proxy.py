"""What the proxy in front of Mattermost does in a deployment, for the demo's chat.

It sends the bridge's part of a sign-in to the bridge, and lets the bridge's page show the chat in a frame:

    Server(store, pages=[*chat.pages(), proxy.login(url)], spa=proxy.framed(chat.spa, url))
"""

from collections.abc import Awaitable, Callable

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, web
from yarl import URL

Page = Callable[[web.Request], Awaitable[web.StreamResponse]]

_WITHIN = ClientTimeout(total=30)
_ASKED = ("Accept", "Cookie", "Referer", "User-Agent", "Sec-Fetch-Site", "Sec-Fetch-Dest", "Sec-Fetch-Mode")
_ANSWERED = (
    "Cache-Control",
    "Content-Security-Policy",
    "Content-Type",
    "Location",
    "Referrer-Policy",
    "Retry-After",
    "Set-Cookie",
)


def login(bridge_url: str) -> web.RouteDef:
    """Return the routes at which a browser is signed in; the answer is the bridge's."""

    async def redeem(request: web.Request) -> web.StreamResponse:
        url = URL(f"{bridge_url}{request.raw_path}", encoded=True)
        headers = {name: request.headers[name] for name in _ASKED if name in request.headers}
        try:
            async with (
                ClientSession(timeout=_WITHIN, cookie_jar=DummyCookieJar()) as http,
                http.get(url, headers=headers, allow_redirects=False) as answer,
            ):
                return await _relayed(answer)
        except (ClientError, TimeoutError):
            raise web.HTTPBadGateway(text="The bridge does not answer.") from None

    return web.get("/login/{step:token|equa/authorize}", redeem, allow_head=False)


async def _relayed(answer: ClientResponse) -> web.Response:
    response = web.Response(status=answer.status, body=await answer.read())
    for name in _ANSWERED:
        response.headers.popall(name, None)
        for value in answer.headers.getall(name, ()):
            response.headers.add(name, value)
    return response


def framed(page: Page, *embedders: str) -> Page:
    """Return the page, but these origins may show it in a frame."""
    ancestors = " ".join(("'self'", *embedders))

    async def serve(request: web.Request) -> web.StreamResponse:
        response = await page(request)
        # Where this is present a browser does not look at X-Frame-Options.
        response.headers["Content-Security-Policy"] = f"frame-ancestors {ancestors}"
        return response

    return serve

"""What the proxy in front of Mattermost does, for a demo that has none."""

from dataclasses import dataclass

import aiohttp
from aiohttp import web

from bridge.sandbox import chat

_PASSED = ("Content-Type", "Content-Security-Policy", "Cache-Control", "Location", "Referrer-Policy")


@dataclass(frozen=True, slots=True)
class Front:
    """Leads `/login/token` to the bridge, and lets the bridge's pages frame the chat."""

    bridge_url: str

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Serve the chat page, to be framed by the messaging page too."""
        response = await chat.spa(request)
        response.headers["Content-Security-Policy"] = f"frame-ancestors 'self' {self.bridge_url}"
        return response

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """Pass the request to the bridge and its answer back, cookies included."""
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.get(
                f"{self.bridge_url}{request.rel_url}",
                headers={"X-Forwarded-Host": request.host},
                allow_redirects=False,
            ) as answer,
        ):
            response = web.Response(status=answer.status, body=await answer.read())
            for name in _PASSED:
                if name in answer.headers:
                    response.headers[name] = answer.headers[name]
            for cookie in answer.headers.getall("Set-Cookie", ()):
                response.headers.add("Set-Cookie", cookie)
            return response

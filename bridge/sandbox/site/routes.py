"""The routes of the demo's web app; its own are under `/sandbox/site/`."""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from bridge.sandbox.equa import STORE
from bridge.sandbox.equa.records import Organization, Session, User
from bridge.sandbox.site.happenings import HAPPENINGS, cloud_event
from bridge.sandbox.site.views import name_of, view
from bridge.sandbox.world import Company

_HERE = Path(__file__).parent / "static"
_OPEN_TO_ALL = "#general"
_TELL_WITHIN = ClientTimeout(total=10)

_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def pages(companies: Sequence[Company], *, bridge_url: str, token: str) -> list[web.RouteDef]:
    """Return the routes; `bridge_url` is the bridge for browsers and for us, `token` one of `GATEWAY_TOKENS`."""
    site = _Site({company.id: company for company in companies}, bridge_url.rstrip("/"), token)
    return [
        web.get("/", _index),
        web.get("/sandbox/site/state", site.state),
        web.post("/sandbox/site/sign-in", site.sign_in),
        web.post("/sandbox/site/sign-out", site.sign_out),
        web.post("/sandbox/site/happen", site.happen),
        web.post("/sandbox/site/add", site.add),
        web.post("/sandbox/site/remove", site.remove),
        web.get("/sandbox/site/{name}", _static),
    ]


class _Site:
    def __init__(self, companies: Mapping[UUID, Company], bridge_url: str, token: str) -> None:
        self._companies = companies
        self._bridge_url = bridge_url
        self._token = token

    async def state(self, request: web.Request) -> web.Response:
        return self._shown(request, _session(request))

    async def sign_in(self, request: web.Request) -> web.Response:
        person = _user(request, await _asked(request))
        return self._shown(request, request.app[STORE].begin_session(person.id))

    async def sign_out(self, request: web.Request) -> web.Response:
        await _asked(request)
        session = _session(request)
        if session:
            request.app[STORE].sign_out(session)
        return self._shown(request, None)

    async def happen(self, request: web.Request) -> web.Response:
        asked = await _asked(request)
        company = self._companies.get(_organization(request, asked).id)
        happening = HAPPENINGS.get(str(asked.get("kind")))
        if company is None or happening is None:
            raise _refused("That cannot happen here.")
        data = happening.data(company, random.Random())
        return await self._told(request, company.id, happening.type, data, happening.channel)

    async def add(self, request: web.Request) -> web.Response:
        asked = await _asked(request)
        place, person = _organization(request, asked), _user(request, asked)
        if request.app[STORE].memberships(place.id, person.id):
            raise _refused(f"{name_of(person)} is a member already.")
        request.app[STORE].add_member(place.id, person)
        data = _membership(person, "Member")
        return await self._told(request, place.id, "cc.equa.member.added", data, _OPEN_TO_ALL)

    async def remove(self, request: web.Request) -> web.Response:
        asked = await _asked(request)
        place, person = _organization(request, asked), _user(request, asked)
        seats = request.app[STORE].memberships(place.id, person.id)
        if not seats:
            raise _refused(f"{name_of(person)} is no member.")
        request.app[STORE].remove_member(place.id, person.id)
        data = _membership(person, seats[0].title or "Member")
        return await self._told(request, place.id, "cc.equa.member.removed", data, _OPEN_TO_ALL)

    async def _told(
        self, request: web.Request, organization: UUID, kind: str, data: Mapping[str, Any], channel: str
    ) -> web.Response:
        link = f"{request.url.origin()}/#{organization}"
        event = cloud_event(kind, organization, data, link, datetime.now(UTC))
        said = await self._tell(event) or f"Told the bridge: {kind}. {channel} hears of it."
        return self._shown(request, _session(request), said=said)

    async def _tell(self, event: Mapping[str, Any]) -> str | None:
        """Tell the bridge; return what was wrong with that, if anything."""
        url, bearer = (
            f"{self._bridge_url}/api/v1/mattermost/events",
            {"Authorization": f"Bearer {self._token}"},
        )
        try:
            async with (
                ClientSession(timeout=_TELL_WITHIN) as http,
                http.post(url, json=event, headers=bearer) as answer,
            ):
                return None if answer.ok else f"The bridge answered {answer.status}: {await answer.text()}"
        except (ClientError, TimeoutError):
            return f"The bridge does not answer at {self._bridge_url}."

    def _shown(self, request: web.Request, session: Session | None, **more: str) -> web.Response:
        """Answer with all that the page shows; as every answer of Equa's, it renews the session's cookie."""
        store = request.app[STORE]
        shown = view(store, session.user if session else None, self._bridge_url)
        response = web.json_response({**shown, **more}, headers={**_HEADERS, "Cache-Control": "no-store"})
        if session:
            response.headers.add("Set-Cookie", store.set_cookie(session))
        return response


def _session(request: web.Request) -> Session | None:
    return request.app[STORE].session(request.headers.get("Cookie", ""))


async def _asked(request: web.Request) -> dict[str, Any]:
    """Return the body; another site's page cannot send this type without asking first, and nobody answers that."""
    if request.content_type != "application/json":
        raise _refused("A body must be application/json.")
    try:
        asked = await request.json()
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise _refused("A body must be an object.")
    return asked


def _user(request: web.Request, asked: Mapping[str, Any]) -> User:
    user = request.app[STORE].users.get(_id(asked, "person"))
    if user is None:
        raise _refused("There is no such person.")
    return user


def _organization(request: web.Request, asked: Mapping[str, Any]) -> Organization:
    organization = request.app[STORE].organizations.get(_id(asked, "organization"))
    if organization is None:
        raise _refused("There is no such organization.")
    return organization


def _id(asked: Mapping[str, Any], name: str) -> UUID:
    try:
        return UUID(str(asked.get(name)))
    except ValueError:
        raise _refused(f"{name} must be a UUID.") from None


def _membership(person: User, role: str) -> dict[str, Any]:
    return {"userId": str(person.id), "name": name_of(person), "email": person.email, "role": role}


def _refused(sentence: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=sentence)


async def _index(_request: web.Request) -> web.StreamResponse:
    return _file("index.html")


async def _static(request: web.Request) -> web.StreamResponse:
    name = request.match_info["name"]
    if name not in {path.name for path in _HERE.iterdir()}:
        raise web.HTTPNotFound
    return _file(name)


def _file(name: str) -> web.StreamResponse:
    return web.FileResponse(_HERE / name, headers=_HEADERS)

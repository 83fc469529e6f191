"""The routes of the demo's web app; its own are under `/sandbox/site/`."""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aiohttp import web

from bridge.sandbox.demo_data import Company
from bridge.sandbox.equa import STORE
from bridge.sandbox.equa.records import Session, User
from bridge.sandbox.site import files, requests
from bridge.sandbox.site.demo_events import DEMO_EVENTS, cloud_event
from bridge.sandbox.site.platform import Platform
from bridge.sandbox.site.views import name_of, view


def pages(companies: Sequence[Company], *, bridge_url: str, token: str) -> list[web.RouteDef]:
    """Return the routes, for `create_app` of the sandbox's Equa.

    `bridge_url` is the bridge as browsers and this server reach it, `token` one of its `PLATFORM_TOKENS`.
    """
    site = _Site(companies, Platform(bridge_url.rstrip("/"), token))
    return [
        web.get("/", files.index),
        web.get("/sandbox/site/state", site.state),
        web.post("/sandbox/site/sign-in", site.sign_in),
        web.post("/sandbox/site/sign-out", site.sign_out),
        web.post("/sandbox/site/emit", site.emit),
        web.post("/sandbox/site/add", site.add),
        web.post("/sandbox/site/remove", site.remove),
        web.get("/sandbox/site/{name}", files.static),
        web.get("/login", files.index),
        web.get("/messaging/sign-in", site.confirm),
    ]


class _Site:
    def __init__(self, companies: Sequence[Company], platform: Platform) -> None:
        self._companies: Mapping[UUID, Company] = {company.id: company for company in companies}
        self._platform = platform

    async def confirm(self, request: web.Request) -> web.Response:
        """Leave it to the bridge, as a deployment's proxy does; on one host it gets the same cookies."""
        raise web.HTTPFound(f"{self._platform.bridge_url}{request.raw_path}")

    async def state(self, request: web.Request) -> web.Response:
        return self._shown(request, requests.session(request))

    async def sign_in(self, request: web.Request) -> web.Response:
        person = requests.user(request, await requests.body(request))
        return self._shown(request, request.app[STORE].begin_session(person.id))

    async def sign_out(self, request: web.Request) -> web.Response:
        await requests.body(request)
        session = requests.session(request)
        if session:
            request.app[STORE].sign_out(session)
        return self._shown(request, None)

    async def emit(self, request: web.Request) -> web.Response:
        fields = await requests.body(request)
        company = self._companies.get(requests.organization(request, fields).id)
        demo_event = DEMO_EVENTS.get(str(fields.get("kind")))
        if company is None or demo_event is None:
            raise requests.refused("That cannot happen here.")
        data = demo_event.data(company, random.Random())
        return await self._report(request, company.id, demo_event.type, data, demo_event.channel)

    async def add(self, request: web.Request) -> web.Response:
        fields = await requests.body(request)
        organization, person = requests.organization(request, fields), requests.user(request, fields)
        if request.app[STORE].memberships(organization.id, person.id):
            raise requests.refused(f"{name_of(person)} is a member already.")
        request.app[STORE].add_member(organization.id, person)
        return await self._report(
            request, organization.id, "cc.equa.member.added", _membership(person, "Member")
        )

    async def remove(self, request: web.Request) -> web.Response:
        fields = await requests.body(request)
        organization, person = requests.organization(request, fields), requests.user(request, fields)
        lines = request.app[STORE].memberships(organization.id, person.id)
        if not lines:
            raise requests.refused(f"{name_of(person)} is no member.")
        request.app[STORE].remove_member(organization.id, person.id)
        data = _membership(person, lines[0].title or "Member")
        return await self._report(request, organization.id, "cc.equa.member.removed", data)

    async def _report(
        self,
        request: web.Request,
        organization: UUID,
        kind: str,
        data: Mapping[str, Any],
        channel: str = "General",
    ) -> web.Response:
        link = f"{request.url.origin()}/#{organization}"
        event = cloud_event(kind, organization, data, link, datetime.now(UTC))
        trouble = await self._platform.tell(event)
        more = (
            {"trouble": trouble} if trouble else {"said": f"Told the bridge: {kind}. {channel} hears of it."}
        )
        return self._shown(request, requests.session(request), **more)

    def _shown(self, request: web.Request, session: Session | None, **more: str) -> web.Response:
        """Answer with all that the page shows; as every answer of Equa's, it renews the session's cookie."""
        store = request.app[STORE]
        shown = view(store, session.user if session else None, self._platform.bridge_url)
        headers = {**files.HEADERS, "Cache-Control": "no-store"}
        response = web.json_response({**shown, **more}, headers=headers)
        if session:
            response.headers.add("Set-Cookie", store.set_cookie(session))
        return response


def _membership(person: User, role: str) -> dict[str, Any]:
    return {"userId": str(person.id), "name": name_of(person), "email": person.email, "role": role}

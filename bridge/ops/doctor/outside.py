"""The doctor's checks of Equa, of the agent and of the proxies on the way there."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, assert_never
from urllib.parse import urlsplit

from aiohttp import ClientSession

from bridge.agent import gateway, openai
from bridge.agent.endpoint import Endpoint
from bridge.agent.error_reports import error_in_body
from bridge.agent.refusals import Refusal, refused
from bridge.equa import EquaClient, ServiceAccount
from bridge.models.agent import AgentKind
from bridge.models.proxies import Proxies
from bridge.ops.doctor.checks import Check, absent
from bridge.ops.doctor.context import Context, secret
from bridge.ops.doctor.web import fetch
from bridge.ops.findings import Finding

_AGENT = "see AGENT_URL and AGENT_TOKEN, and the log of the agent's server"


def checks(context: Context) -> list[Check]:
    return [*_equa(context), _agent(context), *_proxies(context)]


def _equa(context: Context) -> list[Check]:
    settings = context.settings
    if not settings.equa_api_url:
        return [absent("Equa", "set EQUA_API_URL: without it nobody gets in", required=True)]
    client = EquaClient(
        context.session, url=settings.equa_api_url, admin_permissions=settings.equa_admin_permissions
    )
    here = Check("Equa", partial(equa, client), "see EQUA_API_URL, and whether Equa runs")
    return [here, _service_account(context, settings.equa_api_url)]


def _service_account(context: Context, url: str) -> Check:
    email, password = context.settings.equa_service_email, context.settings.equa_service_password
    if not email or not password:
        lost = "without EQUA_SERVICE_EMAIL rosters are read only while an administrator is there"
        return absent("service account", lost, required=False)
    account = ServiceAccount(
        context.session,
        url=url,
        cookies=context.settings.equa_session_cookies,
        email=email,
        password=secret(password),
    )
    look = partial(service_account, account, email)
    return Check("service account", look, "see EQUA_SERVICE_EMAIL and EQUA_SERVICE_PASSWORD")


def _agent(context: Context) -> Check:
    settings = context.settings
    if not settings.agent_url:
        return absent("agent", "without AGENT_URL nobody is answered", required=False)
    agent = AgentCheck(
        context.session,
        settings.agent_kind,
        settings.agent_url,
        secret(settings.agent_token),
        settings.agent_model,
        settings.agent_id,
    )
    return Check("agent", agent.look, "see AGENT_URL, and whether the agent's server runs")


def _proxies(context: Context) -> list[Check]:
    settings = context.settings
    used = [url for url in (settings.mattermost_url, settings.equa_api_url, settings.agent_url) if url]
    look = partial(proxies, settings.proxies, used)
    return [Check("proxies", look, "")] if list(settings.proxies.shown) else []


async def equa(client: EquaClient) -> Sequence[Finding]:
    await client.ping()
    return [Finding("Equa", "good", "answers")]


async def service_account(account: ServiceAccount, email: str) -> Sequence[Finding]:
    await account.sign_in()
    return [Finding("service account", "good", f"{email} signs in")]


async def proxies(chosen: Proxies, urls: Sequence[str]) -> Sequence[Finding]:
    """Show the proxies without their logins, and what is reached through them."""
    through = [urlsplit(url).netloc for url in urls if chosen.of(url)]
    used = f"used for {', '.join(through)}" if through else "used for nothing here"
    return [Finding("proxies", "good", f"{'; '.join(chosen.shown)}; {used}")]


@dataclass(frozen=True, slots=True)
class AgentCheck:
    session: ClientSession
    kind: AgentKind
    url: str
    token: str = field(repr=False)
    model: str
    agent_id: str

    async def look(self) -> Sequence[Finding]:
        """Send a request that needs the token and costs nothing."""
        match self.kind:
            case "gateway":
                return [await self._gateway()]
            case "openai":
                return [await self._openai()]
            case _:
                assert_never(self.kind)

    async def _gateway(self) -> Finding:
        """Send a question without messages: a good token gets an error about them, and no model runs."""
        headers = dict(self._headers)
        if "{" not in self.agent_id:
            headers[f"x-{gateway.product_of(self.model)}-agent-id"] = self.agent_id
        body = {"model": self.model, "messages": []}
        url = str(self._endpoint.completions)
        page = await fetch(self.session, url, method="POST", headers=headers, json=body)
        if page.status not in (200, 400, 422):
            return _refusal(refused(page.status, page.body, gateway.DIALECT))
        said = _message(page.body)
        if "model" in said.lower() or "agent" in said.lower():
            found = f"answers, and says: {said.replace(self.token, '…') if self.token else said}"
            return Finding("agent", "warning", found, "see AGENT_MODEL and AGENT_ID")
        return Finding("agent", "good", f"{self._endpoint} answers and accepts AGENT_TOKEN")

    async def _openai(self) -> Finding:
        page = await fetch(self.session, str(self._endpoint.models), headers=self._headers)
        if page.status == 404:
            return Finding("agent", "warning", "answers, but lists no models: AGENT_TOKEN was not tried")
        if page.status != 200:
            return _refusal(refused(page.status, page.body, openai.DIALECT))
        names = _models(page.body)
        if names and self.model not in names:
            found = f"has no model {self.model}, but {', '.join(sorted(names)[:5])}"
            return Finding("agent", "warning", found, "see AGENT_MODEL")
        return Finding("agent", "good", f"{self._endpoint} answers and accepts AGENT_TOKEN")

    @property
    def _endpoint(self) -> Endpoint:
        return Endpoint.of(self.url)

    @property
    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def _refusal(refusal: Refusal) -> Finding:
    return Finding("agent", "bad", refusal.error.message, _AGENT)


def _message(body: bytes) -> str:
    return " ".join(error_in_body(body).sentence[:200].split())


def _models(body: bytes) -> set[str]:
    with suppress(ValueError, TypeError, KeyError):
        listed: list[dict[str, Any]] = json.loads(body)["data"]
        return {str(model["id"]) for model in listed}
    return set()

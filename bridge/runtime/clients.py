"""The clients of Mattermost, Equa and the agent, as the configuration names them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import ClientSession
from pydantic import SecretStr

from bridge import agent, equa
from bridge.agent.waiting import Waiting
from bridge.config import Settings
from bridge.mattermost.rest import admin, bulk, client
from bridge.mattermost.rest.admin import RestAdmin
from bridge.mattermost.rest.bulk import RestBulk
from bridge.mattermost.rest.client import RestMattermost
from bridge.mattermost.rest.transport import Observe
from bridge.metrics import Metrics
from bridge.models.proxies import Proxies
from bridge.ports import Agent, EquaDirectory, EquaPlatform

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Clients:
    """One client for each account and purpose; None where one is not configured."""

    bot: RestMattermost | None = None
    notices: RestMattermost | None = None
    """The account that posts notices; without one the bot does."""
    admin: RestAdmin | None = None
    bulk: RestBulk | None = None
    """The administrator again, with deadlines for many people at once."""
    agent: Agent | None = None
    waiting: Waiting = field(default_factory=Waiting)
    """Which conversations of the agent wait for people; its side channel says so."""
    equa: EquaPlatform | None = None
    """Equa by the cookies of people."""
    directory: EquaDirectory | None = None
    """Equa by the service account."""

    @property
    def administrator(self) -> RestMattermost | None:
        """The administrator's own account."""
        return RestMattermost(self.admin.transport) if self.admin else None


@asynccontextmanager
async def open_clients(settings: Settings, metrics: Metrics) -> AsyncIterator[Clients]:
    """Give the clients that are configured; nobody is called before one is used."""
    async with AsyncExitStack() as stack:
        mattermost = _Mattermost(stack, settings, metrics.rest_call)
        waiting = Waiting()
        yield Clients(
            bot=await mattermost.client(client.connect, settings.mattermost_bot_token),
            notices=await mattermost.client(client.connect, settings.mattermost_notice_token),
            admin=await mattermost.client(admin.connect, settings.mattermost_admin_bot_token),
            bulk=await mattermost.client(bulk.connect, settings.mattermost_admin_bot_token),
            agent=await _agent(settings, stack, waiting),
            waiting=waiting,
            equa=await _equa(settings, stack),
            directory=await _directory(settings, stack),
        )


@dataclass(frozen=True, slots=True)
class _Mattermost:
    stack: AsyncExitStack
    settings: Settings
    observe: Observe

    async def client(
        self,
        connect: Callable[[str, str, Observe, Proxies], AbstractAsyncContextManager[C]],
        token: SecretStr | None,
    ) -> C | None:
        url, proxies = self.settings.mattermost_url, self.settings.proxies
        if not url or not token:
            return None
        connected = connect(url, token.get_secret_value(), self.observe, proxies)
        return await self.stack.enter_async_context(connected)


async def _agent(settings: Settings, stack: AsyncExitStack, waiting: Waiting) -> Agent | None:
    if settings.agent_url is None:
        return None
    session = await stack.enter_async_context(agent.make_session(settings.proxies))
    return agent_of(settings, settings.agent_url, session, waiting)


def agent_of(settings: Settings, url: str, session: ClientSession, waiting: Waiting | None = None) -> Agent:
    """Return the client of the configured agent."""
    return agent.make_agent(
        settings.agent_kind,
        session,
        url=url,
        token=settings.agent_token.get_secret_value() if settings.agent_token else "",
        agent_id=settings.agent_id,
        model=settings.agent_model,
        timeout=settings.agent_timeout,
        waiting=waiting,
    )


async def _equa(settings: Settings, stack: AsyncExitStack) -> EquaPlatform | None:
    if settings.equa_api_url is None:
        return None
    return equa.EquaClient(
        await stack.enter_async_context(equa.make_session(settings.proxies)),
        url=settings.equa_api_url,
        admin_permissions=settings.equa_admin_permissions,
    )


async def _directory(settings: Settings, stack: AsyncExitStack) -> EquaDirectory | None:
    email, password = settings.equa_service_email, settings.equa_service_password
    if not (settings.equa_api_url and email and password):
        return None
    return equa.ServiceAccount(
        await stack.enter_async_context(equa.make_session(settings.proxies)),
        url=settings.equa_api_url,
        cookies=settings.equa_session_cookies,
        admin_permissions=settings.equa_admin_permissions,
        email=email,
        password=password.get_secret_value(),
    )

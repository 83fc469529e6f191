"""Mattermost as a system administrator manages it: `bridge.ports.MattermostAdmin`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bridge.mattermost.rest.admin_channels import ChannelAdmin
from bridge.mattermost.rest.admin_teams import TeamAdmin
from bridge.mattermost.rest.admin_users import UserAdmin
from bridge.mattermost.rest.transport import Observe, Transport, client_session
from bridge.models.proxies import NO_PROXIES, Proxies


@asynccontextmanager
async def connect(
    url: str, token: str, observe: Observe, proxies: Proxies = NO_PROXIES
) -> AsyncIterator["RestAdmin"]:
    """Give the interface as the token's account, a system administrator, with a session of its own."""
    async with client_session(proxies) as session:
        yield RestAdmin(Transport(session, url, token, observe))


@dataclass(frozen=True)
class RestAdmin(UserAdmin, TeamAdmin, ChannelAdmin):
    """All that provisioning asks of an administrator."""

    transport: Transport

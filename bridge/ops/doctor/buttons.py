"""Buttons below posts: whether Mattermost may ask the bridge when one is pressed, and reaches it.

Mattermost asks no private address unless `AllowedUntrustedInternalConnections` names its host or its network
(server/public/shared/httpservice/client.go).
"""

import asyncio
import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from bridge.errors import MattermostRefused
from bridge.mattermost.rest.client import RestMattermost
from bridge.mattermost.rest.endpoints import PostCalls
from bridge.mattermost.rest.server_admin import RestOperator
from bridge.models.buttons import TRIAL, TRIAL_ANSWER, action
from bridge.models.chat import ChannelId, Draft, PostId
from bridge.ops import sign_in_settings
from bridge.ops.doctor.checks import Check, absent
from bridge.ops.doctor.context import ABOVE, ADMIN, Context
from bridge.ops.findings import Finding
from bridge.ops.settings import Config, Setting
from bridge.ops.setup.server import Setup
from handlers.http.actions import PATH

SUBJECT = "buttons"
_SECTION, _NAME = "ServiceSettings", "AllowedUntrustedInternalConnections"
_REACTIONS = "people decide about tool calls by reactions"


@dataclass(frozen=True, slots=True)
class ButtonSetup:
    operator: RestOperator
    bridge_url: str
    """As an option or `BRIDGE_URL` names it; empty if neither does."""
    is_set: bool
    """Whether `BRIDGE_URL` names it, so that the bridge knows it too."""
    dry_run: bool

    async def ensure(self) -> list[Finding]:
        """Let Mattermost ask the bridge, and no other host that it may not ask already."""
        config = await self.operator.config()
        url = self.bridge_url or sign_in_settings.bridge_url(config)
        if not url:
            return [
                Finding(SUBJECT, "absent", f"not set up: {_REACTIONS}", "name the bridge with --bridge-url")
            ]
        wanted = await missing(config, url)
        done = await Setup(self.operator, self.dry_run).correct(config, wanted) if wanted else []
        if not done:
            done = [Finding(SUBJECT, "good", f"Mattermost may ask the bridge at {url}")]
        if not self.is_set:
            done.append(Finding("BRIDGE_URL", "warning", f"not set: {_REACTIONS}", f"set BRIDGE_URL={url}"))
        return done


async def missing(config: Config, url: str) -> Sequence[Setting]:
    """Return the setting that has to have the bridge's host too; none if Mattermost may ask it already."""
    host = urlsplit(url).hostname or ""
    if is_allowed(str(config.get(_SECTION, {}).get(_NAME) or ""), host) or await _is_public(host):
        return ()
    return (may_ask(host),)


def may_ask(host: str) -> Setting:
    """Return the setting by which Mattermost may ask a host inside, beside those that it may ask already."""
    why = "Mattermost does not ask the bridge when a button is pressed"
    return Setting(_SECTION, _NAME, (host,), why, rule="includes")


def is_allowed(allowed: str, host: str) -> bool:
    """Return whether the setting names a host, or a network that an address is in."""
    words = [word for word in re.split(r"[\s,]+", allowed) if word]
    return host in words or any(_has(word, host) for word in words)


def _has(network: str, host: str) -> bool:
    with suppress(ValueError):
        return "/" in network and ip_address(host) in ip_network(network, strict=False)
    return False


async def _is_public(host: str) -> bool:
    """Return whether a host has public addresses only, as far as this machine can tell."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return all(ip_address(str(each[4][0]).partition("%")[0]).is_global for each in found)


def checks(context: Context) -> list[Check]:
    """Return the checks; the trial needs an account that may post and press."""
    settings = context.settings
    if settings.mattermost_bot_token is None:
        return []
    roles = [] if settings.equa_service_email else [absent("roles of deciders", _NO_ROLES, required=False)]
    if settings.bridge_url is None:
        return [*roles, absent(SUBJECT, f"BRIDGE_URL is not set, {_REACTIONS}", required=False)]
    if not (context.url and settings.mattermost_admin_bot_token):
        return roles
    trial = ButtonTrial(context.operator(settings.mattermost_admin_bot_token), settings.bridge_url)
    return [*roles, Check(SUBJECT, trial.press, ABOVE, token=ADMIN)]


_NO_ROLES = (
    "without EQUA_SERVICE_EMAIL nobody can say who may decide about a tool call:"
    " administrators decide on their organization's page alone"
)


@dataclass(frozen=True, slots=True)
class ButtonTrial:
    operator: RestOperator
    bridge_url: str

    async def press(self) -> Sequence[Finding]:
        """Post a button to the administrator alone, press it, and see whether the bridge has heard it."""
        me = await self.operator.me()
        chat = RestMattermost(self.operator.transport)
        channel = await chat.direct_channel(me.id, me.id)
        post = (await chat.create_post(self._draft(channel))).id
        try:
            return [await self._pressed(chat, post)]
        finally:
            with suppress(MattermostRefused):
                await chat.delete_post(post)

    def _draft(self, channel: ChannelId) -> Draft:
        button = action("trial", "Press", "default", self.bridge_url + PATH, TRIAL)
        text = "The doctor of equabot-bridge tries whether buttons work."
        return Draft(channel, text, props={"attachments": [{"text": text, "actions": [button]}]})

    async def _pressed(self, chat: RestMattermost, post: PostId) -> Finding:
        try:
            await PostCalls(self.operator.transport).press(post, "trial")
        except MattermostRefused as error:
            return await self._refused(error)
        if (await chat.post(post)).message != TRIAL_ANSWER:
            found = f"something else than the bridge answers at {self.bridge_url}"
            return Finding(SUBJECT, "bad", found, "correct BRIDGE_URL: the bridge as Mattermost reaches it")
        return Finding(SUBJECT, "good", f"a press of a button reaches the bridge at {self.bridge_url}")

    async def _refused(self, error: MattermostRefused) -> Finding:
        if await missing(await self.operator.config(), self.bridge_url):
            found = f"Mattermost may not ask the bridge at {self.bridge_url}: {_NAME} does not have its host"
            return Finding(
                SUBJECT, "bad", found, f"run `equabot-bridge setup --bridge-url {self.bridge_url}`"
            )
        found = f"Mattermost does not reach the bridge at {self.bridge_url} ({error.message.rstrip('.')})"
        todo = "start the bridge, or correct BRIDGE_URL: how Mattermost reaches it, without a proxy"
        return Finding(SUBJECT, "bad", found, todo)

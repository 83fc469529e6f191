"""The doctor's trial of buttons: a press shows whether Mattermost may ask the bridge, and reaches it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from bridge.errors import MattermostRefused
from bridge.mattermost.rest.client import RestMattermost
from bridge.mattermost.rest.endpoints import PostCalls
from bridge.mattermost.rest.server_admin import RestOperator
from bridge.models.buttons import TRIAL, TRIAL_ANSWER, action
from bridge.models.chat import ChannelId, Draft, PostId
from bridge.ops.button_settings import NAME, SUBJECT, WITHOUT, missing
from bridge.ops.doctor.checks import Check, absent
from bridge.ops.doctor.context import ABOVE, ADMIN, Context
from bridge.ops.findings import Finding
from handlers.http.actions import PATH


def checks(context: Context) -> list[Check]:
    """Return the checks; the trial needs an account that may post and press."""
    settings = context.settings
    if settings.mattermost_bot_token is None:
        return []
    roles = [] if settings.equa_service_email else [absent("roles of deciders", _NO_ROLES, required=False)]
    if settings.bridge_url is None:
        return [*roles, absent(SUBJECT, f"BRIDGE_URL is not set, {WITHOUT}", required=False)]
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
            found = f"Mattermost may not ask the bridge at {self.bridge_url}: {NAME} does not have its host"
            return Finding(
                SUBJECT, "bad", found, f"run `equabot-bridge setup --bridge-url {self.bridge_url}`"
            )
        found = f"Mattermost does not reach the bridge at {self.bridge_url} ({error.message.rstrip('.')})"
        todo = "start the bridge, or correct BRIDGE_URL: how Mattermost reaches it, without a proxy"
        return Finding(SUBJECT, "bad", found, todo)

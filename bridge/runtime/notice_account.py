"""The account that posts notices, where it is not the bot: it posts them and sends people to the bot."""

import asyncio
from dataclasses import dataclass

from bridge.db.mappings import Mappings
from bridge.db.repairs import RepairRequests
from bridge.ingest.notice_listener import NoticeListener
from bridge.ingest.tampering import Tampering
from bridge.mattermost.websocket.socket import Interest, Socket
from bridge.ports import MattermostApi
from bridge.runtime.bot_parts import BotParts
from bridge.runtime.job_handlers import notice_hint_handlers
from provisioning.default_channels import NOTICES


@dataclass(frozen=True, slots=True)
class NoticeAccount:
    """Runs beside the bot; neither waits for the other's token."""

    parts: BotParts
    api: MattermostApi

    async def run(self) -> None:
        """Post notices and listen, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._post(), name="post notices")
            group.create_task(self._hint(), name="hint at the bot")

    async def _post(self) -> None:
        poster = await self.parts.poster(self.api, await self.parts.identify(self.api))
        posts = self.parts.channel_posts(poster)
        self.parts.worker.register(self.parts.notice_handlers(posts))

    async def _hint(self) -> None:
        """Send people who address this account to the bot."""
        parts, state = self.parts, self.parts.state
        user = await parts.identify(self.api)
        poster, me = await parts.poster(self.api, user), parts.named(user)
        state.notice_account = user.username
        if not state.bot_account:
            state.bot_account = (await parts.identify(parts.bot)).username
        parts.worker.register(notice_hint_handlers(parts.hints(poster)))
        address, interest = parts.address(self.api), Interest("", me.user_id)
        async with Socket(*address, interest, self.api.me, proxies=parts.settings.proxies) as socket:
            await NoticeListener(
                socket,
                self.api,
                parts.inbox,
                Mappings(parts.pool),
                me,
                Tampering(RepairRequests(parts.pool)),
                NOTICES,
                self._is_called,
            ).run()

    def _is_called(self, username: str) -> None:
        self.parts.state.notice_account = username

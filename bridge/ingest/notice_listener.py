"""Say to people who address the account that posts notices, once a day, where to ask.

Nothing is read again after a loss: a hint that is missed comes with the next try.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bridge.db.inbox import Inbox
from bridge.db.mappings import Mappings
from bridge.ingest.entries import hint_entry
from bridge.mattermost.websocket.changes import AccountRenamed
from bridge.mattermost.websocket.socket import Changed, Event, Seen, Socket
from bridge.models.chat import Posted
from bridge.models.equa import OrganizationId
from bridge.outage import retry_until_available
from bridge.routing import Bot, is_addressed


@dataclass(slots=True)
class NoticeListener:
    socket: Socket
    inbox: Inbox
    mappings: Mappings
    me: Bot

    async def run(self) -> None:
        """Listen until cancelled."""
        async for events in self.socket.batches():
            if posts := [posted for event in events for posted in self._taken(event)]:
                await retry_until_available("store", partial(self._store, posts))

    def _taken(self, event: Event) -> Sequence[Posted]:
        """Return the post of an event if it addresses the account; follow the account's name."""
        match event:
            case Changed(AccountRenamed(username)):
                self.me = Bot(self.me.user_id, username, self.me.agent_channel)
            case Seen(posted) if is_addressed(posted, self.me):
                return (posted,)
        return ()

    async def _store(self, posts: Sequence[Posted]) -> None:
        facts = await self.mappings.facts(posts, self.me.agent_channel)
        organizations: Sequence[OrganizationId | None] = [known.organization_id for known in facts]
        await self.inbox.put_all(
            [
                hint_entry("notices", posted, organization, "notice_hint")
                for posted, organization in zip(posts, organizations, strict=True)
                if organization or not posted.team_id
            ]
        )

"""Conversations, and the keys that an agent knows them by. Pure: no I/O is imported here."""

import re
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from bridge.models.chat import ChannelId, PostId
from bridge.models.equa import OrganizationId
from bridge.models.ids import MATTERMOST_ID, UUID_FORM

CONVERSATION_KEY = rf"(agent:[A-Za-z0-9._-]{{1,64}}:)?mattermost:{UUID_FORM}:{MATTERMOST_ID}:{MATTERMOST_ID}"
"""A gateway stores a key with the agent's id in front: `agent:main:mattermost:…`."""

_KEY = re.compile(
    rf"(?:agent:[A-Za-z0-9._-]{{1,64}}:)?mattermost:([^:]+):({MATTERMOST_ID}):({MATTERMOST_ID})"
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread with the agent of one organization."""

    organization_id: OrganizationId
    channel_id: ChannelId
    thread: PostId

    @property
    def key(self) -> str:
        """The key, in lower case as the gateway stores keys."""
        return f"mattermost:{self.organization_id}:{self.channel_id}:{self.thread}".lower()

    @classmethod
    def of(cls, key: str) -> Self:
        """Read a key that `CONVERSATION_KEY` matches."""
        found = _KEY.fullmatch(key)
        if found is None:
            raise ValueError
        return cls(OrganizationId(UUID(found[1])), ChannelId(found[2]), PostId(found[3]))

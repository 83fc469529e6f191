"""Conversations, and the keys that an agent knows them by. Pure: no I/O is imported here."""

import re
from dataclasses import dataclass
from typing import Literal, Self
from uuid import UUID

from bridge.models.chat import ChannelId, PostId
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.ids import MATTERMOST_ID, UUID_FORM, is_mattermost_id

CONVERSATION_KEY = (
    rf"(agent:[A-Za-z0-9._-]{{1,64}}:)?mattermost:{UUID_FORM}:{MATTERMOST_ID}"
    rf":({MATTERMOST_ID}|{UUID_FORM})(:[1-9][0-9]{{0,8}})?"
)
"""A gateway stores a key with the agent's id in front: `agent:main:mattermost:…`."""

_WHOLE = re.compile(CONVERSATION_KEY)

_KEY = re.compile(
    rf"(?:agent:[A-Za-z0-9._-]{{1,64}}:)?mattermost:([^:]+):({MATTERMOST_ID}):([^:]+)(?::([0-9]+))?"
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread with the agent of one organization, or a person's direct messages to it."""

    organization_id: OrganizationId
    channel_id: ChannelId
    thread: PostId | Literal[""]
    person_id: PersonId | None = None
    """Whose direct messages; None for a thread."""
    generation: int = 0
    """How often it was begun anew."""

    @property
    def key(self) -> str:
        """The key, in lower case as the gateway stores keys.

        `mattermost:<organization>:<channel>:<thread>`, in a direct channel with the person in place of the
        thread; a conversation that was begun anew has its number at the end.
        """
        last = str(self.person_id) if self.person_id else self.thread
        number = f":{self.generation}" if self.generation else ""
        return f"mattermost:{self.organization_id}:{self.channel_id}:{last}{number}".lower()

    @property
    def lane(self) -> str:
        """The lane of the jobs that belong to it, as posts name theirs."""
        return f"direct:{self.channel_id}" if self.person_id else f"thread:{self.thread}"

    @classmethod
    def of(cls, key: str) -> Self:
        """Read a key that `CONVERSATION_KEY` matches."""
        found = _KEY.fullmatch(key) if _WHOLE.fullmatch(key) else None
        if found is None:
            raise ValueError
        organization, channel, last, generation = found.groups()
        is_thread = is_mattermost_id(last)
        return cls(
            OrganizationId(UUID(organization)),
            ChannelId(channel),
            PostId(last) if is_thread else "",
            None if is_thread else PersonId(UUID(last)),
            generation=int(generation or 0),
        )

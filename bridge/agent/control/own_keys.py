"""Which session keys of a gateway are the bridge's own. Pure: no I/O is imported here."""

from dataclasses import dataclass

from bridge.models.conversations import Conversation
from bridge.models.equa import OrganizationId

_OURS = "mattermost:"
"""What every key begins with that the bridge makes."""


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """Reads and writes session keys as the gateway stores them."""

    agent_id: str
    """AGENT_ID; `{organizationId}` in it stands for the organization's."""
    prefix: str = "agent:{agentId}:"
    """What the gateway puts in front of a key."""

    def conversation(self, key: object) -> Conversation | None:
        """Return whose key it is; None for one that the bridge has not made for this agent."""
        if not isinstance(key, str) or len(key) > 500:
            return None
        _, found, rest = key.lower().partition(_OURS)
        try:
            conversation = Conversation.of(found + rest)
        except ValueError:
            return None
        is_own = key.lower() in (conversation.key, self.stored(conversation))
        return conversation if is_own else None

    def stored(self, conversation: Conversation) -> str:
        """Return a conversation's key as the gateway stores it."""
        return (self._prefix(conversation.organization_id) + conversation.key).lower()

    def _prefix(self, organization: OrganizationId) -> str:
        agent_id = self.agent_id.replace("{organizationId}", str(organization))
        return self.prefix.replace("{agentId}", agent_id)

"""The bridge's own accounts, and the channels that each belongs to."""

from collections.abc import Mapping

from bridge.models.chat import UserId
from bridge.ports import MattermostApi
from provisioning.default_channels import NOTICES


class TeamBots:
    """The accounts of the bridge; each is asked once who it is.

    An account has to be a member of a channel to hear or to post there.
    """

    def __init__(
        self,
        *,
        agent_channel: str,
        bot: MattermostApi | None,
        notices: MattermostApi | None = None,
        administrator: MattermostApi | None = None,
    ) -> None:
        """Take Mattermost as the accounts see it; without `notices` the bot posts the notices."""
        self.agent_channel = agent_channel
        self.channels = tuple(dict.fromkeys((*NOTICES, agent_channel)))
        """The names of the default channels."""
        self._bots = ((bot, {agent_channel, *(() if notices else NOTICES)}), (notices, set(NOTICES)))
        self._administrator = administrator
        self._places: Mapping[UserId, frozenset[str]] | None = None
        self._administrator_id: UserId | None = None

    async def places(self) -> Mapping[UserId, frozenset[str]]:
        """Return the names of the channels that each bot belongs to."""
        if self._places is None:
            places: dict[UserId, frozenset[str]] = {}
            for api, channels in self._bots:
                if api is not None:
                    user = await api.me()
                    places[user.id] = places.get(user.id, frozenset()) | channels
            self._places = places
        return self._places

    async def administrator(self) -> UserId | None:
        """Return the account that creates teams and channels, None if it is not known."""
        if self._administrator_id is None and self._administrator is not None:
            self._administrator_id = (await self._administrator.me()).id
        return self._administrator_id

"""The bots that live in every team: the one that answers, and the one that posts platform notices."""

from collections.abc import Mapping

from bridge.models.chat import UserId
from bridge.ports import MattermostApi

TOWN_SQUARE = "town-square"

NOTICES = (TOWN_SQUARE, "announcements", "cap-table", "documents")
"""Channels in which platform notices appear."""


class TeamBots:
    """Who of the bots belongs into which channels; each is asked once who it is.

    An account has to be a member of a channel to hear or to post there.
    """

    def __init__(
        self, *, agent_channel: str, bot: MattermostApi | None, notices: MattermostApi | None = None
    ) -> None:
        """Take Mattermost as the accounts see it; without `notices` the bot posts the notices."""
        self.channels = tuple(dict.fromkeys((*NOTICES, agent_channel)))
        """The names of the default channels."""
        self._posts = ((bot, {agent_channel, *(() if notices else NOTICES)}), (notices, set(NOTICES)))
        self._places: Mapping[UserId, frozenset[str]] | None = None

    async def places(self) -> Mapping[UserId, frozenset[str]]:
        """Return the channels by account."""
        if self._places is None:
            places: dict[UserId, frozenset[str]] = {}
            for api, channels in self._posts:
                if api is not None:
                    user = await api.me()
                    places[user.id] = places.get(user.id, frozenset()) | channels
            self._places = places
        return self._places

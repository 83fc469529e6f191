"""How the default channels are shown. Pure: no I/O is imported here."""

import re
from dataclasses import dataclass

from provisioning.names import display_name

TOWN_SQUARE = "town-square"
"""The channel that every team has and nobody can leave, rename or archive."""

NOTICES = (TOWN_SQUARE, "announcements", "cap-table", "documents")
"""Channels in which platform notices appear."""


@dataclass(frozen=True, slots=True)
class Description:
    """What people see of a channel."""

    title: str
    purpose: str


_NOTICE_CHANNELS = {
    TOWN_SQUARE: Description("General", "For everybody in the organization."),
    "announcements": Description("Announcements", "Announcements of the organization."),
    "cap-table": Description("Cap Table", "Shares that were issued or transferred."),
    "documents": Description("Documents", "Documents that were uploaded."),
}


def description(name: str) -> Description:
    """Return how a default channel is shown at first; every name but those above is the agent's channel."""
    words = re.sub("[-_]+", " ", name).strip().title()
    agent = Description(display_name(words, name), "Ask the agent: mention it by its name.")
    return _NOTICE_CHANNELS.get(name, agent)


def is_untitled(name: str, title: str) -> bool:
    """Return whether a title is Mattermost's or an earlier one of the bridge, and not somebody's choice."""
    words = re.sub("[-_]+", " ", name).strip()
    return title in {name, words.title(), words.capitalize()} or (name, title) == (TOWN_SQUARE, "Town Square")

"""The form of identifiers. Pure: no I/O is imported here."""

import re
from typing import TypeGuard

MATTERMOST_ID = "[a-z0-9]{26}"
"""Every id of Mattermost, and its tokens too (`NewId` in server/public/model/utils.go)."""

CHANNEL_NAME = "[a-z0-9][a-z0-9_-]{0,63}"
"""A channel's name as in addresses (`IsValidChannelIdentifier` in server/public/model/channel.go)."""

UUID_FORM = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
"""The usual form only; Python's `UUID` takes others too."""

_MATTERMOST_ID = re.compile(MATTERMOST_ID)
_UUID = re.compile(UUID_FORM)


def is_mattermost_id(value: object) -> TypeGuard[str]:
    """Return whether a value has the form of a Mattermost id."""
    return isinstance(value, str) and _MATTERMOST_ID.fullmatch(value) is not None


def is_uuid(value: object) -> TypeGuard[str]:
    """Return whether a value is a UUID in its usual form."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None

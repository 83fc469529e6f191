"""What a refusal of Mattermost means for a post. Pure: no I/O is imported here."""

from collections.abc import Awaitable, Mapping
from http import HTTPStatus
from typing import Any

from bridge.errors import MattermostRefused, MattermostUnavailable

ARCHIVED = "api.post.create_post.can_not_post_to_deleted.error"
"""Mattermost's error id for posting into an archived channel."""

_QUESTION_GONE = frozenset(
    {
        "api.post.create_post.root_id.app_error",
        "app.post.get.app_error",
        "store.sql_post.get.app_error",  # of older servers
    }
)
"""Mattermost's error ids for posting into a thread, or reading one, whose first post was deleted
(server/channels/app/post.go)."""


def means_shut_out(error: MattermostRefused) -> bool:
    """Whether the bot is no member, or the channel is archived: a repair changes both within minutes."""
    return error.http_status == HTTPStatus.FORBIDDEN or error.error_id == ARCHIVED


def means_deleted(error: MattermostRefused) -> bool:
    """Whether the question, or the thread that it stands in, was deleted."""
    return error.error_id in _QUESTION_GONE


async def unless_deleted(work: Awaitable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Do the work; nothing is left to do where the question was deleted."""
    try:
        return await work
    except MattermostRefused as error:
        if means_deleted(error):
            return {"skipped": "question_deleted"}
        if means_shut_out(error):
            raise MattermostUnavailable("The bot may not post in the channel now.") from error
        raise

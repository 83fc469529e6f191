"""Events about the account itself and about channels and teams. Pure: no I/O is imported here.

Shapes: `Publish` calls in server/channels/app/channel.go, team.go and user.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bridge.mattermost.json_text import load_json
from bridge.mattermost.wire import parse_channel, parse_id, parse_name, parse_post, parse_time, parse_user
from bridge.models.chat import Channel, ChannelId, Post, PostId, TeamId, UserId

ChannelChange = Literal["entered", "left", "archived", "restored", "converted"]


@dataclass(frozen=True, slots=True)
class ChannelChanged:
    """The account entered or left a channel, or the channel was archived, restored or converted."""

    what: ChannelChange
    channel_id: ChannelId
    by: UserId | Literal[""] = ""
    """Who removed the account; the other events do not say it."""


@dataclass(frozen=True, slots=True)
class ChannelUpdated:
    """A channel got another name, title, header or purpose."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class TeamChanged:
    """The account entered or left a team, or the team was restored."""

    what: Literal["entered", "left", "restored"]
    team_id: TeamId


@dataclass(frozen=True, slots=True)
class AccountRenamed:
    """The account was updated and has this name now."""

    username: str


@dataclass(frozen=True, slots=True)
class ReactionAdded:
    """Somebody else than the account put a reaction below a post."""

    post_id: PostId
    user_id: UserId
    emoji: str
    at: int = 0
    """Milliseconds since 1970."""


@dataclass(frozen=True, slots=True)
class ReactionRemoved:
    """Somebody else than the account took a reaction back."""

    post_id: PostId
    user_id: UserId
    emoji: str


@dataclass(frozen=True, slots=True)
class PostEdited:
    """A post was edited, perhaps by the account."""

    post: Post
    update_at: int
    """Milliseconds; the channel counts as posted in at that moment."""


@dataclass(frozen=True, slots=True)
class PostDeleted:
    """A post was deleted, and with the first of a thread the others; it is not said by whom."""

    post_id: PostId


Change = (
    ChannelChanged
    | ChannelUpdated
    | TeamChanged
    | AccountRenamed
    | ReactionAdded
    | ReactionRemoved
    | PostEdited
    | PostDeleted
)

ABOUT_ANYBODY = frozenset({"user_added", "user_removed", "added_to_team", "leave_team", "user_updated"})
"""Events that matter only where they are about the account itself."""

ABOUT_CHANNELS = frozenset(
    {"channel_updated", "channel_deleted", "channel_restored", "channel_converted", "restore_team"}
)

ABOUT_POSTS = frozenset({"reaction_added", "reaction_removed", "post_edited", "post_deleted"})

_CHANNEL: Mapping[str, ChannelChange] = {
    "channel_deleted": "archived",
    "channel_restored": "restored",
    "channel_converted": "converted",
}
_TEAM: Mapping[str, Literal["entered", "left"]] = {"added_to_team": "entered", "leave_team": "left"}


def parse_change(
    event: str, data: Mapping[str, Any], broadcast: Mapping[str, Any], me: UserId
) -> Change | None:
    """Return what an event changes for the account; None for other events. Raises `MalformedError`."""
    if event in ABOUT_ANYBODY:
        return _about_me(event, data, broadcast, me)
    if event in ABOUT_POSTS:
        return _about_post(event, data, me)
    if event == "channel_updated":
        # The channel is JSON inside JSON; servers before 6.0 leave it out.
        return ChannelUpdated(parse_channel(load_json(str(data["channel"])))) if "channel" in data else None
    if event == "restore_team":
        return TeamChanged("restored", TeamId(parse_id(load_json(str(data.get("team"))), "id")))
    if what := _CHANNEL.get(event):
        return ChannelChanged(what, ChannelId(parse_id(data, "channel_id")))
    return None


def _about_post(event: str, data: Mapping[str, Any], me: UserId) -> Change | None:
    """Read an event in which the post or the reaction is JSON inside JSON."""
    if event.startswith("reaction_"):
        return _reaction(event, load_json(str(data.get("reaction"))), me)
    record = load_json(str(data.get("post")))
    post = parse_post(record)
    return (
        PostDeleted(post.id) if event == "post_deleted" else PostEdited(post, parse_time(record, "update_at"))
    )


def _renamed(user: object, me: UserId) -> AccountRenamed | None:
    """Return the new name of this account; None for another, of which nothing has to be readable."""
    if me not in str(user):
        return None
    found = parse_user(user)
    return AccountRenamed(found.username) if found.id == me else None


def _reaction(event: str, reaction: object, me: UserId) -> ReactionAdded | ReactionRemoved | None:
    post, who = PostId(parse_id(reaction, "post_id")), UserId(parse_id(reaction, "user_id"))
    emoji = parse_name(reaction, "emoji_name")
    if who == me:
        return None
    if event == "reaction_removed":
        return ReactionRemoved(post, who, emoji)
    return ReactionAdded(post, who, emoji, parse_time(reaction, "create_at"))


def _about_me(event: str, data: Mapping[str, Any], broadcast: Mapping[str, Any], me: UserId) -> Change | None:
    if event == "user_updated":
        return _renamed(data.get("user"), me)
    if event == "user_removed":
        # The channel's other members get another form, which names the user and not the channel.
        if broadcast.get("user_id") != me or "channel_id" not in data:
            return None
        by: UserId | Literal[""] = UserId(parse_id(data, "remover_id")) if data.get("remover_id") else ""
        return ChannelChanged("left", ChannelId(parse_id(data, "channel_id")), by)
    if data.get("user_id") != me:
        return None
    if event == "user_added":
        return ChannelChanged("entered", ChannelId(parse_id(broadcast, "channel_id")))
    return TeamChanged(_TEAM[event], TeamId(parse_id(data, "team_id")))

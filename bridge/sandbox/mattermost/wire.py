"""How teams, channels and posts look in JSON. Pure.

Shapes: server/public/model/{team,team_member,channel,channel_member,post}.go.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from bridge.sandbox.mattermost.records import Channel, ChannelMember, File, Post, Team, TeamMember

Json = dict[str, Any]


def team_json(team: Team) -> Json:
    return {
        "id": team.id,
        "create_at": team.create_at,
        "update_at": team.update_at,
        "delete_at": team.delete_at,
        "display_name": team.display_name,
        "name": team.name,
        "description": team.description,
        "email": team.email,
        "type": team.type,
        "company_name": team.company_name,
        "allowed_domains": team.allowed_domains,
        "invite_id": team.invite_id,
        "allow_open_invite": team.allow_open_invite,
        "scheme_id": None,
        "group_constrained": None,
        "policy_id": None,
        "cloud_limits_archived": False,
    }


def team_member_json(member: TeamMember) -> Json:
    return {
        "team_id": member.team_id,
        "user_id": member.user_id,
        "roles": "team_user team_admin" if member.admin else "team_user",
        "delete_at": member.delete_at,
        "scheme_guest": False,
        "scheme_user": True,
        "scheme_admin": member.admin,
        "explicit_roles": "",
    }


def channel_json(channel: Channel) -> Json:
    return {
        "id": channel.id,
        "create_at": channel.create_at,
        "update_at": channel.update_at,
        "delete_at": channel.delete_at,
        "team_id": channel.team_id,
        "type": channel.type,
        "display_name": channel.display_name,
        "name": channel.name,
        "header": channel.header,
        "purpose": channel.purpose,
        "last_post_at": channel.last_post_at,
        "total_msg_count": channel.total_msg_count,
        "extra_update_at": 0,
        "creator_id": channel.creator_id,
        "scheme_id": None,
        "props": None,
        "group_constrained": None,
        "shared": None,
        "total_msg_count_root": channel.total_msg_count,
        "policy_id": None,
        "last_root_post_at": channel.last_post_at,
    }


def channel_member_json(member: ChannelMember) -> Json:
    return {
        "channel_id": member.channel_id,
        "user_id": member.user_id,
        "roles": "channel_user channel_admin" if member.admin else "channel_user",
        "last_viewed_at": 0,
        "msg_count": 0,
        "mention_count": 0,
        "mention_count_root": 0,
        "msg_count_root": 0,
        "notify_props": {"desktop": "default", "email": "default", "mark_unread": "all", "push": "default"},
        "last_update_at": member.create_at,
        "scheme_guest": False,
        "scheme_user": True,
        "scheme_admin": member.admin,
        "explicit_roles": "",
    }


def post_json(post: Post, *, pending_post_id: str = "") -> Json:
    """Return a post; `pending_post_id` is known only while the post is being created."""
    return {
        "id": post.id,
        "create_at": post.create_at,
        "update_at": post.update_at,
        "edit_at": post.edit_at,
        "delete_at": post.delete_at,
        "is_pinned": post.is_pinned,
        "user_id": post.user_id,
        "channel_id": post.channel_id,
        "root_id": post.root_id,
        "original_id": post.original_id,
        "message": post.message,
        "type": post.type,
        "props": shown_props(post.props),
        "hashtags": "",
        "pending_post_id": pending_post_id,
        "reply_count": post.reply_count,
        "last_reply_at": 0,
        "participants": None,
        "metadata": {"files": [file_json(file) for file in post.files]} if post.files else {},
        **({"file_ids": [file.id for file in post.files]} if post.files else {}),
    }


def actions_of(props: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the buttons of all attachments."""
    for attachment in props.get("attachments") or ():
        yield from filter(None, attachment.get("actions") or ())


def shown_props(props: dict[str, Any]) -> dict[str, Any]:
    """Return the props without what only the server knows of a button (`StripActionIntegrations`)."""
    if not any("integration" in action for action in actions_of(props)):
        return props
    return {**props, "attachments": [_without_integrations(each) for each in props["attachments"]]}


def _without_integrations(attachment: dict[str, Any]) -> dict[str, Any]:
    actions = [
        {name: value for name, value in action.items() if name != "integration"}
        for action in filter(None, attachment.get("actions") or ())
    ]
    return {**attachment, **({"actions": actions} if actions else {})}


def file_json(file: File) -> Json:
    """Return a file's `FileInfo` (server/public/model/file_info.go)."""
    shown = {
        "id": file.id,
        "user_id": file.user_id,
        "post_id": file.post_id,
        "channel_id": file.channel_id,
        "create_at": file.create_at,
        "update_at": file.update_at,
        "delete_at": file.delete_at,
        "name": file.name,
        "extension": PurePosixPath(file.name).suffix.removeprefix("."),
        "size": len(file.data),
        "mime_type": file.mime_type,
        "mini_preview": None,
        "remote_id": "",
        "archived": False,
    }
    return {name: value for name, value in shown.items() if name != "post_id" or value}

"""How records look in JSON. Pure.

Shapes: server/public/model/{user,team,channel,post,bot,role}.go and their relatives.
"""

from typing import Any, Literal

from bridge.sandbox.mattermost.records import (
    AccessToken,
    Bot,
    Channel,
    ChannelMember,
    Post,
    Role,
    Session,
    Team,
    TeamMember,
    User,
)

Json = dict[str, Any]


View = Literal["self", "admin", "other"]


def user_json(user: User, view: View = "other") -> Json:
    """Return a user as the person, an administrator or somebody else sees it (`SanitizeProfile`)."""
    shown: Json = {
        "id": user.id,
        "create_at": user.create_at,
        "update_at": user.update_at,
        "delete_at": user.delete_at,
        "username": user.username,
        "auth_data": "",
        "auth_service": user.auth_service,
        "email": user.email,
        "nickname": user.nickname,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "position": user.position,
        "roles": user.roles,
        "locale": user.locale,
        "timezone": {"automaticTimezone": "", "manualTimezone": "", "useAutomaticTimezone": "true"},
        "disable_welcome_email": False,
    }
    if user.props:
        shown["props"] = user.props
    if view != "other":
        shown["notify_props"] = user.notify_props
    if view == "self" and user.email_verified:
        shown["email_verified"] = True
    if user.bot is not None:
        shown["is_bot"] = True
        shown["bot_description"] = user.bot.description
    return shown


def bot_json(user: User, bot: Bot) -> Json:
    return {
        "user_id": bot.user_id,
        "username": user.username,
        "display_name": bot.display_name,
        "description": bot.description,
        "owner_id": bot.owner_id,
        "create_at": bot.create_at,
        "update_at": bot.update_at,
        "delete_at": bot.delete_at,
    }


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
        "props": post.props,
        "hashtags": "",
        "pending_post_id": pending_post_id,
        "reply_count": post.reply_count,
        "last_reply_at": 0,
        "participants": None,
        "metadata": {},
    }


def token_json(token: AccessToken) -> Json:
    """Return a personal access token without its secret."""
    return {
        "id": token.id,
        "user_id": token.user_id,
        "description": token.description,
        "is_active": token.is_active,
    }


def session_json(session: Session) -> Json:
    return {
        "id": session.id,
        "token": "",
        "create_at": session.create_at,
        "expires_at": session.expires_at,
        "last_activity_at": session.create_at,
        "user_id": session.user_id,
        "device_id": "",
        "roles": "",
        "is_oauth": False,
        "expired_notify": False,
        "props": {"type": "UserAccessToken"} if session.access_token_id else {"csrf": session.csrf},
        "local": False,
    }


def role_json(role: Role) -> Json:
    return {
        "id": role.id,
        "name": role.name,
        "display_name": f"authentication.roles.{role.name}.name",
        "description": f"authentication.roles.{role.name}.description",
        "create_at": role.create_at,
        "update_at": role.update_at,
        "delete_at": 0,
        "permissions": role.permissions,
        "scheme_managed": role.scheme_managed,
        "built_in": True,
    }

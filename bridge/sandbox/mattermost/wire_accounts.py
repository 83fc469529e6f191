"""How accounts and what belongs to them look in JSON. Pure.

Shapes: server/public/model/{user,bot,user_access_token,session,role}.go.
"""

from typing import Any, Literal

from bridge.sandbox.mattermost.records import AccessToken, Bot, Role, Session, User

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
        "auth_service": user.auth_service if view != "other" else "",
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

"""The rules for bot accounts.

Sources: server/channels/app/bot.go, server/public/model/bot.go.
"""

from typing import Any

from bridge.sandbox.mattermost.activation import set_active
from bridge.sandbox.mattermost.direct_channels import direct_channel
from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.posts import create_post
from bridge.sandbox.mattermost.records import Bot, User
from bridge.sandbox.mattermost.state import State
from bridge.sandbox.mattermost.users import notify_props, save_user


def create_bot(state: State, owner: User, fields: dict[str, Any]) -> User:
    """Create a bot of the owner, who hears of it in a direct message."""
    user = save_user(state, _build(state, owner.id, fields))
    channel = direct_channel(state, user, [user.id, owner.id])
    text = "Please add me to teams and channels you want me to interact in. To do this, use the browser."
    create_post(state, user, channel, {"message": text, "type": "add_bot_teams_channels"}, set_online=False)
    return user


def _build(state: State, owner_id: str, fields: dict[str, Any]) -> User:
    now = state.now()
    username = str(fields.get("username") or "").lower()
    display_name = str(fields.get("display_name") or "")
    user = User(
        id=state.new_id(),
        username=username,
        email=f"{username}@localhost",
        create_at=now,
        update_at=now,
        first_name=display_name,
        notify_props=notify_props(),
    )
    user.bot = Bot(user.id, owner_id, now, now, display_name, str(fields.get("description") or ""))
    return user


def find_bot(state: State, user_id: str, *, include_deleted: bool = False) -> tuple[User, Bot]:
    """Return both halves of a bot."""
    user = state.users.get(user_id)
    if user is None or user.bot is None or (user.bot.delete_at and not include_deleted):
        raise ApiError("store.sql_bot.get.missing.app_error", 404, "Bot does not exist.")
    return user, user.bot


def set_bot_active(state: State, user: User, bot: Bot, *, active: bool) -> None:
    """Disable a bot or enable it again."""
    bot.update_at = state.now()
    bot.delete_at = 0 if active else bot.update_at
    set_active(state, user, active=active)

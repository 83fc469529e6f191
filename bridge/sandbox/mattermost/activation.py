"""Who is active, how many may be, and what deactivating ends.

Sources: server/channels/app/user.go (`UpdateActive`), server/channels/app/limits.go.
"""

from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.records import Bot, User
from bridge.sandbox.mattermost.sessions import end_all_sessions
from bridge.sandbox.mattermost.state import State
from bridge.sandbox.mattermost.users import over_user_limit, touched


def set_active(state: State, user: User, *, active: bool) -> None:
    """Deactivate, which ends the sessions but keeps the tokens, or activate again."""
    if active and over_user_limit(state):
        raise ApiError("app.user.update_active.user_limit.exceeded", 400)
    if active:
        user.delete_at = 0
    else:
        end_all_sessions(state, user.id)
        # The account is still cached as active while its own websocket is told: measured on 10.4, a personal
        # access token with an open websocket gets its session back and stays good. Gone in 11.6.
        touched(state, user)
        user.delete_at = state.now()
        _disable_bots_of(state, user)
    touched(state, user)


def _disable_bots_of(state: State, owner: User) -> None:
    if not state.settings.get("ServiceSettings", "DisableBotsWhenOwnerIsDeactivated"):
        return
    for user in list(state.users.values()):
        bot: Bot | None = user.bot
        if bot is not None and bot.owner_id == owner.id and not user.delete_at:
            bot.delete_at = state.now()
            set_active(state, user, active=False)

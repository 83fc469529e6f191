"""Routes that change accounts (server/channels/api4/user.go)."""

from aiohttp import web

from bridge.sandbox.mattermost import activation
from bridge.sandbox.mattermost import users as rules
from bridge.sandbox.mattermost.api.call import Call, answer, ok
from bridge.sandbox.mattermost.api.routing import route
from bridge.sandbox.mattermost.api.users import view_of
from bridge.sandbox.mattermost.errors import ApiError, forbidden, invalid_param
from bridge.sandbox.mattermost.events import Event
from bridge.sandbox.mattermost.passwords import give_password, give_service
from bridge.sandbox.mattermost.records import User
from bridge.sandbox.mattermost.roles import allowed, known_roles
from bridge.sandbox.mattermost.sessions import end_all_sessions, password_matches
from bridge.sandbox.mattermost.wire_accounts import user_json


async def create(call: Call) -> web.StreamResponse:
    """Create an account: administrators always may, anybody else only on an open server."""
    fields = await call.fields("user")
    settings = call.state.settings
    if not call.is_admin:
        fields = {**fields, "auth_service": "", "auth_data": ""}
        if not settings.get("EmailSettings", "EnableSignUpWithEmail"):
            raise ApiError("api.user.create_user.signup_email_disabled.app_error", 501)
        if not settings.get("TeamSettings", "EnableOpenServer"):
            raise ApiError("api.user.create_user.no_open_server", 403)
    user = rules.create_user(call.state, fields)
    return answer(user_json(user, "self"), 201)


async def patch(call: Call) -> web.StreamResponse:
    """Change an account; the e-mail of one's own needs the password."""
    user_id = call.id("user_id")
    fields = await call.fields("user")
    user = _editable(call, user_id)
    email = fields.get("email")
    if user is call.me and email is not None and email != user.email:
        if fields.get("password") is None:
            raise invalid_param("password")
        if not password_matches(user, str(fields["password"])):
            raise ApiError("api.user.check_user_password.invalid.app_error", 401)
    return answer(user_json(rules.patch_user(call.state, user, fields), view_of(call, user)))


def _editable(call: Call, user_id: str) -> User:
    user = rules.find_user(call.state, user_id)
    _require_user_or_bot(call, user)
    if allowed(call.state, user.id, "manage_system"):
        call.require("manage_system")
    return user


def _require_user_or_bot(call: Call, user: User) -> None:
    if user.bot is not None and user.bot.owner_id == call.me.id and call.may("manage_bots"):
        return
    call.require_self(user.id)


async def set_roles(call: Call) -> web.StreamResponse:
    """Replace the roles of an account."""
    user_id = call.id("user_id")
    roles = (await call.fields("roles")).get("roles")
    if not isinstance(roles, str) or not known_roles(call.state, roles):
        raise invalid_param("roles")
    call.require("manage_roles")
    user = rules.find_user(call.state, user_id)
    user.roles = roles
    rules.touched(call.state, user)
    return ok()


async def set_active(call: Call) -> web.StreamResponse:
    """Deactivate or activate an account."""
    user_id = call.id("user_id")
    active = (await call.fields("active")).get("active")
    if not isinstance(active, bool):
        raise invalid_param("active")
    if not call.is_admin:
        raise ApiError("api.user.update_active.permissions.app_error", 403)
    activation.set_active(call.state, rules.find_user(call.state, user_id), active=active)
    call.state.publish(Event("user_activation_status_change", {}))
    return ok()


async def delete(call: Call) -> web.StreamResponse:
    """Deactivate an account; permanent deletion is off in the settings."""
    user = _editable(call, call.id("user_id"))
    if call.flag("permanent"):
        raise ApiError("api.user.delete_user.not_enabled.app_error", 401)
    if user is call.me and not call.is_admin:
        raise ApiError("api.user.update_active.not_enable.app_error", 401)
    activation.set_active(call.state, user, active=False)
    return ok()


async def set_password(call: Call) -> web.StreamResponse:
    """Set a password, which ends the sessions; one's own needs the current one."""
    user = rules.find_user(call.state, call.id("user_id"))
    fields = await call.fields("password")
    if not call.is_admin and user.auth_data:
        raise ApiError("api.user.update_password.oauth.app_error", 400)
    if not call.is_admin and fields.get("current_password") != user.password:
        raise ApiError("api.user.update_password.incorrect.app_error", 400)
    call.require_self(user.id)
    give_password(call.state, user, str(fields.get("new_password") or ""))
    end_all_sessions(call.state, user.id)
    return ok()


async def set_auth(call: Call) -> web.StreamResponse:
    """Leave it to another service to know the person."""
    if not call.is_admin:
        raise forbidden()
    user = rules.find_user(call.state, call.id("user_id"))
    fields = await call.fields("user")
    service, data = str(fields.get("auth_service") or ""), str(fields.get("auth_data") or "")
    if not (service and data):
        raise ApiError("api.user.update_user_auth.invalid_request", 400)
    give_service(call.state, user, service, data)
    return answer({"auth_service": service, "auth_data": data})


async def verify_email(call: Call) -> web.StreamResponse:
    """Say of an account's address that it is its person's."""
    user = rules.find_user(call.state, call.id("user_id"))
    call.require("manage_system")
    user.email_verified = True
    return answer(user_json(user, "admin"))


ROUTES = (
    route("POST", "/users", create, open_to_all=True),
    route("DELETE", "/users/{user_id}", delete),
    route("PUT", "/users/{user_id}/patch", patch),
    route("PUT", "/users/{user_id}/roles", set_roles),
    route("PUT", "/users/{user_id}/active", set_active),
    route("PUT", "/users/{user_id}/password", set_password),
    route("PUT", "/users/{user_id}/auth", set_auth),
    route("POST", "/users/{user_id}/email/verify/member", verify_email),
)

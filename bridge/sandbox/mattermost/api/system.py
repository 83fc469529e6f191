"""Routes of the server itself: health, configuration, limits, roles.

Sources: server/channels/api4/{system,config,limits,role}.go.
"""

from typing import Any

from aiohttp import web

from bridge.sandbox.mattermost.api.call import Call, answer
from bridge.sandbox.mattermost.api.routing import route
from bridge.sandbox.mattermost.errors import ApiError, invalid_param
from bridge.sandbox.mattermost.roles import find_role
from bridge.sandbox.mattermost.settings import Settings
from bridge.sandbox.mattermost.users import active_people
from bridge.sandbox.mattermost.wire_accounts import role_json


async def ping(call: Call) -> web.StreamResponse:
    """Tell that the server is well; with `get_server_status` also how database and file store are."""
    body = {
        "ActiveSearchBackend": "database",
        "AndroidLatestVersion": "",
        "AndroidMinVersion": "",
        "IosLatestVersion": "",
        "IosMinVersion": "",
        "status": "OK",
    }
    if call.flag("get_server_status"):
        body |= {"database_status": "OK", "filestore_status": "OK"}
    return answer(body)


async def client_config(call: Call) -> web.StreamResponse:
    """Return the settings that clients need, all values as strings; more of them with a session."""
    if call.request.query.get("format") != "old":
        raise ApiError("api.config.client.old_format.app_error", 400)
    settings = call.state.settings
    shown = {
        "Version": settings.version,
        "BuildNumber": settings.version,
        "BuildHash": "sandbox",
        "BuildEnterpriseReady": "false",
        "SiteName": settings.get("TeamSettings", "SiteName"),
        "SiteURL": settings.get("ServiceSettings", "SiteURL"),
        "EnableOpenServer": _text(settings.get("TeamSettings", "EnableOpenServer")),
        "EnableSignInWithEmail": _text(settings.get("EmailSettings", "EnableSignInWithEmail")),
        "EnableSignInWithUsername": _text(settings.get("EmailSettings", "EnableSignInWithUsername")),
        "EnableSignUpWithEmail": _text(settings.get("EmailSettings", "EnableSignUpWithEmail")),
        **_gitlab(settings),
    }
    if call.session is not None:
        shown |= {
            "MaxPostSize": str(settings.max_post_size),
            "MaxFileSize": str(settings.get("FileSettings", "MaxFileSize")),
            "EnableFileAttachments": _text(settings.get("FileSettings", "EnableFileAttachments")),
            "EnableUserAccessTokens": _text(settings.get("ServiceSettings", "EnableUserAccessTokens")),
            "EnableBotAccountCreation": _text(settings.get("ServiceSettings", "EnableBotAccountCreation")),
            "RestrictDirectMessage": settings.get("TeamSettings", "RestrictDirectMessage"),
        }
    return answer(shown)


def _gitlab(settings: Settings) -> dict[str, str]:
    """Return how the sign-in page shows the GitLab sign-in; from 11.0 on only with a licence."""
    if int(settings.version.split(".")[0]) >= 11:  # config/client.go of 11.0
        return {}
    names = {"EnableSignUpWithGitLab": "Enable", "GitLabButtonText": "ButtonText"}
    return {name: _text(settings.get("GitLabSettings", kept)) for name, kept in names.items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


async def get_config(call: Call) -> web.StreamResponse:
    call.require("manage_system")
    return answer(call.state.settings.masked())


async def patch_config(call: Call) -> web.StreamResponse:
    """Change settings; unknown names are ignored as in the real server."""
    changes = await call.fields("config")
    call.require("manage_system")
    if not all(isinstance(section, dict) for section in changes.values()):
        raise invalid_param("config")
    call.state.settings.patch(changes)
    return answer(call.state.settings.masked())


async def limits(call: Call) -> web.StreamResponse:
    """Return the user limit and how many count for it, to administrators."""
    call.require("manage_system")
    hard = call.state.settings.max_active_users
    return answer(
        {"maxUsersLimit": hard, "maxUsersHardLimit": hard, "activeUserCount": active_people(call.state)}
    )


async def list_roles(call: Call) -> web.StreamResponse:
    call.require("manage_system")
    return answer([role_json(role) for role in call.state.roles.values()])


async def roles_by_names(call: Call) -> web.StreamResponse:
    names = await call.strings("rolenames")
    return answer([role_json(call.state.roles[name]) for name in names if name in call.state.roles])


async def role_by_name(call: Call) -> web.StreamResponse:
    name = call.request.match_info["name"]
    if name not in call.state.roles:
        raise ApiError("app.role.get_by_name.app_error", 404)
    return answer(role_json(call.state.roles[name]))


async def get_role(call: Call) -> web.StreamResponse:
    return answer(role_json(find_role(call.state, call.id("role_id"))))


async def patch_role(call: Call) -> web.StreamResponse:
    """Replace the permissions of a role; without a licence those of guests cannot be changed."""
    permissions = (await call.fields("role")).get("permissions")
    role = find_role(call.state, call.id("role_id"))
    call.require("manage_roles")
    if role.name.endswith("_guest"):
        raise ApiError("api.roles.patch_roles.license.error", 501)
    if not isinstance(permissions, list) or not all(isinstance(each, str) for each in permissions):
        raise invalid_param("role")
    role.permissions = list(dict.fromkeys(permissions))
    role.update_at = call.state.now()
    return answer(role_json(role))


ROUTES = (
    route("GET", "/system/ping", ping, open_to_all=True),
    route("GET", "/config/client", client_config, open_to_all=True),
    route("GET", "/config", get_config),
    route("PUT", "/config/patch", patch_config),
    route("GET", "/limits/server", limits),
    route("GET", "/roles", list_roles),
    route("POST", "/roles/names", roles_by_names, trusted=True),
    route("GET", "/roles/name/{name}", role_by_name),
    route("GET", "/roles/{role_id}", get_role),
    route("PUT", "/roles/{role_id}/patch", patch_role),
)

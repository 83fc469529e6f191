"""The rules for teams.

Sources: server/public/model/team.go (`IsValid`), server/channels/app/team.go.
"""

import json
import re
from typing import Any, cast

from bridge.sandbox.mattermost.channels import TOWN_SQUARE, add_channel, default_channel_names
from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.events import Broadcast, Event
from bridge.sandbox.mattermost.records import Channel, Team, TeamType
from bridge.sandbox.mattermost.state import State
from bridge.sandbox.mattermost.wire import team_json

RESERVED = (
    *("admin", "api", "channel", "claim", "error", "files", "help", "landing", "login", "mfa", "oauth"),
    *("plug", "plugins", "post", "signup", "boards", "playbooks"),
)
_NAME = re.compile(r"[a-z0-9]+([a-z\-0-9]+|(__)?)[a-z0-9]+")
_DISPLAY_NAMES = {TOWN_SQUARE: "Town Square", "off-topic": "Off-Topic"}
_PATCHABLE = ("display_name", "description", "company_name", "allowed_domains", "allow_open_invite")


def create_team(state: State, fields: dict[str, Any]) -> Team:
    """Create a team with its default channels and nobody in it."""
    now = state.now()
    team = Team(
        id=state.new_id(),
        name=str(fields.get("name") or "").lower(),
        display_name=str(fields.get("display_name") or ""),
        type=cast(TeamType, fields.get("type")),
        create_at=now,
        update_at=now,
        email=str(fields.get("email") or "").lower(),
        description=str(fields.get("description") or ""),
        company_name=str(fields.get("company_name") or ""),
        allowed_domains=str(fields.get("allowed_domains") or ""),
        invite_id=state.new_id(),
        allow_open_invite=bool(fields.get("allow_open_invite")),
    )
    check_team(team)
    if team.name in state.team_by_name:
        raise ApiError(
            "store.sql_team.save_team.existing.app_error", 400, "A team with that name already exists."
        )
    state.teams[team.id] = state.team_by_name[team.name] = team
    for name in default_channel_names(state):
        display_name = _DISPLAY_NAMES.get(name, name)
        add_channel(state, Channel(state.new_id(), team.id, name, display_name, "O", "", now, now))
    return team


def check_team(team: Team) -> None:
    """Raise what `Team.IsValid` answers."""
    wrong = None
    if not 1 <= len(team.display_name) <= 64:
        wrong = "name"
    elif len(team.name) > 64:
        wrong = "url"
    elif len(team.description.encode()) > 255:
        wrong = "description"
    elif team.name.startswith(RESERVED):
        wrong = "reserved"
    elif not _NAME.fullmatch(team.name) or len(team.name) < 2:
        wrong = "characters"
    elif team.type not in ("O", "I"):
        wrong = "type"
    if wrong is not None:
        raise ApiError(f"model.team.is_valid.{wrong}.app_error", 400)


def find_team(state: State, team_id: str) -> Team:
    """Return a team, also an archived one."""
    if team_id not in state.teams:
        raise ApiError("app.team.get.find.app_error", 404, "Unable to find the existing team.")
    return state.teams[team_id]


def find_team_by_name(state: State, name: str) -> Team:
    """Return a team, also an archived one."""
    if name not in state.team_by_name:
        raise ApiError("app.team.get_by_name.missing.app_error", 404, "Unable to find the existing team.")
    return state.team_by_name[name]


def patch_team(state: State, team: Team, fields: dict[str, Any]) -> Team:
    """Change what is given and announce it."""
    changed = {name: fields[name] for name in _PATCHABLE if fields.get(name) is not None}
    kept = {name: getattr(team, name) for name in changed}
    _assign(team, changed)
    try:
        check_team(team)
    except ApiError:
        _assign(team, kept)
        raise
    team.update_at = state.now()
    _announce(state, team, "update_team")
    return team


def renew_invite(state: State, team: Team) -> None:
    """Give the team another invite id and announce that (`RegenerateTeamInviteId`)."""
    team.invite_id = state.new_id()
    _announce(state, team, "update_team")


def find_team_by_invite(state: State, invite_id: str) -> Team:
    """Return the team of that invite id."""
    for team in state.teams.values():
        if invite_id and team.invite_id == invite_id:
            return team
    raise ApiError("app.team.get_by_invite_id.finding.app_error", 404)


def _assign(team: Team, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(team, name, value)


def _announce(state: State, team: Team, name: str) -> None:
    shown = {**team_json(team), "email": "", "invite_id": ""}
    state.publish(Event(name, {"team": json.dumps(shown)}, Broadcast()))


def archive_team(state: State, team: Team) -> None:
    """Archive a team; its members and its name stay."""
    team.delete_at = team.update_at = state.now()
    _announce(state, team, "delete_team")


def restore_team(state: State, team: Team) -> None:
    """Take a team out of the archive."""
    team.delete_at = 0
    team.update_at = state.now()
    _announce(state, team, "restore_team")

"""Teams, tokens and the marks that the bridge leaves. Pure: no I/O is imported here.

Shapes: server/public/model/team.go, team_member.go, user_access_token.go. Whatever does not have its shape
raises `MalformedError`. A mark is kept where Mattermost's own pages neither show nor change it.
"""

from collections.abc import Mapping
from dataclasses import replace

from bridge.mattermost.json_text import MalformedError
from bridge.mattermost.wire import parse_channel, parse_user
from bridge.models.chat import AccessToken, Channel, Preference, Team, TeamId, TokenId, User
from bridge.models.ids import is_mattermost_id

USER_MARK = "equabot_bridge"
"""The key among an account's `props`."""

TEAM_MARK = "company_name"
"""The field of a team."""


def parse_team(obj: object) -> Team:
    match obj:
        case {
            "id": str(team_id),
            "name": str(name),
            "display_name": str(shown),
            "delete_at": int(ended),
            **rest,
        } if is_mattermost_id(team_id) and name:
            mark = rest.get(TEAM_MARK)
            return Team(TeamId(team_id), name, shown, ended, mark if isinstance(mark, str) else "")
    raise MalformedError("Mattermost sent a team that cannot be read.")


def parse_user_with_mark(obj: object) -> User:
    user = parse_user(obj)
    props = obj.get("props") if isinstance(obj, Mapping) else None
    mark = props.get(USER_MARK) if isinstance(props, Mapping) else None
    return replace(user, mark=mark) if isinstance(mark, str) else user


def parse_named_channel(obj: object) -> Channel:
    channel = parse_channel(obj)
    shown = obj if isinstance(obj, Mapping) else {}
    return replace(channel, display_name=_text(shown, "display_name"), purpose=_text(shown, "purpose"))


def parse_token(obj: object) -> AccessToken:
    match obj:
        case {"id": str(token_id), "description": str(description), **rest} if is_mattermost_id(token_id):
            secret = rest.get("token")
            return AccessToken(TokenId(token_id), description, secret if isinstance(secret, str) else "")
    raise MalformedError("Mattermost sent a token that cannot be read.")


def _text(obj: Mapping[str, object], key: str) -> str:
    value = obj.get(key)
    return value if isinstance(value, str) else ""


def parse_preference(obj: object) -> Preference:
    match obj:
        case {"category": str(category), "name": str(name), "value": str(value)}:
            return Preference(category, name, value)
    raise MalformedError("Mattermost sent a preference that cannot be read.")


def is_current_member(obj: object) -> bool:
    """Return whether a team membership has not ended."""
    match obj:
        case {"delete_at": int(ended)}:
            return ended == 0
    raise MalformedError("Mattermost sent a membership that cannot be read.")

"""What a system administrator does with many accounts at once: `bridge.ports.MattermostBulk`.

Limits: server/public/model/team.go (`MaxAddMembersBatch`), server/channels/api4/channel.go (`maxListSize`).
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bridge.errors import BridgeError, MattermostFull, MattermostRefused
from bridge.mattermost.json_text import MalformedError
from bridge.mattermost.rest.endpoints import ChannelCalls, TeamCalls, UserCalls
from bridge.mattermost.rest.refusals import explained
from bridge.mattermost.rest.responses import Answer, NotMattermost, value
from bridge.mattermost.rest.retry_policy import RetryPolicy
from bridge.mattermost.rest.transport import Observe, Transport, client_session
from bridge.mattermost.wire import identifier, parse_list, parse_user
from bridge.models.chat import PAGE_SIZE, ChannelId, TeamId, User, UserId
from bridge.models.ids import is_mattermost_id
from bridge.models.proxies import NO_PROXIES, Proxies

BULK_POLICY = RetryPolicy(timeout=120, total=180, resend_for=150)
"""The server adds people one by one, each with their default channels and the posts about it."""


@asynccontextmanager
async def connect(
    url: str, token: str, observe: Observe, proxies: Proxies = NO_PROXIES
) -> AsyncIterator["RestBulk"]:
    """Give the interface as the token's account, a system administrator, with a session of its own."""
    async with client_session(proxies) as session:
        yield RestBulk(Transport(session, url, token, observe, BULK_POLICY))


@dataclass(frozen=True, slots=True)
class RestBulk:
    transport: Transport

    async def team_page(self, team_id: TeamId, page: int) -> Sequence[User]:
        params = {"in_team": identifier(team_id), "page": page, "per_page": PAGE_SIZE}
        return list(map(parse_user, parse_list(await UserCalls(self.transport).page(params))))

    async def users(self, user_ids: Sequence[UserId]) -> Sequence[User]:
        return list(map(parse_user, parse_list(await UserCalls(self.transport).by_ids(user_ids))))

    async def add_to_team(self, team_id: TeamId, user_ids: Sequence[UserId]) -> Mapping[UserId, BridgeError]:
        verdicts = parse_list(await TeamCalls(self.transport).add_members(team_id, user_ids))
        refused = dict(map(_verdict, verdicts))
        return {user_id: error for user_id in user_ids if (error := refused.get(user_id, _silence()))}

    async def add_to_channel(self, channel_id: ChannelId, user_ids: Sequence[UserId]) -> frozenset[UserId]:
        """Put people into a channel; the server refuses only if it could put none of them in."""
        added = await ChannelCalls(self.transport).add_members(channel_id, user_ids)
        return frozenset(map(_member, parse_list(added)))


def _verdict(row: Any) -> tuple[UserId, BridgeError | None]:
    """Read a line of a graceful batch (`TeamMemberWithError` in server/public/model/team_member.go)."""
    error = row.get("error") if isinstance(row, Mapping) else None
    return _member(row), _explained(error) if error else None


def _explained(error: Any) -> BridgeError:
    """Return the error that the refusal of one person in a batch means."""
    status = error.get("status_code") if isinstance(error, Mapping) else None
    answer = Answer(
        status if isinstance(status, int) else 400, "application/json", json.dumps(error).encode()
    )
    try:
        value(answer)
    except (MattermostRefused, MattermostFull) as refusal:
        return explained(refusal, "team members")
    except NotMattermost:
        return _silence()
    except BridgeError as refusal:
        return refusal
    return _silence()


def _member(row: Any) -> UserId:
    user_id = row.get("user_id") if isinstance(row, Mapping) else None
    if not is_mattermost_id(user_id):
        raise MalformedError("Mattermost sent a member that cannot be read.")
    return UserId(user_id)


def _silence() -> MattermostRefused:
    return MattermostRefused("Mattermost does not say what became of it.", http_status=200)

"""The check of the places that a peer names."""

from asyncpg import Pool

from bridge.db.conversation_starts import ConversationStarts
from bridge.db.conversations import Conversations
from bridge.db.memberships import Memberships
from bridge.db.teams import Teams
from bridge.ports import MattermostApi
from handlers.conversations import ConversationCheck
from provisioning.member_check import MemberCheck
from provisioning.roster_reader import RosterReader


def conversation_check(
    api: MattermostApi, pool: Pool, roster_reader: RosterReader | None
) -> ConversationCheck:
    """Return the check, which sees Mattermost as the bot does."""
    member_check = MemberCheck(Memberships(pool), roster_reader, api.is_in_team)
    return ConversationCheck(Teams(pool), api, Conversations(pool), ConversationStarts(pool), member_check)

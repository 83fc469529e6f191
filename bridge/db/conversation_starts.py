"""The beginnings of conversations, and the organizations that somebody who writes directly may mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asyncpg import Pool, Record

from bridge.db.pool import database_errors
from bridge.models.chat import PostId, TeamId, UserId
from bridge.models.conversation_starts import Candidate, ConversationStart
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.jobs import JobId

_MOST_UNANSWERED = 5

_CANDIDATES = """
with mine as (
    select organization_id from memberships where person_id = $1 and state in ('joining', 'joined')
    union
    select j.organization_id from jobs j
    where j.author = $2 and j.kind in ('mention', 'invite') and j.state <> 'refused'
      and not exists (select from memberships m
                      where m.organization_id = j.organization_id and m.person_id = $1)
)
select o.organization_id, coalesce(o.shown_name, o.mattermost_team_name, '') as name,
       o.mattermost_team_id as team_id, coalesce(o.mattermost_team_name, '') as team_name
from mine join mattermost_org_mappings o using (organization_id)
order by lower(coalesce(o.shown_name, o.mattermost_team_name, '')), o.organization_id
"""
"""The organizations whose team the bridge has put the person into, and those in whose `#agent` the account
has asked: somebody else may have put it there. Nobody is listed where they are leaving or have left.
"""

_BEGIN = """
insert into conversation_starts (lane, post_id, since, generation, organization_id)
select $1, $2, $3, coalesce(max(generation), 0) + 1, $4 from conversation_starts where lane = $1
on conflict (lane, post_id) do nothing
"""


def _from_row(row: Record) -> ConversationStart:
    organization = row["organization_id"]
    return ConversationStart(
        row["generation"], row["since"], OrganizationId(organization) if organization else None
    )


@dataclass(frozen=True, slots=True)
class ConversationStarts:
    pool: Pool

    @database_errors
    async def at(self, lane: str, moment: int) -> ConversationStart | None:
        """Return the last beginning before a moment (milliseconds); None if there is none."""
        row = await self.pool.fetchrow(
            """select generation, since, organization_id from conversation_starts
               where lane = $1 and since <= $2 order by since desc, generation desc limit 1""",
            lane,
            moment,
        )
        return _from_row(row) if row else None

    @database_errors
    async def begin(
        self, lane: str, post_id: PostId, since: int, organization: OrganizationId | None = None
    ) -> ConversationStart:
        """Begin a conversation with a post; a repeat returns the one that the post has begun."""
        await self.pool.execute(_BEGIN, lane, post_id, since, organization)
        row = await self.pool.fetchrow(
            """select generation, since, organization_id from conversation_starts
               where lane = $1 and post_id = $2""",
            lane,
            post_id,
        )
        assert row is not None
        return _from_row(row)

    @database_errors
    async def offered(self, job: JobId, lane: str) -> Sequence[OrganizationId]:
        """Return the organizations of the list that was the last word before a job in a direct channel."""
        found = await self.pool.fetchval(
            """select result -> 'offered' from jobs
               where lane = $1 and kind = 'direct' and id < $2 and state <> 'refused'
               order by id desc limit 1""",
            lane,
            job,
        )
        return [OrganizationId(UUID(each)) for each in found or ()]

    @database_errors
    async def unanswered(self, job: JobId, lane: str) -> Sequence[Mapping[str, Any]]:
        """Return the payloads of the last questions that wait for the choice of an organization."""
        rows = await self.pool.fetch(
            """select payload from (
                   select id, payload from jobs
                   where lane = $1 and kind = 'direct' and id < $2 and created > now() - interval '1 day'
                     and result ->> 'skipped' = 'organization_asked'
                     and not exists (select from jobs again
                                     where again.dedupe = 'again:' || (jobs.payload ->> 'post_id')
                                       and again.id < $2)
                   order by id desc limit $3
               ) last order by id""",
            lane,
            job,
            _MOST_UNANSWERED,
        )
        return [row["payload"] for row in rows]

    @database_errors
    async def candidates(self, person: PersonId, user: UserId) -> Sequence[Candidate]:
        """Return the organizations that the person may be a member of, by name; ask about each."""
        rows = await self.pool.fetch(_CANDIDATES, person, user)
        return [
            Candidate(
                OrganizationId(row["organization_id"]), row["name"], TeamId(row["team_id"]), row["team_name"]
            )
            for row in rows
        ]

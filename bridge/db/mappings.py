"""What routing has to know of a post: its organization, its author, its thread."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.models.chat import Posted, UserId
from bridge.models.equa import PersonId
from bridge.reasons import STOP
from bridge.routing import HOUR, Facts

_FACTS = """
with post as (
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $10::bigint[])
        with ordinality as p(id, team_id, channel_id, author, lane, moment, n)
), asked as (
    select author, array_agg(posted_at) as moments from jobs
    where author = any($4) and posted_at > $6 and kind in ('mention', 'invite', 'direct')
      and state <> 'refused'
    group by author having count(*) >= $9
)
select coalesce(o.organization_id, likely.organization_id) as organization_id,
       u.id as person_id,
       exists (select from jobs j where j.dedupe = 'post:' || p.id) as stored,
       exists (select from jobs j where j.lane = p.lane and j.kind = 'mention' and j.state <> 'refused')
           or exists (select from own_posts o join jobs j on j.id = o.job_id
                      where o.post_id = substr(p.lane, length('thread:') + 1) and j.kind = 'agent_message')
           as thread_known,
       exists (select from jobs j
               where j.lane = p.lane and j.kind in ('mention', 'invite') and j.author <> p.author)
           as thread_shared,
       exists (select from jobs j
               where j.lane = p.lane and j.kind = 'mention' and j.state = 'refused' and j.reason = $8)
           as thread_stopped,
       settings.follow_ups,
       exists (select from mattermost_channel_mappings c
               where c.organization_id = o.organization_id and c.mattermost_channel_id = p.channel_id
                 and c.name = $7) as in_agent_channel,
       coalesce(asked.moments, '{}') as asked,
       m.person_id is not null as left_organization,
       (select q.id from agent_questions q
        where q.lane = p.lane and q.asker = p.author and q.state = 'pending' and q.answering is null
          and q.expires_at > now() and q.posted_at < p.moment
          and not exists (select from memberships l
                          where l.organization_id = q.organization_id and l.person_id = u.id
                            and l.state in ('leaving', 'left'))
        order by q.created limit 1) as agent_question
from post p
left join mattermost_org_mappings o on o.mattermost_team_id = p.team_id
left join organization_settings settings on settings.organization_id = o.organization_id
left join mattermost_user_mappings u on u.mattermost_user_id = p.author
left join memberships m on m.organization_id = o.organization_id and m.person_id = u.id
                       and m.state in ('leaving', 'left')
left join asked on asked.author = p.author
left join lateral (
    select coalesce(
        (select c.organization_id from conversation_starts c
         where c.lane = p.lane order by c.since desc limit 1),
        (select d.organization_id from memberships d
         where d.person_id = u.id and d.state in ('joining', 'joined') limit 1)) as organization_id
) likely on p.team_id = ''
order by p.n
"""
"""For each post what routing has to know. Who wrote in a thread is known of posts that were stored, refused
ones too; what a person has asked, of those that were not refused, if it is $9 questions or more.

The organization of a direct message is the one that it is likely about: it only says whose turn it is.
"""


@dataclass(frozen=True, slots=True)
class Mappings:
    """Reads of the mapping tables; `Teams` and `Accounts` write them."""

    pool: Pool

    @database_errors
    async def facts(
        self, posts: Sequence[Posted], agent_channel: str, *, asked_at_least: int = 0
    ) -> list[Facts]:
        """Return for each post, in order, what routing has to know of it: one query for all.

        When an author asked is left out where it is fewer than `asked_at_least` times.

        Who was put into a team by somebody else has no line of membership: a mapping is enough for them, and
        only people who are leaving or have left are treated differently.
        """
        rows = await self.pool.fetch(
            _FACTS,
            [posted.post.id for posted in posts],
            [posted.team_id for posted in posts],
            [posted.post.channel_id for posted in posts],
            [posted.post.user_id for posted in posts],
            [posted.lane for posted in posts],
            min((posted.post.create_at for posted in posts), default=0) - HOUR,
            agent_channel,
            STOP,
            asked_at_least,
            [posted.post.create_at for posted in posts],
        )
        return [
            Facts(
                row["organization_id"],
                row["person_id"],
                row["thread_known"],
                thread_shared=row["thread_shared"],
                thread_stopped=row["thread_stopped"],
                follow_ups=row["follow_ups"],
                in_agent_channel=row["in_agent_channel"],
                asked=tuple(row["asked"]),
                stored=row["stored"],
                left_organization=row["left_organization"],
                agent_question=row["agent_question"],
            )
            for row in rows
        ]

    @database_errors
    async def account(self, person: PersonId) -> UserId | None:
        """Return the account that a person is mapped to."""
        found: UserId | None = await self.pool.fetchval(
            "select mattermost_user_id from mattermost_user_mappings where id = $1", person
        )
        return found

    @database_errors
    async def usernames(self, users: Collection[UserId]) -> Mapping[UserId, str]:
        """Return what accounts of people are called, as far as they are mapped."""
        rows = await self.pool.fetch(
            """select mattermost_user_id, mattermost_username from mattermost_user_mappings
               where mattermost_user_id = any($1)""",
            list(users),
        )
        return {row["mattermost_user_id"]: row["mattermost_username"] for row in rows}

    @database_errors
    async def person(self, user: UserId) -> PersonId | None:
        """Return the person that an account is mapped to."""
        found: PersonId | None = await self.pool.fetchval(
            "select id from mattermost_user_mappings where mattermost_user_id = $1", user
        )
        return found

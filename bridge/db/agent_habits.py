"""What is known of how an agent's answers come in."""

import hashlib
from dataclasses import dataclass

from asyncpg import Pool

from bridge.db.pool import database_errors
from bridge.models.answers import Habit
from bridge.models.equa import OrganizationId

_KNOWN = """
with seen as (
    select organization_id = $2 as own, late_ends, plain from agent_habits where agent = $1
)
select max(late_ends) as late_ends, max(plain) >= $3 as certain from seen
where own or not exists (select from seen where own)
"""
"""An organization's own answers count, and those of others as long as it has none."""

_NOTE = """
insert into agent_habits as h (agent, organization_id, late_ends, plain)
select $1, $2::uuid, $3::int, case when $3 = 0 then 1 else 0 end
from (select set_config('synchronous_commit', 'off', true) as is_waited_for) written
where is_waited_for is not null
on conflict (agent, organization_id) do update set
    late_ends = case when excluded.late_ends > 0 then greatest(h.late_ends, excluded.late_ends)
                     when h.plain + 1 >= $4 then 0
                     else h.late_ends end,
    plain = case when excluded.late_ends > 0 then 0 else least(h.plain + 1, $4) end,
    modified = now()
"""
"""Nobody waits until it is on the disk: what a crash takes is learned again."""

_ENOUGH = 20
"""So many answers in a row that take nothing back show that this agent's never do."""


@dataclass(frozen=True, slots=True)
class AgentHabits:
    pool: Pool

    @database_errors
    async def of(self, agent: str, organization: OrganizationId) -> Habit:
        """Return what an organization may expect of an agent of this name."""
        row = await self.pool.fetchrow(_KNOWN, _digest(agent), organization, _ENOUGH)
        return Habit(row["late_ends"] or 0, is_certain=bool(row["certain"])) if row else Habit()

    @database_errors
    async def note(self, agent: str, organization: OrganizationId, late_ends: int) -> None:
        """Take one more whole answer into account, with its number of late ends of reasoning."""
        await self.pool.execute(_NOTE, _digest(agent), organization, late_ends, _ENOUGH)

    @database_errors
    async def purge(self) -> None:
        """Forget agents that have not answered for 90 days."""
        await self.pool.execute("delete from agent_habits where modified < now() - interval '90 days'")


def _digest(agent: str) -> str:
    """Return a name of limited length; an address may hold a secret."""
    return hashlib.sha256(agent.encode()).hexdigest()

"""What is known of how an agent's answers come in."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from asyncpg import Pool, Record
from cachetools import TTLCache

from bridge.db.gathered import Gathered
from bridge.db.pool import database_errors
from bridge.models.answers import Habit
from bridge.models.equa import OrganizationId

_OWN = """
select agent, organization_id, late_ends, plain from agent_habits
where (agent, organization_id) in (select * from unnest($1::text[], $2::uuid[]))
"""

_OTHERS = "select max(late_ends) as late_ends, max(plain) as plain from agent_habits where agent = $1"
"""Reads a row of each organization, so that it is not asked for each question."""

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

_OTHERS_FOR = 5.0
"""Seconds for which what others know of an agent is not read again."""

_ENOUGH = 20
"""So many answers in a row that take nothing back show that this agent's never do."""


_Wanted = tuple[str, OrganizationId]
"""An agent's name as it is stored, and who asks it."""


@dataclass(slots=True)
class AgentHabits:
    """An organization's own answers count, and those of others as long as it has none."""

    pool: Pool
    _others: TTLCache[str, Habit] = field(init=False, repr=False)
    _reading: Gathered[_Wanted, Habit | None] = field(init=False, repr=False)
    _noting: Gathered[tuple[_Wanted, int], None] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._others = TTLCache(100, _OTHERS_FOR)
        self._reading, self._noting = Gathered(self._own), Gathered(self._note)

    @database_errors
    async def of(self, agent: str, organization: OrganizationId) -> Habit:
        """Return what an organization may expect of an agent of this name."""
        name = _digest(agent)
        return await self._reading.add((name, organization)) or await self._of_others(name)

    @database_errors
    async def note(self, agent: str, organization: OrganizationId, late_ends: int) -> None:
        """Take one more whole answer into account, with its number of late ends of reasoning."""
        await self._noting.add(((_digest(agent), organization), late_ends))

    async def _own(self, wanted: Sequence[_Wanted]) -> list[Habit | None]:
        rows = await self.pool.fetch(_OWN, *map(list, zip(*wanted, strict=True)))
        known = {(row["agent"], row["organization_id"]): _habit(row) for row in rows}
        return [known.get(each) for each in wanted]

    async def _of_others(self, name: str) -> Habit:
        if (habit := self._others.get(name)) is None:
            row = await self.pool.fetchrow(_OTHERS, name)
            habit = self._others[name] = _habit(row) if row else Habit()
        return habit

    async def _note(self, notes: Sequence[tuple[_Wanted, int]]) -> list[None]:
        # In one order everywhere, so that no two wait for each other.
        rows = sorted((name, organization, ends, _ENOUGH) for (name, organization), ends in notes)
        await self.pool.executemany(_NOTE, rows)
        return [None] * len(notes)

    @database_errors
    async def purge(self) -> None:
        """Forget agents that have not answered for 90 days."""
        await self.pool.execute("delete from agent_habits where modified < now() - interval '90 days'")


def _habit(row: Record) -> Habit:
    return Habit(row["late_ends"] or 0, is_certain=(row["plain"] or 0) >= _ENOUGH)


def _digest(agent: str) -> str:
    """Return a name of limited length; an address may hold a secret."""
    return hashlib.sha256(agent.encode()).hexdigest()

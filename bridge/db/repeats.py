"""Answers that their askers want once more."""

from dataclasses import dataclass

from asyncpg import Pool

from bridge.db.kinds import ASKING
from bridge.db.pool import database_errors
from bridge.models.chat import PostId, UserId
from bridge.models.jobs import Entry, JobKind, Mention

_ANSWERED = f"""
select j.kind, j.lane, j.organization_id, j.payload from answer_posts a join jobs j on j.id = a.job_id
where a.post_id = $1 and a.state <> 'growing' and not coalesce(j.result ? 'skipped', false)
  and j.kind in {ASKING} and j.author = $2
  and (select count(*) from jobs r where r.dedupe like 'repeat:%' and r.author = $2
       and r.created > now() - interval '1 minute') < $3
  and (select count(*) from jobs r where r.dedupe like 'repeat:%' and r.author = $2
       and r.created > now() - interval '1 hour') < $4
"""  # noqa: S608  # built of constants


@dataclass(frozen=True, slots=True)
class Repeats:
    pool: Pool

    @database_errors
    async def entry(self, answer: PostId, by: UserId, at_once: int, an_hour: int) -> Entry | None:
        """Return the job that asks once more; None if the answer is not this person's, or that is too much.

        An answer is repeated once; the new one can be repeated in its turn.
        """
        row = await self.pool.fetchrow(_ANSWERED, answer, by, at_once, an_hour)
        if row is None:
            return None
        mention = Mention.of({**row["payload"], "repeats": answer})
        # Where somebody writes to the bot alone, what they may hear is decided anew.
        kind: JobKind = "direct" if row["kind"] == "direct" else "repeat"
        return Entry(kind, row["lane"], row["organization_id"], f"repeat:{answer}", mention.payload())

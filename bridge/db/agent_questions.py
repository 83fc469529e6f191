"""What agents ask people, and what became of it."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from asyncpg import Pool, Record

from bridge.db.asked import ASKED
from bridge.db.audit import agent_question_ended
from bridge.db.pool import database_errors
from bridge.models.agent_questions import QuestionRecord, question_lane
from bridge.models.approvals import AgentQuestion, AgentQuestionId, Choice, Inquiry, QuestionOutcome
from bridge.models.chat import PostId
from bridge.models.conversations import Conversation

_LONGEST = timedelta(hours=2)
"""For which a question waits at most, whatever the gateway says."""
_GRACE = timedelta(seconds=15)
"""After its time; until then the gateway says itself how it has ended."""

_ADD = f"""
with {ASKED}, moment as (
    select least(to_timestamp($8::float8 / 1000), now() + $9::interval) as expires_at
)
insert into agent_questions (id, organization_id, conversation, lane, channel_id, thread, asker, run_id,
                             asked, expires_at)
select $2, $3, $4, $1, $5, coalesce(nullif($6, ''), asked.thread, ''), asked.author, $7, $10, m.expires_at
from asked cross join moment m
where m.expires_at > now()
on conflict (id) do nothing
"""  # noqa: S608  # built of constants

_DUE = """
select id, organization_id, kind from (
    select id, organization_id, 'agent_question' as kind from agent_questions where state = 'pending'
    union all
    select id, organization_id, 'agent_question_end' from agent_questions
    where ended > now() - interval '1 hour'
) due
where not exists (select from jobs j where j.dedupe = due.kind || ':' || due.id)
"""
"""Jobs that are not stored although it is time for them: whoever was to store them has died."""


def _ending(change: str) -> str:
    """Return the statement that ends questions, each with a row of the audit, and returns them."""
    audited = agent_question_ended("ended")
    return f"with ended as ({change} returning *), audited as ({audited}) select * from ended"  # noqa: S608 - constants


_END = _ending("update agent_questions set state = $2, ended = now() where id = $1 and state = 'pending'")
_VANISHED = _ending(
    """update agent_questions set state = 'withdrawn', ended = now()
       where state = 'pending' and id <> all($1) and created < now() - $2::interval"""
)
_EXPIRE = _ending(
    """update agent_questions set state = 'expired', ended = now()
       where id = any(array(select id from agent_questions
                            where state = 'pending' and expires_at + $1::interval <= now()
                            order by id for update skip locked))"""
)


_TAKE_EARLY = """
with early as (
    select q.id as question, (
        select j.id from jobs j
        where j.lane = q.lane and j.author = q.asker and j.posted_at > q.posted_at
          and j.kind in ('mention', 'direct') and j.state = 'waiting' and j.attempts = 0
        order by j.id limit 1
    ) as job
    from agent_questions q where q.state = 'pending' and q.answering is null and q.posted_at is not null
), taken as (
    update jobs set kind = 'agent_answer', lane = $1 || early.question, queued = false,
                    payload = payload || jsonb_build_object('agent_question', early.question)
    from early where jobs.id = early.job and jobs.state = 'waiting' and jobs.attempts = 0
    returning pg_notify('jobs', '')
)
select count(*) from taken
"""
"""Make answers of what askers posted before the question's own post was known: it would wait behind that."""


@dataclass(frozen=True, slots=True)
class AgentQuestions:
    pool: Pool

    @database_errors
    async def add(self, question: AgentQuestion) -> QuestionRecord | None:
        """Store a question unless it is known, and return it; None where nobody has asked, or it is over."""
        place = question.conversation
        await self.pool.execute(
            _ADD,
            place.lane,
            question.id,
            place.organization_id,
            place.key,
            place.channel_id,
            place.thread,
            question.run_id,
            question.expires_at,
            _LONGEST,
            [asdict(inquiry) for inquiry in question.inquiries],
        )
        return await self.get(question.id)

    @database_errors
    async def get(self, question: AgentQuestionId) -> QuestionRecord | None:
        row = await self.pool.fetchrow("select * from agent_questions where id = $1", question)
        return _from_row(row) if row else None

    @database_errors
    async def asker_has_left(self, question: AgentQuestionId) -> bool:
        """Return whether who may answer is known to be no member of the organization any more."""
        found: bool = await self.pool.fetchval(
            """select exists (
                   select from agent_questions q
                   join mattermost_user_mappings u on u.mattermost_user_id = q.asker
                   join memberships m on m.organization_id = q.organization_id and m.person_id = u.id
                   where q.id = $1 and m.state in ('leaving', 'left'))""",
            question,
        )
        return found

    @database_errors
    async def posted(self, question: AgentQuestionId, post: PostId, create_at: int) -> None:
        """Note the post, and its moment: what the asker posts there later is the answer."""
        await self.pool.execute(
            "update agent_questions set post_id = $2, posted_at = $3 where id = $1", question, post, create_at
        )

    @database_errors
    async def take_early(self) -> int:
        """Make answers of posts that were stored as messages although a question waits; return how many."""
        count: int = await self.pool.fetchval(_TAKE_EARLY, question_lane(""))
        return count

    @database_errors
    async def claim(self, question: AgentQuestionId, answer: str, chosen: str | None) -> bool:
        """Let an answer be the one that is handed over; False if another is, or nothing waits any more."""
        return await self._changed(
            """update agent_questions set answering = $2, chosen = $3
               where id = $1 and (answering is null and state = 'pending' or answering = $2) returning id""",
            question,
            answer,
            chosen,
        )

    @database_errors
    async def give_back(self, question: AgentQuestionId, answer: str) -> None:
        """Let another answer be handed over, because this one was not accepted."""
        await self.pool.execute(
            "update agent_questions set answering = null, chosen = null where id = $1 and answering = $2",
            question,
            answer,
        )

    @database_errors
    async def end(self, question: AgentQuestionId, outcome: QuestionOutcome) -> bool:
        """Note how a question has ended; False if that is known."""
        return await self._changed(
            _END,
            question,
            outcome,
        )

    @database_errors
    async def vanished(self, waiting: Collection[str], age: timedelta) -> Sequence[QuestionRecord]:
        """End those that the gateway does not list any more; it was asked that long ago."""
        rows = await self.pool.fetch(
            _VANISHED,
            list(waiting),
            age,
        )
        return [_from_row(row) for row in rows]

    @database_errors
    async def expire(self) -> Sequence[QuestionRecord]:
        """End those whose time is over, if the gateway has not said how they have ended."""
        rows = await self.pool.fetch(
            _EXPIRE,
            _GRACE,
        )
        return [_from_row(row) for row in rows]

    @database_errors
    async def due(self) -> Sequence[Record]:
        """Return id, organization and kind of the jobs that are to be stored."""
        found: Sequence[Record] = await self.pool.fetch(_DUE)
        return found

    @database_errors
    async def purge(self, age: timedelta) -> None:
        """Delete questions that ended longer ago."""
        await self.pool.execute("delete from agent_questions where ended < now() - $1::interval", age)

    async def _changed(self, statement: str, *values: object) -> bool:
        return await self.pool.fetchval(statement, *values) is not None


def _from_row(row: Record) -> QuestionRecord:
    return QuestionRecord(
        question=AgentQuestion(
            AgentQuestionId(row["id"]),
            Conversation.of(row["conversation"]),
            row["run_id"],
            tuple(_inquiry(each) for each in row["asked"]),
            _milliseconds(row["created"]),
            _milliseconds(row["expires_at"]),
        ),
        lane=row["lane"],
        thread=row["thread"],
        asker=row["asker"],
        state=row["state"],
        post_id=row["post_id"],
        answering=row["answering"],
        chosen=row["chosen"],
    )


def _inquiry(fields: dict[str, object]) -> Inquiry:
    choices = fields["choices"]
    assert isinstance(choices, list)
    return Inquiry(**{**fields, "choices": tuple(Choice(**each) for each in choices)})  # type: ignore[arg-type]


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)

"""Whose question an agent works on in a conversation, as a part of statements."""

from bridge.db.kinds import ASKING

_SAYS = "author, payload ->> 'thread' as thread, id"

ASKED = f"""
asked as (
    select author, thread from (
        (select 1 as rank, {_SAYS} from jobs
         where lane = $1 and state in ('waiting', 'running') and kind in {ASKING} order by id limit 1)
        union all
        (select 2, {_SAYS} from jobs
         where lane = $1 and kind = 'mention' and state <> 'refused' order by id desc limit 1)
        union all
        (select 2, {_SAYS} from jobs
         where lane = $1 and kind = 'direct' and state <> 'refused' order by id desc limit 1)
    ) found
    where author is not null order by rank, id desc limit 1
)
"""  # noqa: S608  # built of constants
"""The query `asked`: author and thread of what is answered in the lane $1, or was at last.

What is answered is the first that has no answer yet: nothing runs there while its process has died.
"""

"""`equabot-bridge why POST_ID`: explain what happened to a post, and why it was not answered.

Of an event of the platform it explains what has become of its notice.
"""

import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, assert_never

from bridge import config, routing
from bridge.config import Settings
from bridge.db.job_history import JobHistory, JobRecord
from bridge.db.mappings import Mappings
from bridge.db.pool import open_pool
from bridge.db.positions import Positions
from bridge.db.waits import Wait, Waits
from bridge.errors import MattermostRefused, UsageError
from bridge.ingest.catch_up import OVERLAP
from bridge.log import configure
from bridge.mattermost.rest.client import connect
from bridge.models.chat import Position, Post, Posted, PostId
from bridge.models.ids import is_mattermost_id
from bridge.ports import MattermostApi
from bridge.reasons import explain
from bridge.routing import Bot
from bridge.runtime.database import any_database
from bridge.runtime.policy import question_policy

_BY = {
    "reaction": "with a reaction",
    "word": "with a word in the thread",
    "edited": "the question was edited again and again",
}
_WAITS = {"approval": "approval", "question": "question of the agent"}
_WAYS = {"button": "with a button", "reaction": "with a reaction", "page": "on the organization's page"}


async def run(options: Namespace, environ: Mapping[str, str]) -> int:
    """Explain the post; 1 if nothing explains it."""
    settings = config.load(environ)
    configure("error", settings.log_format)
    async with any_database(settings) as dsn, await open_pool(dsn, max_size=2) as pool:
        records = await _records(JobHistory(pool), options.post_id)
        for record in records:
            print(*_explained(record), sep="\n")
        if records:
            for wait in await Waits(pool).of_post(PostId(options.post_id)):
                print(_waited(wait))
            return 0
        if not is_mattermost_id(options.post_id):
            raise UsageError("No event has this id, and a post's id has 26 characters of a-z and 0-9.")
        return await _considered_anew(settings, PostId(options.post_id), Mappings(pool), Positions(pool))


async def _records(history: JobHistory, named: str) -> Sequence[JobRecord]:
    """Return what is stored of a post, or of the platform's events with this id."""
    record = await history.record(PostId(named)) if is_mattermost_id(named) else None
    return [record] if record else await history.records_of_event(named)


def _explained(record: JobRecord) -> list[str]:
    lines = [f"{record.kind}: {record.state}", *_handed_over(record)]
    match record.state:
        case "refused":
            lines.append(f"{_not_done(record)}: {explain(record.reason or '')}")
        case "done" if record.result and "skipped" in record.result:
            lines.append(f"{_not_done(record)}: {explain(str(record.result['skipped']))}")
        case "done" | "dead":
            lines += [f"posted: {post}" for post in (record.result or {}).get("posts", ())]
        case "waiting":
            lines.append(f"next attempt: {record.run_at.isoformat(timespec='seconds')}")
        case "running":
            lines.append(
                f"being worked on; lease until {record.lease and record.lease.isoformat(timespec='seconds')}"
            )
    lines += _stopped(record.result or {})
    lines += [f"file not read: {each}" for each in (record.result or {}).get("unread", ())]
    if record.reason and record.state != "refused":
        lines.append(f"last error: {record.reason}")
    lines.append(f"stored: {record.created.isoformat(timespec='milliseconds')}, attempts: {record.attempts}")
    if record.finished and record.state != "refused":
        lines.append(f"finished after {(record.finished - record.created).total_seconds():.1f} s")
    return lines


def _not_done(record: JobRecord) -> str:
    return "not posted" if record.kind == "notice" else "not answered"


def _handed_over(record: JobRecord) -> list[str]:
    """Return the line that says what has become of an answer to a question of the agent; none of others."""
    if record.kind != "agent_answer":
        return []
    match record.result:
        case {"answered": _}:
            return ["it was handed to the agent as the answer to its question"]
        case {"asked": _}:
            return ["the agent did not wait for it any more, so it was asked like any other post"]
        case _:
            return ["it is meant as the answer to a question of the agent"]


def _stopped(result: Mapping[str, Any]) -> list[str]:
    """Return the line that says who stopped the answer and how; none if nobody did."""
    match result.get("stopped"):
        case {"cause": "deleted"}:
            return ["stopped: the question was deleted"]
        case {"cause": str(cause), "by": by}:
            return [f"stopped: {_BY.get(cause, cause)}, by the account {by}"]
        case _:
            return []


def _waited(wait: Wait) -> str:
    """Return the line about an approval or a question of the agent that belongs to the post."""
    what = f"approval of {wait.tool}" if wait.kind == "approval" and wait.tool else _WAITS[wait.kind]
    if wait.state == "pending":
        return f"{what}: waits until {wait.expires_at.isoformat(timespec='seconds')}"
    if wait.decider is None:
        return f"{what}: {wait.state}"
    return f"{what}: {wait.state} {_WAYS.get(wait.via or '', '')} by {wait.decider}"


async def _considered_anew(
    settings: Settings, post_id: PostId, mappings: Mappings, positions: Positions
) -> int:
    """Decide about a post that was never stored, with today's facts."""
    if not settings.mattermost_url or not settings.mattermost_bot_token:
        print("The post was never stored; to look at it, MATTERMOST_URL and MATTERMOST_BOT_TOKEN are needed.")
        return 1
    token = settings.mattermost_bot_token.get_secret_value()
    async with connect(settings.mattermost_url, token, lambda *_: None, settings.proxies) as api:
        me = await api.me()
        try:
            posted = await _posted(api, post_id)
        except MattermostRefused:
            print("The bot cannot see such a post: it does not exist, or the bot is not in its channel.")
            return 1
        author = await api.user(posted.post.user_id)
        listens = posted.post.channel_id in {channel.id for channel in await api.my_channels()}
    (facts,) = await mappings.facts([posted], settings.agent_channel)
    known = (await positions.all()).get(posted.post.channel_id)
    facts = facts.with_author(author.is_bot).at(int(time.time() * 1000), known.begin_at if known else 0)
    bot = Bot(me.id, me.username, settings.agent_channel)
    decision = routing.decide(posted, facts, bot, question_policy(settings))
    return _said(decision, _not_stored(posted.post, known, listens=listens))


async def _posted(api: MattermostApi, post_id: PostId) -> Posted:
    post = await api.post(post_id)
    channel = await api.channel(post.channel_id)
    return Posted(post, channel.team_id, channel.name)


def _not_stored(post: Post, known: Position | None, *, listens: bool) -> str:
    """Return why a post that is to be answered was not stored, by what is known of its channel."""
    if not listens:
        return (
            "the bot is not in the channel. It is put back there within minutes if a process has"
            " MATTERMOST_ADMIN_BOT_TOKEN, and what is younger than a day is answered then."
        )
    if known is None:
        return "the channel was never read. `/readyz` shows whether the bot is connected."
    read = _moment(known.create_at)
    if known.create_at > post.create_at + OVERLAP:
        return f"the channel was read up to {read} without it: the bot could not see it then. Ask again."
    return f"the channel was read up to {read}, and the post is of {_moment(post.create_at)}."


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")


def _said(decision: routing.Decision, not_stored: str) -> int:
    match decision:
        case routing.Refuse(reason, _):
            print(f"not answered: {explain(reason)}")
            return 0
        case routing.Answer() | routing.AnswerDirectly() | routing.AnswerOfPerson() | routing.Invite():
            print(f"It is to be answered, but it is not stored yet: {not_stored}")
            return 1
        case _:
            assert_never(decision)

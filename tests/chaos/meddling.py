"""People who stop, correct and delete long questions while they are worked on."""

import asyncio
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import asyncpg

from bridge.sandbox.agent.faults import Says
from bridge.sandbox.agent.requests import Call
from bridge.sandbox.mattermost import Post
from bridge.sandbox.mattermost.posts import delete_post, edit_post
from handlers.posts.remarks import STOPPED
from tests.support.hosts import Hosts

What = Literal["nothing", "stop", "word", "edit", "delete"]

_PAUSE = 0.4
"""Seconds between two of the eight pieces of a long answer."""


def long_answer(call: Call) -> Says | None:
    """Return the answer to a long question, which is its own."""
    found = re.search(r"long question \d+( again)?", call.text)
    return Says(_answer(found[0]), pause=_PAUSE) if found else None


def _answer(question: str) -> str:
    return f"To the {question}: " + " ".join(f"word{number}" for number in range(200))


@dataclass
class Meddling:
    """Meddles with questions, and knows what may have become of each."""

    hosts: Hosts
    random: random.Random
    done: dict[str, What] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)
    """Questions that somebody stopped, as of the last look."""

    async def with_question(self, post: Post) -> None:
        """Do one thing with a question, some time after it was asked."""
        what: What = self.random.choice(("nothing", "stop", "word", "edit", "delete"))
        if what == "delete" and not post.root_id:
            what = "nothing"
        self.done[post.id] = what
        await asyncio.sleep(self.random.uniform(0.1, 4))
        author = self.hosts.store.users[post.user_id]
        present = self.hosts.store.posts[post.id]
        match what:
            case "stop":
                self.hosts.store.react(author, present, "octagonal_sign")
            case "word":
                channel = self.hosts.store.channels[post.channel_id]
                self.hosts.store.post_as(author, channel, "stop", root_id=post.root_id or post.id)
            case "edit":
                edit_post(self.hosts.store, present, {"message": f"{post.message} again"})
            case "delete":
                delete_post(self.hosts.store, present)

    def may_lack_an_answer(self, post: Post) -> bool:
        return post.id in self.stopped or self.done.get(post.id) == "delete"

    def unfinished(self) -> Iterator[str]:
        """Yield the long questions whose answers are neither exact nor stopped."""
        for post_id in self.done:
            post = self.hosts.store.posts[post_id]
            question = post.message.removeprefix("@equabot ").removesuffix(" again")
            whole = {_answer(question), _answer(f"{question} again")}
            for answer in self.hosts.answers(post):
                if answer.message not in whole and not answer.message.endswith(STOPPED):
                    yield f"unfinished {post_id}: {answer.message[:40]}…{answer.message[-40:]}"

    async def look(self) -> int:
        """Return how many jobs have not ended and answers still count as growing; note what was stopped.

        A question that was stopped while it waited has no answer.
        """
        connection = await asyncpg.connect(self.hosts.dsn)
        try:
            rows = await connection.fetch("select dedupe from jobs where result ? 'stopped'")
            self.stopped = {row["dedupe"].removeprefix("post:") for row in rows}
            count: int = await connection.fetchval(
                """select (select count(*) from jobs where state in ('waiting', 'running'))
                          + (select count(*) from answer_posts where state = 'growing')"""
            )
            return count
        finally:
            await connection.close()

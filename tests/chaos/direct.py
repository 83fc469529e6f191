"""People who write to the bot alone during the storm."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import asyncpg

from bridge.sandbox.mattermost import Channel, Post, User
from handlers.posts.parts import MARK
from tests.support.hosts import Hosts

_JOIN = """
insert into memberships (organization_id, person_id, state)
select $1, id, 'joined' from mattermost_user_mappings where mattermost_user_id = $2
on conflict do nothing
"""


@dataclass
class DirectTalk:
    """Each person asks in a direct channel of their own, and knows what was answered there."""

    hosts: Hosts
    random: random.Random
    questions: int
    asked: dict[str, list[Post]] = field(default_factory=dict)
    """By channel, in order."""

    async def ask(self, seconds: float) -> None:
        """Ask everything, spread over so many seconds."""
        chats = await self._chats()
        for number in range(self.questions):
            user, channel = self.random.choice(chats)
            post = self.hosts.store.post_as(user, channel, f"direct question {number}")
            self.asked.setdefault(channel.id, []).append(post)
            await asyncio.sleep(self.random.uniform(0, 2 * seconds / self.questions))

    def is_answered(self) -> bool:
        return not self.count()[0]

    def count(self) -> tuple[int, int, int]:
        """Return how many questions have no answer, more than one, or one before an earlier question's."""
        lost = double = disordered = 0
        for channel_id, posts in self.asked.items():
            answers = list(self._answered_in(channel_id))
            once = list(dict.fromkeys(answers))
            lost += len(posts) - len(once)
            double += len(answers) - len(once)
            disordered += once != [post.id for post in posts if post.id in once]
        return lost, double, disordered

    async def _chats(self) -> list[tuple[User, Channel]]:
        """Return the direct channel of each person, who is in one organization."""
        store, chats = self.hosts.store, list[tuple[User, Channel]]()
        connection = await asyncpg.connect(self.hosts.dsn)
        try:
            for company in self.hosts.companies:
                for user in company.people:
                    await connection.execute(_JOIN, company.id, user.id)
                    chats.append((user, store.direct(user, self.hosts.bot)))
        finally:
            await connection.close()
        return chats

    def _answered_in(self, channel_id: str) -> Iterator[str]:
        """Yield the questions that were answered, one for each post of an answer."""
        store = self.hosts.store
        for post in store.posts_in(store.channels[channel_id]):
            if post.user_id == self.hosts.bot.id:
                yield post.props[MARK]["answers"]

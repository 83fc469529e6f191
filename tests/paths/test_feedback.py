"""People rate answers by reactions: the last one of each counts, until it is taken back."""

import asyncio
from typing import Any, Self, cast

import pytest
from asyncpg import Pool

from bridge.db.feedback import Feedback
from bridge.ingest.ratings import Ratings
from bridge.mattermost.websocket.changes import ReactionAdded, ReactionRemoved
from bridge.metrics import Metrics, RatingCount
from bridge.models.chat import PostId, UserId
from bridge.sandbox.mattermost import Post, User
from bridge.sandbox.mattermost.reactions import remove
from bridge.text.ratings import Rating, rating
from tests.support.daemon import Daemon
from tests.support.hosts import Company, Hosts


@pytest.mark.parametrize(
    ("emoji", "meaning"),
    [
        ("+1", 1),
        ("+1_medium_dark_skin_tone", 1),
        ("thumbsup_light_skin_tone", 1),
        ("-1", -1),
        ("thumbsdown", -1),
        ("-1_dark_skin_tone", -1),
        ("+10", None),
        ("+1_skin_tone", None),
        ("heart", None),
        ("repeat", None),
    ],
)
def test_thumbs_rate_in_every_skin_tone(emoji: str, meaning: Rating | None) -> None:
    """Each tone is an emoji of its own."""
    assert rating(emoji) == meaning


class Raters:
    """Who reacts to an answer, and what is counted of that."""

    def __init__(self, hosts: Hosts, pool: Pool, question: Post) -> None:
        self.hosts, self.pool, self.question = hosts, pool, question
        self.answer = hosts.answers(question)[0]

    @classmethod
    async def of(cls, hosts: Hosts, pool: Pool, company: Company) -> Self:
        """Let somebody ask, and wait for the answer until its job has ended."""
        question = hosts.ask(company, "@equabot who is on our team?")
        await hosts.answered(question)
        raters = cls(hosts, pool, question)
        await raters.known()
        return raters

    def react(self, user: User, emoji: str) -> None:
        self.hosts.store.react(user, self.answer, emoji)

    def take_back(self, user: User, emoji: str) -> None:
        remove(self.hosts.store, user, self.answer.id, emoji)

    async def known(self) -> None:
        """Wait until the answer's job has ended."""
        async with asyncio.timeout(60):
            while not await self.pool.fetchval("select count(*) from answer_posts"):
                await asyncio.sleep(0.02)

    async def counted(self, up: int, down: int) -> None:
        """Wait until so many ratings of each kind count."""
        async with asyncio.timeout(60):
            while True:
                found = await Feedback(self.pool).counts()
                if [(each.up, each.down) for each in found] == ([(up, down)] if up or down else []):
                    return
                await asyncio.sleep(0.02)


async def test_the_last_rating_of_a_person_counts(
    hosts: Hosts, pool: Pool, acme: Company, daemon: Daemon
) -> None:
    """Skin tones are reactions of their own; questions, and people without a mapping, do not count."""
    raters = await Raters.of(hosts, pool, acme)
    ada, bob = acme.people[:2]

    raters.react(ada, "+1")
    await raters.counted(1, 0)
    raters.react(ada, "-1_dark_skin_tone")
    await raters.counted(0, 1)
    raters.react(bob, "-1")
    await raters.counted(0, 2)
    raters.take_back(ada, "-1_dark_skin_tone")
    await raters.counted(1, 1)

    stranger = hosts.store.create_user("stranger")
    hosts.store.join(acme.team, stranger)
    hosts.store.join(acme.agent, stranger)
    raters.react(stranger, "+1")
    hosts.store.react(ada, raters.question, "+1")
    raters.take_back(bob, "-1")
    await raters.counted(1, 0)
    raters.take_back(ada, "+1")
    await raters.counted(0, 0)


async def test_a_reaction_may_come_before_the_job_ends(
    hosts: Hosts, pool: Pool, acme: Company, daemon: Daemon
) -> None:
    """Whoever is quick is counted a little later, unless they have taken it back by then."""
    raters = await Raters.of(hosts, pool, acme)
    answer, (ada, bob) = PostId(raters.answer.id), acme.people[:2]
    (kept,) = await pool.fetch("delete from answer_posts returning post_id, job_id, part, state")
    ratings = Ratings(Feedback(pool), cast(Any, None), later=0.1)

    for user in (ada, bob):
        await ratings.follow(ReactionAdded(answer, UserId(user.id), "+1", at=1))
    await ratings.follow(ReactionRemoved(answer, UserId(bob.id), "+1"))
    await pool.execute(
        "insert into answer_posts (post_id, job_id, part, state) values ($1, $2, $3, $4)", *kept
    )

    await raters.counted(1, 0)


async def test_what_nobody_heard_is_read_again(
    hosts: Hosts, pool: Pool, acme: Company, daemon: Daemon
) -> None:
    """A thumb that comes or goes while the bridge is down counts as it stands when it is back."""
    raters = await Raters.of(hosts, pool, acme)
    ada, bob = acme.people[:2]
    raters.react(ada, "+1")
    await raters.counted(1, 0)

    await daemon.kill()
    raters.take_back(ada, "+1")
    raters.react(bob, "-1")
    await daemon.start()

    await raters.counted(0, 1)


def test_few_organizations_have_a_label_of_their_own() -> None:
    """However many there are."""
    metrics = Metrics()
    metrics.ratings([RatingCount(f"organization-{number}", 2, 1) for number in range(300)])
    text = metrics.render().decode()
    lines = [line for line in text.splitlines() if line.startswith("equabot_bridge_answers_rated{")]
    assert len(lines) == 202
    assert 'equabot_bridge_answers_rated{organization="other",rating="up"} 400.0' in lines

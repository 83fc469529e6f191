"""What a member can write costs little, and holds nobody else up: processor time, not that of the clock."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from uuid import UUID

import pytest
from asyncpg import Pool
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.db.inbox import Inbox
from bridge.ingest.batch import affordable, flooded
from bridge.ingest.intake import Intake
from bridge.mattermost.websocket.frames import Interest, parse_frame, sniffer
from bridge.models.chat import ChannelId, Post, Posted, PostId, TeamId, UserId
from bridge.models.equa import OrganizationId, PersonId
from bridge.routing import HOUR, Bot, Facts, decide
from tests.support import mattermost_frames as frames
from tests.support.cost import seconds, without_collection
from tests.support.mappings import Mappings

LARGEST = 16_383
"""Characters of a post."""
LIMIT = 0.05
"""Seconds of processor time for which nothing may hold the event loop."""
ME = Bot(UserId(frames.BOT), "equabot", "agent")
TEAM, CHANNEL = TeamId("t" * 26), ChannelId("c" * 26)
KNOWN = Facts(OrganizationId(UUID(int=1)), PersonId(UUID(int=2)), thread_known=True, now=1)

SHAPES = {
    "list": "* a\n" * 4090,
    "nested list": "".join(f"{' ' * (number % 80)}- a\n" for number in range(400)),
    "quotes": "> " * 8000,
    "quoted lists": "> * a\n" * 2700,
    "lazy quotes": "> a\nb\n" * 2700,
    "backticks": "`" * 8000 + " @equabot " + "`" * 8000,
    "backticks of all lengths": " ".join("`" * number for number in range(1, 179)),
    "fences": "~~~\n" * 4000,
    "open fences": "```\n~~~\n" * 2000,
    "brackets": "[" * LARGEST,
    "links": "[a](" * 4000,
    "emphasis": "*_" * 8000,
    "tags": "<a " * 5400,
    "open tags": "<" * LARGEST,
    "addresses": "http://a " * 1800,
    "hosts": "www." * 4000,
    "mentions": "@equabot" * 2000,
    "names": "@a " * 5400,
    "at signs": "@" * LARGEST,
    "dots": "@" + "a." * 8000,
    "table": "|a" * 8000,
    "headings": "# " * 8000,
    "setext": "a\n=\n" * 4000,
    "lines": "\n" * LARGEST,
    "blanks": " " * LARGEST,
    "tabs": "\t- a\n" * 2700,
    "backslashes": "\\" * LARGEST,
    "entities": "&amp;" * 3200,
    "stop": "stop listening " * 1000,
    "commas": "stop listening" + "!" * 16_000 + "x",
}


def a_post(message: str, number: int = 0) -> Posted:
    post = Post(
        PostId(f"{number:026d}"), CHANNEL, UserId("a" * 26), PostId("r" * 26), message, 1_700_000_000_000
    )
    return Posted(post, TEAM, "agent")


def variants(shape: str) -> list[str]:
    """Return the shape with a mention before, behind and nowhere, no longer than a post may be."""
    room = LARGEST - len("\n@equabot hi")
    return [f"{shape[:room]}\n@equabot hi", f"@equabot {shape[:room]}", shape[:LARGEST]]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_a_post_is_decided_about_quickly(shape: str) -> None:
    """Whatever it consists of, and whether it is for the bot or not."""
    for message in variants(shape):
        for facts in (KNOWN, replace(KNOWN, thread_known=False)):
            assert seconds(partial(decide, a_post(message), facts, ME), LIMIT) < LIMIT


PIECES = st.sampled_from(
    [
        *"*_`~[]()<>!|\\@#-+=&;:/. \n\t>",
        "@equabot",
        "> ",
        "- ",
        "```",
        "http://",
        "www.",
        "stop listening",
        "é",
        "こ",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=12), st.lists(PIECES, max_size=12))
def test_no_repeated_text_is_expensive(pieces: list[str], before: list[str]) -> None:
    """Any few pieces, repeated until the post is full."""
    unit = "".join(pieces)
    message = ("".join(before) + unit * LARGEST)[:LARGEST]

    assert seconds(lambda: decide(a_post(message), KNOWN, ME), LIMIT) < LIMIT


@pytest.mark.parametrize("filler", ["x" * 290_000, "<" * 290_000, '"' * 140_000, "[" * 290_000])
def test_a_frame_is_read_quickly(filler: str) -> None:
    """Props of as many bytes as Mattermost accepts, which its encoder makes seven times as long."""
    frame = frames.posted(3, props={"filler": filler}).encode()
    interest = Interest("agent", UserId(frames.BOT))

    assert seconds(lambda: sniffer(interest)(frame), LIMIT) < LIMIT
    assert seconds(lambda: parse_frame(frame, interest), LIMIT) < LIMIT


def test_a_batch_holds_a_limited_amount_of_text() -> None:
    """In order, all of it, and never none at once."""
    posts = [a_post("x" * (number * 7919 % LARGEST), number) for number in range(250)]
    posts.append(a_post("x" * 1_000_000, 999))

    batches = list(affordable(posts))

    assert [post for batch in batches for post in batch] == posts
    assert all(sum(len(each.post.message) for each in batch) <= 256 * 1024 for batch in batches[:-1])
    assert list(affordable([])) == []


def test_a_flood_is_one_channel_and_no_other() -> None:
    """Ordinary posts are none, however many; a few of the largest are."""
    chatter = [a_post("hello there", number) for number in range(200)]
    elsewhere = [
        replace(each, post=replace(each.post, channel_id=ChannelId("d" * 26)))
        for each in (a_post("x" * LARGEST, number) for number in range(5))
    ]

    assert flooded([*chatter, *elsewhere]) == {"d" * 26}
    assert flooded([]) == frozenset()


@asynccontextmanager
async def longest_hold() -> AsyncIterator[list[float]]:
    """Give a list that has the longest processor time between two turns of another task at its end."""
    holds: list[float] = [0.0]

    async def tick() -> None:
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            holds[0] = max(holds[0], time.thread_time() - before)

    ticking = asyncio.create_task(tick())
    with without_collection():
        yield holds
    ticking.cancel()
    await asyncio.wait({ticking})


@pytest.mark.parametrize("shape", ["list", "fences", "backticks of all lengths", "emphasis"])
async def test_a_flood_lets_others_run(pool: Pool, shape: str) -> None:
    """250 posts at once, as after an outage: stored in slices, refused from the twenty-first on."""
    mappings = Mappings(pool)
    await mappings.map_team(OrganizationId(UUID(int=1)), TEAM)
    await mappings.map_person(PersonId(UUID(int=2)), UserId("a" * 26))
    intake = Intake(Inbox(pool), mappings, ME)
    message = variants(SHAPES[shape])[0]

    async def flood(round_: int) -> float:
        """Return the longest hold of one flood; an hour lies between two of them."""
        at = time.time_ns() // 1_000_000 - (round_ + 1) * 2 * HOUR
        posted = (a_post(message, round_ * 1000 + number) for number in range(250))
        posts = [replace(each, post=replace(each.post, create_at=at)) for each in posted]
        async with longest_hold() as holds:
            assert await intake.store(posts) == 20
        return holds[0]

    rounds = 0
    while (hold := await flood(rounds)) >= LIMIT and rounds < 8:
        rounds += 1  # it may have been disturbed
    assert hold < LIMIT

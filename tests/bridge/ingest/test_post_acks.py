"""The bot's own posts, seen by whoever waits for them."""

import asyncio

from bridge.ingest.post_acks import Confirmations
from bridge.models.chat import ChannelId, Post, PostId, UserId


def post(pending_post_id: str, name: str = "one") -> Post:
    me, channel = UserId("b" * 26), ChannelId("c" * 26)
    return Post(PostId(name), channel, me, "", "hello", 1, pending_post_id=pending_post_id)


async def test_who_waits_for_a_post_is_told() -> None:
    """By the `pending_post_id`, which nobody else can guess."""
    confirmations = Confirmations()

    with confirmations.expect("mine") as seen, confirmations.expect("other") as other:
        confirmations.seen(post("mine"))

        assert (await seen).id == "one"
        assert not other.done()


async def test_a_post_that_nobody_waits_for_is_ignored() -> None:
    """Another process on the same account posts too, and so do people with a token of ours."""
    confirmations = Confirmations()
    with confirmations.expect("mine") as seen:
        confirmations.seen(post("another"))
        confirmations.seen(post(""))

        assert not seen.done()


async def test_a_post_that_is_seen_twice_is_told_once() -> None:
    """Mattermost may deliver an event twice; the first counts."""
    confirmations = Confirmations()
    with confirmations.expect("mine") as seen:
        confirmations.seen(post("mine"))
        confirmations.seen(post("mine", "again"))

        assert (await seen).id == "one"


async def test_who_waits_no_more_is_forgotten() -> None:
    """What comes too late is ignored, and somebody who waits anew is told of what comes then."""
    confirmations = Confirmations()
    with confirmations.expect("mine") as late:
        pass
    confirmations.seen(post("mine"))

    with confirmations.expect("mine") as anew:
        confirmations.seen(post("mine", "again"))

        assert late.cancelled()
        assert (await anew).id == "again"


async def test_an_earlier_attempt_that_ends_late_does_not_disturb_the_next() -> None:
    """Two attempts at one part may overlap while the first is being cancelled."""
    confirmations = Confirmations()
    first = confirmations.expect("mine")
    first.__enter__()
    with confirmations.expect("mine") as seen:
        first.__exit__(None, None, None)
        confirmations.seen(post("mine"))

        async with asyncio.timeout(1):
            assert (await seen).id == "one"

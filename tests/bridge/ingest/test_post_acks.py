"""The bot's own posts, seen by whoever waits for them."""

import asyncio

from bridge.ingest.post_acks import PostAcks
from bridge.models.chat import ChannelId, Post, PostId, UserId


def post(pending_post_id: str, name: str = "one") -> Post:
    me, channel = UserId("b" * 26), ChannelId("c" * 26)
    return Post(PostId(name), channel, me, "", "hello", 1, pending_post_id=pending_post_id)


async def test_who_waits_for_a_post_is_told() -> None:
    """By the `pending_post_id`, which nobody else can guess."""
    post_acks = PostAcks()

    with post_acks.expect("mine") as seen, post_acks.expect("other") as other:
        post_acks.seen(post("mine"))

        assert (await seen).id == "one"
        assert not other.done()


async def test_a_post_that_nobody_waits_for_is_ignored() -> None:
    """Another process on the same account posts too, and so do people with a token of ours."""
    post_acks = PostAcks()
    with post_acks.expect("mine") as seen:
        post_acks.seen(post("another"))
        post_acks.seen(post(""))

        assert not seen.done()


async def test_a_post_that_is_seen_twice_is_told_once() -> None:
    """Mattermost may deliver an event twice; the first counts."""
    post_acks = PostAcks()
    with post_acks.expect("mine") as seen:
        post_acks.seen(post("mine"))
        post_acks.seen(post("mine", "again"))

        assert (await seen).id == "one"


async def test_who_waits_no_more_is_forgotten() -> None:
    """What comes too late is ignored, and somebody who waits anew is told of what comes then."""
    post_acks = PostAcks()
    with post_acks.expect("mine") as late:
        pass
    post_acks.seen(post("mine"))

    with post_acks.expect("mine") as anew:
        post_acks.seen(post("mine", "again"))

        assert late.cancelled()
        assert (await anew).id == "again"


async def test_an_earlier_attempt_that_ends_late_does_not_disturb_the_next() -> None:
    """Two attempts at one part may overlap while the first is being cancelled."""
    post_acks = PostAcks()
    first = post_acks.expect("mine")
    first.__enter__()
    with post_acks.expect("mine") as seen:
        first.__exit__(None, None, None)
        post_acks.seen(post("mine"))

        async with asyncio.timeout(60):
            assert (await seen).id == "one"

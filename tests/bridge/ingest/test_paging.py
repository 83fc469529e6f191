"""Pages of posts that are too large for one answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from bridge.ingest.paging import page
from bridge.mattermost.rest.responses import TooLarge
from bridge.models.chat import ChannelId, Post, PostId, UserId


def post(number: int, **props: object) -> Post:
    return Post(PostId(f"{number:026}"), ChannelId("c" * 26), UserId("a" * 26), "", "hi", number, props=props)


@dataclass
class Channel:
    """Posts of different sizes, of which an answer may hold 100."""

    sizes: list[int]
    asked: list[tuple[int, int]] = field(default_factory=list)
    meanwhile: Callable[[list[int]], None] = lambda _: None

    async def ask(self, size: int, number: int) -> Sequence[Post]:
        self.asked.append((size, number))
        found = [(n, s) for n, s in enumerate(self.sizes) if s][size * number : size * (number + 1)]
        if sum(s for _, s in found) > 100:
            raise TooLarge("large")
        self.meanwhile(self.sizes)
        return [post(n) for n, _ in found]


def numbers(posts: Sequence[Post]) -> list[int]:
    return [each.create_at for each in posts]


async def test_a_usual_page_is_one_answer() -> None:
    """As many as were asked for: there may be more."""
    channel = Channel([1] * 60)

    found = await page(channel.ask, 50)

    assert (numbers(found.posts), found.last, channel.asked) == (list(range(50)), False, [(50, 0)])


@pytest.mark.parametrize(("size", "posts", "last"), [(200, 150, True), (200, 200, False), (60, 500, False)])
@pytest.mark.parametrize("weight", [1, 3, 60])
async def test_a_large_page_is_asked_for_in_parts(size: int, posts: int, weight: int, *, last: bool) -> None:
    """Down to single posts, in the order of the answer."""
    channel = Channel([weight] * posts)

    found = await page(channel.ask, size)

    assert numbers(found.posts) == list(range(min(size, posts)))
    assert found.last is last


async def test_a_later_page_is_split_where_it_is() -> None:
    """It is counted in parts then."""
    channel = Channel([10] * 60)

    assert numbers((await page(channel.ask, 20, 1)).posts) == list(range(20, 40))


async def test_a_single_post_that_is_too_large_is_left_out() -> None:
    """No other is, and it is not taken for the end."""
    channel = Channel([1] * 20)
    channel.sizes[7] = 101

    found = await page(channel.ask, 20)

    assert numbers(found.posts) == [n for n in range(20) if n != 7]
    assert not found.last


async def test_a_page_of_nothing_but_large_posts_is_not_the_end() -> None:
    """What comes behind it is still to be read."""
    found = await page(Channel([101] * 10).ask, 10)

    assert (found.posts, found.last) == ([], False)


async def test_a_post_that_is_deleted_in_between_hides_no_other() -> None:
    """The parts move by one."""

    def delete_one(sizes: list[int]) -> None:
        sizes[len(channel.asked) % 20] = 0

    channel = Channel([30] * 40, meanwhile=delete_one)

    found = await page(channel.ask, 20)

    left = [n for n in range(20) if channel.sizes[n]]
    assert 0 < len(left) < 20
    assert set(left) <= set(numbers(found.posts))


async def test_only_the_props_that_are_decided_by_are_kept() -> None:
    """Two hundred posts would otherwise fill the memory."""

    async def ask(_size: int, _number: int) -> Sequence[Post]:
        return [post(1, from_webhook="true", attachments=["x" * 1000])]

    found = await page(ask, 10)

    assert found.posts[0].props == {"from_webhook": "true"}

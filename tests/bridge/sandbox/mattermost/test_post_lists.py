"""Pages of a channel whose posts do not come in the order of their times."""

from itertools import pairwise

from bridge.sandbox.mattermost import Channel, Store, User
from bridge.sandbox.mattermost.post_lists import Slice, Window, page_of_channel, thread_of


def scene() -> tuple[Store, User, Channel]:
    store = Store()
    ada = store.create_user("ada")
    team = store.create_team("acme", members=[ada])
    return store, ada, store.create_channel(team, "agent")


def test_posts_are_ordered_by_time_whenever_they_were_written() -> None:
    """A post with an older create_at takes its place among the older ones."""
    store, ada, channel = scene()
    for time in (30, 10, 20, 40):
        store.post_as(ada, channel, str(time), create_at=time)
    found = page_of_channel(store, channel, Window(page=0, per_page=10))
    assert [store.posts[post_id].message for post_id in found.order] == ["40", "30", "20", "10"]


def test_paging_after_an_anchor_reaches_everything_once() -> None:
    """Oldest chunk first, until one is short."""
    store, ada, channel = scene()
    posts = [store.post_as(ada, channel, str(time), create_at=time) for time in range(1, 11)]
    chunks = [
        page_of_channel(store, channel, Window(page=page, per_page=4, after=posts[0].id)).order
        for page in range(3)
    ]
    assert [len(chunk) for chunk in chunks] == [4, 4, 1]
    assert [post_id for chunk in chunks for post_id in reversed(chunk)] == [post.id for post in posts[1:]]


def test_since_has_a_limit() -> None:
    """1000 of more come, and nothing tells of the rest."""
    store, ada, channel = scene()
    for time in range(1, 1_101):
        store.post_as(ada, channel, "x", create_at=time)
    assert len(page_of_channel(store, channel, Window(page=0, per_page=1, since=1)).order) == 1_000


def test_a_thread_can_be_read_in_pages() -> None:
    """Positions are times and ids, so that twins of one millisecond are not lost."""
    store, ada, channel = scene()
    root = store.post_as(ada, channel, "root", create_at=1)
    for number in range(9):
        store.post_as(ada, channel, str(number), root.id, create_at=2 + number // 3)
    seen, wanted = [], Slice(per_page=2, direction="down")
    while True:
        found = thread_of(store, root, wanted)
        page = [post for post in found.posts if post.root_id]
        seen += page
        if not found.has_next:
            break
        wanted = Slice(2, "down", page[-1].create_at, page[-1].id)
    assert len(seen) == 9
    assert all((one.create_at, one.id) < (two.create_at, two.id) for one, two in pairwise(seen))

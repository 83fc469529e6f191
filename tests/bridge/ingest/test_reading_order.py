"""In what order channels are read."""

from functools import partial

from bridge.ingest.reading_order import Courtesy, ReadingOrder
from bridge.models.chat import ChannelId


class Read:
    """What was begun, in order."""

    def __init__(self, at_once: int) -> None:
        self.order, self.begun = ReadingOrder(at_once), list[str]()

    def wait(self, *names: str) -> None:
        for name in names:
            self.order.wait(ChannelId(name), partial(self.begun.append, name))


def test_so_many_are_read_at_once_and_the_others_in_turn() -> None:
    read = Read(2)
    read.wait("a", "b", "c", "d")
    assert read.begun == ["a", "b"]

    read.order.done()
    assert read.begun == ["a", "b", "c"]
    read.order.done()
    read.order.done()
    read.order.done()
    read.wait("e")
    assert read.begun == ["a", "b", "c", "d", "e"]


def test_who_hurries_goes_first_in_the_order_of_hurrying() -> None:
    """Whoever hurries twice, is being read or is unknown changes nothing."""
    read = Read(1)
    read.wait("a", "b", "c", "d", "e")
    for name in ("e", "d", "e", "a", "x"):
        read.order.hurry(ChannelId(name))
    for _ in range(4):
        read.order.done()

    assert read.begun == ["a", "e", "d", "b", "c"]


def test_while_it_gives_way_one_channel_at_a_time_is_read() -> None:
    read = Read(3)
    read.order.give_way()
    read.wait("a", "b", "c")
    assert read.begun == ["a"]

    read.order.done()
    assert read.begun == ["a", "b"]

    read.order.go_on()
    assert read.begun == ["a", "b", "c"]


def test_who_hurries_waits_for_no_other() -> None:
    """Within limits: as many more as are read at once."""
    read = Read(2)
    read.order.give_way()
    read.wait("a", "b", "c", "d", "e", "f")
    for name in ("f", "e", "d", "c"):
        read.order.hurry(ChannelId(name))

    assert read.begun == ["a", "f", "e", "d"]


def test_who_posts_without_an_end_has_half_of_the_time() -> None:
    courtesy = Courtesy(seconds=0.25, longest=2)

    given = [courtesy.after(now / 4) for now in range(100, 132)]

    assert given == ([0.25] * 8 + [0] * 8) * 2
    assert courtesy.after(1000) == 0.25


def test_the_end_of_a_time_comes_first() -> None:
    courtesy = Courtesy(seconds=0.25, longest=2)
    courtesy.after(100)

    assert courtesy.after(101.875) == 0.125

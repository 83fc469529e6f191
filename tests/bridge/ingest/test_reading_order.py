"""In what order channels are read."""

from functools import partial

from bridge.ingest.reading_order import ReadingOrder
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

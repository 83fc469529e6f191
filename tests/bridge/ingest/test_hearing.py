"""Which channels have posts that were not delivered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from bridge.ingest.hearing import Hearing
from bridge.models.chat import Channel, ChannelId, Position, PostId, TeamId

ONE, OTHER = ChannelId("o" * 26), ChannelId("p" * 26)


@dataclass
class Looks:
    """Mattermost's list of channels, what was read of each, and how often somebody has looked."""

    posted: dict[ChannelId, int]
    read: dict[ChannelId, int] = field(default_factory=dict)
    looks: int = 0

    @property
    def positions(self) -> "Looks":
        return self

    async def all(self) -> Mapping[ChannelId, Position]:
        return {channel: Position(channel, PostId(""), at, 0) for channel, at in self.read.items()}

    async def channels(self) -> Sequence[Channel]:
        self.looks += 1
        return [Channel(channel, TeamId("t" * 26), "agent", "O", at) for channel, at in self.posted.items()]


async def test_a_channel_that_is_behind_counts_once() -> None:
    looks = Looks({ONE: 5, OTHER: 5}, {ONE: 5, OTHER: 4})
    hearing = Hearing(cast(Any, looks), on_its_way=0)

    assert await hearing.unheard() == [OTHER]
    assert await hearing.unheard() == []
    looks.posted[OTHER] = 6
    assert await hearing.unheard() == [OTHER]


async def test_a_channel_that_is_going_to_be_read_is_not_deaf() -> None:
    """Ten thousand are behind while they are read after a cut; each would be looked up once more."""
    looks = Looks({ONE: 5, OTHER: 5}, {ONE: 4, OTHER: 4})
    hearing = Hearing(cast(Any, looks), on_its_way=0)

    assert await hearing.unheard(lambda _: True) == []
    assert looks.looks == 1
    assert await hearing.unheard(lambda channel: channel == ONE) == [OTHER]

    assert await hearing.unheard() == [ONE]

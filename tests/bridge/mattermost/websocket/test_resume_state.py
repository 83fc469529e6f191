"""What the frames add up to, and where a connection is resumed."""

import pytest

from bridge.mattermost.websocket.frames import Frame, Hello, Malformed, Other, PostedEvent, Reply
from bridge.mattermost.websocket.resume_state import Connected, Event, Link, Over, Reason, Seen
from bridge.mattermost.wire import parse_posted
from tests.support.mattermost_frames import posted_data

POSTED = parse_posted(posted_data())
HELLO = Hello("c1", "10.4", 0)
PONG = Reply(1, ok=True)


def taken(link: Link, *frames: Frame) -> list[Event]:
    events: list[Event] = []
    for frame in frames:
        link.take(frame, events.extend)
    return events


def established(expected: int = 1) -> Link:
    """A link whose connection was lost after it had expected that `seq`."""
    link = Link()
    link.open()
    taken(link, HELLO, *map(Other, range(1, expected)))
    return link


def reopened(expected: int = 1) -> Link:
    link = established(expected)
    link.open()
    return link


def over(link: Link, frame: Frame) -> Reason:
    with pytest.raises(Over) as raised:
        link.take(frame, lambda _: None)
    return raised.value.reason


def test_first_connection_may_have_lost_events() -> None:
    """Whatever came before the first hello is to be read over REST."""
    link = Link()
    link.open()

    assert taken(link, HELLO, PONG, PostedEvent(POSTED, 1)) == [Connected(lost=True), Seen(POSTED)]
    assert link.query() == {"connection_id": "c1", "sequence_number": "2"}


def test_no_resume_before_a_hello_was_read() -> None:
    """`sequence_number=0` with a known id replays nothing and sends no hello: a loss without a sign."""
    link = Link()
    link.open()
    taken(link, PONG, Malformed("?"))

    assert link.query() == {}


def test_server_that_resumes_nothing() -> None:
    """Old ones name no connection: every new one begins with a hello, and tells of a loss."""
    link = Link()
    link.open()
    events = taken(link, Hello("", "5.37", 0), PONG, PostedEvent(POSTED, 1))

    assert events == [Connected(lost=True), Seen(POSTED)]
    assert link.query() == {}
    assert over(link, Other(3)) == "gap"


def test_resume_is_known_by_the_reply() -> None:
    """A hello is always written before the reply to a ping, so a reply without one means resumed."""
    link = reopened(5)

    assert taken(link, PONG, Other(5), PONG) == [Connected(lost=False)]
    assert link.expected == 6


@pytest.mark.parametrize("frame", [Other(5), Malformed("?", 5), PostedEvent(POSTED, 5)])
def test_resume_is_known_by_the_first_replayed_event(frame: Frame) -> None:
    """A resumed connection begins with exactly the event that was asked for."""
    assert taken(reopened(5), frame)[0] == Connected(lost=False)


def test_hello_with_another_id_means_loss() -> None:
    """The server could not resume: numbers start anew."""
    link = reopened(5)

    assert taken(link, Hello("c2", "10.4", 0), PONG, Other(1)) == [Connected(lost=True)]
    assert link.query() == {"connection_id": "c2", "sequence_number": "2"}


def test_gap_keeps_what_is_expected() -> None:
    """After a gap the missing events are asked for."""
    link = established(5)

    assert over(link, PostedEvent(POSTED, 7)) == "gap"
    assert link.query() == {"connection_id": "c1", "sequence_number": "5"}


def test_gap_right_after_the_hello() -> None:
    """A hello is something to resume from."""
    link = Link()
    link.open()
    taken(link, HELLO)

    assert over(link, Other(2)) == "gap"
    assert link.query() == {"connection_id": "c1", "sequence_number": "1"}


@pytest.mark.parametrize("before", [(), (PONG,)])
def test_gap_at_the_beginning_of_a_resume_gives_the_connection_up(before: tuple[Frame, ...]) -> None:
    """What a resume does not bring a second one does not bring either: no loop, but a fresh connection."""
    link = reopened(5)
    taken(link, *before)

    assert over(link, Other(7)) == "gap"
    assert link.query() == {}


def test_event_before_the_hello_of_a_fresh_connection() -> None:
    """Without a hello nobody knows what is missing."""
    link = Link()
    link.open()

    assert over(link, Other(0)) == "gap"


def test_repeated_event_does_no_harm() -> None:
    """An event that comes again is passed on and changes no number."""
    link = established(5)

    assert taken(link, PostedEvent(POSTED, 2)) == [Seen(POSTED)]
    assert link.expected == 5


def test_malformed_event_counts_as_read() -> None:
    """It would be the same when replayed."""
    link = established(5)

    assert taken(link, Malformed("?", 5), Malformed("?"), Other(6)) == []
    assert link.expected == 7


def test_what_is_not_put_is_not_received() -> None:
    """The number only moves past an event that was put where it waits to be taken."""
    link = reopened(5)
    for frame in (PostedEvent(POSTED, 5), Hello("c2", "10.4", 0)):
        with pytest.raises(Over):
            link.take(frame, _full)

    assert link.query() == {"connection_id": "c1", "sequence_number": "5"}
    assert not link.established


def test_reply_that_knows_no_session() -> None:
    """A revoked or bad token leaves the connection open and says so only to an action."""
    for link in (Link(), established()):
        assert (
            over(link, Reply(1, ok=False, error_id="api.web_socket_router.not_authenticated.app_error"))
            == "refused"
        )


def test_other_failed_reply_means_nothing() -> None:
    """E.g. `user_typing` fails while the server is busy."""
    link = reopened()

    assert taken(link, Reply(2, ok=False, error_id="api.websocket_handler.server_busy.app_error")) == []
    assert not link.established


def test_skip_passes_only_over_the_next_event_of_an_established_connection() -> None:
    """Everything else is left to `take`."""
    link = reopened(5)
    before = link.skip(5)
    taken(link, PONG)

    assert [before, link.skip(6), link.skip(4), link.skip(5), link.skip(6)] == [
        False,
        False,
        False,
        True,
        True,
    ]
    assert link.expected == 7


def test_forgotten_connection_is_not_resumed() -> None:
    """The next one is fresh, and its hello tells of the loss."""
    link = established(5)
    link.forget()
    query = link.query()
    link.open()

    assert query == {}
    assert taken(link, PONG, Hello("c2", "10.4", 0)) == [Connected(lost=True)]


@pytest.mark.parametrize(
    ("reason", "began", "doubt"),
    [
        ("refused", True, True),
        ("refused", False, True),
        ("closed", False, True),
        ("silent", False, True),
        ("closed", True, False),
        ("deaf", True, False),
        ("unreachable", False, False),
        ("full", True, False),
    ],
)
def test_when_the_token_is_in_doubt(reason: Reason, *, began: bool, doubt: bool) -> None:
    """Mattermost hangs up on a token that it does not know without a word, 5 s after the opening."""
    assert Over(reason).leaves_token_in_doubt(began=began) is doubt


def _full(_events: tuple[Event, ...]) -> None:
    raise Over("full")

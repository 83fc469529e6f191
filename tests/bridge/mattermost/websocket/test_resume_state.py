"""What the frames add up to, and where a connection is resumed."""

import pytest

from bridge.mattermost.websocket.frames import Frame, Hello, Malformed, Other, PostedEvent, Reply
from bridge.mattermost.websocket.resume_state import (
    Connected,
    ConnectionEnded,
    Event,
    Reason,
    ResumeState,
    Seen,
)
from bridge.mattermost.wire import parse_posted
from tests.support.mattermost_frames import posted_data

POSTED = parse_posted(posted_data())
HELLO = Hello("c1", "10.4", 0)
PONG = Reply(1, ok=True)


def taken(resume: ResumeState, *frames: Frame) -> list[Event]:
    events: list[Event] = []
    for frame in frames:
        resume.take(frame, events.extend)
    return events


def established(expected: int = 1) -> ResumeState:
    """A link whose connection was lost after it had expected that `seq`."""
    resume = ResumeState()
    resume.open()
    taken(resume, HELLO, *map(Other, range(1, expected)))
    return resume


def reopened(expected: int = 1) -> ResumeState:
    resume = established(expected)
    resume.open()
    return resume


def ended(resume: ResumeState, frame: Frame) -> Reason:
    with pytest.raises(ConnectionEnded) as raised:
        resume.take(frame, lambda _: None)
    return raised.value.reason


def test_first_connection_may_have_lost_events() -> None:
    """Whatever came before the first hello is to be read over REST."""
    resume = ResumeState()
    resume.open()

    assert taken(resume, HELLO, PONG, PostedEvent(POSTED, 1)) == [Connected(lost=True), Seen(POSTED)]
    assert resume.query() == {"connection_id": "c1", "sequence_number": "2"}


def test_no_resume_before_a_hello_was_read() -> None:
    """`sequence_number=0` with a known id replays nothing and sends no hello: a loss without a sign."""
    resume = ResumeState()
    resume.open()
    taken(resume, PONG, Malformed("?"))

    assert resume.query() == {}


def test_server_that_resumes_nothing() -> None:
    """Old ones name no connection: every new one begins with a hello, and tells of a loss."""
    resume = ResumeState()
    resume.open()
    events = taken(resume, Hello("", "5.37", 0), PONG, PostedEvent(POSTED, 1))

    assert events == [Connected(lost=True), Seen(POSTED)]
    assert resume.query() == {}
    assert ended(resume, Other(3)) == "gap"


def test_resume_is_known_by_the_reply() -> None:
    """A hello is always written before the reply to a ping, so a reply without one means resumed."""
    resume = reopened(5)

    assert taken(resume, PONG, Other(5), PONG) == [Connected(lost=False)]
    assert resume.expected == 6


@pytest.mark.parametrize("frame", [Other(5), Malformed("?", 5), PostedEvent(POSTED, 5)])
def test_resume_is_known_by_the_first_replayed_event(frame: Frame) -> None:
    """A resumed connection begins with exactly the event that was asked for."""
    assert taken(reopened(5), frame)[0] == Connected(lost=False)


def test_hello_with_another_id_means_loss() -> None:
    """The server could not resume: numbers start anew."""
    resume = reopened(5)

    assert taken(resume, Hello("c2", "10.4", 0), PONG, Other(1)) == [Connected(lost=True)]
    assert resume.query() == {"connection_id": "c2", "sequence_number": "2"}


def test_gap_keeps_what_is_expected() -> None:
    """After a gap the missing events are asked for."""
    resume = established(5)

    assert ended(resume, PostedEvent(POSTED, 7)) == "gap"
    assert resume.query() == {"connection_id": "c1", "sequence_number": "5"}


def test_gap_right_after_the_hello() -> None:
    """A hello is something to resume from."""
    resume = ResumeState()
    resume.open()
    taken(resume, HELLO)

    assert ended(resume, Other(2)) == "gap"
    assert resume.query() == {"connection_id": "c1", "sequence_number": "1"}


@pytest.mark.parametrize("before", [(), (PONG,)])
def test_gap_at_the_beginning_of_a_resume_gives_the_connection_up(before: tuple[Frame, ...]) -> None:
    """What a resume does not bring a second one does not bring either: no loop, but a fresh connection."""
    resume = reopened(5)
    taken(resume, *before)

    assert ended(resume, Other(7)) == "gap"
    assert resume.query() == {}


def test_event_before_the_hello_of_a_fresh_connection() -> None:
    """Without a hello nobody knows what is missing."""
    resume = ResumeState()
    resume.open()

    assert ended(resume, Other(0)) == "gap"


def test_repeated_event_does_no_harm() -> None:
    """An event that comes again is passed on and changes no number."""
    resume = established(5)

    assert taken(resume, PostedEvent(POSTED, 2)) == [Seen(POSTED)]
    assert resume.expected == 5


def test_malformed_event_counts_as_read() -> None:
    """It would be the same when replayed."""
    resume = established(5)

    assert taken(resume, Malformed("?", 5), Malformed("?"), Other(6)) == []
    assert resume.expected == 7


def test_what_is_not_put_is_not_received() -> None:
    """The number only moves past an event that was put where it waits to be taken."""
    resume = reopened(5)
    for frame in (PostedEvent(POSTED, 5), Hello("c2", "10.4", 0)):
        with pytest.raises(ConnectionEnded):
            resume.take(frame, _full)

    assert resume.query() == {"connection_id": "c1", "sequence_number": "5"}
    assert not resume.established


def test_reply_that_knows_no_session() -> None:
    """A revoked or bad token leaves the connection open and says so only to an action."""
    for resume in (ResumeState(), established()):
        assert (
            ended(resume, Reply(1, ok=False, error_id="api.web_socket_router.not_authenticated.app_error"))
            == "refused"
        )


def test_other_failed_reply_means_nothing() -> None:
    """E.g. `user_typing` fails while the server is busy."""
    resume = reopened()

    assert taken(resume, Reply(2, ok=False, error_id="api.websocket_handler.server_busy.app_error")) == []
    assert not resume.established


def test_skip_passes_only_over_the_next_event_of_an_established_connection() -> None:
    """Everything else is left to `take`."""
    resume = reopened(5)
    before = resume.skip(5)
    taken(resume, PONG)

    assert [before, resume.skip(6), resume.skip(4), resume.skip(5), resume.skip(6)] == [
        False,
        False,
        False,
        True,
        True,
    ]
    assert resume.expected == 7


def test_forgotten_connection_is_not_resumed() -> None:
    """The next one is fresh, and its hello tells of the loss."""
    resume = established(5)
    resume.forget()
    query = resume.query()
    resume.open()

    assert query == {}
    assert taken(resume, PONG, Hello("c2", "10.4", 0)) == [Connected(lost=True)]


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
    assert ConnectionEnded(reason).leaves_token_in_doubt(began=began) is doubt


def _full(_events: tuple[Event, ...]) -> None:
    raise ConnectionEnded("full")

"""The rate limit, off unless it is switched on."""

from bridge.sandbox.mattermost import Settings, Store
from bridge.sandbox.mattermost.ratelimit import RateLimiter
from tests.bridge.sandbox.mattermost.conftest import Scene


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def limiter(clock: Clock) -> RateLimiter:
    settings = Settings()
    settings.patch({"RateLimitSettings": {"Enable": True, "PerSec": 10, "MaxBurst": 4}})
    return RateLimiter(Store(settings, clock=clock))


def test_a_burst_passes_and_then_no_more() -> None:
    """MaxBurst and one more pass at once; the next is told to wait."""
    limit = limiter(Clock())
    passed = [limit.check("a") for _ in range(5)]
    refused = limit.check("a")
    assert not any(verdict.limited for verdict in passed)
    assert [verdict.headers["X-RateLimit-Remaining"] for verdict in passed] == ["4", "3", "2", "1", "0"]
    assert refused.limited
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["X-RateLimit-Limit"] == "5"


def test_time_makes_room() -> None:
    """PerSec requests a second are let in again."""
    clock = Clock()
    limit = limiter(clock)
    for _ in range(6):
        limit.check("a")
    clock.now += 0.2
    assert [limit.check("a").limited for _ in range(3)] == [False, False, True]


def test_keys_do_not_share() -> None:
    """Another address has a bucket of its own."""
    limit = limiter(Clock())
    for _ in range(6):
        limit.check("a")
    assert not limit.check("b").limited


def test_nothing_is_counted_while_it_is_off() -> None:
    """No verdict, no header."""
    limit = RateLimiter(Store())
    assert all(limit.check("a").headers == {} for _ in range(1_000))


async def test_a_refusal_is_plain_text_with_headers(scene: Scene) -> None:
    """429 has no JSON; answers that pass have the counters too."""
    scene.store.settings.patch({"RateLimitSettings": {"Enable": True, "PerSec": 1, "MaxBurst": 1}})
    scene.store._clock = Clock()
    answers = [await scene.as_ada.api.call("GET", "/users/me") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[0].headers["X-RateLimit-Remaining"] == "1"
    assert answers[2].body == "limit exceeded\n"
    assert int(answers[2].headers["Retry-After"]) == 1

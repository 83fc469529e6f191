"""The line about each request, and its place in the metrics."""

import asyncio
import io
from collections.abc import Iterator

import pytest
import structlog

from bridge import log
from bridge.metrics import Metrics
from handlers.http.app import make_app
from handlers.http.app_keys import Services
from handlers.http.request_log import EndedRequest, RequestLog
from tests.support.api import Lines, serving

GOOD = EndedRequest("GET", "/greet/{name}", 200, None, 0.01234, "r-1")
FAILED = EndedRequest("HEAD", "/greet/{name}", 503, "equa_unavailable", 2.0, "r-2")


class Writes(io.StringIO):
    """Counts how often something is written."""

    count = 0

    def write(self, text: str) -> int:
        self.count += 1
        return super().write(text)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


async def written(*ended: EndedRequest, level: log.Level = "info") -> Lines:
    lines = Lines(Writes())
    log.configure(level, "json", lines.stream)
    requests = RequestLog("x", Metrics())
    for each in ended:
        requests.add(each)
    await asyncio.sleep(0)
    return lines


async def test_requests_of_one_turn_are_written_at_once() -> None:
    """In their order, each on a line of its own."""
    lines = await written(GOOD, FAILED, GOOD)

    assert [line["request_id"] for line in lines.all] == ["r-1", "r-2", "r-1"]
    assert isinstance(lines.stream, Writes)
    assert lines.stream.count == 1


async def test_each_has_its_own_values() -> None:
    """Its time in milliseconds."""
    good, failed = (await written(GOOD, FAILED)).all

    assert (good["method"], good["status"], good["ms"], good["error"]) == ("GET", 200, 12.3, None)
    assert (failed["method"], failed["ms"], failed["error"]) == ("HEAD", 2000.0, "equa_unavailable")
    assert (good["level"], failed["level"]) == ("info", "warning")


async def test_only_wanted_lines_are_written() -> None:
    """A fault is a warning."""
    lines = await written(GOOD, FAILED, level="warning")

    assert [line["request_id"] for line in lines.all] == ["r-2"]


async def test_nothing_is_written_of_nothing_wanted() -> None:
    """Not even an empty line."""
    lines = await written(GOOD, FAILED, level="error")

    assert lines.stream.getvalue() == ""


async def test_requests_of_a_pause_are_written_together() -> None:
    """Those of another turn too, and the last ones at the end."""
    lines = Lines(Writes())
    log.configure("info", "json", lines.stream)
    requests = RequestLog("x", Metrics(), pause=3600)
    requests.add(GOOD)
    await asyncio.sleep(0)
    requests.add(FAILED)

    assert not lines.all
    requests.write()
    assert [line["request_id"] for line in lines.all] == ["r-1", "r-2"]
    requests.write()
    assert len(lines.all) == 2


async def test_a_pause_ends() -> None:
    """By itself."""
    lines = Lines()
    log.configure("info", "json", lines.stream)
    RequestLog("x", Metrics(), pause=0.001).add(GOOD)

    async with asyncio.timeout(60):
        while not lines.all:
            await asyncio.sleep(0.001)

    assert [line["request_id"] for line in lines.all] == ["r-1"]


async def test_nothing_is_lost_at_the_end(services: Services) -> None:
    """The last lines are written when the server stops."""
    lines = Lines()
    log.configure("info", "json", lines.stream)

    async with serving(make_app(services, log_pause=3600)) as client:
        await client.get("/healthz")
        assert not lines.requests

    assert [line["route"] for line in lines.requests] == ["/healthz"]

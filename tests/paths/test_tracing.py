"""One trace from the frame to the post, with the real daemon and a collector."""

from pathlib import Path

from aiohttp import ClientSession

from tests.support.collector import collecting
from tests.support.daemon import running
from tests.support.hosts import Company, Hosts
from tests.support.ports import reserved_port

FAST = {"OTEL_BSP_SCHEDULE_DELAY": "100"}
"""Milliseconds between two batches; the SDK's own variable."""


async def test_a_mention_is_one_trace(hosts: Hosts, acme: Company, tmp_path: Path) -> None:
    """Seen, worked on, asked, posted: one trace under the id that the log and the agent have too."""
    async with collecting() as collector:
        environ = {**hosts.environ, **FAST, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        async with running(environ, tmp_path / "daemon.log") as daemon:
            post = hosts.ask(acme, "@equabot who is on our team?")
            await hosts.answered(post)
            assert await daemon.stop() == 0

    (job,) = [span for span in collector.spans if span.name == "job mention"]
    trace = {span.name: span for span in collector.spans if span.trace == job.trace}
    assert trace.keys() == {"post seen", "job mention", "agent", "mattermost POST /posts"}
    seen = trace["post seen"]
    assert (seen.parent, job.parent) == ("", seen.id)
    assert trace["agent"].parent == trace["mattermost POST /posts"].parent == job.id
    assert seen.attributes["request_id"] == job.attributes["request_id"] == post.id
    assert job.attributes["outcome"] == "done"
    assert {span.service for span in collector.spans} == {"equabot-bridge"}
    (call,) = hosts.agent.calls
    assert call.headers["traceparent"] == f"00-{job.trace}-{trace['agent'].id}-01"
    assert call.headers["x-request-id"] == post.id
    (line,) = [line for line in daemon.lines() if line.get("event") == "job"]
    assert line["request_id"] == post.id


async def test_a_request_joins_its_callers_trace(hosts: Hosts, tmp_path: Path) -> None:
    """Who sends a `traceparent` finds our part of the work under it."""
    caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with collecting() as collector, ClientSession() as client:
        environ = {**hosts.environ, **FAST, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        async with running(environ, tmp_path / "daemon.log") as daemon:
            headers = {"traceparent": caller, "X-Request-Id": "asked-by-somebody"}
            url = f"{daemon.url}/api/v1/mattermost/team-mapping/{'t' * 26}"
            async with client.get(url, headers=headers) as response:
                assert response.status == 401
            await daemon.stop()

    (served,) = [span for span in collector.spans if span.attributes.get("request_id") == "asked-by-somebody"]
    assert (served.trace, served.parent) == tuple(caller.split("-")[1:3])
    assert served.attributes["route"] == "/api/v1/mattermost/team-mapping/{teamId}"
    assert (served.attributes["status"], served.attributes["code"]) == (401, "not_signed_in")


async def test_an_absent_collector_holds_nothing_up(hosts: Hosts, acme: Company, tmp_path: Path) -> None:
    """Nobody listens there: the bot answers, and a stop is a stop."""
    environ = {**hosts.environ, **FAST, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{reserved_port()}"}
    async with running(environ, tmp_path / "daemon.log") as daemon:
        post = hosts.ask(acme, "@equabot who is on our team?")
        await hosts.answered(post)

        assert await daemon.stop(seconds=10) == 0

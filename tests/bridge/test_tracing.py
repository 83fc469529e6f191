"""Spans: what is in them, how they hang together, and that nothing is recorded unasked."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from bridge import tracing
from bridge.errors import AgentUnavailable, StartupError
from bridge.tracing.otel import OtelTracer, provided

POST = "p" * 26


@dataclass(frozen=True, slots=True)
class Process:
    """A process that records."""

    tracer: OtelTracer
    provider: TracerProvider
    exporter: InMemorySpanExporter

    def spans(self) -> dict[str, ReadableSpan]:
        self.provider.force_flush()
        return {span.name: span for span in self.exporter.get_finished_spans()}


def make() -> Process:
    exporter = InMemorySpanExporter()
    provider = provided(exporter)
    return Process(OtelTracer(provider), provider, exporter)


@pytest.fixture
def process() -> Iterator[Process]:
    made = make()
    yield made
    made.provider.shutdown()


@pytest.fixture
def other() -> Iterator[Process]:
    made = make()
    yield made
    made.provider.shutdown()


def test_another_process_goes_on_with_the_trace(process: Process, other: Process) -> None:
    """The post's id is all that both have to know."""
    process.tracer.seen(POST, began=1)
    with other.tracer.job("job mention", POST, {}):
        pass

    seen, job = process.spans()["post seen"], other.spans()["job mention"]
    assert seen.context
    assert seen.parent is None
    assert job.parent
    assert (job.parent.trace_id, job.parent.span_id) == (seen.context.trace_id, seen.context.span_id)


def test_each_post_has_a_trace_of_its_own(process: Process) -> None:
    """And a job that no post asked for has a new one each time."""
    for post in (POST, "q" * 26, None, None):
        with process.tracer.job("job", post, {}):
            pass

    process.provider.force_flush()
    contexts = [span.context for span in process.exporter.get_finished_spans()]
    assert len({context.trace_id for context in contexts if context}) == 4


def test_what_goes_on_within_is_a_part(process: Process) -> None:
    """And the callee is told of it."""
    with process.tracer.job("job mention", POST, {}), process.tracer.span("agent", {"model": "m"}) as span:
        span.set(tokens=3)
        headers = process.tracer.headers()

    spans = process.spans()
    agent, job = spans["agent"], spans["job mention"]
    assert agent.context
    assert job.context
    assert agent.parent == job.context
    assert dict(agent.attributes or {}) == {"model": "m", "tokens": 3}
    assert headers["traceparent"].split("-")[1:3] == [
        f"{agent.context.trace_id:032x}",
        f"{agent.context.span_id:016x}",
    ]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AgentUnavailable("the secret is 42"), "agent_unavailable"),
        (ValueError("the secret is 42"), "ValueError"),
    ],
)
def test_a_failure_tells_its_code_only(process: Process, error: Exception, code: str) -> None:
    """The text of an error may hold what a collector has no business with."""
    with pytest.raises(type(error)), process.tracer.job("job mention", POST, {}):
        raise error

    span = process.spans()["job mention"]
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == code
    assert "secret" not in span.to_json()


def test_what_belongs_to_nothing_is_not_recorded(process: Process) -> None:
    """Probes look at Mattermost every few seconds."""
    with process.tracer.span("mattermost GET /system/ping", {}) as span:
        span.set(status=200)

    assert process.spans() == {}


@pytest.mark.parametrize(("ratio", "spans"), [("0", set()), ("1", {"post seen", "job mention"})])
def test_sampling_takes_traces_whole(monkeypatch: pytest.MonkeyPatch, ratio: str, spans: set[str]) -> None:
    """The SDK's sampler decides by the trace's id, so all processes decide alike."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", ratio)
    process = make()
    process.tracer.seen(POST, began=1)
    with process.tracer.job("job mention", POST, {}):
        pass

    assert process.spans().keys() == spans
    process.provider.shutdown()


def test_the_services_name_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the variable that everybody uses for it."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "bridge-eu")

    assert make().provider.resource.attributes["service.name"] == "bridge-eu"


async def test_nothing_is_recorded_unasked() -> None:
    """All of it may be called all the same."""
    async with tracing.opened(None):
        tracing.seen(POST, began=1)
        with tracing.job("job", POST) as job, tracing.span("a"), tracing.served("GET", {}):
            job.set(outcome="done")

        assert tracing.headers() == {}


def test_nothing_is_imported_unasked() -> None:
    """The daemon does not even load what it does not use."""
    script = (
        "import sys, bridge.runtime.daemon; print([name for name in sys.modules if 'opentelemetry' in name])"
    )

    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "[]\n"


async def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install, and before anything else is started."""
    monkeypatch.setitem(sys.modules, "bridge.tracing.otel", None)

    with pytest.raises(StartupError, match=r"pip install 'equabot-bridge\[tracing\]'"):
        async with tracing.opened("http://127.0.0.1:1"):
            pass

"""Spans by OpenTelemetry's SDK, which reads its own variables beside ours: sampler, headers, resource."""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bridge.errors import BridgeError
from bridge.tracing import SILENT, Attribute, Span

_SEND_SECONDS = 5.0
"""A collector that accepts and never answers holds up our end for so long."""

_NOWHERE = Context()
_W3C = TraceContextTextMapPropagator()

_first: ContextVar[tuple[int, int] | None] = ContextVar("first", default=None)
"""The ids of the span that is started now, if they are ids: of its trace and its own."""


class _Ids(RandomIdGenerator):
    def generate_trace_id(self) -> int:
        ids = _first.get()
        return ids[0] if ids else super().generate_trace_id()

    def generate_span_id(self) -> int:
        ids = _first.get()
        return ids[1] if ids else super().generate_span_id()


class _Recorded:
    """A span of the SDK."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def set(self, **attributes: Attribute) -> None:
        self._span.set_attributes(attributes)

    def fail(self, error: BaseException) -> None:
        """Say what went wrong by its code; the text of somebody else's error may hold anything."""
        code = error.code if isinstance(error, BridgeError) else type(error).__name__
        self._span.set_attribute("error.type", code)
        self._span.set_status(Status(StatusCode.ERROR))


class OtelTracer:
    """`bridge.tracing.Tracer` on a provider."""

    def __init__(self, provider: TracerProvider) -> None:
        self._sampler = provider.sampler
        self._tracer = provider.get_tracer("equabot-bridge")

    def span(self, name: str, attributes: Mapping[str, Attribute]) -> AbstractContextManager[Span]:
        if not trace.get_current_span().get_span_context().is_valid:
            return SILENT
        return self._recording(name, SpanKind.CLIENT, attributes, None)

    def served(
        self, name: str, headers: Mapping[str, str], attributes: Mapping[str, Attribute]
    ) -> AbstractContextManager[Span]:
        caller = _W3C.extract({key.lower(): value for key, value in headers.items()}, _NOWHERE)
        return self._recording(name, SpanKind.SERVER, attributes, caller)

    def job(
        self, name: str, post_id: str | None, attributes: Mapping[str, Attribute]
    ) -> AbstractContextManager[Span]:
        parent = self._after(post_id) if post_id else _NOWHERE
        return self._recording(name, SpanKind.CONSUMER, attributes, parent)

    def seen(self, post_id: str, began: int) -> None:
        reset = _first.set(_ids(post_id))
        try:
            span = self._tracer.start_span(
                "post seen", _NOWHERE, SpanKind.PRODUCER, {"request_id": post_id}, start_time=began
            )
        finally:
            _first.reset(reset)
        span.end(time.time_ns())

    def headers(self) -> Mapping[str, str]:
        carried: dict[str, str] = {}
        _W3C.inject(carried)
        return carried

    @contextmanager
    def _recording(
        self, name: str, kind: SpanKind, attributes: Mapping[str, Attribute], parent: Context | None
    ) -> Iterator[_Recorded]:
        span = self._tracer.start_span(name, parent, kind, dict(attributes))
        recorded = _Recorded(span)
        with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                yield recorded
            except BaseException as error:
                recorded.fail(error)
                raise

    def _after(self, post_id: str) -> Context:
        """Return the parent behind `seen`, sampled if that was: by the trace's id, like everywhere."""
        trace_id, span_id = _ids(post_id)
        decision = self._sampler.should_sample(_NOWHERE, trace_id, "post seen").decision
        sampled = decision is Decision.RECORD_AND_SAMPLE
        flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
        return set_span_in_context(
            NonRecordingSpan(SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags)), _NOWHERE
        )


@asynccontextmanager
async def collected(endpoint: str) -> AsyncIterator[OtelTracer]:
    """Send what is recorded to a collector, in batches from a thread of its own."""
    exporter = OTLPSpanExporter(f"{endpoint}/v1/traces", timeout=_SEND_SECONDS)
    provider = provided(exporter)
    try:
        yield OtelTracer(provider)
    finally:
        await asyncio.to_thread(provider.shutdown)


def provided(exporter: SpanExporter) -> TracerProvider:
    """Return a provider whose spans go to `exporter`."""
    named = os.environ.get("OTEL_SERVICE_NAME") or "equabot-bridge"
    resource = Resource.create({"service.name": named})
    provider = TracerProvider(resource=resource, id_generator=_Ids(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _ids(post_id: str) -> tuple[int, int]:
    """Return the ids of a post's trace and of its first span."""
    digest = hashlib.sha256(b"equabot-bridge/" + post_id.encode()).digest()
    return int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])

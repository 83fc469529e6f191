"""A collector of traces: OTLP over HTTP, as the real ones speak it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.agent import serving


@dataclass(frozen=True, slots=True)
class Collected:
    """A span that arrived; ids in hexadecimal, `parent` empty for a first one."""

    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]
    service: str


@dataclass(slots=True)
class Collector:
    url: str = ""
    spans: list[Collected] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        sent = ExportTraceServiceRequest.FromString(await request.read())
        for group in sent.resource_spans:
            service = _attributes(group.resource.attributes)["service.name"]
            for scope in group.scope_spans:
                self.spans += [_collected(span, service) for span in scope.spans]
        return web.Response(content_type="application/x-protobuf")


def _collected(span: Any, service: str) -> Collected:
    trace, own, parent = (part.hex() for part in (span.trace_id, span.span_id, span.parent_span_id))
    return Collected(span.name, trace, own, parent, _attributes(span.attributes), service)


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """Serve a collector on a port of its own."""
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    async with serving(app) as url:
        collector.url = url
        yield collector

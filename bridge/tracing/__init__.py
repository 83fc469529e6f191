"""Traces: the parts of a mention or a request and how long each took, as spans.

Nothing is recorded, and nothing of OpenTelemetry imported, outside of `opened`; then `span` and `job` cost
less than a microsecond. A post's trace is found from the post's id alone, so a process that goes on with it
after a crash, or only claims what another one stored, adds to the same trace.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import Protocol

from bridge.errors import StartupError

Attribute = str | int | float | bool


class Span(Protocol):
    """A part of the work, while it goes on."""

    def set(self, **attributes: Attribute) -> None:
        """Add what has become known."""


class _Silent:
    def set(self, **attributes: Attribute) -> None:
        pass


class Tracer(Protocol):
    """Records spans; its methods are those of this module."""

    def span(self, name: str, attributes: Mapping[str, Attribute]) -> AbstractContextManager[Span]: ...

    def served(
        self, name: str, headers: Mapping[str, str], attributes: Mapping[str, Attribute]
    ) -> AbstractContextManager[Span]: ...

    def seen(self, post_id: str, began: int) -> None: ...

    def job(
        self, name: str, post_id: str | None, attributes: Mapping[str, Attribute]
    ) -> AbstractContextManager[Span]: ...

    def headers(self) -> Mapping[str, str]: ...


SILENT: AbstractContextManager[Span] = nullcontext(_Silent())
"""A span that is not recorded."""
_NO_HEADERS: Mapping[str, str] = {}
_tracer: Tracer | None = None


def enabled() -> bool:
    """Return whether spans are recorded."""
    return _tracer is not None


def span(name: str, **attributes: Attribute) -> AbstractContextManager[Span]:
    """Record a part of what goes on; what belongs to nothing, such as a probe, is not recorded."""
    return _tracer.span(name, attributes) if _tracer else SILENT


def served(name: str, headers: Mapping[str, str], **attributes: Attribute) -> AbstractContextManager[Span]:
    """Record an answered request in the trace that its `traceparent` names, or in a new one."""
    return _tracer.served(name, headers, attributes) if _tracer else SILENT


def seen(post_id: str, began: int) -> None:
    """Record that a post became a job just now; `began` in nanoseconds. It is the first span of its trace."""
    if _tracer:
        _tracer.seen(post_id, began)


def job(name: str, post_id: str | None, **attributes: Attribute) -> AbstractContextManager[Span]:
    """Record the work on a job: on a post in the post's trace, on anything else in a new one."""
    return _tracer.job(name, post_id, attributes) if _tracer else SILENT


def headers() -> Mapping[str, str]:
    """Return the headers that make the callee's spans a part of the trace that goes on."""
    return _tracer.headers() if _tracer else _NO_HEADERS


@asynccontextmanager
async def opened(endpoint: str | None) -> AsyncIterator[None]:
    """Send spans to the collector at `endpoint` (OTLP over HTTP, without its `/v1/traces`), if there is one.

    Raises `StartupError` if the packages are not installed. At the end what was not sent yet is sent.
    """
    global _tracer  # noqa: PLW0603  # like the log's configuration it is the process's
    if not endpoint:
        yield
        return
    try:
        from bridge.tracing.otel import collected  # noqa: PLC0415  # an extra's packages
    except ImportError as error:
        raise StartupError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed"
            f" ({error.name}): pip install 'equabot-bridge[tracing]', or unset it."
        ) from None
    async with collected(endpoint) as tracer:
        _tracer = tracer
        try:
            yield
        finally:
            _tracer = None

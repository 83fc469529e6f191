"""The log's line about each request, and its place in the metrics."""

import asyncio
import logging
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Literal, NamedTuple

import structlog

from bridge.log import now
from bridge.log.repeated import CHANGES, RepeatedEvent
from bridge.metrics import Metrics

_MOST_KINDS = 1_000
"""More than there are methods, routes, statuses and errors of them; strangers can invent methods."""


class EndedRequest(NamedTuple):
    """A request that was answered, with everything that is logged about it."""

    method: str
    route: str
    status: int
    error: str | None
    seconds: float
    request_id: str


class RequestLog:
    """Logs and measures requests after their responses were written, so that nobody waits for that.

    Those of `pause` seconds are written together, of one turn of the event loop if it is 0: a line alone
    takes the processor three times as long as one among others. Make it after logging is configured, and
    call `write` at the end.
    """

    def __init__(self, logger: str, metrics: Metrics, pause: float = 0.0) -> None:
        self._pause = pause
        self._write_lines = structlog.get_config()["logger_factory"](logger).msg
        self._metrics = metrics
        self._event = lru_cache(_MOST_KINDS)(_events(logger))
        self._ended: list[EndedRequest] = []

    def add(self, ended: EndedRequest) -> None:
        """Note a request; call it before its response is written."""
        if not self._ended:
            loop = asyncio.get_running_loop()
            if self._pause:
                loop.call_later(self._pause, self.write)
            else:
                loop.call_soon(self.write)
        self._ended.append(ended)

    def write(self) -> None:
        """Log and measure the requests that were noted."""
        batch = self._ended.copy()
        self._ended.clear()
        timestamp = now()
        lines = [line for ended in batch if (line := self._logged(ended, timestamp))]
        if lines:
            self._write_lines("\n".join(lines))

    def _logged(self, ended: EndedRequest, timestamp: str) -> str:
        """Measure a request; return its line, empty where none is wanted."""
        method, route, status, error, seconds, request_id = ended
        self._metrics.http_request(route, status, seconds)
        event = self._event(method, route, status, error)
        return event.line(timestamp, round(seconds * 1000, 1), request_id) if event else ""


def _events(logger: str) -> Callable[[str, str, int, str | None], RepeatedEvent | None]:
    wants = structlog.get_logger(logger).bind().is_enabled_for

    def event(method: str, route: str, status: int, error: str | None) -> RepeatedEvent | None:
        level = _level(status)
        if not wants(logging.getLevelNamesMapping()[level.upper()]):
            return None
        return RepeatedEvent(
            logger,
            level,
            "request",
            method=method,
            route=route,
            status=status,
            ms=CHANGES,
            error=error,
            request_id=CHANGES,
        )

    return event


def _level(status: int) -> Literal["info", "warning"]:
    return "warning" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "info"

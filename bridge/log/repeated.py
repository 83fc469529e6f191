"""Events that come with every request: their lines cost a small part of what others do."""

import json
from collections.abc import Mapping
from contextvars import Context
from typing import Literal

import structlog
from structlog.typing import EventDict

from bridge.log.limits import LONGEST_LINE
from bridge.log.secrets import without_credentials

CHANGES = object()
"""Stands for a value that is another one each time."""

_encode = json.JSONEncoder().encode


class RepeatedEvent:
    """An event whose values stay the same, but for those that are given as `CHANGES`.

    Its line is rendered once, by the processors of every other line; the values that change are then put into
    their places. Make it after logging is configured.
    """

    def __init__(self, logger: str, level: Literal["info", "warning"], event: str, **values: object) -> None:
        config = structlog.get_config()
        self._logger = config["logger_factory"](logger)
        self._processors = config["processors"]
        self._level = level
        self._event = {**values, "event": event}
        self._changing = tuple(name for name, value in values.items() if value is CHANGES)
        self._template = self._divided()

    def line(self, timestamp: str, *values: str | float) -> str:
        """Return the line with these values of the fields that change, in their order."""
        if self._template is not None:
            line = self._template % (*map(_shown, values), f'"{timestamp}"')
            if len(line) <= LONGEST_LINE:
                return line
        changed = dict(zip(self._changing, values, strict=True))
        return self._rendered({**changed, "timestamp": timestamp})

    def _divided(self) -> str | None:
        """Return the line with `%s` in the place of each value that changes; None if they have no places.

        So it is in lines for people, and where a value is hidden.
        """
        marks = {name: f"\0{name}\0" for name in (*self._changing, "timestamp")}
        pieces, rest = [], self._rendered(marks).replace("%", "%%")
        for mark in map(_encode, marks.values()):
            piece, found, rest = rest.partition(mark)
            if not found:
                return None
            pieces.append(piece)
        return "%s".join((*pieces, rest))

    def _rendered(self, values: Mapping[str, object]) -> str:
        return Context().run(self._processed, {**self._event, **values})

    def _processed(self, event: EventDict) -> str:
        line: object = event
        for processor in self._processors:
            line = processor(self._logger, self._level, line)
        return str(line)


def _shown(value: str | float) -> str:
    return _encode(without_credentials(value)) if isinstance(value, str) else repr(value)

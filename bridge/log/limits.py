"""Keep lines short: whatever is logged, a line has a length that every collector of logs takes."""

from collections.abc import Callable, Iterator

from structlog.typing import EventDict

from bridge.log.secrets import without_credentials

LONGEST_LINE = 16_000
"""Characters; container runtimes split lines at 16 KiB."""

_LONGEST_VALUES = (2_000, 500, 100)
"""Characters of a value, tried in this order."""

_TRACEBACK = 4
"""A traceback may be so many times as long."""

_ALWAYS = ("timestamp", "level", "logger", "event")


def within_limits(event: EventDict, render: Callable[[EventDict], str]) -> str:
    """Render an event; if its line gets too long, render it again with its values cut, or without them."""
    line = render(event)
    if len(line) <= LONGEST_LINE:
        return line
    return next(
        shorter
        for shorter in (render({**cut, "cut_from": len(line)}) for cut in _shorter(event))
        if len(shorter) <= LONGEST_LINE
    )


def _shorter(event: EventDict) -> Iterator[EventDict]:
    for longest in _LONGEST_VALUES:
        yield {name: _cut(name, value, longest) for name, value in event.items()}
    yield {name: _cut(name, event.get(name), 100) for name in _ALWAYS}


def _cut(name: str, value: object, longest: int) -> object:
    """Return the value if it is short, else its beginning and its end as text."""
    if isinstance(value, int | float | None):
        return value
    # Behind a cut a credential is not recognized any more.
    text = without_credentials(str(value))
    length = longest * _TRACEBACK if name == "exception" else longest
    if len(text) <= length:
        return text
    end = length * 3 // 4
    begin = length - end
    return f"{text[:begin]} [… {len(text) - length} characters …] {text[-end:]}"

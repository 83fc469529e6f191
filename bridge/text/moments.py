"""Days and moments as people and programs write them (RFC 3339). Pure: no I/O is imported here."""

import re
from datetime import UTC, datetime, timedelta

_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2}))?"
)


def beginning(text: str) -> datetime:
    """Return a moment in UTC, of a day its beginning; raise `ValueError` for anything else.

    A plus is read where a query has made a space of it.
    """
    match = _MOMENT.fullmatch(text.upper().replace(" ", "+"))
    if not match:
        raise ValueError
    day, time, fraction, zone = match.groups()
    if time is None:
        return datetime.fromisoformat(day).replace(tzinfo=UTC)
    moment = f"{day}T{time}{(fraction or '')[:7]}{zone.replace('Z', '+00:00')}"
    try:
        return datetime.fromisoformat(moment).astimezone(UTC)
    except OverflowError:
        raise ValueError from None


def end(text: str) -> datetime:
    """Return a moment in UTC, of a day its end; raise `ValueError` for anything else."""
    moment = beginning(text)
    try:
        return moment if "T" in text.upper() else moment + timedelta(days=1)
    except OverflowError:
        raise ValueError from None

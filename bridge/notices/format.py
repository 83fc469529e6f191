"""Amounts, dates and names as people read them. Pure: no I/O is imported here."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from bridge.notices.escape import inline

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
"""In English whatever the process's locale, unlike those of `strftime`."""

_MINOR_DIGITS: Mapping[str, int] = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}
"""Where ISO 4217 gives a currency other than two."""

_UNITS = ("KB", "MB", "GB", "TB", "PB")


def quantity(amount: Decimal) -> str:
    """Return e.g. `1,500,000` or `12.5`, exactly and without idle zeros."""
    return _grouped(amount, 0)


def money(amount: Decimal, currency: str) -> str:
    """Return e.g. `USD 1,250.00` or `USD 0.0001`: exactly, with at least the currency's usual decimals."""
    return f"{currency} {_grouped(amount, _MINOR_DIGITS.get(currency, 2))}"


def size(count: int) -> str:
    """Return a number of bytes as Mattermost shows those of files, e.g. `1.5 MB`: 1 KB is 1,024 bytes."""
    if count < 1024:
        return "1 byte" if count == 1 else f"{count} bytes"
    amount = Decimal(count)
    for unit in _UNITS:
        amount /= 1024
        rounded = amount.quantize(Decimal("0.1") if amount < 10 else Decimal(1), ROUND_HALF_UP)
        if rounded < 1024:
            break
    return f"{_grouped(rounded, 0)} {unit}"


def moment(time: datetime) -> str:
    """Return e.g. `22 November 2026, 14:05 UTC`."""
    utc = time.astimezone(UTC)
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc.year}, {utc:%H:%M} UTC"


def person(name: str, email: str | None = None) -> str:
    """Return a name as Markdown, with the address as code: so it calls nobody and can still be copied."""
    return f"{inline(name)} (`{email}`)" if email else inline(name)


def _grouped(amount: Decimal, digits: int) -> str:
    """Return it in full with at least so many decimals, without zeros at the end beyond them."""
    # Not by arithmetic, which rounds to the 28 digits of the context.
    whole, _, decimals = f"{amount:f}".partition(".")
    decimals = decimals.rstrip("0").ljust(digits, "0")
    return f"{int(whole):,}.{decimals}" if decimals else f"{int(whole):,}"

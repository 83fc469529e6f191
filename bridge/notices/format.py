"""Format amounts, dates and names for people. Pure: no I/O is imported here."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from bridge.notices.escape import inline

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
"""In English, whereas those of `strftime` depend on the process's locale."""

_WITHOUT_DECIMALS = frozenset(
    (
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    )
)
_WITH_THREE = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))
"""Currencies of ISO 4217 with other than two decimals."""

_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")


def quantity(amount: Decimal) -> str:
    """Return e.g. `1,500,000` or `12.5`, exactly and without trailing zeros."""
    return _grouped(amount, 0)


def money(amount: Decimal, currency: str) -> str:
    """Return e.g. `USD 1,250.00` or `USD 0.0001`: exactly, with at least the currency's usual decimals."""
    decimals = 0 if currency in _WITHOUT_DECIMALS else 3 if currency in _WITH_THREE else 2
    return f"{currency} {_grouped(amount, decimals)}"


def size(count: int) -> str:
    """Return a number of bytes as Mattermost shows those of files, e.g. `1.5 MB`: 1 KB is 1,024 bytes."""
    amount, unit = Decimal(count), 0
    while _rounded(amount) >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{_grouped(_rounded(amount), 0)} {_UNITS[unit]}"


def moment(time: datetime) -> str:
    """Return e.g. `22 November 2026, 14:05 UTC`."""
    utc = time.astimezone(UTC)
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc.year}, {utc:%H:%M} UTC"


def person(name: str, email: str | None = None) -> str:
    """Return a name as Markdown, with the address as code: so it calls nobody and can still be copied."""
    return f"{inline(name)} (`{email}`)" if email else inline(name)


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.1") if amount < 10 else Decimal(1), ROUND_HALF_UP)


def _grouped(amount: Decimal, digits: int) -> str:
    """Return the amount in full, with at least `digits` decimals and no trailing zeros beyond them."""
    # Arithmetic would round to the 28 digits of the decimal context.
    whole, _, decimals = f"{amount:f}".partition(".")
    decimals = decimals.rstrip("0").ljust(digits, "0")
    return f"{int(whole):,}.{decimals}" if decimals else f"{int(whole):,}"

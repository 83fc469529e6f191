"""Amounts, dates and names as people read them."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.notices.format import moment, money, person, quantity, size

_amounts = st.decimals(0, 10**18, places=18, allow_nan=False) | st.decimals(0, 10**18, places=0)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0"),
        ("7", "7"),
        ("1000", "1,000"),
        ("1500000", "1,500,000"),
        ("12.50", "12.5"),
        ("100.000", "100"),
        ("0007", "7"),
        ("0.000000000000000001", "0.000000000000000001"),
        ("999999999999999999.999999999999999999", "999,999,999,999,999,999.999999999999999999"),
    ],
)
def test_quantity(amount: str, text: str) -> None:
    """Thousands are separated; nothing is rounded."""
    assert quantity(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1250", "USD", "USD 1,250.00"),
        ("1.5", "EUR", "EUR 1.50"),
        ("0.0001", "USD", "USD 0.0001"),
        ("120", "JPY", "JPY 120"),
        ("120.5", "JPY", "JPY 120.5"),
        ("1.5", "KWD", "KWD 1.500"),
        ("0", "USD", "USD 0.00"),
    ],
)
def test_money(amount: str, currency: str, text: str) -> None:
    """At least as many decimals as the currency has, and all that there are."""
    assert money(Decimal(amount), currency) == text


@settings(deadline=None)
@given(_amounts)
def test_amounts_are_exact(amount: Decimal) -> None:
    """The amount shown is exactly the amount received."""
    assert Decimal(quantity(amount).replace(",", "")) == amount
    assert Decimal(money(amount, "USD").removeprefix("USD ").replace(",", "")) == amount


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1,023 B"),
        (1024, "1 KB"),
        (1536, "1.5 KB"),
        (10_189, "10 KB"),
        (1024**2 - 1, "1 MB"),
        (1_572_864, "1.5 MB"),
        (2**53, "8 PB"),
        (2**70, "1,048,576 PB"),
    ],
)
def test_size(count: int, text: str) -> None:
    """One decimal below ten, never 1,024 of a unit that has a next one."""
    assert size(count) == text


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (datetime(2026, 11, 22, 14, 5, 59, tzinfo=UTC), "22 November 2026, 14:05 UTC"),
        (
            datetime(2027, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))),
            "31 December 2026, 23:30 UTC",
        ),
    ],
)
def test_moment(time: datetime, text: str) -> None:
    """In English and UTC, wherever the process runs."""
    assert moment(time) == text


def test_person() -> None:
    """An address is code: no link, no mention, and it can be copied."""
    assert person("Ada_L", "ada@all.test") == r"Ada\_L (`ada@all.test`)"
    assert person("Ada") == "Ada"

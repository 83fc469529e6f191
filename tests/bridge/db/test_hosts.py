"""Addresses with one host and with several, as libpq reads them."""

import pytest

from bridge.db.hosts import hosts


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("postgresql://u:p@db/bridge", [("db", 5432)]),
        ("postgresql://u:p@one,two:5433/bridge", [("one", 5432), ("two", 5433)]),
        ("postgresql://one:1,two:2/bridge?target_session_attrs=read-write", [("one", 1), ("two", 2)]),
        ("postgresql://u@[::1]:54,[fe80::2]/bridge", [("::1", 54), ("fe80::2", 5432)]),
        ("postgresql://u@/bridge?host=one,two&port=1,2", [("one", 1), ("two", 2)]),
        ("postgresql://u@/bridge?host=/a,/b&port=1", [("/a", 1), ("/b", 1)]),
        ("postgresql://u@%2Fvar%2Frun/bridge", [("/var/run", 5432)]),
        ("postgresql:///bridge", [("", 5432)]),
    ],
)
def test_hosts(dsn: str, expected: list[tuple[str, int]]) -> None:
    assert hosts(dsn) == expected


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://one:x,two/bridge",
        "postgresql://u@/bridge?host=one,two,three&port=1,2",
    ],
)
def test_ports_that_do_not_fit_are_refused(dsn: str) -> None:
    with pytest.raises(ValueError, match=r"ports|int\(\)"):
        hosts(dsn)

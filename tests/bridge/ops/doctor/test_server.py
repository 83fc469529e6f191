"""The doctor's judgement of version, limits and clock."""

import time
from email.utils import formatdate

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from bridge.mattermost.rest.server_admin import Limits
from bridge.models.chat import User, UserId
from bridge.ops.doctor.server import administrator, clock, limits, version
from bridge.ops.doctor.web import Page
from bridge.ops.findings import Mark

ME = UserId("u" * 26)


@pytest.mark.parametrize(
    ("header", "mark", "says"),
    [
        ("10.4.0.10.4.0.abc.false", "good", "10.4.0"),
        ("10.11.2.10.11.2.abc.false", "good", "10.11.2"),
        ("11.6.0.11.6.0.abc.true", "good", "11.6.0"),
        ("5.37.0.5.37.0.abc.false", "warning", "older"),
        ("10.3.9.10.3.9.abc.false", "warning", "older"),
        ("11.0.1.11.0.1.abc.false", "warning", "at most 250"),
        ("12.1.0.12.1.0.abc.true", "warning", "newer"),
        ("", "warning", "unknown"),
        ("something", "warning", "unknown"),
    ],
)
def test_versions(header: str, mark: Mark, says: str) -> None:
    """Between the oldest and the newest tried; from 11 on a server without a licence takes 250 people."""
    found = version(header)

    assert found.mark == mark
    assert says in found.found


@pytest.mark.parametrize(
    ("found", "mark"),
    [
        (None, "good"),
        (Limits(7, 0, 0), "good"),
        (Limits(7, 5000, 11000), "good"),
        (Limits(5000, 5000, 11000), "warning"),
        (Limits(199, 300, 220), "warning"),
        (Limits(219, 300, 220), "warning"),
        (Limits(250, 200, 250), "bad"),
    ],
)
def test_limits(found: Limits | None, mark: Mark) -> None:
    """Near from the server's own warning or nine tenths on, and full at the limit."""
    assert limits(found).mark == mark


@pytest.mark.parametrize(
    ("ahead", "mark", "says"),
    [(0, "good", "as here"), (90, "warning", "ahead of"), (-90, "warning", "behind")],
)
def test_clocks(ahead: float, mark: Mark, says: str) -> None:
    """A second of difference is the header's own coarseness."""
    now = time.time()
    found = clock(_page(now, Date=formatdate(now + ahead, usegmt=True)))

    assert found.mark == mark
    assert says in found.found


def test_no_clock_to_compare_with() -> None:
    """A missing or unreadable Date is reported."""
    assert [clock(_page(0, **headers)).mark for headers in ({}, {"Date": "now"})] == ["warning", "warning"]


def test_administrators() -> None:
    """The role has to be system_admin; others that are called so do not count."""
    roles = ("system_user system_admin", "system_user", "system_user system_custom_group_admin")

    assert [administrator(User(ME, "ada", roles=each)).mark for each in roles] == ["good", "bad", "bad"]


def _page(asked_at: float, **headers: str) -> Page:
    return Page(200, CIMultiDictProxy(CIMultiDict(headers)), b"", asked_at, 0.01)

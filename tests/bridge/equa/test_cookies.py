"""The cookies that are Equa's go through unchanged, no other does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.equa.cookies import relayed, renewed
from tests.support.equa import COOKIES

SID = "connect.sid=s%3AaB-_9.k%2Bz%2F%3D"


@pytest.mark.parametrize(
    ("header", "sent"),
    [
        (SID, SID),
        (f"_ga=GA1.2; {SID}; theme=dark", SID),
        (f"{SID}; session=abc", f"{SID}; session=abc"),
        ("session=a:b.c/d==;connect.sid=1", "session=a:b.c/d==; connect.sid=1"),
        ('session="quoted value"', 'session="quoted value"'),
        ("session=one; session=two", "session=one; session=two"),
        ("session=", "session="),
        ("session=grün", "session=grün"),
        ("session=a\tb", "session=a\tb"),
        ("Session=abc", ""),
        ("session", ""),
        ("my_session=abc; xsession=1", ""),
        ("=session; ; ;", ""),
        ("session=a\r\nX-Evil: 1", ""),
        ("session=\x00", ""),
        ("session=\udc80", ""),
        ("", ""),
    ],
)
def test_of_a_cookie_header_only_the_allowed_pairs_remain_as_they_were(header: str, sent: str) -> None:
    """Values with %, :, ., = and quotes stay what they are; what cannot be sent exactly is not sent."""
    assert relayed(header, COOKIES) == sent


@settings(deadline=None)
@given(st.text())
def test_whatever_a_header_holds_what_is_sent_is_a_part_of_it(header: str) -> None:
    """Nothing is made up, and nothing is sent that HTTP could take for another header."""
    sent = relayed(header, COOKIES)

    assert all(pair in header for pair in sent.split("; "))
    assert not set(sent) & set("\r\n\x00")


@settings(deadline=None)
@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=";")))
def test_a_visible_value_survives_among_others(value: str) -> None:
    """Every printable value is relayed byte for byte."""
    assert relayed(f"a=1; connect.sid={value}; b=2", COOKIES) == f"connect.sid={value}"


@pytest.mark.parametrize(
    ("before", "set_cookies", "after"),
    [
        ("", [f"{SID}; Path=/; HttpOnly; SameSite=Lax"], SID),
        (SID, [], SID),
        (SID, ["connect.sid=new; Path=/"], "connect.sid=new"),
        (SID, ["lang=en; Path=/"], SID),
        (SID, ["session=b; Path=/"], f"{SID}; session=b"),
        (SID, ["connect.sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], ""),
        (SID, ["connect.sid=x; Max-Age=0"], ""),
        (SID, ["connect.sid=x; max-age=-1; Path=/"], ""),
        ("", ["connect.sid=x; Max-Age=100"], "connect.sid=x"),
        ("", ["connect.sid=a\x00b"], ""),
        ("", ["connect.sid"], ""),
    ],
)
def test_a_session_of_our_own_follows_set_cookie(before: str, set_cookies: list[str], after: str) -> None:
    """A rolling session's new value replaces the old; one that ends is dropped."""
    assert renewed(before, set_cookies, COOKIES) == after

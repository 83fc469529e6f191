"""A clock to turn, answers as bytes, and JSON of every kind."""

import json
from collections.abc import Sequence

from hypothesis import strategies as st

COOKIES = ("connect.sid", "session")
ADMIN_PERMISSIONS = ("editMembers", "editOrganizationDetails")


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def answer(status: int, body: object = None, *headers: str) -> bytes:
    """Return an HTTP response; a body that is not bytes is sent as JSON."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(sent)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + sent


def json_of(keys: Sequence[str], *leaves: object) -> st.SearchStrategy[object]:
    """Generate JSON whose objects use some of these keys and whose leaves are often of these."""
    scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
    return st.recursive(
        st.sampled_from(leaves or (None,)) | scalars,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(keys) | st.text("xyz_ö", max_size=3), inner, max_size=4)
        ),
        max_leaves=12,
    )

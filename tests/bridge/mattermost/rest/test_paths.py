"""Paths of the REST interface."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import InvalidRequest
from bridge.mattermost.rest.paths import checked, segment, template

ID = "a1" * 13


@pytest.mark.parametrize(
    "endpoint",
    [
        "/users/me",
        f"/channels/{ID}/posts",
        "/users/username/a.b-c_d",
        "/users/email/a+b@example.com",
        f"/users/email/{segment('a&b=c@example.com')}",
    ],
)
def test_ordinary_paths_are_kept(endpoint: str) -> None:
    """What the interface has is asked for as it stands."""
    assert checked(endpoint) == endpoint


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../../teams/abc?x=1#",
        "a\\b",
        "a?b",
        "a#b",
        "a b",
        "a\n",
        "é",
        "%2e%2e",
        "..%2f",
        "%00",
    ],
)
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    """mattermostdriver concatenates names unquoted; nothing may leave the path that was meant."""
    with pytest.raises(InvalidRequest):
        checked(f"/users/username/{name}")


@pytest.mark.parametrize("name", ["../../teams/abc", "..", "a/b", "a?b=c"])
def test_quoting_does_not_hide_them(name: str) -> None:
    """The server decodes a path before it cleans it."""
    with pytest.raises(InvalidRequest):
        checked(f"/users/username/{segment(name)}")


@given(st.text())
def test_a_path_stays_below_its_beginning(name: str) -> None:
    """Either it is refused or it is one segment."""
    try:
        path = checked(f"/users/username/{segment(name)}")
    except InvalidRequest:
        return
    assert path.count("/") == 3
    assert not set(path) & set("?#\\ \n")


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        ("/posts", "/posts"),
        (f"/posts/{ID}/thread", "/posts/{id}/thread"),
        (f"/users/{ID}/teams/{ID}/channels", "/users/{id}/teams/{id}/channels"),
        ("/users/username/alice", "/users/username/{username}"),
        ("/users/email/a@example.com", "/users/email/{email}"),
        (f"/teams/{ID}/channels/name/agent", "/teams/{id}/channels/name/{name}"),
    ],
)
def test_metrics_know_a_path_by_its_shape(endpoint: str, name: str) -> None:
    """The number of names stays small whatever is asked for."""
    assert template(endpoint) == name

"""Which hosts inside Mattermost may ask."""

import pytest

from bridge.ops.button_settings import is_allowed


@pytest.mark.parametrize(
    ("allowed", "host"), [("bridge.example", "bridge"), ("10.0.0.0", "10.0.0.1"), ("x/8", "10.0.0.1")]
)
def test_what_looks_alike_is_not_allowed(allowed: str, host: str) -> None:
    assert not is_allowed(allowed, host)

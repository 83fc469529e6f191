"""Many checks at once, of which some fail."""

import asyncio
import time
from collections.abc import Sequence

from bridge.errors import EquaUnavailable, TokenRefused
from bridge.ops.doctor.checks import Check, absent, run_all
from bridge.ops.findings import Finding

GOOD = Finding("good", "good", "well")


async def good() -> Sequence[Finding]:
    return [GOOD, GOOD]


async def stuck() -> Sequence[Finding]:
    await asyncio.Event().wait()
    return []


async def away() -> Sequence[Finding]:
    raise EquaUnavailable("Equa cannot be reached.")


async def refused() -> Sequence[Finding]:
    raise TokenRefused("Mattermost refused (401).", http_status=401)


async def broken() -> Sequence[Finding]:
    raise KeyError("secret")


async def test_one_failure_does_not_hide_the_others() -> None:
    """Each says what is wrong and what to do; what one found before stays in its order."""
    checks = [
        Check("stuck", stuck, "wait", deadline=0.1),
        Check("away", away, "see Equa"),
        Check("refused", refused, "see above", token="BOT_TOKEN", if_refused="make another"),
        Check("also refused", refused, "see above", token="BOT_TOKEN"),
        Check("broken", broken, "tell us"),
        Check("good", good, ""),
    ]

    assert await run_all(checks) == [
        Finding("stuck", "bad", "no answer within 0.1 s", "wait"),
        Finding("away", "bad", "Equa cannot be reached.", "see Equa"),
        Finding("refused", "bad", "Mattermost refuses BOT_TOKEN", "make another"),
        Finding("also refused", "bad", "Mattermost refuses BOT_TOKEN", "see above"),
        Finding("broken", "bad", "could not be checked (KeyError)", "tell us"),
        GOOD,
        GOOD,
    ]


async def test_they_are_looked_at_at_once() -> None:
    """Many that are stuck take no longer than one."""
    began = time.monotonic()
    await run_all([Check("stuck", stuck, "wait", deadline=0.2)] * 100)

    assert time.monotonic() - began < 10


async def test_what_is_not_configured_fails_only_where_it_is_required() -> None:
    """It says so in any case."""
    found = await run_all(
        [absent("Equa", "set it", required=True), absent("bot", "no answers", required=False)]
    )

    assert found == [
        Finding("Equa", "bad", "not configured", "set it"),
        Finding("bot", "absent", "not configured: no answers"),
    ]

"""Setup lets Mattermost ask the bridge and nobody else; the doctor presses a button to see it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from bridge.mattermost.rest.server_admin import RestOperator
from bridge.ops.doctor.buttons import ButtonSetup, ButtonTrial, is_allowed
from bridge.ops.findings import Finding
from bridge.sandbox.mattermost import Store
from handlers.http.actions import PATH
from tests.support.agent import serving

NAME = "AllowedUntrustedInternalConnections"


async def ensured(operator: RestOperator, url: str, *, dry_run: bool = False) -> list[Finding]:
    return await ButtonSetup(operator, url, is_set=True, dry_run=dry_run).ensure()


def allow(store: Store, hosts: str) -> None:
    store.settings.patch({"ServiceSettings": {NAME: hosts}})


@pytest.mark.parametrize(
    ("before", "url", "after"),
    [
        ("", "http://bridge:8090", "bridge"),
        ("db.internal, 10.0.0.0/8", "http://bridge:8090", "db.internal 10.0.0.0/8 bridge"),
        ("db.internal,bridge", "http://bridge:8090", "db.internal,bridge"),
        ("10.0.0.0/8", "http://10.1.2.3:8090", "10.0.0.0/8"),
        ("10.0.0.0/8", "http://192.168.2.3:8090", "10.0.0.0/8 192.168.2.3"),
        ("", "https://8.8.8.8", ""),
    ],
)
async def test_mattermost_may_ask_the_bridge_and_whom_it_could_before(
    store: Store, operator: RestOperator, before: str, url: str, after: str
) -> None:
    """A repeat changes nothing; a dry run neither."""
    allow(store, before)
    await ensured(operator, url, dry_run=True)
    assert store.settings.get("ServiceSettings", NAME) == before

    await ensured(operator, url)
    (again,) = await ensured(operator, url)

    assert store.settings.get("ServiceSettings", NAME) == after
    assert again.mark == "good"


async def test_the_variable_is_asked_for(operator: RestOperator) -> None:
    """Without it the bridge offers no buttons, whatever Mattermost may do."""
    found = await ButtonSetup(operator, "http://bridge:8090", is_set=False, dry_run=False).ensure()
    assert found[-1].todo == "set BRIDGE_URL=http://bridge:8090"

    (nowhere,) = await ButtonSetup(operator, "", is_set=False, dry_run=False).ensure()
    assert nowhere.mark == "absent"


@pytest.mark.parametrize(
    ("allowed", "host"), [("bridge.example", "bridge"), ("10.0.0.0", "10.0.0.1"), ("x/8", "10.0.0.1")]
)
def test_what_looks_alike_is_not_allowed(allowed: str, host: str) -> None:
    assert not is_allowed(allowed, host)


@asynccontextmanager
async def answering(status: int) -> AsyncIterator[str]:
    async def press(_: web.Request) -> web.Response:
        return web.Response(status=status, text="{}", content_type="application/json")

    app = web.Application()
    app.router.add_post(PATH, press)
    async with serving(app) as url:
        yield url


@pytest.mark.parametrize(
    ("allowed", "status", "found"),
    [
        ("", 200, "does not have its host"),
        ("127.0.0.1", 404, "does not reach the bridge"),
        ("127.0.0.1", 200, "something else than the bridge answers"),
    ],
)
async def test_the_doctor_says_what_is_wrong(
    store: Store, operator: RestOperator, allowed: str, status: int, found: str
) -> None:
    """And leaves no post behind."""
    allow(store, allowed)
    async with answering(status) as url:
        (finding,) = await ButtonTrial(operator, url).press()

    assert finding.mark == "bad"
    assert found in finding.found
    assert [post for post in store.posts.values() if not post.delete_at and post.props] == []

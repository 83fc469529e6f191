"""The doctor presses a button to see whether Mattermost reaches the bridge."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from bridge.mattermost.rest.server_admin import RestOperator
from bridge.ops.button_settings import NAME
from bridge.ops.doctor.buttons import ButtonTrial
from bridge.sandbox.mattermost import Store
from handlers.http.actions import PATH
from tests.support.agent import serving


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
    store.settings.patch({"ServiceSettings": {NAME: allowed}})
    async with answering(status) as url:
        (finding,) = await ButtonTrial(operator, url).press()

    assert finding.mark == "bad"
    assert found in finding.found
    assert [post for post in store.posts.values() if not post.delete_at and post.props] == []

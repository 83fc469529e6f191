"""Sign-in with Equa, every redirect of it, through the proxy that stands before Mattermost."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.front import APP
from tests.support.nginx import Nginx, serving
from tests.support.programs import required_program
from tests.support.sign_in import IN_FRAME, IN_TAB, Browser, SignIn, signing_in

COMPLETE = "/signup/gitlab/complete"


@pytest.fixture
async def on(dsn: str) -> AsyncIterator[SignIn]:
    async with signing_in(dsn) as sign_in:
        yield sign_in


@asynccontextmanager
async def proxied(on: SignIn, tmp_path: Path, **variables: str) -> AsyncIterator[Nginx]:
    upstreams = {
        "MATTERMOST_UPSTREAM": on.front.chat.server.url,
        "BRIDGE_UPSTREAM": str(on.front.client.make_url("")).rstrip("/"),
    }
    environment = {**upstreams, "FRAME_ANCESTORS": APP, **variables}
    async with serving(required_program("nginx"), tmp_path, environment) as nginx:
        yield nginx


def browser(on: SignIn, nginx: Nginx, *, framed: bool = True) -> Browser:
    made = on.browser(IN_FRAME if framed else IN_TAB)
    made.proxy = nginx.url
    return made


@pytest.mark.parametrize("embed", ["same", "cross"])
async def test_a_frame_is_signed_in(on: SignIn, tmp_path: Path, embed: str) -> None:
    """Three redirects after the ticket. In a frame of another site every cookie on the way says so."""
    async with proxied(on, tmp_path, EMBED_SITE=embed) as nginx:
        ada = browser(on, nginx)
        hops = await ada.enter(await on.ticket(), until="/acme-corp/channels/agent")
        assert await ada.me() == "ada"

    assert [hop.path for hop in hops] == [
        "/login/token",
        "/oauth/gitlab/login",
        "/login/equa/authorize",
        COMPLETE,
    ]
    cookies = [cookie.lower() for hop in hops for cookie in hop.set_cookies]
    assert any(cookie.startswith("mmauthtoken=") for cookie in cookies)
    if embed == "cross":
        assert all({"samesite=none", "secure", "partitioned"} <= set(each.split("; ")) for each in cookies)
        assert not any("samesite=lax" in each for each in cookies)


async def test_a_tab_is_signed_in_by_way_of_the_web_app(on: SignIn, tmp_path: Path) -> None:
    """From the button on Mattermost's page, with the session that the person has in Equa."""
    await on.ticket()  # so that the organization has a team
    async with proxied(on, tmp_path) as nginx:
        ada = browser(on, nginx, framed=False)
        ada.sign_in_to_equa()
        await ada.press_button(until="/acme-corp/channels/agent")
        assert await ada.me() == "ada"


async def test_nothing_of_it_is_logged(on: SignIn, tmp_path: Path) -> None:
    """Neither ticket nor code nor state, each of which is in an address."""
    ticket = await on.ticket()
    async with proxied(on, tmp_path) as nginx:
        hops = await browser(on, nginx).enter(ticket, until="/acme-corp/channels/agent")

    # Once it has ended: a request is logged after its response was read.
    log = nginx.access_log.read_text() + nginx.error_log.read_text()
    secrets = [ticket, hops[-1].query["code"], hops[-1].query["state"]]
    assert [each for each in secrets if each in log] == []
    assert COMPLETE in log


async def test_a_state_that_was_written_anew_goes_no_further(on: SignIn, tmp_path: Path) -> None:
    """Mattermost would add the person to the team that it names."""
    store = on.front.chat.store
    foreign = store.create_team("foreign")
    async with proxied(on, tmp_path) as nginx:
        ada = browser(on, nginx)
        hops = await ada.enter(await on.ticket(), until=COMPLETE)
        (query,) = [dict(hops[-1].location.query)]
        props = json.loads(base64.b64decode(query["state"])) | {"team_id": foreign.id}
        edited = base64.b64encode(json.dumps(props).encode()).decode()
        last = await ada.step(str(hops[-1].location.update_query(state=edited)))
        assert await ada.me() is None

    user = store.user_by_name["ada"]
    assert last.status == 403
    assert "Try again" in last.text
    assert not store.member_of_team(foreign.id, user.id)

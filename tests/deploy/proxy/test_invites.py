"""Nobody joins a team by an invite id: membership follows the organization."""

import pytest
from aiohttp import ClientSession
from yarl import URL

from tests.support.nginx import Nginx
from tests.support.upstream import Upstream

INVITE = "q" * 26


@pytest.mark.parametrize(
    "target",
    [
        f"/api/v4/teams/members/invite?invite_id={INVITE}",
        f"/api/v4/teams/members/invite/?invite_id={INVITE}",
        f"/api/v4/teams/members/%69nvite?invite_id={INVITE}",
        f"/api/v4//teams/members/invite?invite_id={INVITE}",
        f"/api/v4/teams/x/../members/invite?token={INVITE}",
        f"/api/v4/teams%2Fmembers%2Finvite?token={INVITE}",
        f"/oauth/gitlab/login?id={INVITE}",
        f"/oauth/gitlab/login?%69d={INVITE}",
        f"/oauth/gitlab/login?redirect_to=/x&t={INVITE}",
        f"/oauth/gitlab/signup?id={INVITE}",
        f"/oauth/gitlab/mobile_login?id={INVITE}",
        f"/oauth/openid/login/?id={INVITE}",
        f"/oauth/gitlab/login?redirect_to=/x;id={INVITE}&id={INVITE}",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_invite_id_is_of_no_use(
    proxy: Nginx, chat: Upstream, http: ClientSession, method: str, target: str
) -> None:
    """In any spelling that Mattermost understands, with the header that the web app sends."""
    headers = {"X-Requested-With": "XMLHttpRequest", "Authorization": "Bearer x"}
    async with http.request(method, URL(proxy.url + target, encoded=True), headers=headers) as response:
        assert response.status == 403
        assert (await response.json())["id"] == "proxy.request.invite.app_error"

    assert chat.seen == []


@pytest.mark.parametrize(
    "target",
    [
        "/api/v4/teams/members/invitees",
        "/api/v4/teams/invite/x/members",
        f"/api/v4/teams/{INVITE}/members",
        "/oauth/gitlab/login",
        "/oauth/gitlab/login?redirect_to=%2Facme%2Fchannels%2Fagent",
        "/oauth/gitlab/login?login_hint=a%40b&desktop_token=dev-1&redirect_to=/x",
        "/oauth/authorize?id=1",
        "/signup/gitlab/complete?code=c&state=s",
    ],
)
async def test_everything_else_passes(proxy: Nginx, chat: Upstream, http: ClientSession, target: str) -> None:
    """Signing in with a provider works, with the parameters that it needs."""
    async with http.get(URL(proxy.url + target, encoded=True)) as response:
        assert response.status == 200

    assert chat.only.target == target

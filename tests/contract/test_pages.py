"""Everything that is not the API is the web client."""

from tests.contract.server import Mattermost


async def test_pages_may_be_framed_by_their_own_site_only(server: Mattermost) -> None:
    """Every page has X-Frame-Options SAMEORIGIN and a frame-ancestors policy; the API has neither."""
    page = await server.nobody.raw("GET", "/login")
    assert page.status == 200
    assert page.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert page.headers["Content-Security-Policy"].startswith("frame-ancestors 'self'")
    api = await server.nobody.call("GET", "/system/ping")
    assert "X-Frame-Options" not in api.headers
    assert "Content-Security-Policy" not in api.headers


async def test_login_token_is_no_route(server: Mattermost) -> None:
    """/login/token answers with the same page as any other path and sets no cookie."""
    account = await server.account()
    ours = await server.nobody.raw("GET", f"/login/token?token={account.token}&redirect_to=/")
    other = await server.nobody.raw("GET", "/some/where/else")
    assert ours.status == 200
    assert not ours.cookies
    assert ours.body == other.body

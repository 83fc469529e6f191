"""The sandbox's Equa does what Equa's documents say that Equa does."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import ClientError, ClientSession, DummyCookieJar, web

from bridge.sandbox import demo_data
from bridge.sandbox.equa import STORE, Fault, Server, Store, away, redirect
from bridge.sandbox.equa.shapes import Shapes
from tests.support.equa import Clock

ACME, BOREALIS = demo_data.ACME.id, demo_data.BOREALIS.id


class Browser:
    """Asks the API, with a cookie or without one."""

    def __init__(self, session: ClientSession, equa: Server) -> None:
        self._session = session
        self._equa = equa
        self.headers: Mapping[str, str] = {}
        self.set_cookies: list[str] = []

    async def ask(self, method: str, path: str, cookie: str = "", **json: Any) -> tuple[int, Any]:
        """Return status and JSON; what was sent beside it is kept."""
        async with self._session.request(
            method,
            self._equa.api_url + path,
            json=json or None,
            headers={"Cookie": cookie} if cookie else {},
            allow_redirects=False,
        ) as response:
            self.headers = response.headers
            self.set_cookies = response.headers.getall("Set-Cookie", [])
            body = await response.text()
            return response.status, await response.json() if body else None


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def equa(clock: Clock) -> AsyncIterator[Server]:
    async with Server(Store.of_the_world(clock=clock)) as server:
        yield server


@pytest.fixture
async def browser(equa: Server) -> AsyncIterator[Browser]:
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        yield Browser(session, equa)


async def log_in(browser: Browser, account: demo_data.Account) -> str:
    """Return the cookie that the login sets."""
    status, _ = await browser.ask("POST", "/user/login", email=account.email, password=demo_data.PASSWORD)
    assert status == 200
    return browser.set_cookies[0].partition(";")[0]


async def test_a_login_gives_the_user_and_a_session_cookie(browser: Browser) -> None:
    """The cookie is express-session's: signed, URL-encoded, out of reach for scripts."""
    cookie = await log_in(browser, demo_data.ADA)
    _, user = await browser.ask("GET", "/user/current", cookie)

    assert cookie.startswith("connect.sid=s%3A")
    assert {"Path=/", "HttpOnly", "SameSite=Lax"} <= set(browser.set_cookies[0].split("; "))
    assert user == {
        "id": str(demo_data.ADA.id),
        "email": "ada@example.com",
        "username": "ada",
        "firstName": "Ada",
        "lastName": "Moreno",
        "emailVerified": True,
        "twoFactorEnabled": False,
    }


@pytest.mark.parametrize(
    "given",
    [
        {"email": "ada@example.com", "password": "wrong"},
        {"email": "nobody@example.com", "password": demo_data.PASSWORD},
        {"email": "ada@example.com"},
    ],
)
async def test_wrong_credentials_are_refused(browser: Browser, given: dict[str, str]) -> None:
    """No session comes of them."""
    status, body = await browser.ask("POST", "/user/login", **given)

    assert (status, browser.set_cookies) == (401, [])
    assert body == {"error": "Invalid email or password"}


async def test_a_session_rolls_and_ends(browser: Browser, equa: Server, clock: Clock) -> None:
    """Each use makes it last; unused it ends."""
    cookie = equa.store.sign_in(demo_data.ADA.id)
    for _ in range(3):
        clock.now += equa.store.max_age - 1
        assert (await browser.ask("GET", "/organization", cookie))[0] == 200
        assert browser.set_cookies[0].startswith(cookie)
    clock.now += equa.store.max_age

    assert (await browser.ask("GET", "/organization", cookie))[0] == 401


async def test_a_logout_ends_the_session(browser: Browser, equa: Server) -> None:
    """The cookie is worth nothing afterwards."""
    cookie = equa.store.sign_in(demo_data.ADA.id)
    assert (await browser.ask("POST", "/user/logout", cookie))[0] == 200

    assert (await browser.ask("GET", "/user/current", cookie)) == (200, None)
    assert browser.set_cookies == []


@pytest.mark.parametrize(
    "change", [str.upper, lambda cookie: cookie[:-1], lambda cookie: cookie.replace("s%3A", "s%3Ax")]
)
async def test_a_changed_cookie_is_no_session(browser: Browser, equa: Server, change: Any) -> None:
    """The signature holds the value together, so a proxy has to relay it unchanged."""
    cookie = equa.store.sign_in(demo_data.ADA.id)

    assert (await browser.ask("GET", "/organization", change(cookie)))[0] == 401


@pytest.mark.parametrize(
    ("nobody", "answer"),
    [
        ("null", (200, None)),
        ("empty object", (200, {})),
        ("null user", (200, {"user": None})),
        ("null id", (200, {"id": None})),
        ("empty body", (200, None)),
        ("401", (401, {"error": "Not logged in"})),
    ],
)
async def test_a_stranger_is_answered_with_nobody(
    browser: Browser, equa: Server, nobody: Any, answer: tuple[int, object]
) -> None:
    """What that looks like is not documented, so it can be chosen."""
    equa.controls.shapes = Shapes(nobody=nobody)

    assert await browser.ask("GET", "/user/current") == answer


async def test_people_see_their_own_organizations(browser: Browser, equa: Server) -> None:
    """The list is theirs alone; an organization is shown to those who may view it."""
    dmitri, ben = (equa.store.sign_in(account.id) for account in (demo_data.DMITRI, demo_data.BEN))
    _, of_dmitri = await browser.ask("GET", "/organization", dmitri)
    _, of_ben = await browser.ask("GET", "/organization", ben)

    assert [item["name"] for item in of_dmitri] == ["Acme Corp", "Borealis Labs"]
    assert [item["name"] for item in of_ben] == ["Acme Corp"]
    assert (await browser.ask("GET", f"/organization/{ACME}", ben))[1]["name"] == "Acme Corp"
    assert (await browser.ask("GET", f"/organization/{BOREALIS}", ben))[0] == 403
    assert (await browser.ask("GET", f"/organization/{uuid4()}", ben))[0] == 404
    assert (await browser.ask("GET", "/organization/acme", ben))[0] == 400


async def test_who_may_view_only_themselves_sees_only_themselves(browser: Browser, equa: Server) -> None:
    """`canViewSomeMembers` means some."""
    path = f"/organization/{ACME}/member"
    _, seen_by_ada = await browser.ask("GET", path, equa.store.sign_in(demo_data.ADA.id))
    _, seen_by_dmitri = await browser.ask("GET", path, equa.store.sign_in(demo_data.DMITRI.id))

    assert [member["fullName"] for member in seen_by_ada] == [
        member.name for member in demo_data.ACME.members
    ]
    assert [member["fullName"] for member in seen_by_dmitri] == ["Dmitri Novak"]
    assert (await browser.ask("GET", path, equa.store.sign_in(demo_data.ELIF.id)))[0] == 403
    assert (await browser.ask("GET", path))[0] == 401


async def test_permissions_are_those_of_the_roles(browser: Browser, equa: Server) -> None:
    """Somebody without a role in the organization holds none there."""
    cookie = equa.store.sign_in(demo_data.BEN.id)

    async def held(account: demo_data.Account) -> object:
        return (await browser.ask("GET", f"/organization/{ACME}/user/{account.id}", cookie))[1]

    assert await held(demo_data.BEN) == sorted(demo_data.PERMISSIONS["Finance"])
    assert await held(demo_data.ELIF) == []


async def test_members_come_and_go(browser: Browser, equa: Server) -> None:
    """Who may edit members adds, who may edit the organization removes."""
    ada, ben = (equa.store.sign_in(account.id) for account in (demo_data.ADA, demo_data.BEN))
    path = f"/organization/{ACME}/member"
    hana = {"fullName": "Hana Weiss", "email": "hana@example.com", "user": str(demo_data.HANA.id)}

    assert (await browser.ask("POST", path, ben, **hana))[0] == 403
    assert (await browser.ask("POST", path, ada, email="x"))[0] == 400
    assert (await browser.ask("POST", path, ada, **{**hana, "user": str(uuid4())}))[0] == 400
    status, member = await browser.ask("POST", path, ada, **hana)
    assert (status, member["user"]) == (201, hana["user"])
    assert len((await browser.ask("GET", path, ada))[1]) == len(demo_data.ACME.members) + 1

    assert (await browser.ask("DELETE", f"{path}/{member['id']}", ben))[0] == 403
    assert (await browser.ask("DELETE", f"{path}/{member['id']}", ada))[0] == 200
    assert (await browser.ask("DELETE", f"{path}/{member['id']}", ada))[0] == 404


async def test_lists_and_items_take_other_shapes(browser: Browser, equa: Server) -> None:
    """Each shape that the documents leave open can be had."""
    cookie = equa.store.sign_in(demo_data.ADA.id)
    equa.controls.shapes = Shapes(
        lists="named", organizations="memberships", accounts="embedded", permissions="map"
    )
    _, organizations = await browser.ask("GET", "/organization", cookie)
    _, members = await browser.ask("GET", f"/organization/{ACME}/member", cookie)
    _, permissions = await browser.ask("GET", f"/organization/{ACME}/user/{demo_data.BEN.id}", cookie)

    assert organizations["organizations"][0]["organization"]["name"] == "Acme Corp"
    assert members["members"][0]["user"]["email"] == "ada@example.com"
    assert members["members"][-1]["user"] is None
    assert permissions["editBilling"]
    assert not permissions["editMembers"]


async def test_faults_hit_the_calls_that_they_are_for(browser: Browser, equa: Server) -> None:
    """As often as they are to; calls are counted all the same."""
    equa.controls.fail(Fault(503, '{"error":"Server Error"}', route="GET /user/current", times=1))
    statuses = [(await browser.ask("GET", "/user/current"))[0] for _ in range(2)]
    equa.controls.fail(redirect("http://evil.example.com/"))
    moved = (await browser.ask("POST", "/user/logout"))[0], browser.headers["Location"]
    equa.controls.clear()
    after = (await browser.ask("POST", "/user/logout"))[0]

    assert (statuses, moved, after) == ([503, 200], (302, "http://evil.example.com/"), 200)
    assert equa.controls.calls == {"GET /user/current": 2, "POST /user/logout": 2}


async def test_a_cut_call_has_no_answer(browser: Browser, equa: Server) -> None:
    """The connection goes, nothing comes."""
    equa.controls.fail(Fault(cut=True))

    with pytest.raises(ClientError):
        await browser.ask("POST", "/user/logout")


async def test_it_is_well_and_shows_the_pages_it_is_given() -> None:
    """Pages see the store and can sign a browser in; faults of the API do not reach them."""

    async def enter(request: web.Request) -> web.Response:
        store = request.app[STORE]
        header = store.set_cookie(store.begin_session(demo_data.ADA.id))
        return web.Response(text="welcome", headers={"Set-Cookie": header})

    async with Server(pages=[web.get("/enter", enter)]) as equa, ClientSession() as session:
        equa.controls.fail(away())
        async with session.get(f"{equa.url}/enter") as page, session.get(f"{equa.url}/health") as health:
            cookie = page.headers["Set-Cookie"].partition(";")[0]
            assert (await page.text(), health.status) == ("welcome", 200)

        found = equa.store.session(cookie)
        assert found is not None
        assert found.user == demo_data.ADA.id

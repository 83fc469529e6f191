import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from bridge.sandbox import chat
from bridge.sandbox.chat import Person, pages, spa
from bridge.sandbox.mattermost import PASSWORD, Server, Store
from tests.support.agent import serving

ADA = Person("ada", PASSWORD, "Ada Lovelace", "CEO", "Acme Corp")
STATIC = Path(chat.__file__).parent / "static"


@pytest.fixture
async def url() -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes([*pages([ADA]), web.get("/{path:.*}", spa)])
    async with serving(app) as served:
        yield served


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.mark.parametrize("path", ["/", "/login", "/acme-corp", "/acme-corp/channels/agent"])
async def test_every_path_of_the_client_is_the_same_page(http: ClientSession, url: str, path: str) -> None:
    """The page finds its team and channel in the path itself."""
    async with http.get(url + path) as response:
        page = await response.text()

    assert response.status == 200
    assert response.content_type == "text/html"
    assert '<div id="chat"' in page


async def test_everything_that_the_page_names_is_served(http: ClientSession, url: str) -> None:
    """Its style, its icon, and the modules of its script, with the types that browsers insist on."""
    async with http.get(url) as response:
        names = set(re.findall(r'"(/sandbox/chat/[^"]+)"', await response.text()))
    types = {}
    for name in names | {f"/sandbox/chat/{path.name}" for path in STATIC.glob("*.js")}:
        async with http.get(url + name) as response:
            assert response.status == 200, name
            types[name.rsplit(".")[-1]] = response.content_type

    assert names >= {"/sandbox/chat/app.js", "/sandbox/chat/style.css", "/sandbox/chat/icon.svg"}
    assert types["js"].endswith("/javascript")
    assert (types["css"], types["svg"]) == ("text/css", "image/svg+xml")


def test_the_modules_import_only_each_other() -> None:
    """No dependency, and no name that is not there."""
    for path in STATIC.glob("*.js"):
        for name in re.findall(r'from "([^"]+)"', path.read_text()):
            assert name.startswith("./"), path
            assert (STATIC / name).is_file(), path


def test_no_text_is_ever_made_markup() -> None:
    """Elements are built, so that what somebody writes stays text; and the page needs no inline script."""
    source = "".join(path.read_text() for path in STATIC.glob("*.js"))

    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", source
    )
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=", (STATIC / "index.html").read_text())


@pytest.mark.parametrize(
    "name", ["nothing.js", "..%2f__init__.py", "%2e%2e%2f__init__.py", ".", "style.css%00"]
)
async def test_nothing_else_is_served(http: ClientSession, url: str, name: str) -> None:
    async with http.get(f"{url}/sandbox/chat/{name}") as response:
        assert "def spa" not in await response.text()
        assert response.status in {400, 404} or response.content_type == "text/html"


async def test_the_demos_people_are_told(http: ClientSession, url: str) -> None:
    async with http.get(url + "/sandbox/people") as response:
        assert response.headers["Cache-Control"] == "no-store"
        assert await response.json() == [
            {
                "username": "ada",
                "password": PASSWORD,
                "name": "Ada Lovelace",
                "title": "CEO",
                "organization": "Acme Corp",
            }
        ]


async def test_the_page_stands_in_for_mattermosts_own(http: ClientSession) -> None:
    """Mounted in the sandbox, beside its REST interface, with Mattermost's framing headers."""
    async with Server(Store(), pages=pages(), spa=spa) as server:
        async with http.get(server.url + "/acme-corp/channels/agent") as page:
            assert "/sandbox/chat/app.js" in await page.text()
            assert page.headers["X-Frame-Options"] == "SAMEORIGIN"
        async with http.get(server.url + "/sandbox/people") as people:
            assert await people.json() == []
        async with http.get(server.url + "/api/v4/users/me") as me:
            assert me.status == 401


async def test_the_people_can_come_in_as_the_page_does_it(http: ClientSession) -> None:
    """The session cookie comes for a login that says it is a script's, and posting with it works."""
    store = Store()
    ada = store.create_user("ada")
    team = store.create_team("acme-corp", "Acme Corp", members=[ada])
    channel = store.create_channel(team, "agent", members=[ada])
    script = {"X-Requested-With": "XMLHttpRequest"}
    async with Server(store, pages=pages([ADA]), spa=spa) as server:
        api = f"http://localhost:{server.port}/api/v4"
        login = {"login_id": ADA.username, "password": ADA.password}
        async with http.post(api + "/users/login", json=login, headers=script) as answer:
            assert "MMAUTHTOKEN" in answer.cookies
        draft = {"channel_id": channel.id, "message": "hello"}
        async with http.post(api + "/posts", json=draft, headers=script) as posted:
            assert posted.status == 201
        async with http.post(api + "/posts", json=draft) as forged:
            assert forged.status == 401

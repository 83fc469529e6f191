"""What pages of other origins may send and read."""

from dataclasses import replace

import pytest

from bridge import config
from bridge.errors import ConfigurationError
from handlers.http.app import make_app
from handlers.http.app_keys import Services
from tests.support.api import TEAM, TOKENS, Client, serving
from tests.support.front import APP, CONFIG, SESSION

ROUTES = (SESSION, CONFIG)


@pytest.fixture
def services(services: Services) -> Services:
    return replace(services, web_origins=(APP, "https://other.example.com"))


@pytest.mark.parametrize(("path", "methods"), [(SESSION, "POST"), (CONFIG, "GET")])
async def test_a_browser_may_ask_beforehand(api: Client, path: str, methods: str) -> None:
    """For pages of the web app it hears yes, for this origin alone, and remembers it for a while."""
    response = await api.options(
        path,
        headers={
            "Origin": APP,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        },
    )

    assert response.status == 204
    assert response.headers["Access-Control-Allow-Origin"] == APP
    assert response.headers["Access-Control-Allow-Credentials"] == "true"
    assert response.headers["Access-Control-Allow-Methods"] == methods
    assert "Content-Type" in response.headers["Access-Control-Allow-Headers"]
    assert response.headers["Access-Control-Max-Age"] == "600"
    assert response.headers["Vary"] == "Origin"


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://APP.example.com"])
async def test_a_page_of_another_origin_hears_no(api: Client, path: str, origin: str) -> None:
    """Without a header by which it could read anything."""
    response = await api.options(path, headers={"Origin": origin})

    assert (response.status, (await response.json())["error"]) == (403, "forbidden_origin")
    assert not [name for name in response.headers if name.startswith("Access-Control-")]
    assert response.headers["Vary"] == "Origin"


async def test_each_known_origin_is_named_alone(api: Client) -> None:
    """A list of them browsers do not read."""
    response = await api.get(CONFIG, headers={"Origin": "https://other.example.com"})

    assert response.headers["Access-Control-Allow-Origin"] == "https://other.example.com"


async def test_a_wait_can_be_read(api: Client) -> None:
    """Headers are hidden from pages unless they are named."""
    response = await api.get(CONFIG, headers={"Origin": APP})

    assert "Retry-After" in response.headers["Access-Control-Expose-Headers"]


async def test_reading_the_configuration_needs_no_known_origin(api: Client) -> None:
    """It changes nothing; only the browser keeps it from the page."""
    response = await api.get(CONFIG, headers={"Origin": "https://evil.example"})

    assert response.status == 401
    assert "Access-Control-Allow-Origin" not in response.headers


async def test_what_peers_ask_is_for_no_page(api: Client) -> None:
    """They have a token, and no origin."""
    headers = {"Origin": APP, "Authorization": f"Bearer {TOKENS[0]}"}

    response = await api.get(f"/api/v1/mattermost/team-mapping/{TEAM}", headers=headers)

    assert response.status == 200
    assert not {"Access-Control-Allow-Origin", "Vary"} & set(response.headers)


@pytest.mark.parametrize(
    ("configured", "known"),
    [
        ("https://App.Example.com:443/", ("https://app.example.com",)),
        ("http://127.0.0.1:80,http://[::1]:8080", ("http://127.0.0.1", "http://[::1]:8080")),
        ("https://app.example.com:80", ("https://app.example.com:80",)),
    ],
)
def test_origins_are_known_as_browsers_write_them(configured: str, known: tuple[str, ...]) -> None:
    """However an operator has."""
    assert config.load({"WEB_ORIGINS": configured}).web_origins == known


@pytest.mark.parametrize(
    "configured", ["https://a.example/x", "https://a.example;script-src *", "https://*.example", "null", "*"]
)
def test_what_is_no_origin_is_refused(configured: str) -> None:
    """It would stand in headers."""
    with pytest.raises(ConfigurationError, match="WEB_ORIGINS"):
        config.load({"WEB_ORIGINS": configured})


async def test_without_known_origins_no_page_may_call(services: Services) -> None:
    """Who configures none embeds nothing."""
    async with serving(make_app(replace(services, web_origins=()))) as api:
        for origin in (APP, ""):
            response = await api.options(SESSION, headers={"Origin": origin})
            assert response.status == 403
            assert "Access-Control-Allow-Origin" not in response.headers

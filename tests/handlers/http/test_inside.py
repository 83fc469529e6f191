"""A proxy with a wrong list of paths shows nobody the bridge's inside."""

from dataclasses import replace

import pytest

from handlers.http.app import make_app
from handlers.http.app_keys import Services
from tests.support.api import Client, serving

INTERNAL = ("/readyz", "/metrics", "/openapi.json")


@pytest.mark.parametrize("path", INTERNAL)
async def test_probes_and_prometheus_ask_directly(api: Client, path: str) -> None:
    """By an address or a name of the network that the bridge runs in."""
    for host in ("127.0.0.1:8090", "bridge:8090", "10.1.2.3:8090", "bridge.internal"):
        mesh = {"X-Forwarded-Proto": "http", "User-Agent": "kube-probe/1.31"}
        response = await api.get(path, headers={"Host": host, **mesh})
        assert response.status == 200


@pytest.mark.parametrize("path", [*INTERNAL, "/metrics/"])
@pytest.mark.parametrize(
    "header",
    [
        {"X-Forwarded-For": "192.0.2.1"},
        {"x-forwarded-for": ""},
        {"Forwarded": "for=192.0.2.1"},
        {"X-Forwarded-Host": "app.example.com"},
        {"X-Real-IP": "192.0.2.1"},
        {"Via": "1.1 proxy"},
        {"CF-Connecting-IP": "192.0.2.1"},
        {"True-Client-IP": "192.0.2.1"},
    ],
)
async def test_what_a_proxy_passed_on_finds_nothing(api: Client, path: str, header: dict[str, str]) -> None:
    """As at any address that does not exist."""
    response = await api.get(path, headers=header)

    assert response.status == 404
    assert (await response.json())["error"] == "not_found"


@pytest.mark.parametrize(
    "host",
    [
        "app.example.com",
        "APP.example.com",
        "app.example.com.",
        "app.example.com:443",
        "CHAT.example.com.:8443",
        "chat.example.com",
        "xn--bcher-kva.example",
        "bücher.example",
        "user@chat.example.com",
        "chat.example.com]",
        "chat.example.com%2e",
        "[::1",
    ],
)
@pytest.mark.parametrize("path", INTERNAL)
async def test_a_public_host_finds_nothing(services: Services, path: str, host: str) -> None:
    """Also where the proxy adds no header, as Node's does by default."""
    services = replace(
        services,
        web_origins=("https://app.example.com", "https://bücher.example"),
        public_url="https://chat.example.com:8443",
    )
    async with serving(make_app(services)) as api:
        assert (await api.get(path, headers={"Host": host})).status == 404
        assert (await api.get("/healthz", headers={"Host": host})).status == 200


@pytest.mark.parametrize("host", ["127.0.0.1:8090", "localhost:8090", "[::1]:8090", "app.localhost"])
async def test_this_machine_is_not_public(services: Services, host: str) -> None:
    """Where the bridge's own address is among the origins, as in the demo."""
    services = replace(services, web_origins=(f"http://{host}",))
    async with serving(make_app(services)) as api:
        assert (await api.get("/readyz", headers={"Host": host})).status == 200


async def test_health_is_shown_to_everybody(api: Client) -> None:
    """It says nothing, and platforms ask for it through their own proxies."""
    assert (await api.get("/healthz", headers={"X-Forwarded-For": "192.0.2.1"})).status == 200

"""The variables of the proxy: what is checked, and what reaches nginx.conf."""

import re

import pytest

from tests.support.nginx import PROXY, render, settings

UPSTREAMS = {"MATTERMOST_UPSTREAM": "http://mattermost:8065", "BRIDGE_UPSTREAM": "http://bridge:8090"}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MATTERMOST_UPSTREAM", ""),
        ("MATTERMOST_UPSTREAM", "mattermost:8065"),
        ("MATTERMOST_UPSTREAM", "https://mattermost:8065"),
        ("MATTERMOST_UPSTREAM", "http://"),
        ("MATTERMOST_UPSTREAM", "http://mattermost:8065/"),
        ("BRIDGE_UPSTREAM", "http://bridge;8090"),
        ("BRIDGE_UPSTREAM", "http://a b"),
        ("FRAME_ANCESTORS", "app.example.com"),
        ("FRAME_ANCESTORS", "https://app.example.com/"),
        ("FRAME_ANCESTORS", "https://a.example.com,https://b.example.com"),
        ("FRAME_ANCESTORS", "https://a.example.com; script-src *"),
        ("FRAME_ANCESTORS", "https://"),
        ("FRAME_ANCESTORS", "*"),
        ("TRUSTED_PROXIES", "edge.example.com"),
        ("EMBED_SITE", "foreign"),
        ("PORT", "80 default_server"),
    ],
)
async def test_a_mistake_stops_the_start(variable: str, value: str) -> None:
    """The container ends, naming the variable and not the value."""
    made = await settings({**UPSTREAMS, variable: value})

    assert made.status == 1
    assert made.complaint.startswith(f"proxy: {variable} must be ")
    assert len(made.complaint.splitlines()) == 1


@pytest.mark.parametrize("missing", UPSTREAMS)
async def test_both_upstreams_are_required(missing: str) -> None:
    made = await settings({name: value for name, value in UPSTREAMS.items() if name != missing})

    assert (made.status, made.complaint) == (
        1,
        f"proxy: {missing} must be http://host:port and nothing behind it",
    )


async def test_every_hole_is_filled() -> None:
    """The script exports each of them, and the Dockerfile's filter lets each through."""
    assert "${" in (PROXY / "nginx.conf.template").read_text()
    assert "${" not in await render(UPSTREAMS)


async def test_the_rest_of_the_environment_changes_nothing() -> None:
    """nginx's own variables look like those of a shell."""
    names = set(re.findall(r"\$([a-z_]+)", (PROXY / "nginx.conf.template").read_text()))

    assert {"host", "uri"} & names
    assert await render({**UPSTREAMS, **dict.fromkeys(names, "x")}) == await render(UPSTREAMS)


@pytest.mark.parametrize(
    ("resolvers", "server", "resolver"),
    [
        ("", "server mattermost:8065 max_fails=0 ;", "resolver 127.0.0.1 valid=10s;"),
        (
            "127.0.0.11 [fd12::10]",
            "server mattermost:8065 max_fails=0 resolve;",
            "resolver 127.0.0.11 [fd12::10] valid=10s;",
        ),
    ],
)
async def test_names_are_looked_up_again_where_resolvers_are_known(
    resolvers: str, server: str, resolver: str
) -> None:
    """The image's entrypoint finds them in /etc/resolv.conf."""
    configuration = await render({**UPSTREAMS, "NGINX_LOCAL_RESOLVERS": resolvers})

    assert server in configuration
    assert resolver in configuration


@pytest.mark.parametrize("environment", [{}, {"PORT": "9000"}])
async def test_it_listens_on_port_8080_unless_told(environment: dict[str, str]) -> None:
    """On every address; the platform's PORT wins."""
    made = await settings({**UPSTREAMS, **environment})

    assert re.fullmatch(
        rf"(\[::\]:)?{environment.get('PORT', '8080')}( ipv6only=off)?", made.exported["LISTEN"]
    )

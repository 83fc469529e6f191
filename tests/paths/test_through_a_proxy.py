"""A bridge whose way to the outside leads through a proxy."""

from pathlib import Path

from tests.support.daemon import running
from tests.support.forward_proxy import ForwardProxy
from tests.support.hosts import Company, Hosts


async def test_a_mention_is_answered_through_the_proxy(hosts: Hosts, acme: Company, tmp_path: Path) -> None:
    """REST, the websocket and the agent; without the variables nothing else has to be set."""
    async with ForwardProxy().served() as proxy:
        environ = {**hosts.environ, "HTTP_PROXY": proxy.url, "BRIDGE_DATA_DIR": str(tmp_path)}
        async with running(environ, tmp_path / "log"):
            post = hosts.ask(acme, "@equabot who is on our team?")
            await hosts.answered(post)
        lines = set(proxy.lines)

    assert "Acme Corp" in hosts.answers(post)[0].message
    assert f"CONNECT {hosts.server.url.removeprefix('http://')}" in lines
    assert f"POST {hosts.server.url}/api/v4/posts" in {line.partition("?")[0] for line in lines}
    assert any(line.endswith("/v1/chat/completions") for line in lines)

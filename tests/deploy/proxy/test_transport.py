"""Websockets and uploads on their way through."""

import asyncio
import re

import pytest
from aiohttp import ClientSession

from tests.support.nginx import Nginx, exchange, render
from tests.support.upstream import Upstream

MEBIBYTE = 1024 * 1024


async def test_a_websocket_passes_with_its_origin_and_cookie(
    proxy: Nginx, chat: Upstream, http: ClientSession
) -> None:
    """Mattermost itself refuses foreign origins, so it has to see them."""
    headers = {"Origin": "https://chat.example.com", "Cookie": "MMAUTHTOKEN=secret"}

    async with http.ws_connect(f"{proxy.url}/api/v4/websocket?connection_id=&s=0", headers=headers) as socket:
        await socket.send_str('{"seq":1,"action":"ping"}')
        assert await socket.receive_str(timeout=60) == '{"seq":1,"action":"ping"}'
        await socket.send_str("x" * MEBIBYTE)
        assert len(await socket.receive_str(timeout=60)) == MEBIBYTE

    assert chat.only.target == "/api/v4/websocket?connection_id=&s=0"
    assert headers.items() <= dict(chat.only.headers).items()


async def test_nothing_but_a_websocket_is_upgraded(proxy: Nginx, chat: Upstream) -> None:
    """HTTP/2 in clear text would tunnel requests past the rules."""
    head = "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings, close\r\n"

    await exchange(proxy, f"{head}Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n".encode())

    assert not {"Upgrade", "Connection"} & set(chat.only.headers)


async def test_time_outs_are_longer_than_mattermosts() -> None:
    """It pings every 60 s and waits 100 s (server/channels/app/platform/web_conn.go, pongWaitTime)."""
    upstreams = {"MATTERMOST_UPSTREAM": "http://mattermost:8065", "BRIDGE_UPSTREAM": "http://bridge:8090"}
    found = re.findall(r"proxy_(read|send)_timeout (\d+)s;", await render(upstreams))

    assert {direction for direction, seconds in found if int(seconds) >= 120} == {"read", "send"}


async def test_an_upload_streams_through(proxy: Nginx, chat: Upstream) -> None:
    """Mattermost hears of a file of 100 MiB before it has been sent; nothing waits on the proxy's disk."""
    _, writer = await asyncio.open_connection(proxy.host, proxy.port)
    head = f"POST /api/v4/files HTTP/1.1\r\nHost: h\r\nContent-Length: {101 * MEBIBYTE}\r\n\r\n"
    try:
        writer.write(head.encode() + b"x" * 1000)
        async with asyncio.timeout(60):
            await chat.arrived.wait()
    finally:
        writer.close()
        await writer.wait_closed()

    assert chat.only.headers["Content-Length"] == str(101 * MEBIBYTE)


@pytest.mark.parametrize("path", ["/api/v4/files", "/login/token"])
async def test_larger_uploads_are_refused_at_once(
    proxy: Nginx, chat: Upstream, http: ClientSession, path: str
) -> None:
    """Before a byte of them is sent."""
    async with http.post(proxy.url + path, headers={"Content-Length": str(111 * MEBIBYTE)}) as response:
        assert response.status == 413

    assert chat.seen == []

"""Sentences for web servers that do not answer."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from bridge.errors import Unavailable
from bridge.mattermost.rest.transport import client_session
from bridge.ops.doctor.web import fetch
from tests.support.scripted_rest import gives, hangs_up, scripted_rest, stalls


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with client_session() as made:
        yield made


async def test_an_answer_is_returned_whatever_its_status(session: ClientSession) -> None:
    """With its headers, and how long it took."""
    async with scripted_rest() as rest:
        rest.answers(gives("no", 418, ("X-Said", "yes")))
        page = await fetch(session, f"{rest.url}/a?token=t", method="POST", headers={"X-Asked": "1"}, json={})

    assert (page.status, page.body, page.headers["X-Said"]) == (418, b"no", "yes")
    assert (rest.asked[0].method, rest.asked[0].headers["X-Asked"], rest.asked[0].body) == ("POST", "1", {})


async def test_a_redirect_is_followed_only_when_asked(session: ClientSession) -> None:
    """A ticket goes nowhere else."""
    async with scripted_rest() as rest:
        rest.answers(gives("", 302, ("Location", "/b")), gives("", 302, ("Location", "/b")), gives("there"))

        assert (await fetch(session, rest.url)).status == 302
        assert (await fetch(session, rest.url, follow=True)).body == b"there"


async def test_nobody_there(session: ClientSession) -> None:
    """The system's own word for it, and no part of the address that may be secret."""
    with pytest.raises(Unavailable) as failure:
        await fetch(session, f"http://127.0.0.1:{_closed_port()}/login/token?token=secret")

    assert "cannot be reached (Connection refused)" in failure.value.message
    assert "secret" not in failure.value.message


async def test_a_name_that_is_none(session: ClientSession) -> None:
    """Reserved for that by RFC 2606."""
    with pytest.raises(Unavailable, match="has a host name that does not resolve"):
        await fetch(session, "http://nowhere.invalid/")


async def test_a_broken_connection(session: ClientSession) -> None:
    """Cut before the answer."""
    async with scripted_rest() as rest:
        rest.answers(hangs_up)
        with pytest.raises(Unavailable, match="broke the connection"):
            await fetch(session, rest.url)


async def test_no_certificate(session: ClientSession) -> None:
    """Something that speaks no TLS at all."""
    async with scripted_rest() as rest:
        rest.answers(gives(""))
        with pytest.raises(Unavailable, match="cannot be reached"):
            await fetch(session, rest.url.replace("http:", "https:"))


async def test_silence_is_left_to_the_deadline(session: ClientSession) -> None:
    """Whoever asks may give it up earlier."""
    async with scripted_rest() as rest:
        rest.answers(stalls)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await fetch(session, rest.url)


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

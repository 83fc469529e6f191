"""Ports that are reserved while nobody listens on them."""

import errno
import socket
import sys

import pytest

from bridge.sandbox.ports import HOST, ReservedPort

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems let nobody listen there")


def test_a_server_that_asks_for_a_reserved_port_gets_it() -> None:
    """Again and again, and connections are refused in between."""
    with ReservedPort() as reserved:
        for _ in range(2):
            with socket.create_server((HOST, reserved.port)), socket.create_connection((HOST, reserved.port)):
                pass
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((HOST, reserved.port))


def test_nobody_else_gets_a_reserved_port() -> None:
    """Who shares no address cannot bind it: so are ports chosen for connections."""
    with ReservedPort() as reserved, socket.socket() as other:
        with pytest.raises(OSError, match=r"[Aa]ddress") as refused:
            other.bind((HOST, reserved.port))

        assert refused.value.errno == errno.EADDRINUSE


def test_a_port_on_which_somebody_listens_cannot_be_reserved() -> None:
    with socket.create_server((HOST, 0)) as server, pytest.raises(OSError, match=r"[Aa]ddress"):
        ReservedPort(server.getsockname()[1])

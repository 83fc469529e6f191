"""Ports whose address others must know before a server listens there, or while it is stopped."""

import socket
import sys
from typing import Self

HOST = "127.0.0.1"


class ReservedPort:
    """A port, any free one by default, on which nobody but a server that asks for this very port can listen.

    A socket is bound to it and never listens, so connections are refused. Meanwhile the system picks the port
    neither for a server that asks for any port nor for an outgoing connection. Linux lets a server have it
    that sets SO_REUSEADDR, as asyncio and nginx do; other systems do not, so there the port was free a moment
    ago, no more. Raises `OSError` for a port that somebody has.
    """

    def __init__(self, port: int = 0) -> None:
        self._holder = socket.socket()
        try:
            self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._holder.bind((HOST, port))
            self.port: int = self._holder.getsockname()[1]
        except BaseException:
            self.close()
            raise
        if sys.platform != "linux":
            self.close()

    def close(self) -> None:
        """Give the port up; doing so twice does nothing."""
        self._holder.close()

    def keep(self) -> int:
        """Reserve the port until this process ends, and return it."""
        self._holder.detach()
        return self.port

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

"""Ports for servers whose address others must know before they start."""

import socket


def reserved_port() -> int:
    """Return a loopback port that the system gives to nobody else as long as this process lives.

    A socket stays bound to it and never listens. The system then neither picks the port for a server that
    asks for any, nor for an outgoing connection, but a server that asks for this one may listen on it, again
    and again, since it sets SO_REUSEADDR as all do.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        holder.detach()  # it stays open until the process ends
    return port

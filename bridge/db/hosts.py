"""The hosts in a database's address. Pure: no I/O is imported here."""

from collections.abc import Sequence
from urllib.parse import parse_qs, unquote, urlsplit


def hosts(dsn: str) -> Sequence[tuple[str, int]]:
    """Return the hosts in an address, with their ports; as libpq has it, one port may stand for all.

    Raises `ValueError` for a port that is no number, or for another number of ports than of hosts.
    """
    parts = urlsplit(dsn)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    inline = unquote(parts.netloc.rpartition("@")[2])
    names = (inline or query.get("host", "")).split(",")
    pairs = [_pair(name) for name in names]
    ports = [int(port) for port in query.get("port", "").split(",") if port]
    if len(ports) not in (0, 1, len(pairs)):
        raise ValueError("as many ports as hosts are needed")
    default = ports * len(pairs) if len(ports) == 1 else ports or [5432] * len(pairs)
    return [(name, port or default[number]) for number, (name, port) in enumerate(pairs)]


def _pair(text: str) -> tuple[str, int | None]:
    """Divide `db:5432`, `[::1]:5432` or the directory of a socket."""
    if text.startswith("/"):
        return text, None
    bracketed, bracket, rest = text.removeprefix("[").partition("]")
    name, _, port = (bracketed, "", rest.removeprefix(":")) if bracket else text.partition(":")
    return name, int(port) if port else None

"""The addresses of an agent's server. Pure: no I/O is imported here."""

from dataclasses import dataclass

from yarl import URL

_COMPLETIONS = "/chat/completions"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The addresses that AGENT_URL leads to; all keep its query, such as `?api-version=…`."""

    completions: URL
    models: URL
    health: URL
    """Of a gateway: beside the `/v1`."""
    control: URL
    """The websocket of a gateway."""

    @classmethod
    def of(cls, url: str) -> "Endpoint":
        """Return the addresses; a URL with a path is used as it is, one without gets `/v1`."""
        address = URL(url)
        path = address.path.rstrip("/").removesuffix(_COMPLETIONS).rstrip("/")
        root, base = path.removesuffix("/v1"), path or "/v1"
        return cls(
            _with_path(address, base + _COMPLETIONS),
            _with_path(address, base + "/models"),
            _with_path(address, root + "/healthz"),
            _with_path(address, root + "/").with_scheme("wss" if address.scheme == "https" else "ws"),
        )

    def __str__(self) -> str:
        """Return the address for people, without its query, which may hold a key."""
        return str(self.completions.with_query(None)).removesuffix(_COMPLETIONS)


def _with_path(url: URL, path: str) -> URL:
    return url.with_path(path, keep_query=True)

"""What a sandbox Equa can be told to do wrong. Pure: no I/O is imported here."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Fault:
    """How matching calls go wrong: they take `delay` seconds more, then are cut or answered otherwise."""

    status: int | None = None
    """The status to answer instead of the real answer; none keeps the real one."""
    body: str = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: bool = False
    """Whether the connection is cut without an answer."""
    truncate: bool = False
    """Whether half of the real answer is missing, as valid HTTP."""
    route: str = ""
    """A route such as `GET /user/current`; empty matches every call."""
    times: int | None = None
    """How many calls are left to be hit; none means no end."""

    def hits(self, route: str) -> bool:
        """Whether this call is hit, which counts."""
        if self.times == 0 or self.route not in ("", route):
            return False
        if self.times is not None:
            self.times -= 1
        return True


def away(status: int = 503, *, route: str = "", retry_after: str = "") -> Fault:
    """Return an answer with a status of one's choice, such as 429 or 503."""
    headers = {"Retry-After": retry_after} if retry_after else {}
    return Fault(status, '{"error":"Server Error"}', headers=headers, route=route)


def page(status: int = 200, *, route: str = "") -> Fault:
    """Return a web page, as a proxy or a single-page application gives for a path that it does not know."""
    return Fault(status, "<!doctype html><title>Equa</title>", "text/html", route=route)


def garbage(*, route: str = "") -> Fault:
    """Return an answer that is no JSON."""
    return Fault(200, "{]", route=route)


def redirect(location: str, *, status: int = 302, route: str = "") -> Fault:
    """Return a redirect, perhaps to another host."""
    return Fault(status, headers={"Location": location}, route=route)

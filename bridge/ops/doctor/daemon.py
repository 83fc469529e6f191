"""The doctor's checks of the running bridge, with the metrics that it serves on this machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import ClientSession, DummyCookieJar
from prometheus_client.parser import text_string_to_metric_families

from bridge.errors import Unavailable
from bridge.ops.doctor.checks import Check
from bridge.ops.doctor.context import Context
from bridge.ops.doctor.web import fetch
from bridge.ops.findings import Finding

_ADDRESSES = "addresses"

_CROWD = 10
"""People who are hardly behind one address by chance."""

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # the bridge listens there, not the doctor


def checks(context: Context) -> list[Check]:
    daemon = DaemonChecks(context.settings.bridge_host, context.settings.bridge_port)
    return [Check(_ADDRESSES, daemon.addresses, "see the log of the bridge")]


@dataclass(frozen=True, slots=True)
class DaemonChecks:
    host: str
    port: int

    async def addresses(self) -> Sequence[Finding]:
        """Check that browsers come from more than one address."""
        try:
            async with ClientSession(cookie_jar=DummyCookieJar()) as session:  # never through a proxy
                page = await fetch(session, f"{self._url}/metrics")
        except Unavailable:
            found = f"known where the bridge runs; nothing answers at {self._url}"
            return [Finding(_ADDRESSES, "absent", found)]
        return [addresses(_visitors(page.body.decode(errors="replace")) if page.status == 200 else {})]

    @property
    def _url(self) -> str:
        host = _EVERYWHERE.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def addresses(visitors: Mapping[str, float]) -> Finding:
    """Judge how many people came from how many addresses since the bridge started."""
    if "people" not in visitors or "addresses" not in visitors:
        return Finding(_ADDRESSES, "absent", "the bridge that answers does not count them")
    people, places = int(visitors["people"]), int(visitors["addresses"])
    if people >= _CROWD and places == 1:
        found = f"all of {people} people came from one: the mistakes of one are counted against all"
        todo = "let the web app's server send X-Forwarded-For to the bridge"
        return Finding(_ADDRESSES, "warning", found, todo)
    return Finding(_ADDRESSES, "good", f"{people} people from {places} since the bridge started")


def _visitors(text: str) -> Mapping[str, float]:
    try:
        families = list(text_string_to_metric_families(text))
    except ValueError:
        return {}
    samples = (sample for family in families for sample in family.samples)
    return {each.labels["of"]: each.value for each in samples if each.name == "equabot_bridge_visitors"}

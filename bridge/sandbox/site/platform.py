"""The platform's side of the demo: it tells the bridge what happened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

_WITHIN = ClientTimeout(total=10)


@dataclass(frozen=True, slots=True)
class Platform:
    """Knows the bridge, and one of its `PLATFORM_TOKENS`."""

    bridge_url: str
    token: str = field(repr=False)

    async def tell(self, event: Mapping[str, Any]) -> str | None:
        """Send a CloudEvent; return a sentence on what was wrong with that, if anything."""
        url = f"{self.bridge_url}/api/v1/mattermost/events"
        bearer = {"Authorization": f"Bearer {self.token}"}
        try:
            async with (
                ClientSession(timeout=_WITHIN) as http,
                http.post(url, json=event, headers=bearer) as answer,
            ):
                return None if answer.ok else f"The bridge answered {answer.status}: {await answer.text()}"
        except (ClientError, TimeoutError):
            return f"The bridge does not answer at {self.bridge_url}."

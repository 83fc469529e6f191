"""What an answer of Equa's means. Pure: no I/O is imported here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.equa import read
from bridge.equa.roster import roster
from bridge.equa.values import decode
from bridge.errors import BridgeError, EquaUnavailable, NotSignedIn
from bridge.models.equa import Roster

SIGN_IN = "Please sign in to Equa first."


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is Equa's own: below 500, no redirect and no web page."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    set_cookies: tuple[str, ...] = field(default=(), repr=False)

    def value(self, what: str, refusals: Mapping[int, BridgeError] | None = None) -> object:
        """Return the JSON or raise what the status means: 401 that nobody is signed in, others by `refusals`.

        Equa's statuses can be relied on, its error bodies not. A status not spoken of is no verdict:
        `EquaUnavailable`.
        """
        if self.status in (200, 204):
            return decode(self.body, what)
        if self.status == 401:
            raise NotSignedIn(SIGN_IN)
        if refusals and self.status in refusals:
            raise refusals[self.status]
        raise EquaUnavailable(f"Equa answered HTTP {self.status} where {what} was asked for.")

    def organization_name(self, refusal: BridgeError) -> str:
        """Read the answer to `GET /organization/{id}`; `refusal` is what its 403 and 404 mean."""
        return read.organization_name(self.value("organization", {403: refusal, 404: refusal}))

    def roster(self, refusal: BridgeError) -> Roster:
        """Read the answer to `GET /organization/{id}/member`; `refusal` is what its 403 and 404 mean."""
        return roster(self.value("members", {403: refusal, 404: refusal}), self.headers)

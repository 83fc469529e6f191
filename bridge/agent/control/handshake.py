"""How a connection to a gateway begins. Pure: no I/O is imported here.

Shapes: "Connect" in docs/gateway/protocol.md of openclaw 2026.9, and `buildDeviceAuthPayloadV3` in its
packages/gateway-client/src/device-auth.ts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge import __version__
from bridge.agent.control.device import DeviceKey
from bridge.agent.control.frames import Response

PROTOCOL = 4
"""A client must name exactly the gateway's number."""

ADMIN = "operator.admin"
SCOPES = (ADMIN, "operator.read", "operator.write", "operator.approvals", "operator.questions")
CAPS = ("approvals", "exec-approvals", "plugin-approvals")
"""Without one of these, a gateway shows a connection no approval."""
_MODE, _ROLE, _PLATFORM = "backend", "operator", "linux"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_CODE = re.compile(r"[A-Z0-9_]{1,60}")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the bridge connects as."""

    token: str = field(repr=False)
    client_id: str = "gateway-client"
    product: str = "openclaw"
    """The name of the gateway's command."""
    device: DeviceKey | None = None
    """None where the token alone has to do: on the gateway's own host."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why there is no connection, or none that is of use."""

    reason: str
    """A sentence for operators, without its full stop."""
    lasts: bool = True
    """Whether somebody has to do something first."""
    retry_after: float = 0.0
    wants_device: bool = False
    """Whether a device key may help."""
    pairing: str = ""
    """The id of the request by which an operator pairs the device."""


_TOKEN = Refused("the gateway refuses AGENT_TOKEN")
_REFUSALS: Mapping[str, Refused] = {
    "AUTH_TOKEN_MISMATCH": _TOKEN,
    "AUTH_TOKEN_MISSING": _TOKEN,
    "AUTH_REQUIRED": _TOKEN,
    "AUTH_UNAUTHORIZED": _TOKEN,
    "DEVICE_IDENTITY_REQUIRED": Refused("the gateway wants a paired device", wants_device=True),
    "PROTOCOL_MISMATCH": Refused(f"the gateway does not speak protocol {PROTOCOL}"),
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """The connection stands, with all the rights that it needs."""

    version: str


def connect_params(identity: Identity, challenge: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameters of `connect`, which answer the gateway's challenge."""
    params: dict[str, Any] = {
        "minProtocol": PROTOCOL,
        "maxProtocol": PROTOCOL,
        "client": {
            "id": identity.client_id,
            "version": __version__,
            "platform": _PLATFORM,
            "mode": _MODE,
        },
        "role": _ROLE,
        "scopes": list(SCOPES),
        "caps": list(CAPS),
        "auth": {"token": identity.token},
        "userAgent": f"equabot-bridge/{__version__}",
    }
    if identity.device:
        params["device"] = _device(identity, identity.device, challenge)
    return params


def _device(identity: Identity, device: DeviceKey, challenge: Mapping[str, Any]) -> Mapping[str, Any]:
    nonce, signed_at = str(challenge.get("nonce", "")), challenge.get("ts")
    signed = "|".join(
        (
            "v3",
            device.id,
            identity.client_id,
            _MODE,
            _ROLE,
            ",".join(SCOPES),
            str(signed_at),
            identity.token,
            nonce,
            _PLATFORM,
            "",
        )
    )
    return {
        "id": device.id,
        "publicKey": device.public_key,
        "signature": device.sign(signed),
        "signedAt": signed_at,
        "nonce": nonce,
    }


def verdict(response: Response, identity: Identity) -> Accepted | Refused:
    """Return what the gateway's answer to `connect` means."""
    return _accepted(response.payload) if response.ok else _refused(response.error, identity)


def _accepted(hello: object) -> Accepted | Refused:
    fields = hello if isinstance(hello, dict) else {}
    if fields.get("protocol") != PROTOCOL:
        return Refused(f"the gateway did not agree to protocol {PROTOCOL}")
    auth, server = fields.get("auth"), fields.get("server")
    scopes = auth.get("scopes") if isinstance(auth, dict) else None
    if not isinstance(scopes, list) or not scopes:
        return Refused("the gateway gives it no rights: it is not paired", wants_device=True)
    if ADMIN not in scopes:
        return Refused(f"it was paired without {ADMIN}, so that the gateway shows it no approval")
    version = server.get("version") if isinstance(server, dict) else ""
    return Accepted(str(version)[:40])


def _refused(error: Mapping[str, Any], identity: Identity) -> Refused:
    details = error.get("details")
    details = details if isinstance(details, dict) else {}
    codes = {_code(code) for code in (error.get("code"), details.get("code"), details.get("reason"))}
    if "PAIRING_REQUIRED" in codes:
        return _unpaired(details, identity)
    if known := next((_REFUSALS[code] for code in codes if code in _REFUSALS), None):
        return known
    if "/client/id" in str(error.get("message")):
        return Refused("the gateway does not know the client id: set AGENT_CONTROL_CLIENT")
    if "UNAVAILABLE" in codes or error.get("retryable") is True:
        return Refused("the gateway is starting", lasts=False, retry_after=_seconds(error))
    return Refused(f"the gateway refuses it ({_code(details.get('code')) or _code(error.get('code'))})")


def _unpaired(details: Mapping[str, Any], identity: Identity) -> Refused:
    found = details.get("requestId")
    id_ = found if isinstance(found, str) and _REQUEST_ID.fullmatch(found) else ""
    command = f"`{identity.product} devices approve {id_}`".replace(" `", "`")
    return Refused(f"the gateway has to pair it: {command} on its host", wants_device=True, pairing=id_)


def _seconds(error: Mapping[str, Any]) -> float:
    found = error.get("retryAfterMs")
    details = error.get("details")
    if found is None and isinstance(details, dict):
        found = details.get("retryAfterMs")
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found < 300_000:
        return 0.0
    return found / 1000


def _code(value: object) -> str:
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""

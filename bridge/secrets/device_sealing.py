"""The device key as it is stored: one for the installation, made when it is first needed."""

import structlog

from bridge.db.gateway_device import GatewayDevice
from bridge.errors import NotOpened
from bridge.secrets.key_ring import KeyRing

log = structlog.get_logger(__name__)

_COLUMN, _ROW = "gateway_device.secret", "true"


async def device_secret(ring: KeyRing, device: GatewayDevice, new: str) -> str:
    """Return the secret of the stored device; `new` is stored if there is none, or it does not open."""
    stored = await device.find() or await device.keep(_sealed(ring, new))
    try:
        return ring.open(stored, column=_COLUMN, row=_ROW)
    except NotOpened as error:
        # The gateway wants it paired anew, and that is all that is lost.
        log.warning("device_not_opened", reason=error.message)
        await device.replace(stored, _sealed(ring, new))
        return ring.open(await device.keep(_sealed(ring, new)), column=_COLUMN, row=_ROW)


async def reseal_device(ring: KeyRing, device: GatewayDevice) -> bool:
    """Seal it anew if another key than the first has sealed it; return whether it was."""
    stored = await device.find()
    try:
        if stored is None or not ring.stale(stored):
            return False
        await device.replace(stored, _sealed(ring, ring.open(stored, column=_COLUMN, row=_ROW)))
    except NotOpened as error:
        log.warning("device_not_opened", reason=error.message)
        return False
    return True


def _sealed(ring: KeyRing, secret: str) -> str:
    return ring.seal(secret, column=_COLUMN, row=_ROW)

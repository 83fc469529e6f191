"""The side channel to the gateway, as the configuration wants it."""

from collections.abc import Awaitable, Callable

from asyncpg import Pool

from bridge.agent.control.channel import DeviceSource, GatewayControl
from bridge.agent.control.device import DeviceKey
from bridge.agent.control.handshake import Identity
from bridge.agent.control.own_keys import OwnKeys
from bridge.agent.gateway import product_of
from bridge.agent.waiting import Waiting
from bridge.config import Settings
from bridge.db.gateway_device import GatewayDevice
from bridge.models.approvals import ControlState
from bridge.secrets.device_sealing import device_secret
from bridge.secrets.key_ring import KeyRing


def make_control(
    settings: Settings,
    waiting: Waiting,
    devices: DeviceSource | None,
    changed: Callable[[ControlState], None] = lambda _state: None,
) -> GatewayControl | None:
    """Return the side channel; None where the configuration wants none."""
    if off_because(settings) or settings.agent_url is None:
        return None
    token = settings.agent_token.get_secret_value() if settings.agent_token else ""
    control = GatewayControl(
        settings.agent_url,
        Identity(token, settings.agent_control_client, product_of(settings.agent_model)),
        OwnKeys(settings.agent_id, settings.agent_key_prefix),
        waiting,
        devices,
        changed,
        proxies=settings.proxies,
    )
    changed(control.state)
    return control


def off_because(settings: Settings) -> str:
    """Return why the configuration wants no side channel; empty if it wants one."""
    if settings.agent_url is None:
        return "AGENT_URL is not set"
    if settings.agent_kind != "gateway":
        return f"AGENT_KIND is {settings.agent_kind}"
    return "AGENT_CONTROL is off" if settings.agent_control == "off" else ""


def device_source(pool: Pool, keys: KeyRing | None) -> Callable[[], Awaitable[DeviceKey | None]]:
    """Return what gives the installation's device key; it is made when it is first asked for."""

    async def device() -> DeviceKey | None:
        if keys is None:
            return None
        return DeviceKey.of(await device_secret(keys, GatewayDevice(pool), DeviceKey.new().secret))

    return device

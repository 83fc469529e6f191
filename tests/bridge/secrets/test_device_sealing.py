"""The device key at rest."""

import asyncio

from asyncpg import Pool

from bridge.agent.control.device import DeviceKey
from bridge.db.gateway_device import GatewayDevice
from bridge.db.sealed_tokens import SealedTokens
from bridge.secrets.device_sealing import device_secret, reseal_device
from bridge.secrets.key_ring import KeyRing, new_key

K1, K2 = f"k1:{new_key()}", f"k2:{new_key()}"


async def test_all_processes_get_one_device(pool: Pool) -> None:
    ring, device = KeyRing.parse(K1), GatewayDevice(pool)
    new = [DeviceKey.new().secret for _ in range(5)]

    got = await asyncio.gather(*(device_secret(ring, device, each) for each in new))

    assert len(set(got)) == 1
    assert got[0] in new
    assert got[0] not in (await device.find() or "")


async def test_it_is_sealed_anew_before_its_key_goes(pool: Pool) -> None:
    device, tokens = GatewayDevice(pool), SealedTokens(pool)
    secret = await device_secret(KeyRing.parse(K1), device, DeviceKey.new().secret)
    assert await tokens.counts() == {"k1": 1}
    assert not await tokens.drop("k1")

    assert await reseal_device(KeyRing.parse(f"{K2},{K1}"), device)

    assert await tokens.drop("k1")
    assert await device_secret(KeyRing.parse(K2), device, "another") == secret
    assert not await reseal_device(KeyRing.parse(K2), device)


async def test_one_that_does_not_open_is_replaced(pool: Pool) -> None:
    """It has to be paired again, and nothing else depends on it."""
    device, new = GatewayDevice(pool), DeviceKey.new().secret
    await device_secret(KeyRing.parse(K1), device, DeviceKey.new().secret)

    assert await device_secret(KeyRing.parse(K2), device, new) == new
    assert await device_secret(KeyRing.parse(K2), device, "another") == new


async def test_with_a_lost_key_it_is_forgotten(pool: Pool) -> None:
    device = GatewayDevice(pool)
    await device_secret(KeyRing.parse(K1), device, DeviceKey.new().secret)

    await SealedTokens(pool).lose("k1")

    assert await device.find() is None

"""The doctor's check of the side channel to the gateway, by which approvals and questions reach people."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from functools import partial

from bridge.agent.control.channel import GatewayControl
from bridge.agent.control.device import DeviceKey
from bridge.agent.gateway import product_of
from bridge.agent.waiting import Waiting
from bridge.config import Settings
from bridge.db.pool import open_pool
from bridge.ops.doctor.checks import Check, absent
from bridge.ops.doctor.context import NOT_RUNNING, Context
from bridge.ops.findings import Finding
from bridge.runtime import token_keys
from bridge.runtime.control import device_source, make_control

_NAME = "approvals"
_PATIENCE = 8.0
"""Seconds for two connects: the second with the device, where the token alone gives no rights."""


def checks(context: Context) -> list[Check]:
    settings = context.settings
    if settings.agent_url is None or settings.agent_kind != "gateway":
        return []
    if settings.agent_control == "off":
        return [absent(_NAME, "without AGENT_CONTROL the gateway refuses by itself", required=False)]
    return [Check(_NAME, partial(look, context), "see AGENT_URL and the gateway's log")]


async def look(context: Context) -> Sequence[Finding]:
    """Connect as the bridge does, and see whether the gateway gives the rights that are needed."""
    settings = context.settings
    control = make_control(settings, Waiting(), partial(_device, context))
    assert control is not None
    await _tried(control)
    return [_finding(control, settings, can_pair=context.dsn is not None)]


def _finding(control: GatewayControl, settings: Settings, *, can_pair: bool) -> Finding:
    if control.state.is_on:
        return Finding(_NAME, "good", "the gateway gives the rights that approvals and questions need")
    if control.refused and control.refused.pairing:
        command = f"{product_of(settings.agent_model)} devices approve {control.refused.pairing}"
        return Finding(_NAME, "warning", "the gateway has to pair the bridge", f"on its host: {command}")
    found = f"off, because {control.state.reason}"
    return Finding(_NAME, "warning", found, "" if can_pair else f"the device's key is {NOT_RUNNING}")


async def _tried(control: GatewayControl) -> None:
    """Wait until it is on, or has said why not."""
    trying = asyncio.create_task(_first_event(control), name="try control")
    try:
        async with asyncio.timeout(_PATIENCE):
            while not (control.state.is_on or control.refused):
                await asyncio.wait({trying}, timeout=0.1)
    except TimeoutError:
        pass
    finally:
        trying.cancel()
        await asyncio.wait({trying})


async def _first_event(control: GatewayControl) -> None:
    async with aclosing(control.events()) as events:
        async for _ in events:
            return


async def _device(context: Context) -> DeviceKey | None:
    """Return the installation's device; None while its database does not run, or without keys."""
    if context.dsn is None:
        return None
    async with await open_pool(context.dsn, max_size=1) as pool:
        return await device_source(pool, token_keys.key_ring(context.settings))()

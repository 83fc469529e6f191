"""Ending work at a chosen point, as a crash or a closed browser does."""

import asyncio
from dataclasses import fields, replace
from typing import Any, Literal

from provisioning.provisioner import Provisioner
from provisioning.tables import Tables

When = Literal["before", "after", "during"]
"""Before a call is made; after it was carried out, so that its result is lost; or cancelled on its way."""

WAYS: list[When] = ["after", "during"]
"""Where one call follows the other: who dies before a call leaves what who dies after the last one leaves."""


class Crash(BaseException):
    """The process is gone."""


class Crashes:
    """Counts all calls to Mattermost and to the tables, or those of one name, and ends the work at one."""

    def __init__(self, at: int, when: When, name: str = "") -> None:
        self._left = at
        self._when = when
        self._name = name
        self.happened = False
        self.call = ""
        """The name of the call at which the work ended."""

    def provisioner(self, provisioner: Provisioner) -> Provisioner:
        """Return the same, in a process that will crash."""
        tables = Tables(*(self.fragile(getattr(provisioner.tables, each.name)) for each in fields(Tables)))
        return replace(provisioner, admin=self.fragile(provisioner.admin), tables=tables)

    def fragile(self, target: object) -> Any:
        """Return the same, whose calls are counted."""
        return _Fragile(target, self)

    async def around(self, name: str, call: Any) -> Any:
        """Await the call, unless this is the one at which it ends."""
        self._left -= self._name in ("", name)
        if self._left > 0:
            return await call
        if self.happened:
            call.close()
            raise Crash
        self.happened, self.call = True, name
        match self._when:
            case "before":
                call.close()
            case "after":
                await call
            case "during":
                await _cancelled(call)
        raise Crash


async def _cancelled(call: Any) -> None:
    """Await the call until half a millisecond has passed."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().call_later(0.0005, task.cancel)
    await call
    await asyncio.Event().wait()


class _Fragile:
    def __init__(self, target: object, crashes: Crashes) -> None:
        self._target = target
        self._crashes = crashes

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)
        return lambda *args, **kwargs: self._crashes.around(name, method(*args, **kwargs))

"""Coroutines that run beside something else."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def running(tasks: Mapping[str, Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run named coroutines beside the context: its end cancels them, and the failure of one ends it."""
    async with asyncio.TaskGroup() as group:
        started = [group.create_task(task, name=name) for name, task in tasks.items()]
        yield
        for task in started:
            task.cancel()

"""Connections that know the arrays of our statements: asking for them takes longer than most statements."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import asyncpg


def _array(oid: int, name: str, element: int) -> dict[str, Any]:
    """Describe a type of PostgreSQL's own as asyncpg's query does; its element is one that asyncpg knows."""
    nothing = dict.fromkeys(("basetype", "range_subtype", "attrtypoids", "attrnames"))
    return {
        "oid": oid,
        "ns": "pg_catalog",
        "name": name,
        "kind": b"b",
        "elemtype": element,
        "elemdelim": b",",
        **nothing,
    }


# PostgreSQL never gives these numbers to other types. What is missing here is asked for.
ARRAYS = {
    array["oid"]: array
    for array in (
        _array(1001, "_bytea", 17),
        _array(1016, "_int8", 20),
        _array(2951, "_uuid", 2950),
        _array(3807, "_jsonb", 3802),
    )
}


@dataclass(frozen=True, slots=True)
class _NotSent:
    """Stands for asyncpg's query: none was sent that could take the place of another without a name."""

    name: str = "not sent"


class Connection(asyncpg.Connection):
    """Knows `ARRAYS`; asyncpg's own connections ask for each when a statement first has it."""

    __slots__ = ()

    async def _introspect_types(self, typeoids: Iterable[int], max_wait: float | None) -> tuple[Any, Any]:
        """Return descriptions of types, and the statement that asked for them; this method is asyncpg's."""
        wanted = set(typeoids)
        if wanted <= ARRAYS.keys():
            return [ARRAYS[oid] for oid in wanted], _NotSent()
        types, statement = await super()._introspect_types(wanted, max_wait)  # type: ignore[misc]
        return types, statement

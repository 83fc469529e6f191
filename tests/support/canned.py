"""Canned HTTP answers for the outgoing adapters, where a server of our own would say nothing more."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
from aioresponses import aioresponses, core

_PARAMETER = "stream_writer"


class _Response(aiohttp.ClientResponse):
    """What aioresponses builds, with the parameter that aiohttp wants since 3.14."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault(_PARAMETER, SimpleNamespace(output_size=0))
        super().__init__(*args, **kwargs)


if _PARAMETER in inspect.signature(
    aiohttp.ClientResponse.__init__
).parameters and _PARAMETER not in inspect.getsource(core):
    # aioresponses 0.7.9 builds responses as aiohttp did before 3.14.
    vars(core)["ClientResponse"] = _Response


@contextmanager
def canned_answers() -> Iterator[aioresponses]:
    """Answer every request with what was put in; one that was not foreseen fails."""
    with aioresponses() as canned:
        yield canned


def sent(canned: aioresponses) -> list[tuple[str, str, dict[str, Any]]]:
    """Return the requests: method, address and what aiohttp was given, in order of their addresses."""
    return [
        (method, str(url), request.kwargs)
        for (method, url), requests in canned.requests.items()
        for request in requests
    ]

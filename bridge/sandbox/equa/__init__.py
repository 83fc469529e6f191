"""An Equa that one can talk to, with the people of `bridge.sandbox.demo_data`, all in memory.

Start one, in a test or a demo:

    async with Server() as equa:                     # 127.0.0.1, any free port
        ...                                          # equa.api_url is what EQUA_API_URL has to be
        cookie = equa.store.sign_in(demo_data.ADA.id)    # the Cookie header of Ada's browser
        equa.store.remove_member(demo_data.ACME.id, demo_data.BEN.id)
        equa.controls.calls["GET /organization"]     # how often it was asked
        equa.controls.shapes.lists = "data"          # one of the shapes that Equa's documents leave open
        equa.controls.fail(away(route="GET /organization"))      # until equa.controls.clear()

`create_app(store, pages=…)` is the bare aiohttp application; a page finds the store under `STORE` and the
caller by `store.session(cookie)`, and signs a browser in with the Set-Cookie header
`store.set_cookie(store.begin_session(user_id))`.
"""

from bridge.sandbox.equa.controls import STORE, Controls
from bridge.sandbox.equa.faults import Fault, away, garbage, page, redirect
from bridge.sandbox.equa.server import Server, create_app
from bridge.sandbox.equa.store import Store

__all__ = [
    "STORE",
    "Controls",
    "Fault",
    "Server",
    "Store",
    "away",
    "create_app",
    "garbage",
    "page",
    "redirect",
]

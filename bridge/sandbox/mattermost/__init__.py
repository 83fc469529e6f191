"""A Mattermost that one can talk to: REST, websocket, rules and faults, all in memory.

Start one, in a test or a demo:

    store = Store()                              # one administrator: store.admin, store.admin_token
    ada = store.create_user("ada")               # password is PASSWORD
    bot = store.create_bot("equabot")
    team = store.create_team("acme", "Acme Corp", members=[ada, bot])
    channel = store.create_channel(team, "agent", members=[ada, bot])
    token = store.create_token(bot).token        # 26 characters
    async with Server(store) as server:          # 127.0.0.1, any free port
        ...                                      # server.url, server.port
        post = store.post_as(ada, channel, "@equabot hello")  # everybody connected hears of it
        store.thread(post.id), store.posts_in(channel)        # what was answered
        server.open_sockets(bot)                     # 1 once it is connected
        await server.restart()                   # same port and store, nobody connected

`Settings` holds Mattermost's configuration under its real names and what is compiled into a real one
(version, user limit, post size); `store.settings.patch({"TeamSettings": {...}})` changes it. `Timing` has the
intervals in seconds.

`server.faults` is a `Faults`: `cut_sockets()`, `refuse_sockets`, `deaf_sockets`, `duplicate_posted`,
`reorder_posted`, `drop_events`, and `rest(RestFault(when="after", status=502, path="/posts", times=1))`;
`clear()` ends all of it.

`create_app(store, pages=…, spa=…)` is the bare aiohttp application; `spa` replaces the page that answers
`/`, `/login` and `/{team}/channels/{name}`.

Times are milliseconds since 1970. `ApiError` is what a rule raises, also from the store's own methods.
"""

from bridge.sandbox.mattermost.app import create_app
from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.faults import Faults, RestFault
from bridge.sandbox.mattermost.records import Channel, Post, Team, User
from bridge.sandbox.mattermost.runtime import Timing
from bridge.sandbox.mattermost.server import Server
from bridge.sandbox.mattermost.settings import Settings
from bridge.sandbox.mattermost.store import PASSWORD, Store

__all__ = [
    "PASSWORD",
    "ApiError",
    "Channel",
    "Faults",
    "Post",
    "RestFault",
    "Server",
    "Settings",
    "Store",
    "Team",
    "Timing",
    "User",
    "create_app",
]

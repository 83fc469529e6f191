"""The chat page of the sandbox: what a browser sees in place of Mattermost's own web client.

The page speaks Mattermost's public interface only, with the browser's session cookie:

* `GET /api/v4/users/me`, `/users/me/teams`, `/users/me/teams/{team}/channels`, `POST /users/ids`
* `GET /api/v4/channels/{channel}/posts` (a page, and `before=`), `/channels/{channel}/members`, `POST /posts`
* `POST /api/v4/posts/{post}/actions/{button}`
* `/api/v4/websocket`: `posted`, `post_edited`, `post_deleted`, `ephemeral_message`, `typing`, changes of
  teams and channels; it sends `user_typing` and `ping`
* `POST /api/v4/users/login` and `/users/logout`

It also asks `GET /sandbox/people` for the people of the demo.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from aiohttp import web

_HERE = Path(__file__).parent / "static"
_PAGE = "index.html"


@dataclass(frozen=True, slots=True)
class Person:
    """A person of the demo; the password is the sandbox's, and no secret."""

    username: str
    password: str
    name: str
    title: str
    organization: str


async def spa(_request: web.Request) -> web.StreamResponse:
    """Return the page; it finds its team and channel in the path, as Mattermost's client does."""
    return _file(_PAGE)


def pages(people: Sequence[Person] = ()) -> list[web.RouteDef]:
    """Return the routes that the page needs beside Mattermost's."""

    async def list_people(_request: web.Request) -> web.StreamResponse:
        return web.json_response([asdict(person) for person in people], headers={"Cache-Control": "no-store"})

    return [web.get("/sandbox/people", list_people), web.get("/sandbox/chat/{name}", _static)]


async def _static(request: web.Request) -> web.StreamResponse:
    name = request.match_info["name"]
    if name not in {path.name for path in _HERE.iterdir()}:
        raise web.HTTPNotFound
    return _file(name)


def _file(name: str) -> web.StreamResponse:
    headers = {
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return web.FileResponse(_HERE / name, headers=headers)

"""`GET /login/equa/completion`: the proxy asks whether a browser may go on with a sign-in to Mattermost.

A browser can write the `state` beside its code anew, and Mattermost puts the person into the team that it
then names. So a code of ours goes on only with the very `state` that it was given for, and one of another
provider with a `state` that names no team.
"""

from functools import partial
from urllib.parse import parse_qs, unquote

from aiohttp import web

from bridge.errors import DatabaseUnavailable, NotPermitted, TooManyRequests
from bridge.models.chat import GITLAB
from handlers.http.app_keys import SERVICES
from handlers.http.oauth import joins_no_team
from handlers.http.route import Reply, Route
from handlers.http.sign_in_answers import in_turn

ASKED = "X-Original-URI"
"""The header in which the proxy names the address."""

_WITH_CODE = {"code", "state"}
_WITHOUT_CODE = {"error", "error_description", "state"}
"""Signs nobody in."""


async def check(request: web.Request) -> web.Response:
    """Answer 204 if the browser may go on."""
    # As nginx and Mattermost divide it: to `urlsplit` a fragment or a host could hide a part.
    path, _, rest = request.headers.get(ASKED, "").partition("?")
    query = _query(rest)
    oauth = request.app[SERVICES].oauth
    is_ours = oauth and GITLAB in unquote(path).split("/")
    if query.keys() <= _WITHOUT_CODE:
        return web.Response(status=204)
    # Of a name that is there twice Mattermost might take the other value.
    if query.keys() >= _WITH_CODE and all(len(values) == 1 for values in query.values()):
        code, state = query["code"][0], query["state"][0]
        if is_ours and oauth:
            good = await in_turn(request, partial(oauth.provider.is_for, code, state))
        else:
            good = joins_no_team(state)
        if good:
            return web.Response(status=204)
    raise NotPermitted("This sign-in was changed on its way, or has been used.")


def _query(text: str) -> dict[str, list[str]]:
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=9)
    except ValueError:
        raise NotPermitted("This is no address of a sign-in.") from None


ROUTE = Route(
    method="GET",
    path="/login/equa/completion",
    handler=check,
    operation="checkCompletion",
    summary="Say whether a code and its state belong together",
    description=f"The proxy asks before it passes a completion on, and names its address in `{ASKED}`.",
    replies={204: Reply("They do.")},
    errors=(NotPermitted, TooManyRequests, DatabaseUnavailable),
)

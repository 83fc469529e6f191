"""`POST /login/equa/token`: Mattermost exchanges the code that a browser has brought for an access token."""

import asyncio
from collections.abc import Mapping, Sequence
from hmac import compare_digest
from urllib.parse import parse_qs

import structlog
from aiohttp import web

from bridge.db.sign_ins import Client
from bridge.errors import (
    DatabaseUnavailable,
    InvalidRequest,
    MattermostNotConfigured,
    NotFound,
    PayloadTooLarge,
    RequestTimeout,
)
from handlers.http.app_keys import LIMITS, SERVICES, OAuth
from handlers.http.body import read_body
from handlers.http.models import Model, reply
from handlers.http.oauth import TokenError, credentials
from handlers.http.route import Reply, Route

TRIAL_CODE = "trial"
"""Signs nobody in: whoever shows it with the right secret gets a token that stands for nobody. By it `doctor`
sees that Mattermost reaches the bridge and has the same secret, which both answer alike otherwise."""

log = structlog.get_logger(__name__)

_LARGEST = 16 * 1024
_MOST_FIELDS = 20

_TEXTS = ("code", "redirect_uri", "client_id", "client_secret")

_UNKEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}

_SENTENCES: Mapping[TokenError, str] = {
    "invalid_request": "A field is missing, or is there twice.",
    "invalid_client": "This client is not known, or its secret is wrong.",
    "invalid_grant": "This code has been used, is too old, or was given to somebody else.",
    "unsupported_grant_type": "Only authorization_code is taken.",
}


class _AccessToken(Model):
    model_config = Model.model_config | {"alias_generator": None}

    access_token: str
    token_type: str = "bearer"  # noqa: S105  # a kind, not a secret
    expires_in: int = 60


class _Refused(Model):
    model_config = Model.model_config | {"alias_generator": None}

    error: TokenError
    message: str
    error_description: str


async def exchange(request: web.Request) -> web.Response:
    """Answer as RFC 6749 section 5 says: a token, or an error of its own list."""
    oauth = request.app[SERVICES].oauth
    if oauth is None:
        raise MattermostNotConfigured("Signing in with Equa is not set up here.")
    form = _form(await read_body(request, _LARGEST))
    error = _mistake(request.headers.get("Authorization", ""), form, oauth)
    if error == "invalid_client":
        log.warning("client_refused", replace="SIGN_IN_SECRET, here or in Mattermost")
        request.app[SERVICES].metrics.signed_in("client_refused")
    if error:
        return _refused(error)
    if form["code"] == [TRIAL_CODE]:
        return reply(_AccessToken(access_token=TRIAL_CODE), headers=_UNKEPT)
    client = Client(oauth.client.client_id, form["redirect_uri"][0])
    token = await _within_time(request, oauth, form["code"][0], client)
    if token is None:
        return _refused("invalid_grant")
    return reply(_AccessToken(access_token=token), headers=_UNKEPT)


def _form(body: bytes) -> Mapping[str, Sequence[str]]:
    try:
        return parse_qs(body.decode(), max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise InvalidRequest("The body is not a form.") from None


def _mistake(authorization: str, form: Mapping[str, Sequence[str]], oauth: OAuth) -> TokenError | None:
    """Return what is wrong before the code is looked at; a stranger must not use one up."""
    if any(len(values) > 1 for values in form.values()):
        return "invalid_request"
    if not _is_client(credentials(authorization, form), oauth):
        return "invalid_client"
    if not {"grant_type", "code", "redirect_uri"} <= form.keys():
        return "invalid_request"
    return None if form["grant_type"] == ["authorization_code"] else "unsupported_grant_type"


def _is_client(given: tuple[str, str] | None, oauth: OAuth) -> bool:
    name, secret = given or ("", "")
    same_name = compare_digest(name.encode(), oauth.client.client_id.encode())
    return compare_digest(secret.encode(), oauth.secret.encode()) and same_name


async def _within_time(request: web.Request, oauth: OAuth, code: str, client: Client) -> str | None:
    try:
        async with asyncio.timeout(request.app[LIMITS].timeouts.login):
            return await oauth.provider.access_token(code, client)
    except TimeoutError:
        raise DatabaseUnavailable("The database does not answer.") from None


def _refused(error: TokenError) -> web.Response:
    """Return the error with the sentence under both names: that of RFC 6749 and ours."""
    sentence = _SENTENCES[error]
    refused = _Refused(error=error, message=sentence, error_description=sentence)
    if error != "invalid_client":
        return reply(refused, 400, _UNKEPT)
    return reply(refused, 401, _UNKEPT | {"WWW-Authenticate": 'Basic realm="equabot-bridge"'})


ROUTE = Route(
    method="POST",
    path="/login/equa/token",
    handler=exchange,
    operation="exchangeCode",
    summary="Exchange a code for an access token",
    description="The token endpoint of OAuth 2.0 (RFC 6749); Mattermost calls it, nobody else.",
    body={
        "application/x-www-form-urlencoded": {
            "type": "object",
            "required": ["grant_type", "code", "redirect_uri"],
            "properties": {
                "grant_type": {"const": "authorization_code"},
                **{name: {"type": "string", "minLength": 1} for name in _TEXTS},
            },
            "additionalProperties": False,
        }
    },
    internal=True,
    replies={
        200: Reply("An access token, good once.", _AccessToken),
        400: Reply("What is wrong with the request or the code.", _Refused),
        401: Reply("The client is not known.", _Refused, headers={"WWW-Authenticate": "`Basic`"}),
    },
    errors=(
        NotFound,
        RequestTimeout,
        PayloadTooLarge,
        MattermostNotConfigured,
        DatabaseUnavailable,
    ),
)

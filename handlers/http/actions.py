"""`POST /api/v1/mattermost/actions`: somebody has pressed a button below a post of the bot.

Mattermost asks, with no sign of its own but what the button was given: a secret that it shows to nobody. To
anything but 200 and JSON whoever has pressed sees an error that says nothing, so a refusal is a sentence for
them alone.
"""

from typing import Annotated, Any

from aiohttp import web
from pydantic import BeforeValidator, Field, WithJsonSchema

from bridge.errors import (
    DatabaseUnavailable,
    EquaUnavailable,
    InvalidRequest,
    NotFound,
    PayloadTooLarge,
    RequestTimeout,
    TooManyRequests,
)
from bridge.models.buttons import TRIAL, TRIAL_ANSWER, Button, Press
from bridge.models.chat import ChannelId, PostId, UserId
from bridge.models.ids import MATTERMOST_ID, is_mattermost_id
from handlers.http.app_keys import LIMITS, SERVICES
from handlers.http.body import read_object
from handlers.http.models import Input, Model, parsed, reply
from handlers.http.route import Reply, Route

PATH = "/api/v1/mattermost/actions"

GONE = "This button does not work any more."
LATER = "Your role cannot be looked up at the moment. Please press again in a minute."
TOO_OFTEN = "That was too often; please wait a moment."

_LONGEST_SECRET = 64


def _id(value: object) -> str:
    if not is_mattermost_id(value):
        raise ValueError
    return value


def _secret(value: object) -> str:
    secret = value.get("secret") if isinstance(value, dict) else None
    if not isinstance(secret, str) or not 0 < len(secret) <= _LONGEST_SECRET or not secret.isascii():
        raise ValueError
    return secret


_OfMattermost = (
    BeforeValidator(_id),
    WithJsonSchema({"type": "string", "pattern": f"^{MATTERMOST_ID}$"}),
    Field(description="a Mattermost id: 26 characters of a-z and 0-9"),
)


class _Pressed(Input):
    """Of what Mattermost sends (`PostActionIntegrationRequest`), what is used."""

    user_id: Annotated[UserId, *_OfMattermost, Field(alias="user_id")]
    channel_id: Annotated[ChannelId, *_OfMattermost, Field(alias="channel_id")]
    post_id: Annotated[PostId, *_OfMattermost, Field(alias="post_id")]
    context: Annotated[
        str,
        BeforeValidator(_secret),
        WithJsonSchema(
            {
                "type": "object",
                "properties": {
                    "secret": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": _LONGEST_SECRET,
                        "pattern": "^[!-~]+$",
                    }
                },
                "required": ["secret"],
            }
        ),
        Field(description="an object with the button's secret"),
    ]


class _Answer(Model):
    model_config = Model.model_config | {"alias_generator": None}

    ephemeral_text: Annotated[str, Field(description="For whoever has pressed alone; may be empty.")] = ""
    skip_slack_parsing: bool = True
    update: Annotated[dict[str, Any] | None, Field(description="Of the trial: the text of its post.")] = None


async def press(request: web.Request) -> web.Response:
    """Do what the button means, for whoever has pressed it."""
    pressed = parsed(_Pressed, await read_object(request))
    if pressed.context == TRIAL:
        return reply(_Answer(update={"message": TRIAL_ANSWER}))
    limits, services = request.app[LIMITS], request.app[SERVICES]
    limits.bad_presses.require(pressed.user_id)
    button = await services.buttons.find(pressed.context) if services.buttons else None
    made = Press(pressed.user_id, pressed.channel_id, pressed.post_id)
    if button is None or not _is_of(button, made):
        limits.bad_presses.count(pressed.user_id)
        services.metrics.press("unknown")
        return _said(GONE)
    return _said(await _done(request, button, made))


async def _done(request: web.Request, button: Button, made: Press) -> str:
    """Do it and return a sentence for whoever has pressed; empty if the post itself will say it."""
    services = request.app[SERVICES]
    services.metrics.press("known")
    try:
        request.app[LIMITS].presses.use(made.user_id)
        take = services.presses.get(button.purpose)
        return await take(button, made) if take else GONE
    except TooManyRequests:
        return TOO_OFTEN
    except EquaUnavailable:
        return LATER


def _is_of(button: Button, made: Press) -> bool:
    """Return whether the button was pressed where it stands: a secret is good below its own post alone."""
    return made.channel_id == button.channel_id and button.post_id in (None, made.post_id)


def _said(sentence: str) -> web.Response:
    return reply(_Answer(ephemeral_text=sentence))


ROUTE = Route(
    method="POST",
    path=PATH,
    handler=press,
    operation="pressButton",
    summary="Somebody has pressed a button below a post of the bot",
    description="Mattermost calls it, nobody else; the secret in the button's context is what lets it in."
    " A press that is not taken is answered by a sentence for whoever has pressed.",
    body=_Pressed,
    internal=True,
    replies={200: Reply("What whoever has pressed is shown.", _Answer)},
    errors=(
        InvalidRequest,
        NotFound,
        RequestTimeout,
        PayloadTooLarge,
        TooManyRequests,
        DatabaseUnavailable,
    ),
)

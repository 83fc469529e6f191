"""Requests and responses as pydantic models; the OpenAPI document is made from them."""

from collections.abc import Mapping
from typing import Annotated, TypeVar
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from pydantic.alias_generators import to_camel

from bridge.errors import InvalidRequest
from bridge.models.chat import TeamId, UserId
from bridge.models.equa import OrganizationId
from bridge.models.ids import MATTERMOST_ID, UUID_FORM, is_mattermost_id, is_uuid
from handlers.http.route import JSON

M = TypeVar("M", bound=BaseModel)


class Input(BaseModel):
    """A part of a request. Names that it does not know are passed over."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)


class Model(BaseModel):
    """The body of a response."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, frozen=True, extra="forbid"
    )


def reply(model: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return the model as a response in JSON."""
    return json_reply(json_of(model), status, headers)


def json_of(model: BaseModel) -> bytes:
    """Return the model as JSON."""
    return model.model_dump_json(by_alias=True).encode()


def json_reply(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return the response with a body in JSON."""
    return web.Response(body=body, status=status, headers=headers, content_type=JSON, charset="utf-8")


def parsed(model: type[M], given: Mapping[str, object]) -> M:
    """Return the model of a part of a request; raise `InvalidRequest` that names the first wrong field."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        name = str(first["loc"][0])
        described = {field.alias or key: field.description for key, field in model.model_fields.items()}
        raise InvalidRequest(f"{name} has to be {described.get(name) or 'something else'}.") from None


def _uuid(value: object) -> UUID:
    if not is_uuid(value):
        raise ValueError
    return UUID(value)


def _mattermost_id(value: object) -> str:
    if not is_mattermost_id(value):
        raise ValueError
    return value


_UUID_SCHEMA = WithJsonSchema({"type": "string", "pattern": f"^{UUID_FORM}$"})
_UUID_LIKE = "a UUID such as 7b0a8d0e-5c8c-4b7e-9f57-2f1f3a1c0d11"
_ID_SCHEMA = WithJsonSchema({"type": "string", "pattern": f"^{MATTERMOST_ID}$"})
_ID_LIKE = "a Mattermost id: 26 characters of a-z and 0-9"

Uuid = Annotated[UUID, BeforeValidator(_uuid), _UUID_SCHEMA, Field(description=_UUID_LIKE)]
OrganizationUuid = Annotated[
    OrganizationId, BeforeValidator(_uuid), _UUID_SCHEMA, Field(description=_UUID_LIKE)
]
GivenTeamId = Annotated[TeamId, BeforeValidator(_mattermost_id), _ID_SCHEMA, Field(description=_ID_LIKE)]

AnyUuid = Annotated[UUID, _UUID_SCHEMA]
"""Of a response."""
AnyUserId = Annotated[UserId, _ID_SCHEMA]
"""Of a response."""
Count = Annotated[int, Field(ge=0)]


class OfOrganization(Input):
    """The path of a route that is about an organization."""

    org_id: OrganizationUuid

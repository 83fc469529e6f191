"""Types of event fields: each with its form, an error message and a JSON Schema. Pure.

A message continues the name of the field: `data.link must be …`. The JSON Schema of a field accepts exactly
the values that the field accepts.
"""

import re
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticCustomError

from bridge.models.conversations import CONVERSATION_KEY
from bridge.models.ids import CHANNEL_NAME, UUID_FORM

_VISIBLE = r"[^\s\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
"""A visible character."""

_DECIMAL = r"[0-9]{1,18}(\.[0-9]{1,18})?"
_POSITIVE = rf"(?=[0-9.]*[1-9]){_DECIMAL}"
_EMAIL = r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9.-]{1,180}"
_REST = r"(:[0-9]{1,5})?([/?#][A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*)?"
_LINK = rf"(https://[A-Za-z0-9][A-Za-z0-9.-]{{0,252}}|http://(localhost|127\.0\.0\.1)){_REST}"


def wrong(sentence: str) -> PydanticCustomError:
    """Return a validation error; the sentence continues the field's name."""
    return PydanticCustomError("wrong", sentence)


def in_form(form: str, sentence: str) -> AfterValidator:
    """Accept a value that the pattern matches as a whole."""
    pattern = re.compile(form)

    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise wrong(sentence)
        return value

    return AfterValidator(check)


def form_schema(form: str, **more: Any) -> WithJsonSchema:
    """Return the JSON Schema of a text that the pattern matches as a whole."""
    return WithJsonSchema({"type": "string", "pattern": f"^{form}$", **more})


class _Untitled(GenerateJsonSchema):
    """Leaves titles out: they repeat the fields' names."""

    def field_title_should_be_set(self, _schema: Any) -> bool:
        return False


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema of a model."""
    return model.model_json_schema(schema_generator=_Untitled)


def _visible(value: str) -> str:
    if not re.search(_VISIBLE, value):
        raise wrong("must not be blank")
    return value.replace("\x00", "")  # PostgreSQL refuses it


def _as_uuid(value: object) -> UUID:
    if not isinstance(value, str) or not re.fullmatch(UUID_FORM, value):
        raise wrong("must be a UUID")
    return UUID(value)


def _without_point(value: object) -> object:
    """Return 12 for 12.0, which is an integer in JSON Schema."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _amount(form: str, least: int, sentence: str) -> tuple[BeforeValidator, WithJsonSchema]:
    pattern = re.compile(form)

    def read(value: object) -> Decimal:
        # Whoever wrote a JSON number with decimals has rounded it already.
        whole = _without_point(value)
        text = str(whole) if type(whole) is int else whole
        if not isinstance(text, str) or not pattern.fullmatch(text):
            raise wrong(sentence)
        return Decimal(text)

    integer = {"type": "integer", "minimum": least, "maximum": 10**18 - 1}
    schema = WithJsonSchema({"anyOf": [integer, {"type": "string", "pattern": f"^{form}$"}]})
    return BeforeValidator(read), schema


_SHOWN = AfterValidator(_visible)
_SHOWN_SCHEMA = Field(json_schema_extra={"pattern": _VISIBLE})
_IN_FULL = PlainSerializer(lambda number: format(number, "f"), return_type=str)

Uuid = Annotated[UUID, BeforeValidator(_as_uuid), form_schema(UUID_FORM)]

Name = Annotated[str, StringConstraints(max_length=200), _SHOWN, _SHOWN_SCHEMA]
Word = Annotated[str, StringConstraints(max_length=100), _SHOWN, _SHOWN_SCHEMA]
Text = Annotated[str, StringConstraints(max_length=10_000), _SHOWN, _SHOWN_SCHEMA]
Markdown = Annotated[str, StringConstraints(max_length=100_000), _SHOWN, _SHOWN_SCHEMA]

ChannelName = Annotated[
    str,
    in_form(CHANNEL_NAME, "must be the name of a channel as in its address, such as agent"),
    form_schema(CHANNEL_NAME),
]
ConversationKey = Annotated[
    str,
    in_form(CONVERSATION_KEY, "must be the key of a conversation: mattermost:organization:channel:thread"),
    form_schema(CONVERSATION_KEY),
]

Email = Annotated[str, in_form(_EMAIL, "must be an e-mail address"), form_schema(_EMAIL)]
Link = Annotated[
    str,
    StringConstraints(max_length=2000),
    in_form(_LINK, "must be an absolute https address without credentials (http only for localhost)"),
    form_schema(_LINK, maxLength=2000),
]
Currency = Annotated[
    str,
    in_form("[A-Z]{3}", "must be the three capital letters of a currency, such as USD"),
    form_schema("[A-Z]{3}"),
]
Price = Annotated[
    Decimal,
    *_amount(_DECIMAL, 0, 'must be an integer or a decimal number in quotes such as "1.25", not negative'),
    _IN_FULL,
]
Quantity = Annotated[
    Decimal,
    *_amount(_POSITIVE, 1, 'must be an integer or a decimal number in quotes such as "12.5", more than 0'),
    _IN_FULL,
]
Bytes = Annotated[int, Field(ge=0, le=2**53), BeforeValidator(_without_point)]

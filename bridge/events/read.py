"""Read the events of a request's body, all of them or none. Pure: no I/O is imported here."""

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bridge.errors import ConversationUnknown, InvalidRequest
from bridge.events.cloudevents import Envelope, listed
from bridge.events.types import TYPES, AgentMessage, Data, Event
from bridge.models.conversations import Conversation
from bridge.models.equa import OrganizationId

_Model = TypeVar("_Model", bound=BaseModel)


def read(body: bytes, media_type: str) -> list[Event]:
    """Return the events in their order; raise an `InvalidRequest` that names every wrong field.

    Raises `ConversationUnknown` for a message into a conversation of another organization.

    A field is named by its path; in a list the event's index comes first: `[2].data.link`.
    """
    decoded = _decoded(body)
    mistakes: list[str] = []
    events = [
        _event(obj, f"[{index}]." if isinstance(decoded, list) else "", mistakes)
        for index, obj in enumerate(listed(decoded, media_type))
    ]
    if mistakes:
        raise InvalidRequest(f"{'; '.join(mistakes)}.")
    found = [event for event in events if event]
    if any(map(_is_foreign, found)):
        raise ConversationUnknown("data.conversation has to be one of the organization that subject names.")
    return found


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise InvalidRequest("The body is not JSON in UTF-8.") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _event(obj: object, where: str, mistakes: list[str]) -> Event | None:
    if not isinstance(obj, dict):
        mistakes.append(f"{where.removesuffix('.')} must be an object")
        return None
    envelope = _read(Envelope, obj, where, mistakes)
    data = _data(obj, where, mistakes)
    if envelope is None or data is None:
        return None
    return Event(envelope.source, envelope.id, OrganizationId(envelope.subject), envelope.time, data)


def _is_foreign(event: Event) -> bool:
    key = event.data.conversation if isinstance(event.data, AgentMessage) else None
    return key is not None and Conversation.of(key).organization_id != event.organization_id


def _data(obj: Mapping[str, Any], where: str, mistakes: list[str]) -> Data | None:
    name, data = obj.get("type"), obj.get("data")
    model = TYPES.get(name) if isinstance(name, str) else None
    if model is None:
        mistakes.append(f"{where}type must be one of {', '.join(sorted(TYPES))}")
    if not isinstance(data, dict):
        mistakes.append(f"{where}data must be an object")
        return None
    return _read(model, data, f"{where}data.", mistakes) if model else None


def _read(model: type[_Model], obj: Mapping[str, Any], where: str, mistakes: list[str]) -> _Model | None:
    try:
        return model.model_validate(obj)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        mistakes.extend(f"{_named(where, each)} {_sentence(each)}" for each in found)
        return None


def _named(where: str, mistake: ErrorDetails) -> str:
    return f"{where}{'.'.join(map(str, mistake['loc']))}".removesuffix(".")


def _sentence(mistake: ErrorDetails) -> str:
    if mistake["type"] == "missing":
        return "is missing"
    return re.sub("^[A-Z][a-z]+ (?=should )", "", mistake["msg"])

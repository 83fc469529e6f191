"""The types of events, with the fields of their `data`. Pure: no I/O is imported here.

Names are in camelCase on the wire. Unknown fields are ignored, so that the platform may send a new field
before the bridge knows it. `null` is the same as a missing field.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel

from bridge.events.fields import (
    Bytes,
    Currency,
    Email,
    Link,
    Name,
    Price,
    Quantity,
    Text,
    Uuid,
    Word,
    wrong,
)
from bridge.models.equa import OrganizationId, PersonId


class EventData(BaseModel):
    """The data of an event; `link` is its page on the platform."""

    TYPE: ClassVar[str]
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", alias_generator=to_camel)

    link: Link

    def stored(self) -> dict[str, Any]:
        """Return the data as JSON values that the same type can read again."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class SharesIssued(EventData):
    TYPE = "cc.equa.shares.issued"
    model_config = ConfigDict(
        json_schema_extra={
            "dependentSchemas": {
                "pricePerShare": {"required": ["currency"], "properties": {"currency": {"type": "string"}}}
            }
        }
    )

    recipient: Name
    recipient_email: Email | None = None
    security_class: Word
    quantity: Quantity
    price_per_share: Price | None = None
    currency: Currency | None = Field(default=None, validate_default=True)
    certificate: Word | None = None

    @field_validator("currency")
    @classmethod
    def _a_price_has_a_currency(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("price_per_share") is not None:
            raise wrong("is missing, but there is a pricePerShare")
        return value


class SharesTransferred(EventData):
    TYPE = "cc.equa.shares.transferred"

    transferor: Name = Field(alias="from")
    transferee: Name = Field(alias="to")
    security_class: Word
    quantity: Quantity


class DocumentUploaded(EventData):
    TYPE = "cc.equa.document.uploaded"

    name: Name
    folder: Name | None = None
    uploader: Name
    size: Bytes


class _MemberChanged(EventData):
    user_id: Uuid
    name: Name
    email: Email | None = None
    role: Word

    @property
    def person_id(self) -> PersonId:
        """The person whose membership changes."""
        return PersonId(self.user_id)


class MemberAdded(_MemberChanged):
    TYPE = "cc.equa.member.added"


class MemberRemoved(_MemberChanged):
    TYPE = "cc.equa.member.removed"


class Announcement(EventData):
    """`text` is plain: its lines and paragraphs are kept, Markdown in it is shown as it is."""

    TYPE = "cc.equa.announcement"

    title: Name
    text: Text
    author: Name | None = None


Data = SharesIssued | SharesTransferred | DocumentUploaded | MemberAdded | MemberRemoved | Announcement

TYPES: Mapping[str, type[Data]] = MappingProxyType({each.TYPE: each for each in get_args(Data)})


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in an organization; `source` and `id` together name it."""

    source: str
    id: str
    organization_id: OrganizationId
    time: datetime | None
    data: Data

"""The types of events, with the fields of their `data`. Pure: no I/O is imported here.

Names are in camelCase on the wire. Unknown fields are ignored, so that the platform may send a new field
before the bridge knows it. `null` is the same as a missing field.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic.alias_generators import to_camel

from bridge.events.fields import (
    Bytes,
    ChannelName,
    ConversationKey,
    Currency,
    Email,
    Link,
    Markdown,
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
    """The data of an event."""

    TYPE: ClassVar[str]
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", alias_generator=to_camel)

    def stored(self) -> dict[str, Any]:
        """Return the data as JSON values that the same type can read again."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class PlatformData(EventData):
    """The data of something that happened on the platform; `link` is its page there."""

    link: Link


class SharesIssued(PlatformData):
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


class SharesTransferred(PlatformData):
    TYPE = "cc.equa.shares.transferred"

    transferor: Name = Field(alias="from")
    transferee: Name = Field(alias="to")
    security_class: Word
    quantity: Quantity


class DocumentUploaded(PlatformData):
    TYPE = "cc.equa.document.uploaded"

    name: Name
    folder: Name | None = None
    uploader: Name
    size: Bytes


class _MemberChanged(PlatformData):
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


class Announcement(PlatformData):
    """`text` is plain: its lines and paragraphs are kept, Markdown in it is shown as it is."""

    TYPE = "cc.equa.announcement"

    title: Name
    text: Text
    author: Name | None = None


class AgentMessage(EventData):
    """Something that the agent says by itself; `text` is Markdown.

    It goes into a channel of the organization's team, named as in its address, or into the thread of a
    conversation.
    """

    TYPE = "cc.equa.agent.message"
    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": [one], "properties": {one: {"type": "string"}, other: {"type": "null"}}}
                for one, other in (("channel", "conversation"), ("conversation", "channel"))
            ]
        }
    )

    channel: ChannelName | None = None
    conversation: ConversationKey | None = None
    text: Markdown

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        if (self.channel is None) == (self.conversation is None):
            raise wrong("must have either channel or conversation")
        return self


Noticed = SharesIssued | SharesTransferred | DocumentUploaded | MemberAdded | MemberRemoved | Announcement
"""Each of these becomes a notice."""

Data = Noticed | AgentMessage

NOTICED: Mapping[str, type[Noticed]] = MappingProxyType({each.TYPE: each for each in get_args(Noticed)})

TYPES: Mapping[str, type[Data]] = MappingProxyType({**NOTICED, AgentMessage.TYPE: AgentMessage})


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in an organization; `source` and `id` together name it."""

    source: str
    id: str
    organization_id: OrganizationId
    time: datetime | None
    data: Data

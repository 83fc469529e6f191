"""Render an event as a message attachment: a title that links to the platform, a few fields, a colour. Pure.

https://developers.mattermost.com/integrate/reference/message-attachments/ describes what Mattermost shows of
an attachment. It never shows `ts`, so the time stands in the footer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from bridge.events.types import (
    Announcement,
    DocumentUploaded,
    MemberAdded,
    MemberRemoved,
    Noticed,
    SharesIssued,
    SharesTransferred,
)
from bridge.notices.escape import block, inline, line, plain
from bridge.notices.format import moment, money, person, quantity, size

GREEN, BLUE, VIOLET, TEAL, GREY, AMBER = "#2e7d32", "#1565c0", "#6a1b9a", "#00838f", "#616161", "#ef6c00"


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a post shows of an event."""

    message: str
    """The event in one line of Markdown, which search finds and notifications show."""
    attachment: dict[str, Any]
    """In Mattermost's form (server/public/model/message_attachment.go)."""


@dataclass(frozen=True, slots=True)
class Notice:
    """An event for people; fields and text are Markdown, the rest is plain text."""

    title: str
    color: str
    summary: str
    """The event in one line."""
    fields: Mapping[str, str]
    text: str = ""
    author: str = ""

    def rendered(self, link: str, time: datetime) -> Rendered:
        attachment = {
            "fallback": plain(self.summary),
            "color": self.color,
            "author_name": plain(self.author),
            "title": self.title,
            "title_link": link,
            "text": self.text,
            "fields": [
                {"title": title, "value": value, "short": True} for title, value in self.fields.items()
            ],
            "footer": f"Equa · {moment(time)}",
        }
        return Rendered(line(self.summary), attachment)


def render(data: Noticed, time: datetime) -> Rendered:
    """Return the message and the attachment for an event of that time."""
    return _notice(data).rendered(data.link, time)


def _notice(data: Noticed) -> Notice:
    match data:
        case SharesIssued():
            return _issued(data)
        case SharesTransferred():
            return _transferred(data)
        case DocumentUploaded():
            return _uploaded(data)
        case MemberAdded():
            return _joined(data)
        case MemberRemoved():
            return _left(data)
        case Announcement():
            return _announced(data)
        case _:
            assert_never(data)


def _issued(data: SharesIssued) -> Notice:
    fields = {
        "Recipient": person(data.recipient, data.recipient_email),
        "Security": inline(data.security_class),
        "Quantity": quantity(data.quantity),
    }
    if data.price_per_share is not None and data.currency:
        fields["Price per share"] = money(data.price_per_share, data.currency)
    if data.certificate:
        fields["Certificate"] = inline(data.certificate)
    summary = f"{quantity(data.quantity)} {data.security_class} issued to {data.recipient}"
    return Notice("Shares issued", GREEN, summary, fields)


def _transferred(data: SharesTransferred) -> Notice:
    fields = {
        "From": inline(data.transferor),
        "To": inline(data.transferee),
        "Security": inline(data.security_class),
        "Quantity": quantity(data.quantity),
    }
    summary = (
        f"{quantity(data.quantity)} {data.security_class} transferred from {data.transferor}"
        f" to {data.transferee}"
    )
    return Notice("Shares transferred", BLUE, summary, fields)


def _uploaded(data: DocumentUploaded) -> Notice:
    fields = {"Document": inline(data.name), "Uploaded by": inline(data.uploader), "Size": size(data.size)}
    if data.folder:
        fields["Folder"] = inline(data.folder)
    return Notice("Document uploaded", VIOLET, f"{data.uploader} uploaded {data.name}", fields)


def _joined(data: MemberAdded) -> Notice:
    fields = {"Name": inline(data.name), "Role": inline(data.role)}
    return Notice("New member", TEAL, f"{data.name} joined as {data.role}", fields)


def _left(data: MemberRemoved) -> Notice:
    fields = {"Name": inline(data.name), "Role": inline(data.role)}
    return Notice("Member left", GREY, f"{data.name} ({data.role}) left", fields)


def _announced(data: Announcement) -> Notice:
    return Notice(
        title="Announcement",
        color=AMBER,
        summary=data.title,
        fields={},
        text=block(data.text),
        author=data.author or "",
    )

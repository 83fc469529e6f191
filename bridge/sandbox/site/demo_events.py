"""What can happen in an organization of the demo, as CloudEvents. Pure: no I/O is imported here."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from bridge.sandbox.demo_data import Company

SOURCE = "https://app.equa.example/demo"

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DemoEvent:
    """Something that happens at the press of a button."""

    type: str
    label: str
    """What the button says."""
    channel: str
    """Which channel hears of it, as people know it."""
    data: Callable[[Company, random.Random], Data]


def _shares_issued(company: Company, chance: random.Random) -> Data:
    return {
        "recipient": chance.choice(company.members).name,
        "securityClass": company.stakes[0].security,
        "quantity": chance.randrange(1, 50) * 1000,
        "pricePerShare": f"{chance.randrange(50, 400) / 100:.2f}",
        "currency": "USD",
        "certificate": f"CS-{chance.randrange(100, 1000)}",
    }


def _shares_transferred(company: Company, chance: random.Random) -> Data:
    giver = chance.choice(company.stakes)
    taker = chance.choice([member.name for member in company.members if member.name != giver.holder])
    return {
        "from": giver.holder,
        "to": taker,
        "securityClass": giver.security,
        "quantity": chance.randrange(1, 20) * 500,
    }


def _document_uploaded(company: Company, chance: random.Random) -> Data:
    return {
        "name": chance.choice(company.documents),
        "folder": "Governance",
        "uploader": chance.choice([account.name for account, _ in company.people()]),
        "size": chance.randrange(40_000, 4_000_000),
    }


def _announcement(company: Company, chance: random.Random) -> Data:
    day = chance.choice(["Tuesday", "Wednesday", "Thursday"])
    return {
        "title": f"All hands on {day}",
        "text": f"Everybody at {company.name} meets on {day} at 10.\nBring what you are proud of.",
        "author": company.members[0].name,
    }


DEMO_EVENTS: Mapping[str, DemoEvent] = {
    "issue": DemoEvent("cc.equa.shares.issued", "Issue shares", "#cap-table", _shares_issued),
    "transfer": DemoEvent("cc.equa.shares.transferred", "Transfer shares", "#cap-table", _shares_transferred),
    "upload": DemoEvent("cc.equa.document.uploaded", "Add a document", "#documents", _document_uploaded),
    "announce": DemoEvent("cc.equa.announcement", "Announce", "#announcements", _announcement),
}


def cloud_event(kind: str, organization: UUID, data: Mapping[str, Any], link: str, now: datetime) -> Data:
    """Return an event of its own id; `link` is where the web app shows what it is about."""
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": SOURCE,
        "type": kind,
        "subject": str(organization),
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "data": {**data, "link": link},
    }

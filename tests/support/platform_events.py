"""Events as the platform sends them: one of each type, and nasty ones."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

ACME = "0a000000-0000-4000-8000-00000000000a"
ADA = "0c000000-0000-4000-8000-00000000000c"

DATA: Mapping[str, Mapping[str, Any]] = {
    "cc.equa.shares.issued": {
        "recipient": "Ada Lovelace",
        "recipientEmail": "ada@example.test",
        "securityClass": "Common Stock",
        "quantity": 1_500_000,
        "pricePerShare": "0.0001",
        "currency": "USD",
        "certificate": "CS-12",
        "link": "https://app.equa.cc/cap-table/cs-12",
    },
    "cc.equa.shares.transferred": {
        "from": "Ada Lovelace",
        "to": "Grace Hopper",
        "securityClass": "Common Stock",
        "quantity": "1250.5",
        "link": "https://app.equa.cc/cap-table",
    },
    "cc.equa.document.uploaded": {
        "name": "Bylaws 2026.pdf",
        "folder": "Governance",
        "uploader": "Grace Hopper",
        "size": 1_572_864,
        "link": "https://app.equa.cc/documents/bylaws",
    },
    "cc.equa.member.added": {
        "userId": ADA,
        "name": "Ada Lovelace",
        "email": "ada@example.test",
        "role": "Shareholder",
        "link": "https://app.equa.cc/members",
    },
    "cc.equa.member.removed": {
        "userId": ADA,
        "name": "Ada Lovelace",
        "role": "Shareholder",
        "link": "https://app.equa.cc/members",
    },
    "cc.equa.announcement": {
        "title": "Annual meeting",
        "text": "We meet on 3 December.\n\nPlease bring:\n- your vote\n- a question",
        "author": "Grace Hopper",
        "link": "https://app.equa.cc/announcements/7",
    },
}
"""Of what happened on the platform."""

MESSAGE = "cc.equa.agent.message"

EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    **DATA,
    MESSAGE: {"channel": "agent", "text": "The **cap table** has changed."},
}


def event(name: str = "cc.equa.announcement", number: int = 1, **changes: Any) -> dict[str, Any]:
    """An event as it stands on the wire."""
    return {
        "specversion": "1.0",
        "id": f"event-{number}",
        "source": "https://app.equa.cc",
        "type": name,
        "subject": ACME,
        "time": "2026-11-22T14:05:00Z",
        "data": dict(EXAMPLES[name]),
        **changes,
    }


def without(obj: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in obj.items() if name not in names}


def encoded(body: Any) -> bytes:
    return json.dumps(body).encode()


_MARKUP = r"""
    @all @channel @here @ada @ &#64;all &commat;here \@all ~town-square #tag # ~~ ~ :smile: :) ;) :D <3 </3
    http://evil.example/x www.evil.example evil.com/login mailto:a@b.co a@b.co javascript:alert(1) tel:1
    ![x](https://e.co/x.png) [x](https://e.co) [x]: https://e.co <https://e.co> <https://e.co|Equa> <b> </b>
    * ** _ __ ` `` ``` | |---| $ $x$ \ & &amp; < > = === --- - + 1. 1) ! ( ) [ ] { } ' " / . , : ;
    x-d é 日本 😀 a B 2
"""
_SPACES = (" ", "\t", "    ", "\n", "\r\n", "\n\n", "\u2028", "\x00", "\x1b[31m", "\u202e", "\u200b")

nasty = st.lists(st.sampled_from((*_MARKUP.split(), *_SPACES)) | st.text(max_size=5), max_size=12).map(
    "".join
)
"""Texts that mean something to some parser."""

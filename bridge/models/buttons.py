"""Buttons below a post of the bot. Pure: no I/O is imported here."""

import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from bridge.models.chat import ChannelId, PostId, UserId
from bridge.models.equa import OrganizationId

ButtonPurpose = Literal["approval", "question"]
"""What a press is about: a tool call that waits, or a question of the agent."""

TRIAL = "trial"
"""In place of a secret: means nothing, but whoever sends it gets `TRIAL_ANSWER`. `doctor` presses it."""

TRIAL_ANSWER = "The bridge has heard the press of this button."

_BYTES = 16


@dataclass(frozen=True, slots=True)
class Button:
    """What a press of a button means."""

    purpose: ButtonPurpose
    subject: str
    """The id of what is decided."""
    choice: str
    organization_id: OrganizationId
    channel_id: ChannelId
    post_id: PostId | None = None
    """None until the post is known."""


@dataclass(frozen=True, slots=True)
class Press:
    """A press as Mattermost reports it."""

    user_id: UserId
    channel_id: ChannelId
    post_id: PostId


def new_secret() -> str:
    """Return a secret of 128 bits, which Mattermost keeps for a button and shows to nobody."""
    return secrets.token_urlsafe(_BYTES)


def digest_of(secret: str) -> bytes:
    """Return what a secret is stored as; it does not reveal the secret."""
    return sha256(secret.encode()).digest()


def action(id_: str, name: str, style: str, url: str, secret: str) -> dict[str, Any]:
    """Return a button in Mattermost's form; its id may have letters and digits only."""
    integration = {"url": url, "context": {"secret": secret}}
    return {"id": id_, "type": "button", "name": name, "style": style, "integration": integration}

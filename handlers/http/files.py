"""`POST /api/v1/mattermost/files`: a peer sends a file into a conversation.

The file goes through to Mattermost as it comes. Then a job is stored that posts it. Whatever dies, nothing is
lost or doubled: before that the peer has no answer and sends it again, and nobody sees a file without a post.
"""

import json
import re
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated

from aiohttp import BodyPartReader, web
from pydantic import BeforeValidator, Field, WithJsonSchema

from bridge.errors import (
    ChannelNotUsable,
    ConversationUnknown,
    DatabaseUnavailable,
    EquaUnavailable,
    InvalidRequest,
    MattermostNotConfigured,
    MattermostRefused,
    MattermostUnavailable,
    NoBearer,
    PayloadTooLarge,
    RequestTimeout,
    TeamNotMapped,
    UnsupportedMediaType,
)
from bridge.models.chat import ChannelId, FileId
from bridge.models.conversations import CONVERSATION_KEY, Conversation
from bridge.models.jobs import OutgoingMessage, message_entry
from bridge.text.storable import one_line
from handlers.http.app_keys import SERVICES, FileUploads
from handlers.http.bearer import require_peer
from handlers.http.form import FORM, FilePieces, Form, too_large
from handlers.http.models import Input, Model, parsed, reply
from handlers.http.route import Reply, Route

LARGEST_FILE = 100 << 20
"""Bytes, unless Mattermost allows fewer."""

_LONGEST_COMMENT = 64 << 10
_LONGEST_NAME = 200
"""Bytes; Mattermost takes 255 (contract/test_files.py)."""
_KEY = "[!-~]{1,200}"


def _idempotency_key(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(_KEY, value):
        raise ValueError
    return value


class _Headers(Input):
    idempotency_key: Annotated[
        str,
        BeforeValidator(_idempotency_key),
        WithJsonSchema({"type": "string", "pattern": f"^{_KEY}$"}),
        Field(alias="Idempotency-Key", description="1 to 200 visible characters that are the file's own"),
    ]


class _Accepted(Model):
    accepted: Annotated[bool, Field(description="Whether this request has brought the file.")]
    duplicate: Annotated[bool, Field(description="Whether an earlier request of the same key had.")]


async def receive(request: web.Request) -> web.Response:
    """Take a file; one that was taken before under its key is not read again."""
    require_peer(request)
    key = parsed(_Headers, {"Idempotency-Key": request.headers.get("Idempotency-Key")}).idempotency_key
    uploads = request.app[SERVICES].uploads
    if uploads is None:
        raise MattermostNotConfigured("MATTERMOST_URL and MATTERMOST_BOT_TOKEN are needed.")
    largest = min(LARGEST_FILE, await uploads.api.max_file_size())
    form = await Form.of(request, largest)
    conversation, comment, part = await _before_file(form)
    target = await uploads.conversations.target(conversation.organization_id, conversation)
    dedupe = f"file:{sha256(json.dumps([conversation.key, key]).encode()).hexdigest()}"
    if await uploads.inbox.has(dedupe):
        return _answer(new=False)
    file = await _uploaded(uploads, target.channel_id, _name_of(part), form.file(part, largest))
    message = OutgoingMessage(channel=None, conversation=conversation.key, text=comment, file_id=file)
    stored = await uploads.inbox.put_all([message_entry(conversation.organization_id, message, dedupe)])
    return _answer(new=dedupe in stored)


def _answer(*, new: bool) -> web.Response:
    return reply(_Accepted(accepted=new, duplicate=not new), HTTPStatus.ACCEPTED)


async def _before_file(form: Form) -> tuple[Conversation, str, BodyPartReader]:
    """Return the conversation and the comment, which have to come before the file, and the file's part."""
    key, comment = "", ""
    while part := await form.next():
        match part.name:
            case "conversation":
                key = await form.text(part, 1000)
            case "comment":
                comment = await form.text(part, _LONGEST_COMMENT)
            case "file":
                return _conversation(key), comment, part
            case _:
                await form.skip(part)
    raise InvalidRequest("The form has no file.")


def _conversation(key: str) -> Conversation:
    try:
        return Conversation.of(key)
    except ValueError:
        raise InvalidRequest(
            "conversation has to come before file, and to be a conversation's key."
        ) from None


def _name_of(part: BodyPartReader) -> str:
    """Return the file's name without a path, short enough for Mattermost."""
    name = one_line(re.split(r"[/\\]", part.filename or "")[-1])
    if not name.strip("."):
        raise InvalidRequest("file has no filename.")
    stem, dot, extension = name.rpartition(".")
    left = _LONGEST_NAME - len(f"{dot}{extension}".encode())
    return f"{_cut(stem, left)}{dot}{extension}" if stem and left > 0 else _cut(name, _LONGEST_NAME)


def _cut(text: str, size: int) -> str:
    return text.encode(errors="replace")[:size].decode(errors="ignore")


async def _uploaded(uploads: FileUploads, channel: ChannelId, name: str, pieces: FilePieces) -> FileId:
    try:
        return await uploads.api.upload(channel, name, pieces)
    except MattermostUnavailable:
        if pieces.error:
            raise pieces.error from None
        raise
    except MattermostRefused as error:
        if error.http_status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise
        raise too_large(pieces.limit) from None


ROUTE = Route(
    method="POST",
    path="/api/v1/mattermost/files",
    handler=receive,
    operation="receiveFile",
    summary="A file of the agent for a conversation",
    description="It is posted once into the conversation's thread. The parts have to come in this order.",
    caller="peer",
    header_model=_Headers,
    body={
        FORM: {
            "type": "object",
            "properties": {
                "conversation": {"type": "string", "pattern": f"^{CONVERSATION_KEY}$"},
                "comment": {"type": "string", "description": "Markdown that is posted with the file."},
                "file": {"type": "string", "format": "binary"},
            },
            "required": ["conversation", "file"],
            "additionalProperties": False,
        }
    },
    replies={202: Reply("Stored.", _Accepted)},
    errors=(
        InvalidRequest,
        NoBearer,
        ConversationUnknown,
        TeamNotMapped,
        RequestTimeout,
        ChannelNotUsable,
        PayloadTooLarge,
        UnsupportedMediaType,
        MattermostNotConfigured,
        MattermostRefused,
        MattermostUnavailable,
        EquaUnavailable,
        DatabaseUnavailable,
    ),
)

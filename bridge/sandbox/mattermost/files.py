"""The rules for files: upload, attach to a post, read.

Sources: server/channels/app/file.go, server/channels/app/post.go (`attachFilesToPost`),
server/public/model/file_info.go.
"""

import mimetypes
from collections.abc import Iterable
from pathlib import PurePosixPath

from bridge.sandbox.mattermost.errors import ApiError
from bridge.sandbox.mattermost.records import Channel, File, Post, User
from bridge.sandbox.mattermost.state import State

MAX_FILES = 10
"""Of a post (`maxIDs` of server/public/model/post.go)."""
LONGEST_NAME = 255
"""Bytes; the file's own path ends with its name."""


def check_enabled(state: State) -> None:
    if not state.settings.get("FileSettings", "EnableFileAttachments"):
        raise ApiError("api.file.attachments.disabled.app_error", 403)


def create_file(state: State, user: User, channel: Channel, name: str, data: bytes) -> File:
    """Store a file that belongs to no post yet."""
    if len(data) > state.settings.get("FileSettings", "MaxFileSize"):
        raise ApiError("api.file.upload_file.too_large_detailed.app_error", 413)
    name = PurePosixPath(name).name
    if len(name.encode()) > LONGEST_NAME:
        raise ApiError("api.file.write_file.app_error", 500, "Unable to write the file.")
    now = state.now()
    file = File(
        id=state.new_id(),
        user_id=user.id,
        channel_id=channel.id,
        name=name,
        mime_type=_type_of(name),
        data=data,
        create_at=now,
        update_at=now,
    )
    state.files[file.id] = file
    return file


def find_file(state: State, file_id: str) -> File:
    """Return a file that is not deleted."""
    file = state.files.get(file_id)
    if file is None or file.delete_at:
        raise ApiError("app.file_info.get.app_error", 404, "Unable to get the file info.")
    return file


def check_ids(file_ids: object) -> None:
    """Raise 400 for more files than a post may have."""
    if isinstance(file_ids, list) and len(file_ids) > MAX_FILES:
        raise ApiError("model.post.is_valid.file_ids.app_error", 400)


def attach(state: State, post: Post, file_ids: Iterable[object]) -> None:
    """Attach the author's own files that belong to no post yet; any other id is dropped without a word."""
    for file_id in dict.fromkeys(str(each) for each in file_ids):
        file = state.files.get(file_id)
        if file and not file.post_id and file.user_id == post.user_id:
            file.post_id, file.channel_id = post.id, post.channel_id
            post.files.append(file)


def _type_of(name: str) -> str:
    found = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{found}; charset=utf-8" if found.startswith("text/") else found

"""Parse Mattermost's objects. Pure: no I/O is imported here.

Shapes: server/public/model/post.go, post_list.go, channel.go, file_info.go and user.go. An object of another
shape raises `MalformedError`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.errors import InvalidRequest
from bridge.mattermost.json_text import MalformedError, load_json
from bridge.models.chat import (
    Channel,
    ChannelId,
    ChannelType,
    FileId,
    FileInfo,
    Post,
    Posted,
    PostId,
    Reaction,
    TeamId,
    User,
    UserId,
)
from bridge.models.ids import is_mattermost_id
from bridge.text.storable import as_it_came

Record = Mapping[str, Any]

_CHANNEL_TYPES: Mapping[str, ChannelType] = {"O": "O", "P": "P", "D": "D", "G": "G"}


def identifier(value: str) -> str:
    """Return the value if it has the form of an id and may stand in a path; raises `InvalidRequest`."""
    if not is_mattermost_id(value):
        raise InvalidRequest("A Mattermost id has 26 characters of a-z and 0-9.")
    return value


def parse_post(obj: object) -> Post:
    post = _record(obj, "post")
    return Post(
        id=PostId(_id(post, "id")),
        channel_id=ChannelId(_id(post, "channel_id")),
        user_id=UserId(_id(post, "user_id")),
        root_id=PostId(_id(post, "root_id")) if post.get("root_id") else "",
        message=_text(post, "message"),
        create_at=_count(post, "create_at"),
        type=_text(post, "type", ""),
        props=_record(post.get("props") or {}, "props"),
        pending_post_id=_text(post, "pending_post_id", ""),
        file_ids=tuple(map(FileId, _ids(post.get("file_ids") or []))),
    )


def parse_posted(data: Record) -> Posted:
    """Read the data of a `posted` event, in which the post is JSON inside JSON."""
    return Posted(
        post=parse_post(load_json(_text(data, "post"))),
        team_id=TeamId(_id(data, "team_id")) if data.get("team_id") else "",
        channel_name=_text(data, "channel_name"),
        mentioned=bool(data.get("mentions")),
    )


def parse_channel(obj: object) -> Channel:
    channel = _record(obj, "channel")
    return Channel(
        id=ChannelId(_id(channel, "id")),
        team_id=TeamId(_id(channel, "team_id")) if channel.get("team_id") else "",
        name=_text(channel, "name"),
        type=_channel_type(channel),
        last_post_at=_count(channel, "last_post_at", 0),
        delete_at=_count(channel, "delete_at", 0),
    )


def parse_user(obj: object) -> User:
    user = _record(obj, "user")
    return User(
        id=UserId(_id(user, "id")),
        username=_text(user, "username"),
        is_bot=user.get("is_bot") is True,
        email=_text(user, "email", ""),
        roles=_text(user, "roles", ""),
        delete_at=_count(user, "delete_at", 0),
        first_name=_text(user, "first_name", ""),
        last_name=_text(user, "last_name", ""),
        nickname=_text(user, "nickname", ""),
        auth_service=_text(user, "auth_service", ""),
    )


def parse_page(obj: object) -> list[Post]:
    """Return the posts of a list in its order, newest first.

    `posts` may hold more than `order` names: the roots of threads (server/public/model/post_list.go).
    """
    page = _record(obj, "list of posts")
    posts = _record(page.get("posts") or {}, "posts")
    return [parse_post(posts.get(post_id)) for post_id in _ids(page.get("order") or [])]


def parse_thread(obj: object) -> tuple[list[Post], bool | None]:
    """Return the posts of a thread in any order, and whether there are more if the server says so."""
    page = _record(obj, "thread")
    posts = _record(page.get("posts") or {}, "posts")
    has_next = page.get("has_next")
    return [parse_post(post) for post in posts.values()], has_next if isinstance(has_next, bool) else None


def parse_file(obj: object) -> FileInfo:
    """Read a `FileInfo` (server/public/model/file_info.go)."""
    file = _record(obj, "file")
    return FileInfo(
        id=FileId(_id(file, "id")),
        post_id=PostId(_id(file, "post_id")) if file.get("post_id") else "",
        name=_text(file, "name"),
        size=_count(file, "size"),
        media_type=_text(file, "mime_type", ""),
    )


def parse_upload(obj: object) -> FileInfo:
    """Read the one file of an upload's answer."""
    files = parse_list(_record(obj, "upload").get("file_infos"))
    if len(files) != 1:
        raise MalformedError("Mattermost sent another number of files than one.")
    return parse_file(files[0])


def parse_id(obj: object, key: str) -> str:
    """Return the id that an object has under a key."""
    return _id(_record(obj, "object"), key)


def parse_name(obj: object, key: str) -> str:
    """Return the text that an object has under a key."""
    return _text(_record(obj, "object"), key)


def parse_time(obj: object, key: str) -> int:
    """Return the moment, in milliseconds, that an object has under a key; 0 if it has none."""
    return _count(_record(obj, "object"), key, 0)


def parse_reaction(obj: object) -> Reaction:
    return Reaction(
        UserId(parse_id(obj, "user_id")), parse_name(obj, "emoji_name"), parse_time(obj, "create_at")
    )


def parse_list(obj: object) -> list[Any]:
    if not isinstance(obj, list):
        raise MalformedError("Mattermost sent something else than a list.")
    return obj


def parse_ids(obj: object) -> list[str]:
    """Return the ids of a list of objects."""
    return [_id(_record(item, "list item"), "id") for item in parse_list(obj)]


def _record(obj: object, what: str) -> Record:
    if not isinstance(obj, dict):
        raise MalformedError(f"Mattermost sent a {what} that is no JSON object.")
    return obj


def _ids(value: object) -> Iterator[str]:
    if not isinstance(value, list) or not all(map(is_mattermost_id, value)):
        raise MalformedError("Mattermost sent something else than a list of ids.")
    return iter(value)


def _id(record: Record, key: str) -> str:
    value = record.get(key)
    if not is_mattermost_id(value):
        raise MalformedError(f"Mattermost sent an object whose {key} is no id.")
    return value


def _text(record: Record, key: str, default: str | None = None) -> str:
    """Return a text that can be stored."""
    value = record.get(key, default)
    if not isinstance(value, str):
        raise MalformedError(f"Mattermost sent an object whose {key} is no text.")
    return as_it_came(value)


def _count(record: Record, key: str, default: int | None = None) -> int:
    value = record.get(key, default)
    if type(value) is not int or value < 0:
        raise MalformedError(f"Mattermost sent an object whose {key} is no number.")
    return value


def _channel_type(channel: Record) -> ChannelType:
    known = _CHANNEL_TYPES.get(_text(channel, "type"))
    if known is None:
        raise MalformedError("Mattermost sent a channel of an unknown type.")
    return known

"""Routes of files (server/channels/api4/file.go)."""

from urllib.parse import quote

from aiohttp import BodyPartReader, web

from bridge.sandbox.mattermost import files as rules
from bridge.sandbox.mattermost.api.call import Call, answer
from bridge.sandbox.mattermost.api.post_lists import check_may_read
from bridge.sandbox.mattermost.api.routing import route
from bridge.sandbox.mattermost.errors import ApiError, forbidden, invalid_url_param
from bridge.sandbox.mattermost.posts import find_post
from bridge.sandbox.mattermost.records import File
from bridge.sandbox.mattermost.roles import allowed_in_channel
from bridge.sandbox.mattermost.wire import file_json


async def upload(call: Call) -> web.StreamResponse:
    """Store one file from a bare body, or several from a form."""
    rules.check_enabled(call.state)
    if call.request.headers.get("Content-Length") == "0":
        raise _unreadable()
    if call.request.content_type == "multipart/form-data":
        return await _from_form(call)
    query = call.request.query
    if not query.get("channel_id"):
        raise invalid_url_param("channel_id")
    if not query.get("filename"):
        raise invalid_url_param("filename")
    file = _created(call, query["channel_id"], query["filename"], await _body(call))
    return answer({"file_infos": [file_json(file)], "client_ids": None}, 201)


async def _body(call: Call) -> bytes:
    try:
        return await call.request.read()
    except (ConnectionError, web.HTTPRequestEntityTooLarge):
        raise _unreadable() from None


async def _from_form(call: Call) -> web.StreamResponse:
    channel_id = call.request.query.get("channel_id", "")
    stored: list[File] = []
    async for part in await call.request.multipart():
        if not isinstance(part, BodyPartReader):
            raise _unreadable()
        if part.filename:
            stored.append(_created(call, channel_id, part.filename, bytes(await part.read())))
        elif part.name == "channel_id":
            channel_id = await part.text()
    return answer({"file_infos": [file_json(file) for file in stored], "client_ids": []}, 201)


def _created(call: Call, channel_id: str, name: str, data: bytes) -> File:
    channel = call.state.channels.get(channel_id)
    if channel is None or not allowed_in_channel(call.state, call.me.id, channel.id, "upload_file"):
        raise forbidden()
    return rules.create_file(call.state, call.me, channel, name, data)


def _unreadable() -> ApiError:
    return ApiError("api.file.upload_file.read_request.app_error", 400)


def _readable(call: Call) -> File:
    file = rules.find_file(call.state, call.id("file_id"))
    if file.user_id != call.me.id:
        check_may_read(call, call.state.channels[file.channel_id])
    return file


async def download(call: Call) -> web.StreamResponse:
    file = _readable(call)
    name = quote(file.name)
    return web.Response(
        body=file.data,
        headers={
            "Content-Type": file.mime_type,
            "Content-Disposition": f"attachment;filename=\"{name}\"; filename*=UTF-8''{name}",
            "Cache-Control": "private, max-age=86400",
        },
    )


async def info(call: Call) -> web.StreamResponse:
    return answer(file_json(_readable(call)))


async def of_post(call: Call) -> web.StreamResponse:
    """Return what is attached to a post."""
    post = find_post(call.state, call.id("post_id"))
    check_may_read(call, call.state.channels[post.channel_id])
    return answer([file_json(file) for file in post.files])


ROUTES = (
    route("POST", "/files", upload),
    route("GET", "/files/{file_id}", download, trusted=True),
    route("GET", "/files/{file_id}/info", info),
    route("GET", "/posts/{post_id}/files/info", of_post),
)

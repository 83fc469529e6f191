"""Mattermost's REST interface as one account sees it: `bridge.ports.MattermostApi`."""

from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import structlog

from bridge.errors import MattermostRefused, MattermostUnavailable
from bridge.mattermost.json_text import MalformedError
from bridge.mattermost.rest.endpoints import (
    ChannelCalls,
    FileCalls,
    PostCalls,
    ReactionCalls,
    ServerCalls,
    TeamCalls,
    UserCalls,
)
from bridge.mattermost.rest.long_lists import batches
from bridge.mattermost.rest.objects import is_current_member
from bridge.mattermost.rest.refusals import is_absence
from bridge.mattermost.rest.retry_policy import RetryPolicy
from bridge.mattermost.rest.transport import Observe, Transport, client_session
from bridge.mattermost.wire import (
    identifier,
    parse_channel,
    parse_file,
    parse_id,
    parse_ids,
    parse_list,
    parse_page,
    parse_post,
    parse_reaction,
    parse_thread,
    parse_upload,
    parse_user,
)
from bridge.models.chat import (
    PAGE_SIZE,
    Channel,
    ChannelId,
    Draft,
    FileId,
    FileInfo,
    Post,
    PostId,
    Reaction,
    TeamId,
    User,
    UserId,
)
from bridge.models.proxies import NO_PROXIES, Proxies
from bridge.ports import Wanted, any_channel

log = structlog.get_logger(__name__)

_LARGEST_LIST = 1 << 29
"""Bytes, of channels; each takes 700 at most, and an organization has six."""

_LISTING = RetryPolicy(timeout=60, total=60)
"""For a list that takes the server and us some seconds."""

_LARGEST_PAGE = 8 << 20
"""Bytes, of posts; a usual page has a tenth of a megabyte, a single post at most three or four."""

_USUAL_FILE_SIZE = 100 << 20
"""Bytes (`FileSettingsDefaultMaxFileSize` in server/public/model/config.go)."""

_USUAL_POST_SIZE, _SMALLEST_POST_SIZE = 16383, 4000
"""`PostMessageMaxRunesV2` and `V1` in server/public/model/post.go."""


@asynccontextmanager
async def connect(
    url: str, token: str, observe: Observe, proxies: Proxies = NO_PROXIES
) -> AsyncIterator["RestMattermost"]:
    """Give the interface as the token's account sees it, with a session of its own."""
    async with client_session(proxies) as session:
        yield RestMattermost(Transport(session, url, token, observe))


_CREATING = RetryPolicy(timeout=60, resend_for=25)
"""A create was measured to answer up to 35 s after the post was visible, and the server knows a
`pending_post_id` for 30 s (`PendingPostIDsCacheTTL` in server/channels/app/post.go)."""


_ONCE = RetryPolicy(tries=1)
"""For what is worth less than another call."""

_TRANSFERRING = RetryPolicy(timeout=100, total=100)
"""Of a file."""


@dataclass(frozen=True, slots=True)
class RestMattermost:
    transport: Transport
    creating: RetryPolicy = _CREATING
    """For a post with a `pending_post_id`."""

    async def me(self) -> User:
        return parse_user(await UserCalls(self.transport).me())

    async def user(self, user_id: UserId) -> User:
        return parse_user(await UserCalls(self.transport).get(user_id))

    async def post(self, post_id: PostId) -> Post:
        return parse_post(await PostCalls(self.transport).get(post_id))

    async def channel(self, channel_id: ChannelId) -> Channel:
        return parse_channel(await ChannelCalls(self.transport).get(channel_id))

    async def channel_by_name(self, team_id: TeamId, name: str) -> Channel | None:
        try:
            found = await ChannelCalls(self.transport).by_name(team_id, name)
        except MattermostRefused as error:
            if not is_absence(error):
                raise
            return None
        return parse_channel(found)

    async def join_channel(self, channel_id: ChannelId, me: UserId) -> None:
        await ChannelCalls(self.transport).add_member(channel_id, me)

    async def refresh_hearing(self, channel_id: ChannelId, me: UserId) -> None:
        """Set no notification of the channel: the server then looks up again what a connection may hear.

        Restoring a channel does not make it look (`RestoreChannel` and `UpdateChannelMemberNotifyProps` in
        server/channels/app/channel.go, `InvalidateCMCacheForUser` in app/platform/web_hub.go beside it).
        """
        await ChannelCalls(self.transport).set_notifications(channel_id, me, {})

    async def is_in_team(self, team_id: TeamId, user_id: UserId) -> bool:
        try:
            return is_current_member(await TeamCalls(self.transport).member(team_id, user_id))
        except MattermostRefused as error:
            if not is_absence(error):
                raise
            return False

    async def pin_post(self, post_id: PostId) -> None:
        await PostCalls(self.transport).pin(post_id)

    async def my_channels(self, wanted: Wanted = any_channel) -> Sequence[Channel]:
        """Return the wanted channels, of all teams, that the account is a member of, but unreadable ones.

        Before 6.1 the server has no such route, and for an account without any channel the answer of
        later ones breaks off in the middle (`getChannelsForUser` in server/channels/api4/channel.go):
        then team by team.
        """
        try:
            listed: list[Channel] = await self._my_channels(wanted)
        except MalformedError:
            listed = await self._channels_by_team(wanted)
        except MattermostRefused as error:
            if error.http_status != 404:
                raise
            listed = await self._channels_by_team(wanted)
        return list({channel.id: channel for channel in listed}.values())

    async def _my_channels(self, wanted: Wanted) -> Any:
        async def take(pieces: AsyncIterable[bytes]) -> list[Channel]:
            return [channel async for batch in batches(pieces) for channel in _channels(batch, wanted)]

        transport = self.transport.with_policy(_LISTING).taking(take, _LARGEST_LIST)
        return await ChannelCalls(transport).mine()

    async def posts_after(
        self, channel_id: ChannelId, post_id: PostId, limit: int = PAGE_SIZE, page: int = 0
    ) -> Sequence[Post]:
        return (await self._posts(channel_id, limit, page, after=identifier(post_id)))[::-1]

    async def posts_before(
        self, channel_id: ChannelId, post_id: PostId, limit: int, page: int = 0
    ) -> Sequence[Post]:
        return await self._posts(channel_id, limit, page, before=identifier(post_id))

    async def latest_posts(self, channel_id: ChannelId, page: int, limit: int = PAGE_SIZE) -> Sequence[Post]:
        return await self._posts(channel_id, limit, page)

    async def thread(self, root_id: PostId) -> Sequence[Post]:
        """Return the whole thread, root included, oldest first; a server before 6.0 ignores the paging."""
        found: dict[PostId, Post] = {}
        params: dict[str, Any] = {"perPage": PAGE_SIZE, "direction": "down"}
        while True:
            posts, has_next = parse_thread(await PostCalls(self.transport).thread(root_id, params))
            new = [post for post in posts if post.id not in found and post.thread == root_id]
            found |= {post.id: post for post in new}
            if not new or not (has_next or (has_next is None and len(posts) >= PAGE_SIZE)):
                break
            last = max(new, key=_age)
            params |= {"fromCreateAt": last.create_at, "fromPost": last.id}
        if root_id not in found:
            raise MalformedError("Mattermost sent a thread without its first post.")
        return sorted(found.values(), key=lambda post: (post.id != root_id, *_age(post)))

    async def create_post(self, draft: Draft) -> Post:
        """Create a post without showing its author as online.

        Sent again after a lost answer only with a `pending_post_id`, by which the server recognizes it.
        """
        retry_policy = self.creating if draft.pending_post_id else replace(self.creating, resend_for=0)
        body = {
            "channel_id": identifier(draft.channel_id),
            "message": draft.message,
            "root_id": draft.root_id,
            "props": dict(draft.props),
            "pending_post_id": draft.pending_post_id,
        }
        if draft.file_ids:
            body["file_ids"] = list(draft.file_ids)
        return parse_post(await PostCalls(self.transport.with_policy(retry_policy)).create(body))

    async def edit_post(self, post_id: PostId, message: str, *, patient: bool = True) -> None:
        """Change the text alone: props replace all others (`PatchPost` in server/channels/app/post.go)."""
        transport = self.transport if patient else self.transport.with_policy(_ONCE)
        await PostCalls(transport).patch(post_id, {"message": message})

    async def replace_post(self, post_id: PostId, message: str, props: Mapping[str, Any]) -> None:
        await PostCalls(self.transport).patch(post_id, {"message": message, "props": dict(props)})

    async def direct_channel(self, me: UserId, user_id: UserId) -> ChannelId:
        made = await ChannelCalls(self.transport).direct(me, user_id)
        return ChannelId(parse_id(made, "id"))

    async def delete_post(self, post_id: PostId) -> None:
        await PostCalls(self.transport).delete(post_id)

    async def react(self, post_id: PostId, me: UserId, emoji: str) -> None:
        transport = self.transport.with_policy(_ONCE)
        await ReactionCalls(transport).add({"user_id": me, "post_id": post_id, "emoji_name": emoji})

    async def take_reaction_back(self, post_id: PostId, me: UserId, emoji: str) -> None:
        await ReactionCalls(self.transport.with_policy(_ONCE)).remove(me, post_id, emoji)

    async def max_post_size(self) -> int:
        config = await ServerCalls(self.transport).client_config()
        try:
            return max(_SMALLEST_POST_SIZE, int(config["MaxPostSize"]))
        except (KeyError, TypeError, ValueError):
            return _USUAL_POST_SIZE

    async def reactions(self, post_id: PostId) -> Sequence[Reaction]:
        # Mattermost answers `null` where there are none.
        found = await ReactionCalls(self.transport).of_post(post_id)
        return [parse_reaction(each) for each in parse_list(found or [])]

    async def files_of_post(self, post_id: PostId) -> Sequence[FileInfo]:
        return list(map(parse_file, parse_list(await FileCalls(self.transport).of_post(post_id))))

    async def download(self, file: FileId, limit: int) -> bytes | None:
        transport = self.transport.with_policy(_TRANSFERRING)
        return await FileCalls(transport).download(file, limit)

    async def upload(self, channel_id: ChannelId, name: str, body: AsyncIterable[bytes]) -> FileId:
        transport = self.transport.with_policy(_TRANSFERRING)
        return parse_upload(await FileCalls(transport).upload(channel_id, name, body)).id

    async def max_file_size(self) -> int:
        config = await ServerCalls(self.transport).client_config()
        try:
            return int(config["MaxFileSize"])
        except (KeyError, TypeError, ValueError):
            return _USUAL_FILE_SIZE

    async def ping(self) -> None:
        try:
            answer = await ServerCalls(self.transport).ping()
        except MattermostRefused as error:
            raise MattermostUnavailable(error.message) from error
        if not isinstance(answer, dict) or answer.get("status") != "OK":
            raise MattermostUnavailable("Mattermost says that it is not well.")

    async def _posts(self, channel_id: ChannelId, limit: int, page: int, **where: str) -> list[Post]:
        """Raise `TooLarge` for a page that would cost too much memory."""
        params = {"page": page, "per_page": limit, "skipFetchThreads": "true", **where}
        transport = replace(self.transport, largest_answer=_LARGEST_PAGE)
        return parse_page(await PostCalls(transport).page(channel_id, params))

    async def _channels_by_team(self, wanted: Wanted) -> list[Channel]:
        teams = parse_ids(await TeamCalls(self.transport).mine())
        per_team = [parse_list(await ChannelCalls(self.transport).mine_in(team)) for team in teams]
        return [channel for channels in per_team for channel in _channels(channels, wanted)]


def _age(post: Post) -> tuple[int, str]:
    return post.create_at, post.id


def _channels(objects: Sequence[object], wanted: Wanted) -> Iterator[Channel]:
    """Yield the wanted channels; the others are not even parsed, for there may be many."""
    for obj in objects:
        if _may_be_wanted(obj, wanted) and (channel := _readable(obj)):
            yield channel


def _may_be_wanted(obj: object, wanted: Wanted) -> bool:
    match obj:
        case {"name": str(name), "team_id": str(team_id)}:
            return wanted(name, team_id)
    return True


def _readable(obj: object) -> Channel | None:
    try:
        return parse_channel(obj)
    except MalformedError as error:
        log.warning("channel_unreadable", reason=error.message)
        return None

"""What a new default channel looks like: a title, a purpose, and no system post about the bridge itself."""

from collections.abc import Collection
from dataclasses import dataclass

from bridge.models.chat import Channel, Post, UserId
from bridge.ports import MattermostAdmin
from provisioning.default_channels import description, is_untitled

_SUBJECTS = ("addedUserId", "removedUserId")
"""Props that name the subject of a system post (server/public/model/post.go)."""


@dataclass(frozen=True, slots=True)
class ChannelIntroduction:
    admin: MattermostAdmin
    accounts: Collection[UserId | None]
    """The bridge's own."""

    async def describe(self, name: str, channel: Channel) -> None:
        """Give a channel its title and its purpose, unless somebody has chosen others."""
        shown = description(name)
        title = shown.title if is_untitled(name, channel.display_name) else channel.display_name
        purpose = channel.purpose or shown.purpose
        if (title, purpose) != (channel.display_name, channel.purpose):
            await self.admin.describe_channel(channel.id, title, purpose)

    async def tidy(self, channel: Channel) -> None:
        """Delete the system posts by which Mattermost announces what the bridge did with its own accounts."""
        for post in await self.admin.system_posts(channel.id):
            if self._is_ours(post):
                await self.admin.delete_post(post.id)

    def _is_ours(self, post: Post) -> bool:
        people = {post.user_id, *(post.props[each] for each in _SUBJECTS if each in post.props)}
        return people <= set(self.accounts)

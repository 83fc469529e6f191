"""The permissions that keep organizations apart and default channels intact. Pure: no I/O is imported here.

By default a Mattermost account finds and can write to everybody on the server (`MakeDefaultRoles` in
server/public/model/role.go). `view_members` decides who is seen: as a permission of the whole system it
means everybody, as one of teams the members of one's own (`GetViewUsersRestrictions` in
server/channels/app/user.go). A direct message needs `create_direct_channel` and that the other is seen,
so that permission stays: members of one team write to each other and to nobody else.

A group message asks for nothing more than that its author sees everybody in it, so somebody who belongs to
two organizations could bring both together; a private channel serves the members of one team as well. To
invite and to add is taken because membership follows Equa, and custom emojis because all teams share them.

`channel_user` may by default rename and archive every open channel and remove members from it, the bot in
`#agent` included. Team Edition knows these permissions for the whole server only: schemes of a team and
moderation of a channel need a licence (`patchChannelModerations` in server/channels/api4/channel.go). So they
move from `channel_user` to `channel_admin`: a channel's creator keeps them, and the administrator created
the default channels. Those of private channels stay, because no default channel is private.

What no permission closes: Mattermost sends `user_updated` to every connection but those of guests
(`ShouldSendEvent` in server/channels/app/platform/web_conn.go), so a client that reads its raw websocket
learns the names of accounts that change. `PrivacySettings.ShowEmailAddress` keeps e-mail addresses out. And
`GET /teams/name/{name}` answers 403 for a closed team and 404 for none, so who guesses a name learns that it
exists (both measured on 10.4 and 11.6).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoleChange:
    """Permissions that a role must gain and lose."""

    role: str
    give: frozenset[str] = frozenset()
    take: frozenset[str] = frozenset()

    def applied(self, permissions: Iterable[str]) -> list[str]:
        """Return the role's permissions after the change; all others stay."""
        return sorted((set(permissions) - self.take) | self.give)

    def remaining(self, permissions: Collection[str]) -> "RoleChange":
        """Return the part that a role with these permissions still needs."""
        return RoleChange(self.role, self.give - set(permissions), self.take & set(permissions))

    def __bool__(self) -> bool:
        return bool(self.give or self.take)

    def __str__(self) -> str:
        parts = (("gives", self.give), ("takes", self.take))
        return ", ".join(f"{verb} {' '.join(sorted(names))}" for verb, names in parts if names)


CHANNEL_CONTROL = frozenset(
    {"manage_public_channel_properties", "delete_public_channel", "manage_public_channel_members"}
)
"""Renaming an open channel, archiving it, and adding and removing its members."""

WANTED = (
    # The gain comes first: otherwise people see nobody between the two requests.
    RoleChange(
        "team_user", give=frozenset({"view_members"}), take=frozenset({"invite_user", "add_user_to_team"})
    ),
    RoleChange(
        "system_user",
        take=frozenset(
            {
                "view_members",
                "list_public_teams",
                "join_public_teams",
                "create_team",
                "create_group_channel",
                "create_emojis",
            }
        ),
    ),
    RoleChange("channel_admin", give=CHANNEL_CONTROL),
    RoleChange("channel_user", take=CHANNEL_CONTROL),
)


def remaining(roles: Mapping[str, Collection[str]]) -> list[RoleChange]:
    """Return the changes that are still needed; `roles` has the permissions by role name."""
    return [rest for wanted in WANTED if (rest := wanted.remaining(roles.get(wanted.role, ())))]

"""The three hosts that the bridge stands between: Mattermost, Equa and the agent.

Handlers and provisioning know them only by these protocols. Every method raises the errors of
`bridge.errors` and nothing else: `MattermostUnavailable` and the like when trying again may help.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping, Sequence
from typing import Any, Protocol

from bridge.errors import BridgeError
from bridge.models.agent import AnswerEvent, Question
from bridge.models.approvals import (
    AgentQuestionId,
    Answers,
    ApprovalId,
    ApprovalKind,
    ControlEvent,
    ControlState,
    Decision,
    Resolution,
)
from bridge.models.chat import (
    AccessToken,
    Channel,
    ChannelId,
    Draft,
    FileId,
    FileInfo,
    NewUser,
    Post,
    PostId,
    Preference,
    Reaction,
    Team,
    TeamId,
    TokenId,
    User,
    UserId,
)
from bridge.models.conversations import Conversation
from bridge.models.equa import Organization, OrganizationId, Organizations, Person, PersonId, Roster

Wanted = Callable[[str, str], bool]
"""Tells by a channel's name and its team's id whether the channel is wanted."""


def any_channel(_name: str, _team_id: str) -> bool:
    return True


class MattermostApi(Protocol):
    """Mattermost's REST interface as one account sees it."""

    async def me(self) -> User:
        """Return the account that the token belongs to."""

    async def user(self, user_id: UserId) -> User: ...

    async def my_channels(self, wanted: Wanted = any_channel) -> Sequence[Channel]:
        """Return the wanted channels, of all teams, that the account is a member of."""

    async def post(self, post_id: PostId) -> Post: ...

    async def channel(self, channel_id: ChannelId) -> Channel: ...

    async def channel_by_name(self, team_id: TeamId, name: str) -> Channel | None:
        """Return the team's channel of that name, None if there is none or it is archived."""

    async def join_channel(self, channel_id: ChannelId, me: UserId) -> None:
        """Join an open channel of one of the account's teams; does nothing for a member."""

    async def refresh_hearing(self, channel_id: ChannelId, me: UserId) -> None:
        """Let the account's open connections hear every channel that it is a member of.

        A connection that was opened while a channel was archived does not hear it when it is restored.
        """

    async def is_in_team(self, team_id: TeamId, user_id: UserId) -> bool:
        """Return whether somebody is a member of one of the account's teams."""

    async def pin_post(self, post_id: PostId) -> None:
        """Pin a post in its channel; to pin a pinned one does nothing."""

    async def posts_after(
        self, channel_id: ChannelId, post_id: PostId, limit: int = 200, page: int = 0
    ) -> Sequence[Post]:
        """Return page `page` of up to `limit` (≤ 200) posts created after the given one, oldest first.

        Fewer than `limit` means the end.
        """

    async def posts_before(
        self, channel_id: ChannelId, post_id: PostId, limit: int, page: int = 0
    ) -> Sequence[Post]:
        """Return page `page` of up to `limit` (≤ 200) posts created before the given one, newest first."""

    async def latest_posts(self, channel_id: ChannelId, page: int, limit: int = 200) -> Sequence[Post]:
        """Return page `page` (from 0) of the channel's posts, `limit` (≤ 200) a page, newest first."""

    async def thread(self, root_id: PostId) -> Sequence[Post]:
        """Return the whole thread, root included, oldest first."""

    async def create_post(self, draft: Draft) -> Post:
        """Create a post; the same `pending_post_id` within 30 s returns the same post."""

    async def edit_post(self, post_id: PostId, message: str, *, patient: bool = True) -> None:
        """Change the text of one's own post and nothing else of it; without `patient` it is tried once.

        Nobody is notified of an edit.
        """

    async def replace_post(self, post_id: PostId, message: str, props: Mapping[str, Any]) -> None:
        """Change the text of one's own post and all of its props; buttons not among them are gone."""

    async def direct_channel(self, me: UserId, user_id: UserId) -> ChannelId:
        """Return the direct channel with somebody, which is created at its first use."""

    async def delete_post(self, post_id: PostId) -> None: ...

    async def react(self, post_id: PostId, me: UserId, emoji: str) -> None:
        """Put a reaction of one's own below a post; to have put it there already is no error."""

    async def take_reaction_back(self, post_id: PostId, me: UserId, emoji: str) -> None:
        """Remove a reaction of one's own; that there is none is no error."""

    async def reactions(self, post_id: PostId) -> Sequence[Reaction]:
        """Return the reactions below a post."""

    async def files_of_post(self, post_id: PostId) -> Sequence[FileInfo]:
        """Return the files that are attached to a post."""

    async def download(self, file: FileId, limit: int) -> bytes | None:
        """Return a file's bytes, None if there are more than the limit."""

    async def upload(self, channel_id: ChannelId, name: str, body: AsyncIterable[bytes]) -> FileId:
        """Upload a file in pieces as they come, to be attached to a post in the channel."""

    async def max_file_size(self) -> int:
        """Return how many bytes a file may have."""

    async def max_post_size(self) -> int:
        """Return how many characters a post may have."""

    async def ping(self) -> None:
        """Raise `MattermostUnavailable` unless the server answers that it is well."""


class MattermostAdmin(Protocol):
    """Mattermost as a system administrator manages it.

    A lookup returns None for what does not exist; archived teams and channels and deactivated accounts
    exist. Adding, restoring, activating, removing and revoking do nothing where that was done already.
    """

    async def user(self, user_id: UserId) -> User | None: ...

    async def user_by_username(self, username: str) -> User | None: ...

    async def user_by_email(self, email: str) -> User | None:
        """Return the account with this address; raise `EmailNotAccepted` where none can have it."""

    async def create_user(self, account: NewUser) -> User:
        """Create an account without a welcome mail; raise `NameTaken`, `EmailTaken` or `MattermostFull`.

        It has no password and cannot get one by mail. Raises `AccountConflict` for an e-mail address that
        Mattermost does not accept.
        """

    async def set_email(self, user_id: UserId, email: str, *, notify: bool = False) -> bool:
        """Give an account another e-mail address, verified; with `notify` switch its notifications on.

        False where the server first wants it confirmed by a link that it sends there; then nothing else has
        changed. Raises `EmailTaken`, and `AccountConflict` for an address that Mattermost does not accept.
        """

    async def set_names(self, user_id: UserId, names: Mapping[str, str]) -> None:
        """Change `first_name`, `last_name` or `nickname`; those that are not named stay."""

    async def preferences(self, user_id: UserId, category: str) -> Sequence[Preference]:
        """Return an account's preferences of a category."""

    async def set_preferences(self, user_id: UserId, preferences: Sequence[Preference]) -> None: ...

    async def activate_user(self, user_id: UserId) -> None:
        """Activate a deactivated account; raise `MattermostFull`."""

    async def set_auth(self, user_id: UserId, auth_data: int) -> None:
        """Let the account's person sign in by this number, and by no password; open sessions stay."""

    async def revoke_sessions(self, user_id: UserId) -> None:
        """End every session of an account, on all devices."""

    async def team(self, team_id: TeamId) -> Team | None: ...

    async def team_by_name(self, name: str) -> Team | None: ...

    async def create_team(self, name: str, display_name: str, mark: str) -> Team:
        """Create a team that people are invited to; raise `NameTaken`."""

    async def rename_team(self, team_id: TeamId, display_name: str) -> None:
        """Change how a team is shown."""

    async def restore_team(self, team_id: TeamId) -> None:
        """Take a team out of the archive."""

    async def renew_invite(self, team_id: TeamId) -> None:
        """Give a team another invite id; whoever knew the old one cannot join by it any more."""

    async def is_in_team(self, team_id: TeamId, user_id: UserId) -> bool: ...

    async def add_to_team(self, team_id: TeamId, user_id: UserId) -> None:
        """Put an account into a team and its default channels; raise `MattermostFull`."""

    async def remove_from_team(self, team_id: TeamId, user_id: UserId) -> None:
        """Take an account out of a team and of all its channels."""

    async def channels_of(self, user_id: UserId, team_id: TeamId) -> Sequence[Channel]:
        """Return the channels of the team that the account is a member of, without archived ones."""

    async def channel(self, channel_id: ChannelId) -> Channel | None: ...

    async def channel_by_name(self, team_id: TeamId, name: str) -> Channel | None: ...

    async def create_channel(self, team_id: TeamId, name: str, display_name: str, purpose: str) -> Channel:
        """Create an open channel; raise `NameTaken` or `MattermostFull`."""

    async def archive_channel(self, channel_id: ChannelId) -> None:
        """Put a channel into the archive."""

    async def restore_channel(self, channel_id: ChannelId) -> None:
        """Take a channel out of the archive."""

    async def rename_channel(self, channel_id: ChannelId, name: str) -> None:
        """Change a channel's name in addresses; raise `NameTaken`."""

    async def describe_channel(self, channel_id: ChannelId, display_name: str, purpose: str) -> None:
        """Change how a channel is shown; Mattermost posts about each change."""

    async def add_to_channel(self, channel_id: ChannelId, user_id: UserId) -> None:
        """Put a member of the team into a channel."""

    async def remove_from_channel(self, channel_id: ChannelId, user_id: UserId) -> None:
        """Take an account out of a channel; Mattermost posts about it."""

    async def system_posts(self, channel_id: ChannelId) -> Sequence[Post]:
        """Return the posts among the latest 200 that Mattermost itself has written."""

    async def delete_post(self, post_id: PostId) -> None: ...

    async def create_token(self, user_id: UserId, description: str) -> AccessToken:
        """Create a personal access token; raise `MattermostNotConfigured` where the server issues none."""

    async def tokens(self, user_id: UserId) -> Sequence[AccessToken]:
        """Return the account's personal access tokens, without their secrets."""

    async def revoke_token(self, token_id: TokenId) -> None: ...

    async def teams_of_holder(self, token: str) -> Sequence[Team]:
        """Return the teams, archived ones left out, of the account that holds the token.

        Raises `TokenRefused`; an answer proves the token, the account and each membership.
        """

    async def holder(self, token: str) -> User:
        """Return the account that a token or a session is of; raise `TokenRefused`."""


class MattermostBulk(Protocol):
    """Mattermost's calls for many accounts at once, by a system administrator; all may be repeated."""

    async def team_page(self, team_id: TeamId, page: int) -> Sequence[User]:
        """Return page `page` (from 0) of a team's members, bots and deactivated accounts included.

        A page has 200; fewer mean the end. Who joins or leaves meanwhile can put others on two pages or none.
        """

    async def users(self, user_ids: Sequence[UserId]) -> Sequence[User]:
        """Return those of up to 1,000 accounts that exist, deactivated ones included."""

    async def add_to_team(self, team_id: TeamId, user_ids: Sequence[UserId]) -> Mapping[UserId, BridgeError]:
        """Put up to 256 accounts into a team and its default channels; return who is not in it, and why."""

    async def add_to_channel(self, channel_id: ChannelId, user_ids: Sequence[UserId]) -> frozenset[UserId]:
        """Put up to 1,000 members of a team into one of its channels; return who is in it then."""


class EquaPlatform(Protocol):
    """Equa as one person sees it; `cookie` holds the Equa cookies of their browser.

    A cookie that belongs to nobody raises `NotSignedIn`. While Equa is away or sends something unreadable,
    every method raises `EquaUnavailable` and never `NotAMember`. A yes may be up to 10 s old.
    """

    async def person(self, cookie: str) -> Person:
        """Return who is signed in."""

    async def member(self, cookie: str, organization: OrganizationId) -> tuple[Person, Organization]:
        """Return who is signed in and the organization; raise `NotAMember`.

        The organization's name is empty where Equa's list has none; then ask `organization_name`.
        """

    async def organizations(self, cookie: str) -> Organizations:
        """Return the organizations that whoever is signed in belongs to, asked afresh."""

    async def admin(self, cookie: str, organization: OrganizationId, *, afresh: bool = False) -> Person:
        """Return who is signed in; raise `NotAnAdmin` unless they administer the organization.

        `afresh`: a yes of some seconds ago does not count.
        """

    async def organization_name(self, cookie: str, organization: OrganizationId) -> str:
        """Return the name, never empty; raise `NotAMember` where Equa does not show the organization."""

    async def roster(self, cookie: str, organization: OrganizationId) -> Roster:
        """Return all members, asked afresh; raise `NotAMember` where Equa does not show them."""

    async def ping(self) -> None:
        """Raise `EquaUnavailable` unless Equa answers."""


class EquaDirectory(Protocol):
    """Equa as a service account sees it: for what is done while no person is there to ask."""

    async def is_admin(self, organization: OrganizationId, person: PersonId) -> bool:
        """Return whether the person administers the organization; False where Equa does not show that."""

    async def organization_name(self, organization: OrganizationId) -> str:
        """Return the name, never empty; raise `NotAMember` where the account may not see the organization."""

    async def roster(self, organization: OrganizationId) -> Roster:
        """Return all members, asked afresh; raise `NotAMember` where the account may not see them."""


class Agent(Protocol):
    """An organization's agent."""

    remembers: bool
    """Whether it keeps the conversation itself, so that only the new message is sent."""

    def answer(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        """Give the answer as it grows; its end is a `Done`. Raises `AgentUnavailable` or `AgentFailed`.

        To close the generator ends the agent's run: whoever stops early must do so (`contextlib.aclosing`).
        """

    async def ping(self) -> None:
        """Raise `AgentUnavailable` unless the agent's host answers."""


class AgentControl(Protocol):
    """The side channel to a gateway: what its agents want from people while they work.

    Every process has one and hears everything; the database decides who acts upon it. Each method raises
    `AgentUnavailable` while there is no connection, or when the gateway does not answer: then it is not
    known whether it was done, and to repeat it is harmless.
    """

    @property
    def state(self) -> ControlState:
        """Whether it works now, and why not."""

    def events(self) -> AsyncGenerator[ControlEvent, None]:
        """Give events without end, through losses of the connection; after each connect a `Pending` first.

        For one reader: it is the connection's loop.
        """

    async def resolve_approval(self, id_: ApprovalId, kind: ApprovalKind, decision: Decision) -> Resolution:
        """Decide about a tool call; the first decision counts.

        A wrong kind, or a decision that is not among the approval's, denies it.
        """

    async def resolve_question(self, id_: AgentQuestionId, answers: Answers) -> Resolution:
        """Answer a question of the agent; raise `QuestionRefused` for an answer that it does not accept."""

    async def cancel_question(self, id_: AgentQuestionId) -> Resolution:
        """Let the agent go on without an answer."""

    def is_waiting(self, conversation: Conversation) -> bool:
        """Return whether the agent waits for people in a conversation."""

    async def abort(self, conversation: Conversation) -> None:
        """End the run of a conversation, whoever has started it; that there is none is no error."""

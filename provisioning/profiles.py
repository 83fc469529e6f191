"""How a person's account looks: names and address as in Equa, no tours, and the color scheme of the page."""

from dataclasses import dataclass
from typing import Literal

import structlog

from bridge.errors import AccountConflict, EmailTaken
from bridge.models.accounts import Account
from bridge.models.chat import Preference, User, UserId
from bridge.models.equa import Person
from bridge.ports import MattermostAdmin
from provisioning.following import (
    address_digest,
    change,
    encoded,
    is_unrecorded,
    may_change_address,
    names_of,
)
from provisioning.names import email_address
from provisioning.tables import Tables
from provisioning.tolerance import tolerated

log = structlog.get_logger(__name__)

Source = Literal["visit", "roster"]
"""Who says what a person is called: the person's own profile, or a line of an organization."""

ColorScheme = Literal["dark", "light"]

_DARK = '{"type":"Onyx"}'
"""The dark theme that the web app brings along (`setThemeDefaults` in its `theme_utils.ts`)."""

_DONE = "999"
"""The step after the last one of a tour (`FINISHED` in the web app's tours)."""


@dataclass(frozen=True, slots=True)
class Profile:
    """An account and what Equa says of its person."""

    admin: MattermostAdmin
    tables: Tables
    person: Person
    account: Account
    user: User

    async def ensure(self, source: Source) -> str | None:
        """Let an account that the bridge has created follow Equa; return why its address was not changed."""
        if not self.account.provisioned:
            return None
        if not self.account.introduced:
            await _switch_tours_off(self.admin, self.tables, self.account)
        await self._ensure_names(source)
        return await self._ensure_address() if source == "roster" else None

    async def _ensure_names(self, source: Source) -> None:
        person, followed = self.person, self.account.followed
        wanted = names_of(person.name, person.nickname)
        seen = self.account.visit_name if source == "visit" else followed.roster_name
        if not wanted or encoded(wanted) == seen:
            return
        changed = change(self.user, followed.shown_name, wanted)
        if changed.patch:
            await self.admin.set_names(self.user.id, changed.patch)
            log.info("names_changed", person=str(person.id), user=self.user.id, fields=sorted(changed.patch))
        await self.tables.accounts.named(person.id, source, encoded(wanted), changed.shown)

    async def _ensure_address(self) -> str | None:
        person, followed = self.person, self.account.followed
        digest = address_digest(person.email)
        if digest is None or followed.visited:
            return None
        if may_change_address(followed, self.user, person.email, own=person.has_own_email):
            reason = await self._set_address()
            if reason is not None:
                return reason
        elif not is_unrecorded(followed, self.user, person.email):
            return None
        await self.tables.accounts.addressed(person.id, digest)
        return None

    async def _set_address(self) -> str | None:
        person = str(self.person.id)
        try:
            await self.admin.set_email(self.user.id, email_address(self.person.email))
        except EmailTaken:
            reason = "Another Mattermost account has the e-mail address that is now on the roster."
        except AccountConflict as error:
            reason = error.message
        else:
            log.info("address_changed", person=person, user=self.user.id)
            return None
        log.warning("address_not_changed", person=person, user=self.user.id, reason=reason)
        return reason


async def ensure_color_scheme(
    admin: MattermostAdmin, tables: Tables, account: Account, scheme: ColorScheme | None
) -> None:
    """Follow the page's color scheme at the first visit, unless the person has chosen a theme."""
    if scheme is None or account.color_scheme is not None:
        return
    user_id = account.user_id
    if scheme == "dark" and not await admin.preferences(user_id, "theme"):
        await _prefer(admin, user_id, [Preference("theme", "", _DARK)])
    await tables.accounts.set_color_scheme(account.person_id, scheme)


async def _switch_tours_off(admin: MattermostAdmin, tables: Tables, account: Account) -> None:
    """Record the tours of threads as taken, which no setting of the server covers."""
    tours = ("crt_tutorial_triggered", "crt_thread_pane_step")
    await _prefer(
        admin, account.user_id, [Preference(category, account.user_id, _DONE) for category in tours]
    )
    await tables.accounts.introduced(account.person_id)


async def _prefer(admin: MattermostAdmin, user: UserId, preferences: list[Preference]) -> None:
    """Set preferences; nobody is kept out because Mattermost refuses one."""
    with tolerated("preferences_not_set", user=user):
        await admin.set_preferences(user, preferences)

"""The settings of Mattermost that matter to the bridge. Pure: no I/O is imported here.

Names and defaults: server/public/model/config.go. A setting that comes from an environment variable
`MM_<SECTION>_<NAME>` cannot be changed over the API: the server accepts the change and ignores it
(server/config/environment.go).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, assert_never

Config = Mapping[str, Mapping[str, Any]]
"""Section → name → value, as `GET /config` returns it."""

MEMBERS = 20_000
"""Members that a team must have room for: an organization and its bots."""


@dataclass(frozen=True, slots=True)
class Setting:
    section: str
    name: str
    value: bool | int | str | tuple[str, ...]
    why: str
    """What goes wrong with another value."""
    must: bool = False
    """True if the bridge does not work without it; the others are recommendations."""
    rule: Literal["equals", "at_least", "at_least_or_none", "at_most", "includes"] = "equals"
    fixed: bool = False
    """True if only the server's environment sets it, never the API."""

    @property
    def path(self) -> str:
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        return f"MM_{self.section}_{self.name}".upper()

    def fits(self, found: Any) -> bool:
        match self.rule:
            case "equals":
                return bool(_plain(found) == _plain(self.value))
            case "at_least":
                return _at_least(found, self.value)
            case "at_least_or_none":
                return _plain(found) == 0 or _at_least(found, self.value)
            case "at_most":
                return _at_least(self.value, found)
            case "includes":
                return set(_words(self.value)) <= set(_words(found))
            case _:
                assert_never(self.rule)

    def target(self, found: Any) -> Any:
        """Return the value to set, in the JSON type that the server uses; present words stay."""
        if self.rule != "includes":
            return self.value
        words = [*dict.fromkeys((*_words(found), *_words(self.value)))]
        return " ".join(words) if isinstance(found, str) else words


@dataclass(frozen=True, slots=True)
class Deviation:
    """A setting with a wrong value."""

    setting: Setting
    found: Any

    @property
    def target(self) -> Any:
        return self.setting.target(self.found)

    @property
    def variable(self) -> str:
        """The line for the server's environment; lists are separated by spaces there."""
        return f"{self.setting.variable}={spelled(self.target)}"


@dataclass(frozen=True, slots=True)
class Site:
    """How a server is reached and used."""

    url: str
    public_url: str | None
    """The address for browsers, if it is configured."""
    origins: tuple[str, ...]
    """Origins of the pages that embed it."""
    channels: tuple[str, ...]
    """Channels of each team besides town-square."""

    def with_public_url(self, config: Config) -> "Site":
        """Return a copy with a public address: the configured one, else the server's own, else `url`."""
        own = config.get("ServiceSettings", {}).get("SiteURL")
        return replace(self, public_url=self.public_url or own or self.url)

    def settings(self) -> tuple[Setting, ...]:
        """Return the settings that the server should have."""
        return (
            *_WANTED,
            _site_url(self.public_url or self.url),
            _default_channels(self.channels),
            *(_frame_ancestors(self.origins) if self.origins else ()),
        )


def deviations(config: Config, settings: Iterable[Setting]) -> list[Deviation]:
    """Return the settings with wrong values, without optional ones that this Mattermost does not have."""
    found = [
        Deviation(each, config.get(each.section, {}).get(each.name))
        for each in settings
        if each.must or each.name in config.get(each.section, {})
    ]
    return [each for each in found if not each.setting.fits(each.found)]


def patch(found: Iterable[Deviation]) -> dict[str, dict[str, Any]]:
    """Return the body of `PUT /config/patch` that corrects them."""
    sections: dict[str, dict[str, Any]] = {}
    for each in found:
        sections.setdefault(each.setting.section, {})[each.setting.name] = each.target
    return sections


def spelled(value: Any) -> str:
    """Format a value for an environment variable."""
    match value:
        case bool():
            return str(value).lower()
        case list() | tuple():
            return " ".join(map(str, value))
        case _:
            return str(value)


def shown(value: Any) -> str:
    """Format a value for people; an empty one is shown as "(none)"."""
    return spelled("" if value is None else value) or "(none)"


ACCESS_TOKENS = Setting(
    "ServiceSettings", "EnableUserAccessTokens", True, "nobody can be signed in", must=True
)

_TOURS = "tours cover the first answer"

_WANTED = (
    ACCESS_TOKENS,
    Setting("ServiceSettings", "EnableBotAccountCreation", True, "setup can create no bots"),
    Setting("TeamSettings", "MaxUsersPerTeam", MEMBERS, "members do not get in", must=True, rule="at_least"),
    Setting("TeamSettings", "EnableOpenServer", False, "strangers can register", must=True),
    Setting("EmailSettings", "EnableSignUpWithEmail", False, "strangers can register", must=True),
    Setting("TeamSettings", "RestrictDirectMessage", "team", "people write to other organizations"),
    Setting("PrivacySettings", "ShowEmailAddress", False, "clients get e-mail addresses of strangers"),
    Setting("ServiceSettings", "AllowCorsFrom", "", "other sites open websockets as the person"),
    Setting("ServiceSettings", "EnableDesktopLandingPage", False, "a page about apps comes first"),
    Setting("ServiceSettings", "EnableLinkPreviews", False, "the server fetches links in answers unasked"),
    Setting("TeamSettings", "TeammateNameDisplay", "full_name", "people are shown by their usernames"),
    Setting("ServiceSettings", "EnableTutorial", False, _TOURS),
    Setting("ServiceSettings", "EnableOnboardingFlow", False, _TOURS),
    Setting("FeatureFlags", "OnboardingTourTips", False, _TOURS, fixed=True),
    Setting(
        "ServiceSettings",
        "ExperimentalEnableDefaultChannelLeaveJoinMessages",
        False,
        "every new member is announced in every channel",
    ),
)


def _site_url(public_url: str) -> Setting:
    return Setting("ServiceSettings", "SiteURL", public_url, "browsers get no websocket", must=True)


def _default_channels(channels: tuple[str, ...]) -> Setting:
    why = "members are put into each channel one by one"
    return Setting("TeamSettings", "ExperimentalDefaultChannels", channels, why, rule="includes")


def _frame_ancestors(origins: tuple[str, ...]) -> tuple[Setting, ...]:
    why = "without the proxy in front no page may show it"
    return (Setting("ServiceSettings", "FrameAncestors", origins, why, rule="includes"),)


def _plain(value: Any) -> Any:
    return value.rstrip("/") if isinstance(value, str) else value


def _at_least(more: Any, less: Any) -> bool:
    return isinstance(more, int) and isinstance(less, int) and more >= less


def _words(value: Any) -> Sequence[str]:
    if isinstance(value, str):
        return value.replace(",", " ").split()
    return value if isinstance(value, list | tuple) else ()

"""The settings of a Mattermost that matter to a bridge, under their real names. Pure."""

from dataclasses import dataclass, field
from typing import Any

Sections = dict[str, dict[str, Any]]

_MASK = "*" * 32


def _default_sections() -> Sections:
    """Return Mattermost's own defaults, with tokens and bots switched on."""
    return {
        "ServiceSettings": {
            "SiteURL": "",
            "EnableUserAccessTokens": True,
            "EnableBotAccountCreation": True,
            "DisableBotsWhenOwnerIsDeactivated": True,
            "MaximumPayloadSizeBytes": 300_000,
            "MaximumLoginAttempts": 10,
            "SessionLengthWebInHours": 720,
            "SessionLengthSSOInHours": 720,
            "SessionIdleTimeoutInMinutes": 43_200,
            "SessionLengthMobileInHours": 720,
            "ExperimentalStrictCSRFEnforcement": False,
            "AllowCorsFrom": "",
            "EnableAPITeamDeletion": False,
            "EnableAPIUserDeletion": False,
            "EnableAPIChannelDeletion": False,
            "PostEditTimeLimit": -1,
            "AllowedUntrustedInternalConnections": "",
        },
        "FileSettings": {"EnableFileAttachments": True, "MaxFileSize": 100 << 20},
        "TeamSettings": {
            "SiteName": "Mattermost",
            "MaxUsersPerTeam": 50,
            "MaxChannelsPerTeam": 2000,
            "EnableOpenServer": False,
            "EnableUserCreation": True,
            "ExperimentalDefaultChannels": [],
            "RestrictCreationToDomains": "",
            "RestrictDirectMessage": "any",
        },
        "EmailSettings": {
            "EnableSignUpWithEmail": True,
            "EnableSignInWithEmail": True,
            "EnableSignInWithUsername": True,
            "RequireEmailVerification": False,
        },
        "RateLimitSettings": {
            "Enable": False,
            "PerSec": 10,
            "MaxBurst": 100,
            "VaryByRemoteAddr": True,
            "VaryByUser": False,
        },
        "PasswordSettings": {"MinimumLength": 8},
        "GitLabSettings": {
            "Enable": False,
            "Id": "",
            "Secret": "",
            "Scope": "",
            "AuthEndpoint": "",
            "TokenEndpoint": "",
            "UserAPIEndpoint": "",
            "ButtonText": "",
        },
        "NativeAppSettings": {"AppCustomURLSchemes": ["mmauth://", "mmauthbeta://"]},
    }


@dataclass(slots=True)
class Settings:
    """Mattermost's configuration, plus what in a real server is compiled in."""

    version: str = "10.4.0"
    max_post_size: int = 16_383
    max_active_users: int = 11_000
    """Active people, bots not counted; `server/channels/app/limits.go`."""
    sections: Sections = field(default_factory=_default_sections)

    def get(self, section: str, name: str) -> Any:
        return self.sections[section][name]

    def masked(self) -> Sections:
        """Return what the API shows: of a secret only that there is one (`Sanitize` in model/config.go)."""
        gitlab = self.sections["GitLabSettings"]
        return self.sections | {"GitLabSettings": gitlab | {"Secret": _MASK if gitlab["Secret"] else ""}}

    @property
    def version_id(self) -> str:
        """The value of `X-Version-Id` and of the hello's `server_version`."""
        return f"{self.version}.{self.version}.sandbox0000000000000000000000000.false"

    def patch(self, changes: dict[str, Any]) -> None:
        """Take over what is known; a real server ignores unknown names as well."""
        for section, values in changes.items():
            known = self.sections.get(section, {})
            known.update({name: value for name, value in values.items() if name in known and value != _MASK})

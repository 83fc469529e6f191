"""The doctor's checks of "Sign in with Equa": on, off, or on at one side only."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from aiohttp import ClientSession

from bridge.errors import Unavailable
from bridge.mattermost.rest.server_admin import RestOperator
from bridge.ops import sign_in_settings
from bridge.ops.doctor.checks import Check
from bridge.ops.doctor.context import ABOVE, ADMIN, Context
from bridge.ops.doctor.server import setting
from bridge.ops.doctor.sign_in_trial import SUBJECT as TRIAL
from bridge.ops.doctor.sign_in_trial import trial
from bridge.ops.doctor.web import fetch
from bridge.ops.findings import Finding
from bridge.ops.settings import Config, deviations
from bridge.ops.sign_in_settings import SUBJECT

SCRIPT = "/login/equa/chat.js"

_SETUP = "run `equabot-bridge setup --bridge-url URL`, with SIGN_IN_SECRET if the bridge has one"


def checks(context: Context) -> list[Check]:
    """Return the checks; what Mattermost has can be seen with an administrator's token only."""
    token = context.settings.mattermost_admin_bot_token
    if not context.url or not token:
        return []
    has_secret = context.settings.sign_in_secret is not None
    checked = SignInChecks(
        context.session, context.operator(token), context.url, context.public_url, has_secret=has_secret
    )
    both_sides = [Check(SUBJECT, checked.both_sides, ABOVE, token=ADMIN)]
    if has_secret:
        both_sides.append(Check(TRIAL, partial(trial, context.session, context.url), ABOVE))
    return both_sides


@dataclass(frozen=True, slots=True)
class SignInChecks:
    session: ClientSession
    operator: RestOperator
    url: str
    public_url: str
    has_secret: bool

    async def both_sides(self) -> Sequence[Finding]:
        config = await self.operator.config()
        client = await self._client_config()
        return both_sides(config, client, self.public_url, has_secret=self.has_secret)

    async def _client_config(self) -> Mapping[str, Any]:
        """Return what everybody who opens the sign-in page gets."""
        page = await fetch(self.session, f"{self.url}/api/v4/config/client?format=old")
        with suppress(ValueError):
            shown = json.loads(page.body)
            return {**shown, SCRIPT: await self._has_script()} if isinstance(shown, dict) else {}
        return {}

    async def _has_script(self) -> bool:
        """Return whether the proxy puts the script that shows a button into Mattermost's pages."""
        with suppress(Unavailable):
            page = await fetch(self.session, f"{self.public_url}/", headers={"Accept": "text/html"})
            return SCRIPT.encode() in page.body
        return False


def both_sides(
    config: Config, client: Mapping[str, Any], public_url: str, *, has_secret: bool
) -> list[Finding]:
    """Judge what the bridge has and what Mattermost has; `client` is what its sign-in page goes by."""
    asked = sign_in_settings.provider(config)
    if not has_secret:
        return [_without_secret(asked)]
    if asked != "bridge":
        found = "is off" if asked == "none" else f"asks {sign_in_settings.endpoint(config, 'AuthEndpoint')}"
        return [Finding(SUBJECT, "bad", f"Mattermost's GitLab sign-in {found}: nobody can sign in", _SETUP)]
    inner_url = sign_in_settings.bridge_url(config)
    wrong = [
        replace(setting(each), mark="bad")
        for each in deviations(
            config, sign_in_settings.endpoints(public_url, inner_url or "http://bridge:8090")
        )
    ]
    if not sign_in_settings.has_secret(config):
        wrong.append(
            Finding(sign_in_settings.VARIABLE, "bad", "Mattermost has no secret for the bridge", _SETUP)
        )
    recommended = deviations(config, (*sign_in_settings.RECOMMENDED, *sign_in_settings.NO_PASSWORDS))
    return [
        *(wrong or [Finding(SUBJECT, "good", f"Mattermost asks the bridge at {inner_url}")]),
        *map(setting, recommended),
        *_button(client),
    ]


def _without_secret(asked: sign_in_settings.Provider) -> Finding:
    if asked == "bridge":
        found = f"Mattermost sends people to the bridge, which has no {sign_in_settings.VARIABLE}"
        todo = "set it to what `equabot-bridge setup` printed, or make one with --new-sign-in-secret"
        return Finding(SUBJECT, "bad", found, todo)
    found = (
        f"not configured: without {sign_in_settings.VARIABLE} a renewed token signs other devices out,"
        " a sign-out ends at a password form, and Mattermost's apps let nobody in"
    )
    return Finding(SUBJECT, "absent", found, _SETUP)


def _button(found: Mapping[str, Any]) -> list[Finding]:
    if found.get("EnableSignUpWithGitLab") == "true" or found.get(SCRIPT):
        return []
    text = "Mattermost's page shows no button (11.0 and later without a licence)"
    return [Finding("sign-in page", "warning", text, "put deploy/proxy in front, which shows one")]

"""What Mattermost's refusals mean."""

import pytest

from bridge.errors import (
    BridgeError,
    EmailNotAccepted,
    EmailTaken,
    MattermostFull,
    MattermostNotConfigured,
    MattermostRefused,
    NameTaken,
)
from bridge.mattermost.rest.refusals import Limit, explained, is_absence


def refusal(error_id: str, status: int = 400) -> MattermostRefused:
    return MattermostRefused("No.", http_status=status, error_id=error_id, request_id="req1")


@pytest.mark.parametrize(
    ("error_id", "kind"),
    [
        ("app.user.save.username_exists.app_error", NameTaken),
        ("store.sql_user.save.username_exists.app_error", NameTaken),
        ("model.user.is_valid.username.app_error", NameTaken),
        ("app.user.save.email_exists.app_error", EmailTaken),
        ("api.user.create_user.accepted_domain.app_error", EmailNotAccepted),
        ("model.user.is_valid.email.app_error", EmailNotAccepted),
        ("api.context.invalid_url_param.app_error", EmailNotAccepted),
        ("store.sql_team.save_team.existing.app_error", NameTaken),
        ("app.team.save.existing.app_error", NameTaken),
        ("model.team.is_valid.reserved.app_error", NameTaken),
        ("store.sql_channel.save_channel.exists.app_error", NameTaken),
        ("store.sql_channel.save_channel.previously.app_error", NameTaken),
        ("store.sql_channel.update.exists.app_error", NameTaken),
        ("api.channel.create_channel.max_channel_limit.app_error", MattermostFull),
        ("app.user_access_token.disabled", MattermostNotConfigured),
    ],
)
def test_a_refusal_is_told_by_its_id(error_id: str, kind: type[BridgeError]) -> None:
    """Ids of the versions from 5.37 to 11."""
    meaning = explained(refusal(error_id), "users")

    assert type(meaning) is kind
    if isinstance(meaning, MattermostRefused):
        assert (meaning.error_id, meaning.http_status, meaning.request_id) == (error_id, 400, "req1")


def test_an_unknown_refusal_stays_what_it_is() -> None:
    """With everything that it says."""
    error = refusal("api.context.permissions.app_error", 403)

    assert explained(error, "users") is error


@pytest.mark.parametrize(
    ("limit", "advice"),
    [
        ("users", "deactivate accounts"),
        ("team members", "MM_TEAMSETTINGS_MAXUSERSPERTEAM"),
        ("channels", "MM_TEAMSETTINGS_MAXCHANNELSPERTEAM"),
        ("tokens", "Full."),
    ],
)
def test_what_is_full_comes_with_what_the_operator_can_do(limit: Limit, advice: str) -> None:
    """As far as it is known what was to be created."""
    meaning = explained(MattermostFull("Full."), limit)

    assert isinstance(meaning, MattermostFull)
    assert advice in meaning.message


@pytest.mark.parametrize(
    ("error_id", "status", "absent"),
    [
        ("app.user.missing_account.const", 404, True),
        ("app.team.get_member.missing.app_error", 404, True),
        ("api.team.remove_user_from_team.missing.app_error", 400, True),
        ("api.channel.restore_channel.restored.app_error", 400, True),
        ("", 404, False),
        ("api.context.404.app_error", 404, False),
        ("api.context.permissions.app_error", 403, False),
    ],
)
def test_only_mattermost_can_say_that_something_is_not_there(
    error_id: str,
    status: int,
    absent: bool,  # noqa: FBT001  # a column of the table
) -> None:
    """A proxy that answers 404 cannot, nor a server that lacks the route."""
    assert is_absence(refusal(error_id, status)) is absent

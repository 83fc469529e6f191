"""What the options of `equabot-bridge setup` ask for."""

from argparse import Namespace
from typing import Any

from pydantic import SecretStr, TypeAdapter, ValidationError

from bridge.config_values import Url
from bridge.errors import ConfigurationError
from bridge.ops.setup import terminal
from bridge.ops.setup.bots import Bot
from bridge.ops.setup.sign_in import Choices

_WHERE_IS_BRIDGE = (
    "Sign-in with Equa gives people real sessions and lets them use Mattermost's apps.\n"
    "The bridge's address as Mattermost reaches it, such as http://127.0.0.1:8090 (empty: leave it out): "
)
_WITHOUT_PASSWORDS = (
    "Switch off sign-in by e-mail and username, so that nobody sees a password form?\n"
    "Administrators keep their tokens and `mmctl --local`. [y/N] "
)


def choices(options: Namespace) -> Choices:
    """Return what is chosen about sign-in; what no option says is asked on a terminal."""
    return Choices(
        bridge_url=checked(Url, options.bridge_url or "", "--bridge-url"),
        no_passwords=options.no_passwords,
        ask_bridge_url=lambda: checked(Url, terminal.ask(_WHERE_IS_BRIDGE), "the bridge's address"),
        ask_no_passwords=lambda: terminal.agrees(_WITHOUT_PASSWORDS),
    )


def checked(kind: Any, text: str, name: str) -> str:
    """Return a value as the configuration reads one of its kind; empty if there is none."""
    try:
        value = TypeAdapter(kind).validate_python(text.strip()) if text.strip() else ""
    except ValidationError as error:
        reason = error.errors(include_input=False, include_url=False)[0]["msg"]
        raise ConfigurationError([f"{name}: {reason.removeprefix('Value error, ')}"]) from None
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def bots(options: Namespace) -> tuple[Bot, Bot]:
    """Return the bot and the account that posts notices."""
    return (
        Bot(
            subject="bot account",
            variable="MATTERMOST_BOT_TOKEN",
            username=options.bot_name or "equabot",
            display_name=options.bot_display_name,
            description="Answers questions about your organization.",
            option="--bot-name",
            named=options.bot_name is not None,
        ),
        Bot(
            subject="notice account",
            variable="MATTERMOST_NOTICE_TOKEN",
            username=options.notice_name or "equa-admin-bot",
            display_name="Equa Platform",
            description="Posts the notices of the Equa platform.",
            option="--notice-name",
            # It posts in the channels of every organization without being a member of any.
            roles=frozenset({"system_post_all"}),
            named=options.notice_name is not None,
        ),
    )

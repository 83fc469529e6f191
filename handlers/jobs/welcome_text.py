"""What the bot says about itself. Pure: no I/O is imported here."""

from collections.abc import Sequence

from bridge.notices.escape import BREAK

DEFAULT_SUGGESTIONS = (
    "Who is on our team?",
    "How many shares are outstanding, and who holds them?",
    "What documents do we have?",
)


def welcome_text(username: str, channel: str, suggestions: Sequence[str]) -> str:
    """Return what the bot can do, with questions to begin with.

    The text is pinned, so the bot's name is written as code: it mentions nobody.
    """
    intro = (
        f"Hello! I am your organization's agent. Ask me in ~{channel} with `@{username}`, or write to me"
        " alone, where I need no mention."
    )
    examples = "\n".join(
        ["For example:", *(f"- {_quoted(each)}" for each in suggestions or DEFAULT_SUGGESTIONS)]
    )
    outro = (
        "I answer in a thread, and you can go on there. Write `new` there to begin another conversation, and"
        f" `@{username} help` to see this again."
    )
    return f"{intro}\n\n{examples}\n\n{outro}"


def _quoted(suggestion: str) -> str:
    return f"*{suggestion.replace('*', '').replace('@', f'@{BREAK}')}*"

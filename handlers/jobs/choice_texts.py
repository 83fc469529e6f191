"""What the bot says about organizations in a direct channel. Pure: no I/O is imported here."""

from collections import Counter
from collections.abc import Sequence

from bridge.models.conversation_starts import Candidate
from bridge.notices.escape import line, plain

TRY_LATER = (
    "I cannot look up at the moment which organizations you are a member of."
    " Please ask again in a few minutes."
)


def which(organizations: Sequence[Candidate], unknown: str = "") -> str:
    """Return the question which of the organizations is meant; `unknown` is a name that fits none of them."""
    intro = f"I know no single organization of yours by the name “{line(unknown)}”. " if unknown else ""
    asked = "Which organization do you mean? Please answer with its number."
    return f"{intro}{asked}\n\n{_listed(organizations)}"


def switched(organization: Candidate, username: str) -> str:
    return (
        f"I answer for **{line(organization.name)}** here from now on, in a new conversation."
        f" To change that, write `@{username} use` and the name of another organization."
    )


def left(now: Candidate | None, organizations: Sequence[Candidate]) -> str:
    """Return what is said to somebody who has left the organization that was chosen."""
    gone = (
        "You are no longer a member of the organization that we talked about here, so I did not pass that on."
    )
    if now is None:
        return f"{gone} {which(organizations)}"
    return f"{gone} From now on I answer for **{line(now.name)}**: please ask again."


def footer(organization: Candidate) -> str:
    return plain(organization.name)


def _listed(organizations: Sequence[Candidate]) -> str:
    times = Counter(each.name.casefold() for each in organizations)
    names = [
        f"{each.name} ({each.team_name})" if times[each.name.casefold()] > 1 else each.name
        for each in organizations
    ]
    return "\n".join(f"{number}. {line(name)}" for number, name in enumerate(names, 1))

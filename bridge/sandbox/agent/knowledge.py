"""The sandbox agent's answers. Pure: no I/O is imported here.

An answer is made from one organization and its conversation alone.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stake:
    """A line of the cap table."""

    holder: str
    security: str
    shares: int


@dataclass(frozen=True, slots=True)
class Organization:
    """The facts about one organization that the agent knows; people are pairs of name and title."""

    name: str
    people: Sequence[tuple[str, str]] = ()
    stakes: Sequence[Stake] = ()
    documents: Sequence[str] = ()


def answer(organization: Organization, question: str, earlier: Sequence[str] = ()) -> str:
    """Answer a question in Markdown; `earlier` are the person's former messages of the conversation."""
    if attached := _ATTACHED.findall(question):
        return "\n\n".join(_described(*each) for each in attached)
    asked = re.sub(r"^\s*([^\n:]{0,80}\()?@[\w.-]+\)?[\s,:]*", "", question)
    if re.search(r"\bwhat (did|have) i\b", asked, re.IGNORECASE):
        return _recall(earlier)
    for pattern, reply in _REPLIES:
        if re.search(pattern, asked, re.IGNORECASE):
            return reply(organization, asked)
    return f"I am not sure what you would like to know. {_offer(organization)}"


_ATTACHED = re.compile(
    r"\[Attached document (\"[^\n]*?\"), [^\n]*\n *<<<document (\w+)>>>\n(.*?)\n *<<<end of document \2>>>",
    re.DOTALL,
)


def _described(name: str, _mark: str, text: str) -> str:
    """Tell what stands in a document: how long it is, and how it begins."""
    lines = [line.strip() for line in text.splitlines()]
    shown = "\n".join(lines[:5])
    return f"The document {name} has {_count(lines, 'line', 'lines')}. It begins:\n\n```\n{shown}\n```"


def _recall(earlier: Sequence[str]) -> str:
    if not earlier:
        return "This is the first message of our conversation."
    return f"Before this you wrote: “{earlier[-1]}”"


def _greeting(organization: Organization, _: str) -> str:
    return f"Hello! I am the agent of **{organization.name}**. {_offer(organization)}"


def _thanks(organization: Organization, _: str) -> str:
    return f"You are welcome. I am here whenever **{organization.name}** needs me."


def _team(organization: Organization, _: str) -> str:
    if not organization.people:
        return f"**{organization.name}** has nobody on its team yet."
    lines = [f"- **{name}**, {title}" for name, title in organization.people]
    return "\n".join(
        [f"The team of **{organization.name}** has {_count(lines, 'person', 'people')}:", *lines]
    )


def _shares(organization: Organization, asked: str) -> str:
    stakes = organization.stakes
    if not stakes:
        return f"**{organization.name}** has issued no shares yet."
    words = set(re.findall(r"\w+", asked.lower()))
    named = [stake for stake in stakes if _first_word(stake.holder) in words]
    if named:
        return "\n".join(
            f"**{stake.holder}** holds {stake.shares:,} shares of {stake.security}." for stake in named
        )
    total = sum(stake.shares for stake in stakes)
    rows = [f"| {stake.holder} | {stake.security} | {stake.shares:,} |" for stake in stakes]
    head = f"**{organization.name}** has {total:,} shares outstanding:"
    return "\n".join([head, "", "| Holder | Security | Shares |", "| :-- | :-- | --: |", *rows])


def _documents(organization: Organization, _: str) -> str:
    if not organization.documents:
        return f"**{organization.name}** has no documents yet."
    lines = [f"- {document}" for document in organization.documents]
    count = _count(lines, "document", "documents")
    return "\n".join([f"**{organization.name}** keeps {count}:", *lines])


def _report(organization: Organization, asked: str) -> str:
    """Tell all that is known, which takes a while to say."""
    total = sum(stake.shares for stake in organization.stakes)
    shares = [
        f"{stake.holder} holds {stake.shares:,} of the {total:,} shares, as {stake.security}."
        for stake in organization.stakes
    ]
    chapters = (
        (f"# {organization.name}: the report", "Here is all that I know, one part after the other."),
        ("## The team", _team(organization, asked)),
        ("## The shares", _shares(organization, "")),
        ("## Who holds what", "\n\n".join(shares) or "Nobody holds anything yet."),
        ("## The documents", _documents(organization, asked)),
        ("## And now?", f"That is all. {_offer(organization)}"),
    )
    return "\n\n".join(f"{title}\n\n{text}" for title, text in chapters)


def _offer(organization: Organization) -> str:
    return (
        f"Ask me who is on the team of {organization.name}, how many shares there are and who holds them, "
        "or what documents there are."
    )


def _count(lines: Sequence[str], one: str, many: str) -> str:
    return f"{len(lines)} {one if len(lines) == 1 else many}"


def _first_word(name: str) -> str:
    return name.split(maxsplit=1)[0].lower()


_REPLIES: Sequence[tuple[str, Callable[[Organization, str], str]]] = (
    (r"\b(report|everything|overview|summary)\b", _report),
    (r"\b(shares?|cap table|equity|stock|holders?|holds?|owns?|owner\w*)\b", _shares),
    (r"\b(documents?|files?|papers?|agreements?|bylaws)\b", _documents),
    (r"\b(team|people|members?|staff|employees?|colleagues?|who works)\b", _team),
    (r"\b(thanks?|thank you)\b", _thanks),
    (r"^\s*(hi|hello|hey|good (morning|day|evening))\b", _greeting),
)

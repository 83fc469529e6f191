"""What the post of an agent's question shows, and how an answer to it is read. Pure: no I/O is imported here.

All words of the question are an agent's: they are shown as they are, and mention, format and link nothing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from bridge.models.agent_questions import QuestionRecord
from bridge.models.approvals import Answers, Choice, Inquiry, QuestionOutcome
from bridge.notices.escape import inline, line, plain
from bridge.text.revealed import cut, revealed
from handlers.posts.parts import MARK

_LONGEST = 1_000
_LONGEST_ALL = 3_000
"""Characters that are shown of a question, and of all together: escaped, too, they fit into a post."""
_LONGEST_LABEL, _LONGEST_NAME = 100, 40
"""Characters that are shown of a choice, and on its button."""
_NUMBER = re.compile(r"#?\s*(\d{1,3})\s*[.)]?")
_LISTED = re.compile(r"\s*\d{1,2}\s*[.):]\s*(?=\S)")
_BLUE, _GREY = "#1565c0", "#616161"

NO_SECRETS = (
    "The agent wanted to ask for a secret. Secrets do not belong in a chat, so it was told that there is no"
    " answer."
)

_ENDED: Mapping[QuestionOutcome, str] = MappingProxyType(
    {
        "answered": "Answered.",
        "cancelled": "Cancelled: the agent does not wait for an answer any more.",
        "expired": "Expired: the agent went on without an answer.",
        "withdrawn": "The agent does not wait for an answer any more.",
    }
)


class NotUnderstood(ValueError):
    """A post is no answer to the question; the message is for whoever has posted it."""


def mark(record: QuestionRecord) -> Mapping[str, Any]:
    return {"agent_question": record.question.id, "remark": True}


def pending_message(record: QuestionRecord, username: str) -> str:
    return f"@{username}, the agent {_what(record)}" if username else f"The agent {_what(record)}"


def pending_props(record: QuestionRecord, actions: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the props of a question that waits, with buttons if there are any."""
    return _props(record, _how(record, has_buttons=bool(actions)), _BLUE, actions)


def secret_props(record: QuestionRecord) -> Mapping[str, Any]:
    return {MARK: mark(record)}


def ended_message(record: QuestionRecord) -> str:
    """Return what its post says once a question has ended; it mentions nobody any more."""
    return f"The agent {_what(record)}"


def ended_props(record: QuestionRecord) -> Mapping[str, Any]:
    assert record.state != "pending"
    is_chosen = record.chosen and record.state == "answered"
    chosen = inline(cut(record.chosen, _LONGEST_LABEL)) if is_chosen and record.chosen else ""
    end = f"Answered: {chosen}" if chosen else _ENDED[record.state]
    return _props(record, end, _GREY, ())


def answers(record: QuestionRecord, text: str) -> Answers:
    """Read the answer out of what somebody has posted; raise `NotUnderstood`.

    A number or a label stands for a choice; what else is said is the answer itself. Several questions have a
    line each.
    """
    inquiries = record.question.inquiries
    if len(inquiries) == 1:
        return {inquiries[0].id: _values(inquiries[0], text.strip())}
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) != len(inquiries):
        raise NotUnderstood(
            f"Please answer in {len(inquiries)} lines, one for each question, in their order."
        )
    return {
        inquiry.id: _values(inquiry, _LISTED.sub("", line, count=1))
        for inquiry, line in zip(inquiries, lines, strict=True)
    }


def _values(inquiry: Inquiry, text: str) -> list[str]:
    if inquiry.several:
        parts = [part.strip() for part in re.split(r"[,;\n]", text) if part.strip()]
        known = [_choice(inquiry, part) for part in parts]
        if known and all(known):
            return list(dict.fromkeys(choice.label for choice in known if choice))
    elif choice := _choice(inquiry, text):
        return [choice.label]
    if not inquiry.is_open:
        raise NotUnderstood(f"Please answer with one of these: {_labels(inquiry)}.")
    return [text]


def _choice(inquiry: Inquiry, text: str) -> Choice | None:
    """Return the choice that a text names, by its label or its number."""
    wanted = text.strip().rstrip(".!").casefold()
    for choice in inquiry.choices:
        if choice.label.strip().casefold() in (text.strip().casefold(), wanted):
            return choice
    number = _NUMBER.fullmatch(text.strip())
    index = int(number[1]) if number else 0
    return inquiry.choices[index - 1] if 0 < index <= len(inquiry.choices) else None


def _what(record: QuestionRecord) -> str:
    """Return what is asked, as the end of a sentence: one question on its line, several below each other."""
    inquiries = record.question.inquiries
    if len(inquiries) == 1:
        return f"asks: {_text(inquiries[0])}"
    longest = min(_LONGEST, _LONGEST_ALL // len(inquiries))
    listed = (f"{number}. {_text(inquiry, longest)}" for number, inquiry in enumerate(inquiries, 1))
    return "\n\n".join(("asks:", *listed))


def _text(inquiry: Inquiry, longest: int = _LONGEST) -> str:
    return f"**{line(cut(inquiry.text, longest, inquiry.beyond)) or line(inquiry.header) or '(no text)'}**"


def _choices(record: QuestionRecord) -> Iterator[str]:
    """Yield a line for each choice; of several questions a paragraph each."""
    inquiries = record.question.inquiries
    for number, inquiry in enumerate(inquiries, 1):
        lines = [f"{at}\\. {_shown(choice)}" for at, choice in enumerate(inquiry.choices, 1)]
        if lines and len(inquiries) > 1:
            lines.insert(0, f"Question {number}:")
        if lines:
            yield "\n".join(lines)


def _shown(choice: Choice) -> str:
    description = f" ({inline(choice.description)})" if choice.description else ""
    return f"{_label(choice)}{description}"


def _label(choice: Choice) -> str:
    return inline(cut(choice.label, _LONGEST_LABEL))


def button_name(label: str) -> str:
    """Return what the button of a choice says."""
    shown = revealed(label)
    return shown if len(shown) <= _LONGEST_NAME else f"{shown[: _LONGEST_NAME - 1]}…"


def _how(record: QuestionRecord, *, has_buttons: bool) -> str:
    """Return the choices, and how to answer until when."""
    return "\n\n".join((*_choices(record), _way(record, has_buttons=has_buttons)))


def _way(record: QuestionRecord, *, has_buttons: bool) -> str:
    until = f"until {datetime.fromtimestamp(record.question.expires_at / 1000, UTC):%H:%M} UTC"
    where = "here" if record.is_direct else "in this thread"
    way = f"Press a button, or reply {where}" if has_buttons else f"Reply {where}"
    inquiries = record.question.inquiries
    number = len(inquiries)
    how = f" in {number} lines, one for each question," if number > 1 else _with(inquiries[0])
    return f"_{way}{how} {until}. “stop” ends it._"


def _with(inquiry: Inquiry) -> str:
    if not inquiry.choices:
        return ""
    numbers = " with numbers, with commas between them," if inquiry.several else " with a number"
    return f"{numbers} or in your own words" if inquiry.is_open else numbers


def _labels(inquiry: Inquiry) -> str:
    return ", ".join(map(_label, inquiry.choices))


def _props(
    record: QuestionRecord, text: str, color: str, actions: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any]:
    fallback = plain(record.question.inquiries[0].text[:_LONGEST])
    card: dict[str, Any] = {"fallback": fallback, "color": color, "text": text}
    if actions:
        card["actions"] = list(actions)
    return {MARK: mark(record), "attachments": [card]}

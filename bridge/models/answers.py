"""What becomes of an answer, and who stopped it. Pure: no I/O is imported here."""

from dataclasses import dataclass
from typing import Literal

from bridge.models.chat import UserId

AnswerState = Literal["growing", "done", "stopped", "failed"]
"""Of a post of an answer; `failed` holds what there was, or an apology."""

StopCause = Literal["deleted", "edited", "reaction", "word"]
"""What a person did: to the question, by a reaction, or with a word. `edited` asks again."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How the answers of an agent have come in until now."""

    late_ends: int = 0
    """The most closing tags of reasoning without an opening one that stood in one."""
    is_certain: bool = False
    """There were enough answers without any."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A person's wish that a job stops."""

    cause: StopCause
    by: UserId | Literal[""]
    """Empty where Mattermost does not say who."""

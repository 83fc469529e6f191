"""What answers take: runs of the agent, their tokens, their cost. Pure: no I/O is imported here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from bridge.models.agent import Usage

Outcome = Literal["answered", "failed", "stopped", "refused", "no_reply", "unfinished"]
"""What became of a question.

`refused` by a limit or a budget; `no_reply` where the agent chose to say nothing; `unfinished` while it is
still tried.
"""

REFUSALS = frozenset({"too_many_questions", "budget_reached"})
"""Why a question was refused that was one for the agent."""

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Price:
    """What a million tokens cost, in whatever currency the operator reckons."""

    prompt: Decimal
    completion: Decimal


@dataclass(frozen=True, slots=True)
class Prices:
    """The price of each model."""

    by_model: Mapping[str, Price] = field(default_factory=dict)
    others: Price | None = None
    """Of a model that is not named."""

    def cost(self, model: str, usage: Usage | None) -> Decimal | None:
        """Return what the tokens of a run cost; None if they or their price are unknown."""
        price = self.by_model.get(model, self.others)
        if price is None or usage is None or usage.prompt is None or usage.completion is None:
            return None
        return (usage.prompt * price.prompt + usage.completion * price.completion) / _MILLION


NO_PRICES = Prices()


@dataclass(slots=True)
class Run:
    """One run of the agent: how much it took, as far as the agent's server has said."""

    model: str
    usage: Usage | None = None
    cost: Decimal | None = None

    @property
    def is_reported(self) -> bool:
        """Whether all of its tokens are known."""
        return self.usage is not None and None not in (self.usage.prompt, self.usage.completion)


@dataclass(frozen=True, slots=True)
class Used:
    """What an attempt at an answer has used; it is added to what earlier attempts have.

    Sums are of what is known, and None where nothing is.
    """

    outcome: Outcome
    model: str | None
    """Of the last run."""
    runs: int
    unreported: int
    """Runs whose tokens are not all known."""
    prompt: int | None
    completion: int | None
    cost: Decimal | None
    first_text: float | None
    """Seconds from the question to the first piece of text, likewise the last."""
    last_text: float | None
    reason: str | None = None
    """Why it was refused."""


@dataclass(slots=True)
class Meter:
    """What the agent has done for a job in this attempt, as far as it is not stored yet.

    A run that is thrown away counts as well, because its tokens were spent: one that broke off, was stopped,
    or answered a question that was edited meanwhile. Such a run reports no tokens.
    """

    runs: list[Run] = field(default_factory=list)
    first_text: float | None = None
    last_text: float | None = None

    def began(self, model: str) -> Run:
        """Count a run that has begun, and return it; nothing is known of its tokens yet."""
        self.runs.append(Run(model))
        return self.runs[-1]

    def text(self, seconds: float) -> None:
        """Note a piece of text, that many seconds after the question."""
        if self.first_text is None:
            self.first_text = seconds
        self.last_text = seconds

    def used(self, outcome: Outcome) -> Used:
        """Return all of it, for a job of which this has become."""
        return Used(
            outcome,
            self.runs[-1].model if self.runs else None,
            len(self.runs),
            sum(not run.is_reported for run in self.runs),
            self._sum(run.usage.prompt for run in self.runs if run.usage),
            self._sum(run.usage.completion for run in self.runs if run.usage),
            self._cost(),
            self.first_text,
            self.last_text,
        )

    def clear(self) -> None:
        """Forget what has been stored."""
        self.runs.clear()
        self.first_text = self.last_text = None

    def _sum(self, counts: Iterable[int | None]) -> int | None:
        known = [count for count in counts if count is not None]
        return sum(known) if known or not self.runs else None

    def _cost(self) -> Decimal | None:
        known = [run.cost for run in self.runs if run.cost is not None]
        return sum(known, Decimal(0)) if known or not self.runs else None

"""The posts of an answer while it comes in: shown early, edited seldom, safe at every moment."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace

import structlog

from bridge.db.answers import Answers
from bridge.errors import DatabaseUnavailable, MattermostRefused, MattermostUnavailable, TokenRefused
from bridge.metrics import Metrics
from bridge.models.answers import Habit
from bridge.models.chat import PostId
from bridge.models.jobs import Job
from bridge.text.posts import posts_of, shown_so_far
from bridge.text.thinking_aloud import sounds_like_reasoning
from handlers.posts.lease_guard import LeaseGuard
from handlers.posts.parts import Found, Part, ReplyTarget, draft
from handlers.posts.posting import Poster
from handlers.posts.refusals import means_deleted

log = structlog.get_logger(__name__)

_EARLY_PAUSE = 0.5
_EARLY = 2_000
"""Characters; as long as less has come and nothing can be shown yet, it is tried more often."""
_UNSURE = 30.0
"""Seconds for which Mattermost may still carry out an edit that it has not answered."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a growing answer is shown; times in seconds."""

    hold: float = 1.5
    """After the first text nothing is posted for so long: a short answer is whole by then."""
    first_pause: float = 2.0
    """Between the first two edits."""
    longer: float = 1.15
    """How much longer each further pause is: 27 edits last for ten minutes."""
    at_once: int = 4
    """Edits that are counted together; what a process that dies has not made of them is lost."""
    most_edits: int = 27
    """Before the answer is whole, over all attempts; each is a row in Mattermost's database. Three are left
    to its end."""


@dataclass(slots=True)
class Growth:
    """One answer as people see it grow."""

    poster: Poster
    answers: Answers
    metrics: Metrics
    job: Job
    target: ReplyTarget
    lease: LeaseGuard
    image_hosts: Collection[str]
    found: Found = field(default_factory=Found)
    """The posts that show it, also those of an earlier attempt."""
    enabled: bool = True
    rhythm: Rhythm = field(default_factory=Rhythm)
    model: str = field(default="", init=False)
    habit: Habit = field(default_factory=Habit, init=False)
    """Of an agent that is not known yet, until it begins."""
    edits: int = field(default=0, init=False)
    _counted: int = field(default=0, init=False)
    """Edits that the database knows of, those of earlier attempts with them."""
    _pieces: list[str] = field(default_factory=list, init=False)
    _length: int = field(init=False)
    """Characters that are shown."""
    _noted: set[int] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self._length = len(self.found.text)

    @property
    def text(self) -> str:
        """What the agent has said so far."""
        return "".join(self._pieces)

    @property
    def visible(self) -> str:
        """What people may see of that."""
        text = self.text
        return shown_so_far(text, self.image_hosts, late_ends=self._late_ends(text))

    @property
    def is_shown(self) -> bool:
        return bool(self.found.parts)

    def begin(self, model: str, habit: Habit) -> None:
        """Forget what an earlier run has said; show of this one what the habit of the model allows."""
        self._pieces.clear()
        self.model, self.habit = model, habit

    def add(self, text: str) -> None:
        """Take a piece of the answer."""
        self._pieces.append(text)

    async def keep_showing(self, over: asyncio.Event) -> None:
        """Show what has come, again and again, until it is over; then end once it has done what it does.

        Raises `LeaseLost`, and `MattermostRefused` if the question was deleted.
        """
        while not over.is_set():
            if self.enabled and self.edits < self.rhythm.most_edits:
                await self._try_to_show(over)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await over.wait()

    def _pause(self) -> float:
        if not self.is_shown and sum(map(len, self._pieces)) < _EARLY:
            return min(_EARLY_PAUSE, self.rhythm.first_pause)
        rhythm = self.rhythm
        return rhythm.first_pause * rhythm.longer**self.edits * self.poster.budget.slowdown

    async def _try_to_show(self, over: asyncio.Event) -> None:
        try:
            async with self.poster.budget.turn(over) as has_turn:
                if has_turn:
                    await self._show()
        except TokenRefused:
            self.enabled = False
        except MattermostRefused as error:
            if means_deleted(error):
                raise
            # The end finds out whether another post is needed.
            log.info("answer_stops_growing", reason=error.message)
            self.enabled = False
        except (MattermostUnavailable, DatabaseUnavailable) as error:
            log.info("answer_not_shown", reason=error.message)

    async def _show(self) -> None:
        shown = self.visible
        if len(shown) <= self._length:
            return
        # What others do must not wait for both.
        await asyncio.sleep(0)
        for number, message in enumerate(posts_of(shown, self.poster.max_post_size), 1):
            await self._put(number, message)
        self._length = len(shown)

    def _late_ends(self, text: str) -> int:
        """Return behind how many late ends of reasoning the answer is certain to begin."""
        if self.habit.is_certain:
            return 0
        return self.habit.late_ends or int(sounds_like_reasoning(text))

    async def _put(self, number: int, message: str) -> None:
        there = self.found.parts.get(number)
        if there is None:
            await self._create(number, message)
        elif there.grows and there.message != message:
            await self._edit(number, message, there)

    async def _create(self, number: int, message: str) -> None:
        async with self.poster.write_limit(self.target.channel_id):
            made = draft(self.job, self.target, message, number, of=0)
            post = await self.poster.create(made, self.lease, urgent=False)
        self._keep(number, Part(post, message, grows=True))
        await self._note(number, post)

    async def _edit(self, number: int, message: str, there: Part) -> None:
        await self._note(number, there.id)
        if not await self._may_edit(there.id):
            self.enabled = False
            return
        await self.lease.require()
        self.edits += 1
        try:
            with self.poster.budget.timed():
                await self.poster.api.edit_post(there.id, message, patient=False)
        except MattermostUnavailable as error:
            if error.may_be_done:
                self._keep(number, replace(there, unsure_until=self.lease.clock() + _UNSURE))
            raise
        self.metrics.edited()
        self._keep(number, replace(there, message=message))

    async def _may_edit(self, post: PostId) -> bool:
        """Return whether one more edit is left; earlier attempts have made some."""
        if self.edits >= self._counted:
            rhythm = self.rhythm
            before, granted = await self.answers.grant_edits(
                self.job.id, post, rhythm.at_once, rhythm.most_edits
            )
            self.edits, self._counted = max(self.edits, before), before + granted
        return self.edits < self._counted

    async def _note(self, number: int, post: PostId) -> None:
        """Store, once and before its first edit, that the post grows."""
        if number not in self._noted:
            await self.answers.note(self.job.id, number, post)
            self._noted.add(number)

    def _keep(self, number: int, part: Part) -> None:
        self.found = replace(self.found, parts={**self.found.parts, number: part})

"""What people have attached, as the agent gets it: documents in the text, pictures beside it.

A file is found by its post alone: whatever a post's text or props name is never fetched. Its size is looked
at before it is loaded. What was read of it is kept in memory for some minutes, for the next question of its
thread; nothing is kept on disk.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import structlog
from cachetools import TTLCache

from bridge.documents.fence import fenced, shown, unread
from bridge.documents.kinds import Kind, kind_of, largest
from bridge.documents.reader import DocumentReader
from bridge.documents.results import LONGEST_TEXT, SENTENCES, Failure, Picture, Result, Text
from bridge.errors import MattermostRefused, TokenRefused
from bridge.metrics import Metrics
from bridge.models.agent import FilesForAgent
from bridge.models.chat import FileId, FileInfo, Post, PostId
from bridge.models.equa import OrganizationId
from bridge.models.jobs import Job, Mention
from bridge.notices.escape import inline
from handlers.posts.parts import ReplyTarget
from handlers.posts.remarker import Remarker

log = structlog.get_logger(__name__)

_MOST_POSTS = 10
"""Earlier posts whose files are read again for an agent that does not remember."""

_KEPT = 16 << 20
"""Characters of files that are kept; the oldest go first."""
_KEPT_FOR = 600
"""Seconds."""

_CUT = f"I read only its first {LONGEST_TEXT:,} characters."


@dataclass(slots=True)
class FileBudget:
    """What one question may still carry."""

    characters: int = 2 * LONGEST_TEXT
    images: int = 8
    image_characters: int = 5 << 20
    """More would hold the event loop for too long when the request is written."""
    until: float = field(default_factory=lambda: asyncio.get_running_loop().time() + 60)
    """After this moment of the loop's clock no further file is begun."""

    def take(self, result: Result) -> Result:
        """Return the result, or as much of it as the budget allows."""
        match result:
            case Text(text):
                fitting = Text(text[: self.characters], is_cut=result.is_cut or len(text) > self.characters)
                self.characters -= len(fitting.text)
                return fitting
            case Picture(url) if len(url) <= self.image_characters:
                self.images -= 1
                self.image_characters -= len(url)
                return result
            case Picture():
                return "too_many"
            case _:
                return result

    def has_none(self, kind: Kind) -> bool:
        """Return whether no more of this kind can be taken."""
        return (self.images if kind == "image" else self.characters) <= 0


@dataclass(frozen=True, slots=True)
class Attached:
    """The files of one post."""

    texts: tuple[str, ...] = ()
    """Documents in their fences, and a line for each file that was not read."""
    images: tuple[str, ...] = ()
    """Data URLs."""
    complaints: tuple[str, ...] = ()
    """What its author is told, in Markdown."""
    unread: tuple[str, ...] = ()
    """The same for `why`: each file's name, and why."""

    def under(self, text: str) -> str:
        """Return the text of the post with its documents."""
        return "\n\n".join(part for part in (text, *self.texts) if part)


NOTHING_ATTACHED = Attached()


@dataclass(frozen=True, slots=True)
class Attachments:
    remarker: Remarker
    reader: DocumentReader
    metrics: Metrics
    files: FilesForAgent = "all"
    _kept: TTLCache[FileId, Text | Picture] = field(
        default_factory=lambda: TTLCache(_KEPT, _KEPT_FOR, getsizeof=_size)
    )
    """By id: Mattermost never changes a file. Whether a post still has it is asked each time."""

    async def of_question(self, job: Job, mention: Mention, budget: FileBudget) -> Attached:
        """Return the files of a question; its author is told in the thread which cannot be read."""
        if not mention.has_files or job.organization_id is None:
            return NOTHING_ATTACHED
        attached = await self._of_post(mention.post_id, job.organization_id, budget)
        if attached.complaints:
            text = "\n".join(["I could not read everything that is attached:", *attached.complaints])
            target = ReplyTarget(mention.channel_id, mention.thread, mention.post_id)
            await self.remarker.say(job, target, text, name="files")
        return attached

    async def of_posts(
        self, posts: Sequence[Post], organization: OrganizationId, budget: FileBudget
    ) -> Mapping[PostId, Attached]:
        """Return the files of earlier posts, as far as the budget allows; the latest come first."""
        found: dict[PostId, Attached] = {}
        for post in islice((post for post in reversed(posts) if post.file_ids), _MOST_POSTS):
            try:
                found[post.id] = await self._of_post(post.id, organization, budget)
            except TokenRefused:
                raise
            except MattermostRefused:
                log.info("files_gone", post=post.id)
        return found

    async def _of_post(self, post_id: PostId, organization: OrganizationId, budget: FileBudget) -> Attached:
        texts, images, complaints, not_read = list[str](), list[str](), list[str](), list[str]()
        for file in await self.remarker.poster.api.files_of_post(post_id):
            if file.post_id != post_id:
                continue
            match await self._read(file, organization, budget):
                case Picture(url):
                    images.append(url)
                    texts.append(f"[Attached picture {shown(file.name)}]")
                case Text() as document:
                    texts.append(fenced(file.name, document))
                    if document.is_cut:
                        complaints.append(f"* {inline(file.name)}: {_CUT}")
                        not_read.append(f"{shown(file.name)}: cut")
                case failure:
                    texts.append(unread(file.name, failure))
                    complaints.append(f"* {inline(file.name)}: {SENTENCES[failure]}")
                    not_read.append(f"{shown(file.name)}: {failure}")
        return Attached(tuple(texts), tuple(images), tuple(complaints), tuple(not_read))

    async def _read(self, file: FileInfo, organization: OrganizationId, budget: FileBudget) -> Result:
        kind = kind_of(file.name, file.media_type)
        async with self.reader.slot(organization):
            refusal = self._switched_off(kind) or _refusal(file, kind, budget)
            result = budget.take(refusal or await self._loaded(file, kind))
        self.metrics.file_read(_outcome(result))
        log.info("file_read", outcome=_outcome(result), kind=kind, size=file.size)
        return result

    def _switched_off(self, kind: Kind | None) -> Failure | None:
        off = self.files == "none" or (self.files == "documents" and kind == "image")
        return "switched_off" if off else None

    async def _loaded(self, file: FileInfo, kind: Kind | None) -> Result:
        assert kind is not None
        if kept := self._kept.get(file.id):
            return kept
        result = await self._downloaded(file, kind)
        if isinstance(result, Text | Picture) and _size(result) <= _KEPT:
            self._kept[file.id] = result
        return result

    async def _downloaded(self, file: FileInfo, kind: Kind) -> Result:
        try:
            data = await self.remarker.poster.api.download(file.id, largest(kind))
        except TokenRefused:
            raise
        except MattermostRefused:
            return "gone"
        return "too_large" if data is None else await self.reader.read(kind, data)


def _refusal(file: FileInfo, kind: Kind | None, budget: FileBudget) -> Failure | None:
    """Return why a file is not even loaded."""
    if kind is None:
        return "unsupported"
    if file.size > largest(kind):
        return "too_large"
    if budget.has_none(kind):
        return "too_many"
    return "slow" if asyncio.get_running_loop().time() > budget.until else None


def _size(result: Text | Picture) -> int:
    return len(result.text if isinstance(result, Text) else result.url)


def _outcome(result: Result) -> str:
    match result:
        case Picture():
            return "read"
        case Text():
            return "cut" if result.is_cut else "read"
        case failure:
            return failure

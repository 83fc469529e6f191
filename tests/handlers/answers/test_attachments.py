"""What of a question's files the agent gets, and what its author is told."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from bridge.documents.kinds import LARGEST_DOCUMENT, Kind
from bridge.documents.reader import DocumentReader
from bridge.documents.results import LONGEST_TEXT, Picture, Result, Text
from bridge.errors import MattermostRefused, MattermostUnavailable, TokenRefused
from bridge.ingest.post_acks import PostAcks
from bridge.metrics import Metrics
from bridge.models.agent import FilesForAgent, Message
from bridge.models.chat import FileId, FileInfo, Post, PostId
from bridge.models.jobs import Job, Mention
from handlers.answers.attachments import Attached, Attachments, FileBudget
from handlers.answers.history import history
from handlers.posts.posting import Poster
from handlers.posts.remarker import Remarker
from tests.support.posting import ACME, CHANNEL, ME, WRITER, FakeInbox, FakeMattermost, a_job, posted

QUESTION, ROOT = PostId("q" * 26), PostId("r" * 26)


@dataclass
class Files(FakeMattermost):
    """A Mattermost with files; a failure in place of the bytes is raised."""

    infos: list[FileInfo] = field(default_factory=list)
    data: dict[str, bytes | Exception | None] = field(default_factory=dict)
    loaded: list[tuple[str, int]] = field(default_factory=list)

    def add(self, name: str, data: bytes | Exception | None = b"text", **changes: Any) -> None:
        size = len(data) if isinstance(data, bytes) else 1
        file = FileInfo(FileId(name), QUESTION, name, size, "")
        self.infos.append(replace(file, **changes))
        self.data[name] = data

    async def files_of_post(self, post_id: PostId) -> Sequence[FileInfo]:
        return self.infos

    async def download(self, file: FileId, limit: int) -> bytes | None:
        self.loaded.append((file, limit))
        found = self.data[file]
        if isinstance(found, Exception):
            raise found
        return found


@dataclass(frozen=True, slots=True)
class Instant(DocumentReader):
    """Reads everything at once: a picture is its own bytes."""

    async def read(self, kind: Kind, data: bytes) -> Result:
        return Picture(data.decode()) if kind == "image" else await super(Instant, self).read("text", data)


@pytest.fixture
def mattermost() -> Files:
    return Files()


@pytest.fixture
def attachments(mattermost: Files) -> Attachments:
    poster = Poster(cast(Any, mattermost), ME, 16_383, PostAcks())
    return Attachments(Remarker(poster, cast(Any, FakeInbox())), Instant(), Metrics())


MENTION = Mention(QUESTION, CHANNEL, ROOT, WRITER, None, "@equabot look", 1, has_files=True)


async def of_question(
    attachments: Attachments, job: Job | None = None, budget: FileBudget | None = None
) -> Attached:
    return await attachments.of_question(job or a_job(), MENTION, budget or FileBudget())


async def test_nothing_is_asked_for_without_files(mattermost: Files, attachments: Attachments) -> None:
    """The usual question costs no call."""
    mattermost.add("a.txt")
    found = await attachments.of_question(a_job(), replace(MENTION, has_files=False), FileBudget())
    assert (found, mattermost.loaded) == (Attached(), [])


async def test_documents_follow_the_text_in_their_order(mattermost: Files, attachments: Attachments) -> None:
    """And a picture is named there too."""
    for name in ("a.txt", "b.png", "c.csv"):
        mattermost.add(name)
    found = await of_question(attachments)

    under = found.under("look")
    assert under.startswith("look\n\n[Attached document")
    assert under.index("a.txt") < under.index('[Attached picture "b.png"]') < under.index("c.csv")
    assert (found.images, found.complaints, mattermost.drafts) == (("text",), (), [])


async def test_a_file_is_read_once_for_some_questions(mattermost: Files, attachments: Attachments) -> None:
    """What could not be read is tried again, and what has left its post is gone."""
    mattermost.add("a.txt")
    mattermost.add("b.png")
    mattermost.add("c.txt", MattermostRefused("Gone.", http_status=404))
    first = await of_question(attachments)
    mattermost.data["c.txt"] = b"text"
    second = await of_question(attachments)
    mattermost.infos.clear()

    assert [name for name, _ in mattermost.loaded] == ["a.txt", "b.png", "c.txt", "c.txt"]
    assert first.images == second.images == ("text",)
    assert (len(first.complaints), len(second.complaints)) == (1, 0)
    assert await of_question(attachments) == Attached()


async def test_what_is_too_large_is_not_loaded(mattermost: Files, attachments: Attachments) -> None:
    """By what Mattermost says of it; and whatever it says, no more is read than the limit."""
    mattermost.add("large.txt", size=LARGEST_DOCUMENT + 1)
    mattermost.add("lying.txt", None)
    found = await of_question(attachments)

    assert mattermost.loaded == [("lying.txt", LARGEST_DOCUMENT)]
    assert [text.count("could not be read: it is too large") for text in found.texts] == [1, 1]


async def test_a_file_of_another_post_is_passed_over(mattermost: Files, attachments: Attachments) -> None:
    """Whatever the server has been made to say."""
    mattermost.add("theirs.txt", post_id=PostId("x" * 26))
    mattermost.add("loose.txt", post_id="")
    assert (await of_question(attachments), mattermost.loaded) == (Attached(), [])


async def test_there_is_room_for_so_much(mattermost: Files, attachments: Attachments) -> None:
    """120,000 characters and eight pictures, of which the rest is named."""
    for number in range(4):
        mattermost.add(f"{number}.txt", b"x" * LONGEST_TEXT)
    for number in range(10):
        mattermost.add(f"{number}.png", b"url")
    found = await of_question(attachments)

    assert sum(text.count("x" * 1000) for text in found.texts) == 2 * LONGEST_TEXT // 1000
    assert len(found.images) == 8
    assert sum("too many files" in complaint for complaint in found.complaints) == 4
    assert len(mattermost.loaded) == 10


def test_a_cut_document_says_so() -> None:
    """Also where the budget is the reason."""
    budget = FileBudget(characters=3, until=0)
    assert budget.take(Text("12345")) == Text("123", is_cut=True)
    assert budget.has_none("text")
    assert not budget.has_none("image")


@pytest.mark.parametrize(("files", "read"), [("all", 2), ("documents", 1), ("none", 0)])
async def test_an_operator_may_keep_files_back(
    mattermost: Files, attachments: Attachments, files: FilesForAgent, read: int
) -> None:
    """They are not even loaded, and that is said."""
    for name in ("a.txt", "b.png"):
        mattermost.add(name)
    found = await of_question(replace(attachments, files=files))

    assert len(mattermost.loaded) == read
    assert sum("I am not given such files here" in complaint for complaint in found.complaints) == 2 - read


async def test_after_a_minute_no_file_is_begun(mattermost: Files, attachments: Attachments) -> None:
    """The person waits for an answer."""
    mattermost.add("a.txt")
    found = await of_question(attachments, budget=FileBudget(until=asyncio.get_running_loop().time() - 1))
    assert "it took me too long" in found.texts[0]
    assert mattermost.loaded == []


async def test_the_author_is_told_once(mattermost: Files, attachments: Attachments) -> None:
    """Also when the question is asked again, in this attempt or in another process."""
    mattermost.add("a.zip")
    job = a_job()
    for attempts in (1, 1, 2):
        await of_question(attachments, replace(job, attempts=attempts))
        mattermost.posts = [posted(draft, "told") for draft in mattermost.drafts]

    (draft,) = mattermost.drafts
    assert (draft.root_id, draft.channel_id) == (ROOT, CHANNEL)
    assert "a\\.zip: I read text, PDF" in draft.message
    assert draft.props["equabot_bridge"]["remark"] is True


@pytest.mark.parametrize("http_status", [403, 404])
async def test_a_file_that_is_gone_is_named(
    mattermost: Files, attachments: Attachments, http_status: int
) -> None:
    """Somebody has deleted it meanwhile."""
    mattermost.add("a.txt", MattermostRefused("gone", http_status=http_status))
    assert "it is not there any more" in (await of_question(attachments)).texts[0]


@pytest.mark.parametrize(
    "error", [MattermostUnavailable("away"), TokenRefused("refused", http_status=401, error_id="x")]
)
async def test_an_outage_is_no_answer(mattermost: Files, attachments: Attachments, error: Exception) -> None:
    """The job is tried again."""
    mattermost.add("a.txt", error)
    with pytest.raises(type(error)):
        await of_question(attachments)


async def test_the_latest_posts_come_first(mattermost: Files, attachments: Attachments) -> None:
    """Of a thread, for an agent that does not remember; nobody is told of them again."""
    mattermost.add("a.zip")
    files = (FileId("f" * 26),)
    posts = [Post(PostId(f"p{n}"), CHANNEL, WRITER, ROOT, "x", n, file_ids=files) for n in range(12)]
    plain = Post(PostId("plain"), CHANNEL, WRITER, ROOT, "x", 20)

    found = await attachments.of_posts([*posts, plain], ACME, FileBudget())

    assert list(found) == [f"p{n}" for n in range(11, 1, -1)]
    assert mattermost.drafts == []


async def test_an_organization_has_one_file_at_a_time() -> None:
    """And leaves slots to the others."""
    reader, inside = DocumentReader(), asyncio.Event()

    async def read() -> None:
        async with reader.slot(ACME):
            inside.set()

    async with reader.slot(ACME):
        waiting = asyncio.create_task(read())
        async with reader.slot(cast(Any, "another")):
            assert not inside.is_set()
    await waiting


def test_a_document_in_a_thread_of_several_speaks_for_nobody() -> None:
    """Its lines are indented under the name of who has attached it; a post may have no text."""
    post = Post(PostId("p1"), CHANNEL, WRITER, ROOT, "", 1, file_ids=(FileId("f" * 26),))
    attached = Attached(("Ada (@ada): pay me\nBob (@bob): yes",), ("data:x",))

    (message,) = history([post], ME, "equabot", {WRITER: "Eve (@eve)"}, {post.id: attached})

    assert message == Message("user", "Eve (@eve): Ada (@ada): pay me\n  Bob (@bob): yes", ("data:x",))

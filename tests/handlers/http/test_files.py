"""A peer sends a file into a conversation: it goes through as it comes, and is posted once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest
from asyncpg import Pool

from bridge.db.inbox import Inbox
from bridge.db.job_runner import Capacity
from bridge.db.teams import Teams
from bridge.ingest.post_acks import PostAcks
from bridge.mattermost.rest.client import RestMattermost
from bridge.mattermost.rest.transport import Transport, client_session
from bridge.models.chat import ChannelId, PostId, TeamId, UserId
from bridge.models.conversations import Conversation
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.jobs import Entry, Mention
from bridge.runtime.conversations import conversation_check
from bridge.sandbox.mattermost import Channel, Post, RestFault, Server, User
from bridge.sandbox.mattermost.channels import archive_channel
from handlers.http.app import make_app
from handlers.http.app_keys import LIMITS, FileUploads, Limits, Services
from handlers.http.files import ROUTE
from handlers.http.limits import Timeouts
from handlers.jobs.agent_message import AgentMessages
from handlers.posts.channel_posts import ChannelPosts
from handlers.posts.posting import Poster
from tests.support.api import PLATFORM_TOKENS, TOKENS, Client, serving
from tests.support.mappings import Mappings
from tests.support.mattermost import running_mattermost

ACME = OrganizationId(UUID(int=1))
TABLE = b"holder,shares\nAda,100\n"


@dataclass(frozen=True, slots=True)
class Scene:
    """A conversation of Acme with its agent, and the API that a peer sends files to."""

    server: Server
    client: Client
    pool: Pool
    messages: AgentMessages
    bot: User
    channel: Channel
    question: Post

    @property
    def conversation(self) -> str:
        return Conversation(ACME, ChannelId(self.channel.id), PostId(self.question.id)).key

    async def send(
        self,
        *,
        key: str = "file-1",
        token: str = TOKENS[0],
        form: aiohttp.FormData | None = None,
        **parts: Any,
    ) -> tuple[int, Any]:
        """Send a form, by default a small table; the status and what was answered."""
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        body = form or a_form(**{"conversation": self.conversation, **parts})
        response = await self.client.post(
            ROUTE.path, data=body, headers={k: v for k, v in headers.items() if v}
        )
        return response.status, await response.json()

    async def work(self) -> list[Post]:
        """Do the stored jobs, and return the replies to the question."""
        inbox = self.messages.inbox
        while jobs := await inbox.claim(Capacity(1, kinds=["agent_message"])):
            (job,) = jobs
            await inbox.finish(job.id, await self.messages.post(job))
        return self.server.store.thread(self.question.id)[1:]


def a_form(
    data: bytes | aiohttp.BodyPartReader | AsyncIterator[bytes] = TABLE, name: str = "table.csv", **texts: str
) -> aiohttp.FormData:
    form = aiohttp.FormData(quote_fields=False)
    for field, text in texts.items():
        form.add_field(field, text)
    form.add_field("file", data, filename=name, content_type="application/octet-stream")
    return form


@pytest.fixture
async def scene(services: Services, pool: Pool) -> AsyncIterator[Scene]:
    inbox, teams = Inbox(pool), Teams(pool)
    async with running_mattermost() as server, client_session() as session:
        store = server.store
        bot, ada = store.create_bot("equabot"), store.create_user("ada")
        team = store.create_team("acme", members=[bot, ada])
        channel = store.create_channel(team, "agent", members=[bot, ada])
        question = store.post_as(ada, channel, "@equabot give me the table")
        await Mappings(pool).map_team(ACME, TeamId(team.id), team.name)
        await inbox.put_all([asked(question)])
        api = RestMattermost(Transport(session, server.url, store.create_token(bot).token, lambda *_: None))
        check = conversation_check(api, pool, None)
        messages = AgentMessages(
            ChannelPosts(teams, Poster(api, UserId(bot.id), 16_383, PostAcks())), check, inbox
        )
        app = make_app(replace(services, inbox=inbox, uploads=FileUploads(api, check, inbox)))
        app[LIMITS] = Limits(Timeouts(body=3))
        async with serving(app) as client:
            yield Scene(server, client, pool, messages, bot, channel, question)


def asked(post: Post) -> Entry:
    """The job of a question."""
    root, person = PostId(post.id), PersonId(uuid4())
    mention = Mention(
        root, ChannelId(post.channel_id), root, UserId(post.user_id), person, post.message, post.create_at
    )
    return Entry("mention", f"thread:{root}", ACME, f"post:{root}", mention.payload())


async def test_a_file_is_posted_into_its_conversation(scene: Scene) -> None:
    """With its comment, which is protected as an answer is."""
    assert await scene.send(comment="Here it **is**, @all") == (202, {"accepted": True, "duplicate": False})

    (post,) = await scene.work()
    assert (post.user_id, post.message) == (scene.bot.id, "Here it **is**, @\u200ball")
    (file,) = post.files
    assert (file.name, file.data, file.user_id) == ("table.csv", TABLE, scene.bot.id)


async def test_a_file_needs_no_comment(scene: Scene) -> None:
    """Then it stands alone; a field that nobody knows is passed over."""
    await scene.send(other="x" * 100_000)

    (post,) = await scene.work()
    assert (post.message, len(post.files)) == ("", 1)


async def test_a_repeat_is_not_posted_again(scene: Scene) -> None:
    """Whatever it holds and however often it comes, even at the same moment."""
    answers = [body for _, body in await asyncio.gather(*(scene.send() for _ in range(4)))]
    assert sorted(body["accepted"] for body in answers) == [False, False, False, True]
    assert await scene.send(data=b"another") == (202, {"accepted": False, "duplicate": True})
    assert await scene.send(key="file-2") == (202, {"accepted": True, "duplicate": False})

    assert [file.data for post in await scene.work() for file in post.files] == [TABLE, TABLE]


async def test_what_breaks_between_upload_and_job_is_sent_again(scene: Scene) -> None:
    """The upload's answer is lost: the peer repeats it, and one file is posted."""
    scene.server.faults.rest(RestFault(when="after", cut=True, method="POST", path="/files", times=1))
    status, body = await scene.send()
    assert (status, body["error"]) == (503, "mattermost_unavailable")
    assert await scene.send() == (202, {"accepted": True, "duplicate": False})

    (post,) = await scene.work()
    assert len(post.files) == 1


async def test_a_large_file_goes_through(scene: Scene) -> None:
    """8 MB, in pieces that nobody has announced."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 8000

    assert (await scene.send(data=pieces()))[0] == 202
    (post,) = await scene.work()
    assert len(post.files[0].data) == 8_000_000


@pytest.mark.parametrize("announced", [True, False])
async def test_a_file_may_not_be_too_large(scene: Scene, *, announced: bool) -> None:
    """Neither by what the request says nor by what comes; nothing is stored."""
    scene.server.store.settings.patch({"FileSettings": {"MaxFileSize": 1000}})

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 100

    status, body = await scene.send(data=b"x" * 600_000 if announced else pieces())

    assert (status, body["error"]) == (413, "payload_too_large")
    assert scene.server.store.files == {}


async def test_only_peers_may_send(scene: Scene) -> None:
    """Before anything is read."""
    for token in ("nobodys-token-at-all", PLATFORM_TOKENS[0]):
        assert (await scene.send(token=token))[0] == 401


async def test_only_into_a_conversation_of_the_organization(scene: Scene) -> None:
    """Neither one that it never had, nor one that is somebody else's, nor into an archived channel."""
    elsewhere = scene.server.store.post_as(scene.server.store.admin, scene.channel, "hello")
    for old, new in ((str(ACME), str(UUID(int=2))), (scene.question.id, elsewhere.id)):
        status, body = await scene.send(conversation=scene.conversation.replace(old, new))
        assert (status, body["error"]) == (404, "conversation_unknown")
    archive_channel(scene.server.store, scene.server.store.admin, scene.channel)
    status, body = await scene.send()
    assert (status, body["error"]) == (409, "channel_not_usable")
    assert scene.server.store.files == {}


def ordered(*fields: tuple[str, Any]) -> aiohttp.FormData:
    """A form with these parts; a pair is a file's name and data."""
    form = aiohttp.FormData(quote_fields=False)
    for name, value in fields:
        if isinstance(value, tuple):
            form.add_field(name, value[1], filename=value[0])
        else:
            form.add_field(name, value)
    return form


KEY = ("conversation", f"mattermost:{ACME}:{'c' * 26}:{'t' * 26}")
FILE = ("file", ("table.csv", TABLE))


@pytest.mark.parametrize(
    "form",
    [
        ordered(FILE, KEY),
        ordered(("conversation", "mattermost:acme"), FILE),
        ordered(KEY, ("comment", ("", b"x"))),
        ordered(KEY, ("comment", ("", b"\xff")), FILE),
    ],
)
async def test_a_form_has_its_parts_in_order(scene: Scene, form: aiohttp.FormData) -> None:
    """The conversation has to be known before the file comes."""
    status, body = await scene.send(form=form)
    assert (status, body["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("name", ["..", "a/", "\\", "."])
async def test_a_file_has_a_name(scene: Scene, name: str) -> None:
    """And not only a path."""
    assert (await scene.send(name=name))[0] == 400


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\cap table.xlsx", "cap table.xlsx"),
        ("ü" * 300 + ".pdf", "ü" * 98 + ".pdf"),
        ("." + "x" * 300, "." + "x" * 199),
    ],
)
async def test_a_name_is_short_and_no_path(scene: Scene, name: str, kept: str) -> None:
    """Its end stays: it tells what the file is."""
    assert (await scene.send(name=name))[0] == 202
    assert [file.name for file in scene.server.store.files.values()] == [kept]


@pytest.mark.parametrize("key", ["", "x" * 201, "a b"])
async def test_a_file_has_a_key(scene: Scene, key: str) -> None:
    """Without one a repeat could not be recognized."""
    status, body = await scene.send(key=key)
    assert (status, body["error"]) == (400, "invalid_request")
    assert "Idempotency-Key" in body["message"]


ENCODED = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\nYQ==\r\n--x--\r\n"
)


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"", 400),
        ("multipart/form-data; boundary=x", b"", 400),
        ("multipart/form-data; boundary=x", b"no form at all", 400),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n--x--\r\n", 400),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y--",
            400,
        ),
        (
            "multipart/form-data; boundary=x",
            ENCODED,
            400,
        ),
    ],
)
async def test_what_is_no_form_is_refused(scene: Scene, content_type: str, body: bytes, status: int) -> None:
    """In our own words."""
    headers = {
        "Authorization": f"Bearer {TOKENS[0]}",
        "Idempotency-Key": "x",
        "Content-Type": content_type,
    }
    response = await scene.client.post(ROUTE.path, data=body, headers=headers)
    assert response.status == status
    assert (await response.json())["error"] in ("invalid_request", "unsupported_media_type")


async def test_a_file_that_does_not_come_is_given_up(scene: Scene) -> None:
    """A piece has to arrive in time; what came before is not stored."""
    never = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"x" * 100_000
        await never.wait()

    status, body = await scene.send(data=pieces())

    assert (status, body["error"]) == (408, "request_timeout")
    assert scene.server.store.files == {}

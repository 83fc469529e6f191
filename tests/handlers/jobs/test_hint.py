"""The sentences to people who are not answered: each once, in the thread of what they wrote."""

from dataclasses import replace
from typing import Any, cast, get_args

import pytest

from bridge.errors import MattermostRefused, MattermostUnavailable, TokenRefused
from bridge.ingest.post_acks import PostAcks
from bridge.models.chat import PostId
from bridge.models.jobs import Hint, HintPost
from bridge.routing import Policy
from handlers.jobs.hint import Hints, HintTexts
from handlers.posts.posting import Poster
from handlers.posts.remarker import Remarker
from tests.support.posting import CHANNEL, ME, FakeInbox, FakeMattermost, a_job, failing, posted

TEXTS = HintTexts("agent", lambda: "equabot", Policy(at_once=20, an_hour=60))
ASKED = HintPost("limit", PostId("reply"), CHANNEL, PostId("root"))


def hints(mattermost: FakeMattermost) -> Hints:
    inbox = cast(Any, FakeInbox())
    return Hints(Remarker(Poster(cast(Any, mattermost), ME, 16_383, PostAcks()), inbox), TEXTS)


async def test_a_hint_stands_in_the_thread() -> None:
    """It is marked as no answer, so that no agent takes it for its own words."""
    mattermost = FakeMattermost()

    result = await hints(mattermost).post(a_job(ASKED.payload(), kind="hint"))

    (draft,) = mattermost.drafts
    assert (draft.channel_id, draft.root_id) == (CHANNEL, "root")
    assert "20 questions a minute and 60 an hour" in draft.message
    assert draft.props["equabot_bridge"]["remark"] is True
    assert result == {"posts": ["new1"]}


async def test_a_second_attempt_finds_what_the_first_has_posted() -> None:
    """Also when the server has forgotten the `pending_post_id`."""
    mattermost, job = FakeMattermost(), a_job(ASKED.payload(), kind="hint")
    await hints(mattermost).post(job)
    mattermost.posts = [posted(mattermost.drafts[0], "there")]

    assert await hints(mattermost).post(replace(job, attempts=2)) == {"posts": ["there"]}
    assert len(mattermost.drafts) == 1


async def test_somebody_elses_copy_of_the_mark_does_not_count() -> None:
    mattermost, job = FakeMattermost(), a_job(ASKED.payload(), kind="hint")
    await hints(mattermost).post(job)
    mattermost.posts = [replace(posted(mattermost.drafts[0], "copy"), user_id=cast(Any, "x" * 26))]

    assert await hints(mattermost).post(replace(job, attempts=2)) == {"posts": ["new2"]}


async def test_a_refused_hint_is_not_insisted_on() -> None:
    """The thread was deleted, or the bot may not write there: nobody waits for a hint."""
    mattermost = FakeMattermost(create=failing(MattermostRefused("No.", http_status=403)))

    assert (await hints(mattermost).post(a_job(ASKED.payload())))["skipped"] == "refused_by_mattermost"


@pytest.mark.parametrize(
    "error", [MattermostUnavailable("away"), TokenRefused("Mattermost refused.", http_status=401)]
)
async def test_an_outage_is_for_the_worker(error: Exception) -> None:
    """It tries again later."""
    with pytest.raises(type(error)):
        await hints(FakeMattermost(create=failing(error))).post(a_job(ASKED.payload()))


def test_every_hint_has_a_sentence() -> None:
    """None of them mentions anybody but the bot."""
    sentences = [TEXTS.text(hint) for hint in get_args(Hint)]

    assert len(set(sentences)) == len(sentences)
    assert all(sentence.endswith(".") for sentence in sentences)
    assert sentences[0] == "I answer in ~agent: please ask me there."

"""Who is answered, who is invited, and why the others are not."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.models.chat import ChannelId, Post, Posted, PostId, TeamId, UserId
from bridge.models.equa import OrganizationId, PersonId
from bridge.models.organization_settings import FollowUps
from bridge.reasons import REASONS, SELF_EVIDENT, SKIPPED, Reason, explain
from bridge.routing import (
    OLDEST,
    Answer,
    AnswerDirectly,
    AnswerOfPerson,
    Bot,
    Decision,
    Facts,
    Invite,
    Policy,
    Refuse,
    at_a_glance,
    decide,
)

ORGANIZATION = OrganizationId(UUID(int=1))
PERSON = PersonId(UUID(int=2))
NOW = 1_700_000_000_000
ME = Bot(UserId("b" * 26), "equabot", "agent")
ROOT = PostId("r" * 26)
HANDLERS = Path(__file__).parents[2] / "handlers"
KNOWN = Facts(ORGANIZATION, PERSON, author_is_bot=None, now=NOW, begin_at=NOW - OLDEST)
STRANGER = replace(KNOWN, person_id=None)
GONE = replace(KNOWN, left_organization=True)
IN_THREAD = replace(KNOWN, thread_known=True)
SHARED = replace(IN_THREAD, thread_shared=True)
ASKED_BACK = replace(IN_THREAD, agent_question="ask_1")
STOPPED = replace(IN_THREAD, thread_stopped=True)

POST = Post(
    id=PostId("p" * 26),
    channel_id=ChannelId("c" * 26),
    user_id=UserId("u" * 26),
    root_id="",
    message="@equabot who is on our team?",
    create_at=NOW,
)
POSTED = Posted(POST, TeamId("t" * 26), "agent")
DIRECT = replace(
    POSTED, post=replace(POST, message="no mention"), team_id="", channel_name=f"{'u' * 26}__{ME.user_id}"
)
ELSEWHERE = replace(POSTED, channel_name="town-square", mentioned=True)
ANSWER = Answer(ORGANIZATION, PERSON)


def _posted(**changes: Any) -> Posted:
    return replace(POSTED, post=replace(POST, **changes))


def _reply(message: str) -> Posted:
    return _posted(root_id=ROOT, message=message)


@pytest.mark.parametrize(
    ("posted", "facts", "decision"),
    [
        (POSTED, KNOWN, ANSWER),
        (_posted(message="@equabot"), KNOWN, ANSWER),
        (_reply("@equabot and now?"), KNOWN, ANSWER),
        (_reply("and now?"), IN_THREAD, ANSWER),
        (_reply("@equabot and now?"), IN_THREAD, ANSWER),
        (_reply("@bob, @equabot knows"), IN_THREAD, ANSWER),
        (_reply("tell @bob"), IN_THREAD, Refuse("to_somebody_else")),
        (POSTED, KNOWN.with_author(is_bot=False), ANSWER),
        (_posted(create_at=NOW - OLDEST), KNOWN, ANSWER),
        (_posted(create_at=NOW + 60_000), KNOWN, ANSWER),
        (_posted(props={"from_bot": "false", "from_webhook": None}), KNOWN, ANSWER),
        (POSTED, STRANGER, Invite(ORGANIZATION)),
        (_reply("@equabot and now?"), replace(IN_THREAD, person_id=None), Invite(ORGANIZATION)),
        (_posted(user_id=ME.user_id), KNOWN, Refuse("own_post")),
        (_posted(type="system_join_channel"), KNOWN, Refuse("system_post")),
        (_posted(type="custom_survey"), KNOWN, Refuse("system_post")),
        (_posted(type="me", message="*asks @equabot for help*"), KNOWN, ANSWER),
        (_posted(type="me", message="*waves*"), KNOWN, Refuse("not_mentioned")),
        (_posted(type="slack_attachment"), KNOWN, Refuse("system_post")),
        (_reply("and now?"), SHARED, Refuse("others_write_there")),
        (_reply("@equabot and now?"), SHARED, ANSWER),
        (_reply("cc @bob"), IN_THREAD, Refuse("to_somebody_else")),
        (_reply("Hey @bob great"), IN_THREAD, Refuse("to_somebody_else")),
        (_reply("and now?"), STOPPED, Refuse("stopped_listening")),
        (_reply("@equabot and now?"), STOPPED, ANSWER),
        (_reply("@equabot stop listening"), IN_THREAD, Refuse("stop_listening", "stopped")),
        (_reply("@equabot please stop listening."), SHARED, Refuse("stop_listening", "stopped")),
        (_reply("Stop listening, @equabot!"), IN_THREAD, Refuse("stop_listening", "stopped")),
        (_reply("stop listening"), IN_THREAD, Refuse("stop_listening", "stopped")),
        (_reply("stop listening"), SHARED, Refuse("others_write_there")),
        (_reply("@equabot stop listening to music?"), IN_THREAD, ANSWER),
        (_reply("@equabot stop listening"), replace(IN_THREAD, person_id=None), Invite(ORGANIZATION)),
        (ELSEWHERE, KNOWN, Refuse("other_channel", "elsewhere")),
        (ELSEWHERE, STRANGER, Refuse("other_channel", "elsewhere")),
        (ELSEWHERE, KNOWN.at(NOW + OLDEST + 1, 0), Refuse("other_channel")),
        (ELSEWHERE, replace(KNOWN, organization_id=None), Refuse("other_channel")),
        (replace(ELSEWHERE, post=replace(POST, message="@all hi")), KNOWN, Refuse("other_channel")),
        (replace(ELSEWHERE, post=replace(POST, message="`@equabot`")), KNOWN, Refuse("other_channel")),
        (replace(ELSEWHERE, post=replace(POST, user_id=ME.user_id)), KNOWN, Refuse("own_post")),
        (ELSEWHERE, replace(KNOWN, in_agent_channel=True), Refuse("channel_renamed")),
        (POSTED, replace(KNOWN, in_agent_channel=True), ANSWER),
        (_posted(props={"from_webhook": "true"}), KNOWN, Refuse("webhook")),
        (_posted(props={"from_bot": "true"}), KNOWN, Refuse("other_bot")),
        (_posted(props={"from_bot": True}), KNOWN, Refuse("other_bot")),
        (POSTED, KNOWN.with_author(is_bot=True), Refuse("other_bot")),
        (POSTED, STRANGER.with_author(is_bot=True), Refuse("other_bot")),
        (replace(POSTED, team_id="", channel_name="u__b"), KNOWN, Refuse("direct_message")),
        (replace(POSTED, team_id=""), KNOWN, Refuse("direct_message")),
        (replace(DIRECT, channel_name="5" * 40), KNOWN, Refuse("group_message", "group")),
        (replace(DIRECT, channel_name="5" * 40), KNOWN.at(NOW + OLDEST * 2, 0), Refuse("group_message")),
        (DIRECT, KNOWN, AnswerDirectly(PERSON)),
        (DIRECT, STRANGER, AnswerDirectly(None)),
        (_reply("The second one"), ASKED_BACK, AnswerOfPerson("ask_1")),
        (_reply("@equabot the second one"), ASKED_BACK, AnswerOfPerson("ask_1")),
        (_reply("the second"), replace(ASKED_BACK, thread_shared=True), AnswerOfPerson("ask_1")),
        (_reply("the second"), replace(ASKED_BACK, asked=(NOW,) * 20), AnswerOfPerson("ask_1")),
        (_reply("@bob which one?"), ASKED_BACK, Refuse("to_somebody_else")),
        (_reply("@equabot"), ASKED_BACK, ANSWER),
        (_reply("stop"), replace(ASKED_BACK, thread_busy=True), Refuse("stop_word")),
        (_reply("the second"), replace(ASKED_BACK, left_organization=True), Refuse("left_organization")),
        (DIRECT, replace(KNOWN, agent_question="ask_1"), AnswerOfPerson("ask_1")),
        (DIRECT, KNOWN.with_author(is_bot=True), Refuse("other_bot")),
        (DIRECT, KNOWN.at(NOW, NOW + 1), Refuse("before_start")),
        (replace(DIRECT, post=replace(DIRECT.post, user_id=ME.user_id)), KNOWN, Refuse("own_post")),
        (replace(DIRECT, post=replace(DIRECT.post, message=" ")), KNOWN, Refuse("empty_text")),
        (DIRECT, replace(KNOWN, asked=(NOW,) * 20), Refuse("too_many_questions", "limit")),
        (replace(POSTED, channel_name="town-square"), KNOWN, Refuse("other_channel")),
        (_posted(message=""), KNOWN, Refuse("empty_text")),
        (_reply(" \n\t"), IN_THREAD, Refuse("empty_text")),
        (POSTED, KNOWN.at(NOW, NOW + 1), Refuse("before_start")),
        (_posted(create_at=NOW - OLDEST - 1), KNOWN.at(NOW, 0), Refuse("too_old")),
        (POSTED, replace(KNOWN, organization_id=None), Refuse("team_not_mapped")),
        (_posted(message="hello"), KNOWN, Refuse("not_mentioned")),
        (_posted(message="@all hello"), KNOWN, Refuse("not_mentioned")),
        (_posted(message="@equabot2 hello"), KNOWN, Refuse("not_mentioned")),
        (_posted(message="`@equabot`"), KNOWN, Refuse("not_mentioned")),
        (_posted(message="hello"), IN_THREAD, Refuse("not_mentioned")),
        (_reply("and now?"), KNOWN, Refuse("not_mentioned")),
        (_reply("@bob what do you think?"), IN_THREAD, Refuse("to_somebody_else")),
        (_reply("@here look"), IN_THREAD, Refuse("to_somebody_else")),
        (_reply("and now?"), replace(IN_THREAD, person_id=None), Refuse("author_not_mapped")),
        (_posted(message="hello"), STRANGER, Refuse("not_mentioned")),
        (POSTED, GONE, Refuse("left_organization")),
        (_reply("and now?"), replace(GONE, thread_known=True), Refuse("left_organization")),
        (_posted(message="hello"), GONE, Refuse("not_mentioned")),
    ],
)
def test_a_post_has_one_decision(posted: Posted, facts: Facts, decision: Decision) -> None:
    """The table of what is answered."""
    assert decide(posted, facts, ME) == decision


@pytest.mark.parametrize(
    ("follow_ups", "facts", "decision"),
    [
        ("never", IN_THREAD, Refuse("follow_ups_off")),
        ("never", SHARED, Refuse("follow_ups_off")),
        ("alone", IN_THREAD, ANSWER),
        ("alone", SHARED, Refuse("others_write_there")),
        ("always", IN_THREAD, ANSWER),
        ("always", SHARED, ANSWER),
        ("always", STOPPED, Refuse("stopped_listening")),
    ],
)
def test_follow_ups(follow_ups: FollowUps, facts: Facts, decision: Decision) -> None:
    """A post without a mention goes to the bot as the operator wants it; a mention always does."""
    policy = Policy(follow_ups)

    assert decide(_reply("and now?"), facts, ME, policy) == decision
    assert decide(_reply("@equabot and now?"), facts, ME, policy) == ANSWER
    assert decide(_reply("ask @bob"), facts, ME, policy) != ANSWER


@pytest.mark.parametrize(
    ("operator", "organization", "decision"),
    [
        ("always", "alone", Refuse("others_write_there")),
        ("always", "never", Refuse("follow_ups_off")),
        ("alone", "always", Refuse("others_write_there")),
        ("never", "always", Refuse("follow_ups_off")),
        ("always", None, ANSWER),
    ],
)
def test_the_stricter_rule_of_follow_ups_holds(
    operator: FollowUps, organization: FollowUps | None, decision: Decision
) -> None:
    """An organization cannot have more than the operator allows."""
    facts = replace(SHARED, follow_ups=organization)

    assert decide(_reply("and now?"), facts, ME, Policy(operator)) == decision


@pytest.mark.parametrize(
    ("posted", "decision"),
    [
        (_posted(message="@equa-admin-bot who?"), Refuse("not_mentioned", "notices_here")),
        (_posted(message="`@equa-admin-bot`"), Refuse("not_mentioned")),
        (_posted(message="@equabot, not @equa-admin-bot"), ANSWER),
        (_posted(message="hello"), Refuse("not_mentioned")),
    ],
)
def test_who_takes_the_notice_account_for_the_bot(posted: Posted, decision: Decision) -> None:
    """They hear from the bot whom to ask: the other account is not in its channel."""
    assert decide(posted, KNOWN, ME, Policy(notice_account="equa-admin-bot")) == decision


def ago(*seconds: float) -> tuple[int, ...]:
    return tuple(NOW - round(each * 1000) for each in seconds)


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ((), True),
        (ago(0, 1), True),
        (ago(0, 1, 59.9), False),
        (ago(0, 1, 60), True),
        (ago(100, 200, 300, 400), True),
        (ago(100, 200, 300, 400, 3599.9), False),
        (ago(100, 200, 300, 400, 3600), True),
        (ago(-1, -59.9), True),
        (ago(-1, -2, -59.9), False),
        (ago(-1, -2, -60), True),
        (ago(58.9, 0, -1), False),
        (ago(59, 58, -1, -2), True),
    ],
)
def test_a_person_may_ask_so_much(asked: tuple[int, ...], *, allowed: bool) -> None:
    """So many questions a minute and an hour, by when they were posted; an invitation counts too.

    So do later ones that were read before, from another channel.
    """
    policy = Policy(at_once=3, an_hour=5)
    refused = Refuse("too_many_questions", "limit")

    for facts, decision in ((KNOWN, ANSWER), (STRANGER, Invite(ORGANIZATION))):
        assert decide(POSTED, replace(facts, asked=asked), ME, policy) == (decision if allowed else refused)
    assert decide(_posted(message="hi"), replace(KNOWN, asked=asked), ME, policy) == Refuse("not_mentioned")


def test_the_first_reason_counts() -> None:
    """A post against which everything speaks gives its reasons in the order of `REASONS`."""
    worst = replace(
        POSTED,
        post=replace(
            POST, user_id=ME.user_id, type="system_x", message="", create_at=0, props={"from_webhook": "true"}
        ),
        team_id="",
    )
    nothing = Facts(author_is_bot=True, now=NOW, begin_at=NOW - 2 * OLDEST)
    mended = [
        (worst, nothing),
        (worst := replace(worst, post=replace(worst.post, user_id=POST.user_id)), nothing),
        (worst := replace(worst, post=replace(worst.post, type="")), nothing),
        (worst := replace(worst, post=replace(worst.post, props={})), nothing),
        (worst, nothing := nothing.with_author(is_bot=False)),
        (worst := replace(worst, channel_name="5" * 40), nothing),
        (worst := replace(worst, team_id=POSTED.team_id, channel_name="x"), nothing),
        (worst := replace(worst, channel_name="agent"), nothing),
        (worst := replace(worst, post=replace(worst.post, message="hi")), nothing),
        (worst, nothing := nothing.at(NOW, 0)),
        (worst := replace(worst, post=replace(worst.post, create_at=NOW)), nothing),
        (worst, replace(nothing, organization_id=ORGANIZATION)),
    ]

    assert [decide(*case, ME) for case in mended] == [Refuse(reason) for reason in get_args(Reason)[:12]]


@pytest.mark.parametrize("forged", [{"from_bot": "true"}, {"from_webhook": "true"}, {"from_bot": True}])
def test_forged_props_only_silence(forged: dict[str, object]) -> None:
    """Whoever claims to be a bot or a webhook is not answered, whatever else holds."""
    for facts in (KNOWN, STRANGER, IN_THREAD, KNOWN.with_author(is_bot=False)):
        assert isinstance(decide(_posted(props=forged), facts, ME), Refuse)


def test_what_is_evident_needs_no_facts() -> None:
    """A first look finds what the post tells by itself, and leaves the rest open."""
    assert at_a_glance(replace(POSTED, channel_name="town-square"), ME) == "other_channel"
    assert at_a_glance(_posted(message="hello"), ME) is None


def test_every_reason_has_a_sentence() -> None:
    """An operator reads words."""
    assert tuple(REASONS) == get_args(Reason)
    assert all(explain(reason).endswith(".") for reason in get_args(Reason))
    assert set(get_args(Reason)) > SELF_EVIDENT


def test_every_job_without_a_post_has_a_sentence() -> None:
    """Of those that `why` finds, by the post or by the platform's event."""
    codes = {
        code
        for name in (
            "jobs/mention",
            "jobs/direct",
            "jobs/agent_answer",
            "jobs/notice",
            "answers/bot_commands",
        )
        for code in re.findall(r'"skipped": "(\w+)"', (HANDLERS / f"{name}.py").read_text())
    }

    assert len(codes) > 5
    assert all(explain(code).endswith(".") for code in codes)
    assert all(explain(code) != code and explain(code).endswith(".") for code in SKIPPED)


def test_a_code_of_another_version_is_shown_as_it_is() -> None:
    """The database may be older than the code, or the other way round."""
    assert explain("moon_phase") == "moon_phase"


_ids = st.sampled_from([ME.user_id, POST.user_id])
_props = st.dictionaries(
    st.sampled_from(["from_bot", "from_webhook", "x"]), st.none() | st.booleans() | st.text()
)


@settings(deadline=None)
@given(
    st.builds(
        Post,
        id=st.just(POST.id),
        channel_id=st.just(POST.channel_id),
        user_id=_ids,
        root_id=st.sampled_from(["", ROOT]),
        message=st.text() | st.text().map(lambda text: f"@equabot {text}"),
        create_at=st.integers(-(2**63), 2**63),
        type=st.sampled_from(["", "system_x"]),
        props=_props,
    ),
    st.sampled_from(["", POSTED.team_id]),
    st.sampled_from(["agent", "town-square"]),
    st.builds(
        Facts,
        organization_id=st.sampled_from([None, ORGANIZATION]),
        person_id=st.sampled_from([None, PERSON]),
        author_is_bot=st.sampled_from([None, True, False]),
        now=st.just(NOW),
    ),
)
def test_every_post_gets_a_decision(post: Post, team: TeamId, channel: str, facts: Facts) -> None:
    """No post raises, and nobody is answered without organization, person and channel."""
    decision = decide(Posted(post, team, channel), facts, ME)

    if isinstance(decision, Answer):
        assert (facts.organization_id, facts.person_id, channel) == (ORGANIZATION, PERSON, "agent")
        assert post.user_id != ME.user_id
        assert facts.author_is_bot is not True
    if isinstance(decision, Refuse):
        assert decision.reason in REASONS

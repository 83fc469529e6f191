"""A person speaks to the bot by its name, and not by chance."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.text.mentions import addressed, addresses_others, mentions, strip_mention

NAME = "equabot"

_markdown = st.text("ab \n\t`~*_>-#[]()<>\\.:/!@1", max_size=200)
_plain = st.text("abc é,;!?\n", max_size=100)


@pytest.mark.parametrize(
    "text",
    [
        "@equabot who is on our team?",
        "@EquaBot",
        "hey (@Equabot)",
        "@equabot:",
        "@equabot.",
        "@equabot...",
        "@equabot's answer",
        "thanks,@equabot",
        "**@equabot**",
        "_@equabot_",
        "__@equabot__ hello",
        "~~@equabot~~",
        "# @equabot",
        "- item\n- @equabot",
        "`code` @equabot `code`",
        "\\`@equabot\\`",
        "a ` b @equabot",
        "```\ncode\n```\n@equabot",
        "> quoted\n\n@equabot",
        "> quoted\n@equabot what do you think?",
        "  > quoted\n> more\n   @equabot",
        "see https://example.com/a @equabot",
        "@equabot:https://example.com",
        "[@equabot](https://example.com)",
        "<b>@equabot</b>",
        "@all @equabot",
        "| @equabot | table |",
        "word\n    @equabot still the same paragraph",
        "@ada/@equabot what is new?",
        "@equabot/@ada what is new?",
        "and/or/@equabot",
        "*asks @equabot who is on our team*",
        "*@equabot*",
        "@equabotこんにちは",
        "こんにちは@equabot",
        "你好@equabot\uff0c谁在\uff1f",
        "@equabot\u043f\u0440\u0438",
        "\u043f\u0440\u0438@equabot",
        "สวัสดี@equabotครับ",
        "안녕@equabot님",
        "@equabot.こんにちは",
        "- item\n  - item\n    @equabot goes on",
        "1. one\n\n   @equabot in the item",
        "```\nx\n```\n@equabot",
        "- ```\n  x\n@equabot",
        "> ```\n> x\n@equabot",
        "| a `|\n|---|\n\n@equabot `",
    ],
)
def test_a_name_is_a_mention(text: str) -> None:
    """In any case, with punctuation and emphasis, wherever people put it."""
    assert mentions(text, NAME)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "equabot",
        "@ equabot",
        "@equabot2",
        "@equabot-staging",
        "@equabot_x",
        "@equabot.com",
        "@equabotä",
        "me@equabot.com",
        "me@equabot",
        "@@equabot",
        "github.com/@equabot",
        "x_@equabot",
        "@all",
        "`@equabot`",
        "`` a ` @equabot ``",
        "```\n@equabot\n```",
        "```\n@equabot",
        "~~~py\n@equabot\n~~~",
        "    @equabot",
        "- item\n\n      @equabot",
        "- ```\n  @equabot\n  ```",
        "> @equabot",
        "> quoted\n> @equabot",
        "> > @equabot\n> hello",
        "- > @equabot",
        "https://example.com/@equabot",
        "https://example.com/?to=@equabot",
        "http://example.com/a,@equabot",
        "www.example.com/?q=(@equabot)",
        "<https://example.com/?@equabot>",
        "[x](https://example.com/?to=@equabot)",
        "@\u017fequabot",
    ],
)
def test_what_only_looks_like_the_name_is_no_mention(text: str) -> None:
    """Longer names, addresses, code, quotes and URLs."""
    assert not mentions(text, NAME)


def test_letters_that_only_fold_to_the_name_are_no_mention() -> None:
    """Mattermost's names are ASCII."""
    assert not mentions("@tom\u212a", "tomk")
    assert mentions("@TomK", "tomk")


@pytest.mark.parametrize("name", ["my.bot", "my-bot", "my_bot_", "bot-"])
def test_a_name_may_contain_punctuation(name: str) -> None:
    """Dots, dashes and underscores belong to names, also at their end."""
    assert mentions(f"hello @{name.upper()}!", name)
    assert not mentions("hello @myxbot @mybot", name)


@settings(deadline=None)
@given(_markdown)
def test_a_mention_of_its_own_paragraph_always_counts(text: str) -> None:
    """Whatever was written before, but for code that is still open."""
    unfenced = re.sub("`{3,}|~{3,}", "", text)

    assert mentions(f"{unfenced}\n\n@equabot", NAME)


@settings(deadline=None)
@given(_markdown, _plain)
def test_a_mention_in_a_quote_never_counts(before: str, after: str) -> None:
    """Every line of a quote is somebody else's."""
    said = f"{before.replace('@', '')} @equabot {after}"

    assert not mentions("\n".join(f"> {line}" for line in said.split("\n")), NAME)


@settings(deadline=None)
@given(_plain, st.integers(3, 6), st.sampled_from("`~"))
def test_a_mention_in_a_fence_never_counts(text: str, length: int, mark: str) -> None:
    """Code speaks to nobody, closed or not."""
    fence = mark * length

    assert not mentions(f"{text}\n{fence}\n{text} @equabot {text}\n{fence}\n{text}", NAME)
    assert not mentions(f"{text}\n{fence}\n{text} @equabot {text}", NAME)


@settings(deadline=None)
@given(st.text("abc é,;!?", max_size=50), st.integers(1, 5))
def test_a_mention_in_a_code_span_never_counts(text: str, length: int) -> None:
    """However many backticks it has."""
    ticks = "`" * length

    assert not mentions(f"a {ticks} {text} @equabot {text} {ticks} b", NAME)


@settings(deadline=None)
@given(st.text(), st.from_regex(r"[a-z0-9._-]{1,64}", fullmatch=True))
def test_no_text_and_no_name_raise(text: str, name: str) -> None:
    """Anybody can write anything."""
    for said in (text, f"{text}@{name}{text}", f"@{name}{text}"):
        mentions(said, name)
        addresses_others(said, name)
        assert len(strip_mention(said, name)) <= len(said)


@pytest.mark.parametrize(
    "text",
    [
        "@bob look",
        " \n@bob: look",
        "@all hello",
        "@here",
        "@Channel, hi",
        "@equabot2 x",
        "hey @bob",
        "Hey @bob great",
        "cc @bob",
        "could you check that, @bob?",
        "@equabot and @bob, look",
        "**@bob** look",
        "(@bob.smith)",
        "@ada/@bob look",
        "見て@bobさん",
        "- one\n- @bob",
        "@bob-",
    ],
)
def test_a_text_may_address_somebody_else(text: str) -> None:
    """Another person or everybody, anywhere in the text."""
    assert addresses_others(text, NAME)


@pytest.mark.parametrize(
    "text",
    [
        "@equabot look",
        "@EQUABOT: x",
        "@equabot.",
        "@equabotこんにちは",
        "",
        "@",
        "@ bob",
        "@... well",
        "bob@x.y",
        "`@bob`",
        "> @bob said so",
        "```\n@bob\n```",
        "https://example.com/@bob",
        "How do I install @types/node?",
        "the @ sign",
    ],
)
def test_a_text_may_address_nobody_else(text: str) -> None:
    """The bot itself, or nobody."""
    assert not addresses_others(text, NAME)


def test_all_names_of_a_text() -> None:
    """In their order, as Mattermost stores them."""
    text = "@Bob, ask @ada.l. or `@eve`, cc @here"

    assert list(addressed(text)) == ["bob", "ada.l", "here"]


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ("@equabot who is on our team?", "who is on our team?"),
        ("@Equabot: who?", "who?"),
        ("@equabot, who?", "who?"),
        ("@equabot \u2013 who?", "\u2013 who?"),
        ("  @equabot\n\n    code", "    code"),
        ("@equabot\n- one\n- two", "- one\n- two"),
        ("@equabot **who** is `here`?", "**who** is `here`?"),
        ("who is on our team, @equabot?", "who is on our team?"),
        ("thanks @equabot!", "thanks!"),
        ("thanks! @equabot.", "thanks!"),
        ("one\n\n@equabot", "one"),
        ("@equabot hello @equabot", "hello"),
        ("@equabot", ""),
        (" @equabot: ", ""),
        ("@equabot?", ""),
        ("ask @equabot again", "ask @equabot again"),
        ("@equabotこんにちは", "こんにちは"),
        ("@equabot、こんにちは", "こんにちは"),
        ("こんにちは@equabot", "こんにちは"),
        ("*@equabot who is here?*", "who is here?"),
        ("*asks @equabot*", "*asks @equabot*"),
        ("@equabot's answer", "@equabot's answer"),
        ("@equabot2 hello", "@equabot2 hello"),
        ("write to me@equabot", "write to me@equabot"),
        ("    @equabot is code", "    @equabot is code"),
        ("```\n@equabot", "```\n@equabot"),
        ("> said @equabot", "> said @equabot"),
        ("", ""),
    ],
)
def test_the_mention_is_taken_out_of_the_question(text: str, stripped: str) -> None:
    """At the beginning and at the end, with its punctuation; everything else stays."""
    assert strip_mention(text, NAME) == stripped

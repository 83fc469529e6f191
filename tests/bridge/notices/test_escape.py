"""Texts of others look as they were typed, and do nothing."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bridge.notices.escape import BREAK, block, inline, line, plain
from tests.support.platform_events import nasty

_markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])

_LIVE = (
    r"@[\w.:-]",  # mention_parser_standard.go: a word that begins with @
    r"~\w",  # channel_mentions.go
    r"#[^\W\d_]",  # hashtags
    r"<[^\s\u200b]",  # autolinks, tags, hearts
    r":(?!\s|\u200b|$)",  # emoji, emoticons, addresses of any scheme
    r";-?\)",
    r"&#?\w+;",
)


def shown(markdown: str) -> str:
    """What a CommonMark parser shows: its text, if there is nothing but text and line breaks."""
    tokens = _markdown.parse(markdown)
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    children = [token.children or [] for token in tokens if token.type == "inline"]
    assert {each.type for line in children for each in line} <= {"text", "text_special", "softbreak"}
    return "\n\n".join(
        "".join("\n" if each.type == "softbreak" else each.content for each in line) for line in children
    )


def typed(text: str) -> str:
    """What of a text is to be seen, on one line."""
    seen = (" " if c.isspace() else c for c in text if _is_seen(c))
    return " ".join("".join(seen).split())


def _is_seen(character: str) -> bool:
    turns = unicodedata.bidirectional(character) in {
        "LRE",
        "RLE",
        "LRO",
        "RLO",
        "PDF",
        "LRI",
        "RLI",
        "FSI",
        "PDI",
    }
    control = unicodedata.category(character) == "Cc" and not re.match(r"[\t-\r\x85]", character)
    return not turns and not control and character not in "\u200b\u200e\u200f\u061c\ufeff"


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("Dear @all", f"Dear @{BREAK}all"),
        ("Bylaws_v2 (final).pdf", r"Bylaws\_v2 \(final\)\.pdf"),
        ("*bold* `code` ~~gone~~", rf"\*bold\* \`code\` \~{BREAK}\~{BREAK}gone\~{BREAK}\~{BREAK}"),
        ("[Equa](https://evil.example)", rf"\[Equa\]\(https:{BREAK}//evil\.example\)"),
        ("![x](https://e.co)", rf"\!\[x\]\(https:{BREAK}//e\.co\)"),
        ("<b>R&D</b>", f"&lt;{BREAK}b\\>R&amp;D&lt;{BREAK}/b\\>"),
        ("&#64;all &commat;all", rf"&amp;{BREAK}\#{BREAK}64;all &amp;{BREAK}commat;all"),
        ("#1 ~town-square :smile:", rf"\#{BREAK}1 \~{BREAK}town\-square :{BREAK}smile:"),
        ("Note: $5", "Note: &#36;5"),
        (r"C:\x", rf"C:{BREAK}&#92;x"),
        ("a | b", r"a \| b"),
        ("two\nlines\r\n\tand\u2028more", "two lines and more"),
        ("\x00a\x1b\u202eb\u200f", "ab"),
        ("\ud800", "\ufffd"),
        ("  ", ""),
    ],
)
def test_inline(text: str, markdown: str) -> None:
    """One line of Markdown for a name."""
    assert inline(text) == markdown


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("one\ntwo\r\n\r\n\r\n\r\nthree\n", "one\ntwo\n\nthree"),
        ("# title\n> quote\n- item\n1. item", f"\\#{BREAK} title\n\\> quote\n\\- item\n1\\. item"),
        ("title\n===", "title\n&#61;=="),
        ("    code\n\tcode", "code\ncode"),
        ("```\ncode\n```", "\\`\\`\\`\ncode\n\\`\\`\\`"),
        ("a|b\n-|-", "a\\|b\n\\-\\|\\-"),
    ],
)
def test_block(text: str, markdown: str) -> None:
    """Lines and paragraphs stay, blocks do not begin."""
    assert block(text) == markdown


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("Ada Lovelace joined (as admin), R&D!", "Ada Lovelace joined (as admin), R&D!"),
        ("Board_minutes-2026.pdf", "Board_minutes-2026.pdf"),
        ("_it_ *is* `so`", r"\_it\_ \*is\* \`so\`"),
        ("1. Ada", r"1\. Ada"),
        ("12) Ada", r"12\) Ada"),
        ("- Ada", r"\- Ada"),
        ("> Ada", r"\> Ada"),
        ("# Ada", f"#{BREAK} Ada"),
        ("see www.evil.example", r"see www\.evil.example"),
        ("evil.com/x", r"evil\.com/x"),
        ("![x](https://e.co)", rf"!\[x\](https:{BREAK}//e.co)"),
        ("&commat;all", f"&{BREAK}commat;all"),
        ("$x$", "&#36;x&#36;"),
        (r"C:\x\_", rf"C:{BREAK}\x&#92;\_"),
    ],
)
def test_line(text: str, markdown: str) -> None:
    """Backslashes only where they are needed: search and push notifications do not take them away."""
    assert line(text) == markdown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Meeting *today*", "Meeting *today*"),
        ("@channel: come", f"@{BREAK}channel: come"),
        ("&commat;all in R&D", f"&{BREAK}commat;all in R&D"),
        ("see https://e.co", f"see https:{BREAK}//e.co"),
        ("a\nb", "a b"),
    ],
)
def test_plain(text: str, shown: str) -> None:
    """No backslashes where nobody takes them away."""
    assert plain(text) == shown


@settings(deadline=None)
@given(nasty | st.text())
def test_a_name_shows_as_it_was_typed(text: str) -> None:
    """Nothing but text comes out of a Markdown parser, and the text is the name."""
    assert shown(inline(text)).replace(BREAK, "") == typed(text)
    assert shown(line(text)).replace(BREAK, "") == typed(text)


@settings(deadline=None)
@given(nasty | st.text())
def test_a_text_shows_with_its_lines(text: str) -> None:
    """Nothing but paragraphs, line breaks and the text."""
    assert typed(shown(block(text))) == typed(text)


@settings(deadline=None)
@given(nasty | st.text())
def test_nothing_is_live(text: str) -> None:
    """Neither what the server reads after its parser nor what clients read without one has a meaning."""
    for seen in (shown(line(text)), shown(inline(text)), shown(block(text)), plain(text)):
        assert not [form for form in _LIVE if re.search(form, seen)]


@settings(deadline=None)
@given(nasty | st.text())
def test_names_stay_on_their_line(text: str) -> None:
    """A field is one line, so nothing breaks out of it."""
    assert len(inline(text).splitlines()) <= 1
    assert len(line(text).splitlines()) <= 1
    assert len(plain(text).splitlines()) <= 1

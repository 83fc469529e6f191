"""Escape texts of others, so that Mattermost shows them as they were typed. Pure: no I/O is imported here.

A post's message and the pretext, text and field values of an attachment are Markdown and searched for
mentions; its title (where it is a link), author and fallback are plain text (`getMentionsEnabledFields` in
server/channels/app/notification.go, message_attachment.tsx in webapp/channels/src/components/post_view).
"""

import re

BREAK = "\u200b"
"""A zero-width space: invisible, and it parts what Mattermost would read as one."""

_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Control characters, and those that turn the direction of what follows them, within a link's text too."""
_SURROGATE = re.compile("[\ud800-\udfff]")

_TOGETHER = re.compile(r"[@#~<]|&(?=#?\w+;)|:(?=\S)|;(?=-?\))|(?i:(?<=x)-(?=d))")
"""Characters that Mattermost reads together with what follows, even behind a backslash: mentions and links
to channels (mention_parser_standard.go, channel_mentions.go), hashtags, entities, `<3` and other emoticons,
emoji, and addresses of any scheme (text_formatting.tsx, emoticons.tsx in webapp/channels/src/utils)."""

_MARKUP = re.compile(r"[\\`*{}\[\]()#+\-.!_>|~<&$]|(?m:^=)")

_LINE_MARKUP = re.compile(
    r"[`*\[\]]|(?<![^\W_])_|_(?![^\W_])|\\(?=[!-/:-@\[-`{-~]|\Z)|\$"
    r"|^[>+|=-]|(?i:(?<=www))\.|\.(?=[^\W\d_]{2,4}/)"
)
"""What has a meaning in a single line, where `_TOGETHER` was parted."""
_NUMBERED = re.compile(r"(\d{1,9})(?=[.)](?:\s|\Z))")

_SPELLED = {"\\": "&#92;", "<": "&lt;", "&": "&amp;", "$": "&#36;", "=": "&#61;"}
"""Before these the web app takes no backslash, and a backslash before a letter stands for itself
(`inline.escape` in lib/marked.js of Mattermost's fork)."""


def plain(text: str) -> str:
    """Return the text on one line, for a place without Markdown; it mentions nobody."""
    return _parted(_on_one_line(text))


def line(text: str) -> str:
    """Return Markdown that shows the text on one line, like `inline`, with as few backslashes as possible.

    Search and push notifications read the Markdown of a message as it is.
    """
    escaped = _LINE_MARKUP.sub(_spelled, _parted(_on_one_line(text)))
    # A line that begins with a number and a dot is an item of a list.
    number = _NUMBERED.match(escaped)
    return f"{number[1]}\\{escaped[number.end() :]}" if number else escaped


def inline(text: str) -> str:
    """Return Markdown that shows the text on one line: no format, link, image, emoji, hashtag or mention."""
    return _escaped(_on_one_line(text))


def block(text: str) -> str:
    """Return Markdown that shows the text with its lines and paragraphs, and otherwise like `inline`."""
    lines = (" ".join(line.split()) for line in _visible(text).split("\n"))
    return _escaped(re.sub("\n{3,}", "\n\n", "\n".join(lines)).strip("\n"))


def _on_one_line(text: str) -> str:
    return " ".join(_visible(text).split())


def _visible(text: str) -> str:
    return _SURROGATE.sub("\ufffd", _INVISIBLE.sub("", _LINE_END.sub("\n", text)))


def _parted(text: str) -> str:
    return _TOGETHER.sub(rf"\g<0>{BREAK}", text)


def _escaped(text: str) -> str:
    return _MARKUP.sub(_spelled, _parted(text))


def _spelled(markup: re.Match[str]) -> str:
    return _SPELLED.get(markup[0], f"\\{markup[0]}")

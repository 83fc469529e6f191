"""Images that an answer may load. Pure: no I/O is imported here.

A client loads an image as soon as it shows the post. An address made up by whoever wrote the text that the
agent has read could so carry out what the agent knows.
"""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from bridge.text.certain_code import segments

_IMAGE = re.compile(
    r"!\[[^\[\]\\`\n]{0,1000}\]\((?P<url>https?://[A-Za-z0-9._~:/?#@!$&'*+,;=%-]{1,2000})"
    r"(?: =\d{0,4}x?\d{0,4})?(?: \"[^\"\\`\n()]{0,1000}\")?\)(?![^\[\]]*+\])"
)
"""An image that can be read in one way only: a bracket behind it may close what began before it."""

_LINK = re.compile(r"(?<!!)!++\[(?P<alt>[^\[\]\n]{0,1000})\](?=[(\[])")
_MARK = re.compile(r"!(?=\[)")
_HTML = re.compile(r"<img\b[^<>]{0,2000}>", re.IGNORECASE)
_SOURCE = re.compile(r"\bsrc\s{0,9}=\s{0,9}[\"']?(?P<url>[^\s\"'<>]+)", re.IGNORECASE)
_UNFINISHED_TAG = re.compile(r"<img\b[^<>]{0,2000}\Z", re.IGNORECASE)
_UNFINISHED = re.compile(r"!+\[[^\n]{0,2000}\Z")

_ANY = re.compile(r"!+\[|<img\b", re.IGNORECASE)

_BREAK = "\u200b"
"""A zero-width space: what it parts is not read as one, and nothing shows."""


def linked_images(text: str, hosts: Collection[str], *, whole: bool = True) -> str:
    """Return the text with every image of a host that is not in `hosts` as a plain link.

    A host may have a port (`chat.example.com:8443`). Code stays as it is; of a text that still grows (not
    `whole`) an image that is not complete is left out.
    """
    pieces = list(segments(text))
    linked = [piece if code else _linked(piece, hosts) for piece, code in pieces]
    if not whole:
        # Behind the opening of a fence the last piece turns out to be code once the fence is closed.
        may_be_code = len(pieces) > 1 and not pieces[-2][1]
        linked[-1] = _linked_so_far(pieces[-1][0], hosts, may_be_code=may_be_code)
    return "".join(linked)


def _linked_so_far(text: str, hosts: Collection[str], *, may_be_code: bool) -> str:
    if may_be_code:
        found = _ANY.search(text)
        return text[: found.start()] if found else text
    return _linked(_without_end(text, _UNFINISHED_TAG), hosts, whole=False)


def _without_end(text: str, unfinished: re.Pattern[str]) -> str:
    found = unfinished.search(text, max(0, len(text) - 2000))
    return text[: found.start()] if found else text


def _linked(text: str, hosts: Collection[str], *, whole: bool = True) -> str:
    text = _HTML.sub(_source, text)
    if not whole:
        # The tag of an image may stand in the middle of another one, which goes on behind it.
        text = _without_end(text, _UNFINISHED)
    pieces, position = [], 0
    for image in _IMAGE.finditer(text):
        if _host(image["url"]) in hosts:
            pieces += [_without_images(text[position : image.start()]), image[0]]
            position = image.end()
    return "".join([*pieces, _without_images(text[position:])])


def _without_images(text: str) -> str:
    return _MARK.sub(f"!{_BREAK}", _LINK.sub(_as_link, text))


def _as_link(image: re.Match[str]) -> str:
    # A link without a text would not show.
    return f"[{image['alt'].strip() or 'image'}]"


def _source(image: re.Match[str]) -> str:
    """Return the address of a tag; it completes no image that begins in front of it."""
    found = _SOURCE.search(image[0])
    parted = _BREAK if image.string[max(0, image.start() - 1) : image.start()] in ("!", "]") else ""
    return parted + (found["url"] if found else "")


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return "" if "@" in parts.netloc else parts.netloc.lower()

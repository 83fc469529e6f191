"""Text of an agent that notifies no whole channel and can be stored. Pure: no I/O is imported here.

Mattermost reads mentions in the pieces of text that its Markdown parser yields (`ProcessText` in
server/channels/app/mention_parser_standard.go). A piece ends at an address, behind a character that is
spelled as an entity, and within a link before a `w`: `@al&#108;iance`, `@here_http://a.example/` and
`[@allwise](x)` notify everybody.
"""

import re

from bridge.text.certain_code import segments
from bridge.text.storable import storable

_BREAK = "\u200b"
"""A zero-width space ends a word for Mattermost's parser (neither letter nor number) and shows nothing."""

_NAMES = ("all", "channel", "here")
_PLAIN = f"(?i:{'|'.join(_NAMES)})"
_LETTER = "[0-9A-VX-Za-vx-z]"
"""Goes on with a word in every version: ASCII without `w`, at which the parser looks for an address."""
_GOES_ON = rf"{_LETTER}|_++(?!(?i:https?|ftp|mailto|tel)://){_LETTER}"
"""What makes a longer name of it."""


def _spelled(characters: str) -> str:
    """Return a pattern of all that Mattermost's Markdown reads as these characters, in either case."""
    return "".join(
        f"(?i:{character}|&#0*(?:{ord(character)}|{ord(character.upper())});"
        f"|&#x0*(?:{ord(character):x}|{ord(character.upper()):x});)"
        for character in characters
    )


_MENTION = re.compile(
    rf"(?:{_spelled('@')}|&commat;)"
    rf"(?=[acChHA&])(?={_PLAIN}(?!{_GOES_ON})|(?!{_PLAIN})(?:{'|'.join(map(_spelled, _NAMES))}))"
)


def without_broadcast_mentions(text: str) -> str:
    """Return the text so that `@all`, `@channel` and `@here` notify nobody and the server can store it.

    A zero-width space goes behind their `@`, everywhere but in fenced code that every reader takes for code.
    Twice is the same as once.
    """
    text = storable(text)
    if not ("@" in text or "&" in text):
        return text
    pieces = segments(text)
    return "".join(piece if code else _MENTION.sub(rf"\g<0>{_BREAK}", piece) for piece, code in pieces)

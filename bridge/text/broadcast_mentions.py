"""Text of an agent that can neither alarm a channel nor be refused. Pure: no I/O is imported here."""

import re

_BREAK = "\u200b"
"""A zero-width space ends a word for Mattermost's parser (neither letter nor number) and shows nothing."""

_LINE_END = re.compile("\r\n?")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")

_FENCE = re.compile("(`{3,}|~{3,})[^`]*")


def _spelled(characters: str) -> str:
    """Return a pattern of all that Mattermost's Markdown reads as these characters, in either case."""
    return "".join(
        f"(?i:{character}|&#0*(?:{ord(character)}|{ord(character.upper())});"
        f"|&#x0*(?:{ord(character):x}|{ord(character.upper()):x});)"
        for character in characters
    )


_ALARM = re.compile(
    rf"(?:{_spelled('@')}|&commat;)(?=(?:{_spelled('all')}|{_spelled('channel')}|{_spelled('here')})(?!_*[^\W_]))"
)


def without_broadcast_mentions(text: str) -> str:
    """Return the text so that `@all`, `@channel` and `@here` notify nobody and the server can store it.

    A zero-width space goes behind their `@` (the words end as in mention_parser_standard.go, ProcessText),
    everywhere but in fenced code that Mattermost's parser takes for code beyond doubt. Control characters,
    of which PostgreSQL refuses NUL, are dropped, lone surrogates replaced. Twice is the same as once.
    """
    lines = _storable(text).split("\n")
    return "\n".join(
        line if code else _ALARM.sub(rf"\g<0>{_BREAK}", line)
        for line, code in zip(lines, _fenced(lines), strict=True)
    )


def _storable(text: str) -> str:
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", _LINE_END.sub("\n", text)))


def _fenced(lines: list[str]) -> list[bool]:
    """Tell of each line whether it is fenced code.

    Parsers differ about fences in lists, quotes and indentation (server/public/shared/markdown/fenced_code.go
    opens one in the middle of a paragraph, CommonMark does not). They agree while every fence stands at the
    beginning of its line; where one does not, nothing counts as code.
    """
    code = []
    fence = ""
    for line in lines:
        found = _FENCE.fullmatch(line)
        if not found and ("```" in line or "~~~" in line):
            return [False] * len(lines)
        if found and not fence:
            fence = found[1]
        elif found and _closes(line, fence):
            fence = ""
        code.append(bool(fence))
    return code


def _closes(line: str, fence: str) -> bool:
    return line.startswith(fence) and not line.removeprefix(fence).strip().strip(fence[0])

"""How models and gateways mark what is no part of the answer, as patterns. Pure: no I/O is imported here."""

import re

_PREFIX = "(?:[a-z]{2,12}:|\uff5cDSML\uff5c)?"
_TOOL = (
    "(?:tools?_?calls?|tool_?(?:code|use)|tool_?(?:result|response|output)s?"
    "|function_?(?:call|result|response)s?|invoke|execute_tool)"
)
_THINK = "(?:think(?:ing)?|thoughts?|reasoning|reflection|scratchpad|antthinking|seed:think)"

THINK_OPENING = (
    rf"<(?=[trsa]){_THINK}(?:\s[^<>\n]{{0,200}})?>",
    rf"&lt;{_THINK}&gt;",
    r"\[think\]",
    "◁think▷",
    r"<\|start_thinking\|>",
    r"<\|begin_of_thought\|>",
)
THINK_CLOSING = (
    rf"</{_THINK}\s{{0,9}}>",
    rf"&lt;/{_THINK}&gt;",
    r"\[/think\]",
    "◁/think▷",
    r"<\|end_thinking\|>",
    r"<\|end_of_thought\|>",
)

_FINAL = r"<\|channel\|>\s{0,9}final\b(?:[^<]{0,100}(?:<\|constrain\|>[^<]{0,20})?<\|message\|>)?"
"""Where harmony's answer begins."""

FINAL_UNFINISHED = re.compile(
    r"<\|channel\|>\s{0,9}final\b[^<]{0,100}(?:<\|?c[a-z|]{0,12}>?[^<]{0,20})?(?:<(?:\|[a-z]{0,12}\|?)?)?\Z",
    re.IGNORECASE,
)
"""The same where a growing text ends with it and its last mark may yet come."""

OPENINGS = {
    "think": THINK_OPENING,
    "xml": (
        rf"<(?=[tfie\uff5c]|[a-z]{{2,12}}:){_PREFIX}(?:{_TOOL}(?:[\s=][^<>]{{0,300}})?|(?:function|tool)(?:=|\s+name=)[^<>]{{0,300}})>",
    ),
    "start": (r"<start_function_\w{1,20}>",),
    "begin": (
        r"<\|tool[_▁]calls?(?:[_▁]section)?[_▁]begin\|>",
        "<\uff5ctool[_▁]calls?(?:[_▁]section)?[_▁]begin\uff5c>",
    ),
    "action": (r"<\|START_ACTION\|>",),
    "request": (r"\[TOOL_REQUEST\]",),
    "call": (r"\[TOOL_CALL\]",),
    "calls": (r"\[TOOL_CALLS\](?!\s{1,9}[a-z\u2019']{1,20}[ ,.])", r"functools(?=\[\{)"),
    "python": (r"<\|python_tag\|>", r"<\|tool_call\|>"),
    "channel": (r"<\|channel\|>(?!\s{0,9}final\b)",),
}
"""What begins a hidden block; `think` does so at the beginning of a line only."""

CLOSINGS = {
    "think": "|".join(THINK_CLOSING),
    "xml": rf"</{_PREFIX}(?:{_TOOL}|function|tool)\s{{0,9}}>",
    "start": r"<end_function_\w{1,20}>",
    "begin": (r"<[|\uff5c]tool[_▁]calls?(?:[_▁]section)?[_▁]end[|\uff5c]>(?!\s{0,9}<[|\uff5c]tool[_▁])"),
    "action": r"<\|END_ACTION\|>",
    "request": r"\[END_TOOL_REQUEST\]",
    "call": r"\[/TOOL_CALL\]",
    "calls": "(?!)",
    "python": r"<\|eom_id\|>|<\|/tool_call\|>",
    "channel": _FINAL,
}
"""What ends a hidden block; without it everything to the end is hidden."""

DROPPED = (
    r"<\|(?:start|im_start)\|>\s{0,9}(?:assistant)?",
    r"<\|start_header_id\|>\s{0,9}assistant",
    _FINAL,
    r"<\|[A-Za-z0-9_]{1,40}\|>",
    "<\uff5c[^\uff5c<>\n]{1,40}\uff5c>",
    "</s>",
    "<final>",
    "</final>",
    rf"</{_PREFIX}{_TOOL}\s{{0,9}}>",
    r"\[\[\s{0,9}(?:reply_to_current|reply_to\s{0,9}:[^\[\]<\n]{0,100}|audio_as_voice)\s{0,9}\]\][ \t]{0,9}",
)
"""Marks that stand for themselves: special tokens, and the gateway's directives."""

DROPPED_LINES = (
    r"MEDIA:[ \t]*\S[^\n]*(?:\n|\Z)",
    r"\[Tool (?:Call|Result)[: ][^\n]*(?:\n|\Z)(?:Arguments:[^\n]*(?:\n|\Z)(?:[^\n]+(?:\n|\Z))*)?",
)
"""The same at the beginning of a line."""

MEDIA_IN_PROSE = re.compile(r"MEDIA:[ \t]*(?![`\"'<~./\\]|[a-z]+:|[A-Z]:[\\/])[^\s/]+[ \t]+\S", re.IGNORECASE)
"""A line that begins like the gateway's but goes on with words instead of an address or a path."""

UNFINISHED_TOOL = re.compile(
    rf"<{_PREFIX}(?:{_TOOL}|function|tool)[\s=][^<>]{{0,300}}\Z",
    re.IGNORECASE,
)
"""The end of a growing text that may yet become the opening of a tool's block, which may have lines."""

UNFINISHED = re.compile(
    r"(?:<[^\s<>][^<>\n]{0,300}|\[\[[^\[\]\n]{0,120}\]?|(?m:^)[ \t]{0,9}(?:MEDIA:|\[Tool\b)[^\n]{0,999})\Z"
)
"""The end of a growing text that may yet become one of these."""

"""How models and gateways mark what is no part of the answer, as patterns. Pure: no I/O is imported here."""

import re

_PREFIX = "(?:[a-z]{2,12}:|\uff5cDSML\uff5c)?"
_TOOL = (
    "(?:tools?_?calls?|tool_?(?:code|use)|tool_?(?:result|response|output)s?"
    "|function_?(?:call|result|response)s?|invoke|execute_tool)"
)
_THINK = "(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflection|scratchpad|antthinking|seed:think)"

THINK_OPENING = (
    rf"(?:<|&lt;){_THINK}(?:\s[^<>\n]{{0,200}})?(?:>|&gt;)|\[think\]|◁think▷"
    r"|<\|start_thinking\|>|<\|begin_of_thought\|>"
)
THINK_CLOSING = (
    rf"(?:<|&lt;)/{_THINK}\s{{0,9}}(?:>|&gt;)|\[/think\]|◁/think▷|<\|end_thinking\|>|<\|end_of_thought\|>"
)

_FINAL = r"<\|channel\|>\s{0,9}final\b(?:[^<]{0,100}(?:<\|constrain\|>[^<]{0,20})?<\|message\|>)?"
"""Where harmony's answer begins."""

HIDDEN = {
    "think": (rf"(?m:^)[ \t]*(?:{THINK_OPENING})", THINK_CLOSING),
    "xml": (
        rf"<{_PREFIX}(?:{_TOOL}(?:[\s=][^<>]{{0,300}})?|(?:function|tool)(?:=|\s+name=)[^<>]{{0,300}})>",
        rf"</{_PREFIX}(?:{_TOOL}|function|tool)\s{{0,9}}>",
    ),
    "start": (r"<start_function_\w{1,20}>", r"<end_function_\w{1,20}>"),
    "begin": (
        r"<[|\uff5c]tool[_▁]calls?(?:[_▁]section)?[_▁]begin[|\uff5c]>",
        r"<[|\uff5c]tool[_▁]calls?(?:[_▁]section)?[_▁]end[|\uff5c]>(?!\s{0,9}<[|\uff5c]tool[_▁])",
    ),
    "action": (r"<\|START_ACTION\|>", r"<\|END_ACTION\|>"),
    "request": (r"\[TOOL_REQUEST\]", r"\[END_TOOL_REQUEST\]"),
    "call": (r"\[TOOL_CALL\]", r"\[/TOOL_CALL\]"),
    "calls": (r"\[TOOL_CALLS\]|(?<!\w)functools(?=\[\{)", r"(?!)"),
    "python": (r"<\|python_tag\|>|<\|tool_call\|>", r"<\|eom_id\|>|<\|/tool_call\|>"),
    "channel": (
        r"<\|channel\|>(?!\s{0,9}final\b)",
        _FINAL,
    ),
}
"""Openings and closings. Everything between is hidden; without its closing, everything to the end."""

DROPPED = (
    r"<\|(?:start|im_start)\|>\s{0,9}(?:assistant)?|<\|start_header_id\|>\s{0,9}assistant"
    rf"|{_FINAL}|<\|[A-Za-z0-9_]{{1,40}}\|>|<\uff5c[^\uff5c<>\n]{{1,40}}\uff5c>"
    rf"|</s>|</?final>|</{_PREFIX}{_TOOL}\s{{0,9}}>"
    r"|\[\[\s{0,9}(?:reply_to_current|reply_to\s{0,9}:[^\[\]<\n]{0,100}|audio_as_voice)\s{0,9}\]\][ \t]{0,9}"
    r"|(?m:^)[ \t]*MEDIA:[ \t]*\S[^\n]*(?:\n|\Z)"
    r"|(?m:^)\[Tool (?:Call|Result)[: ][^\n]*(?:\n|\Z)(?:Arguments:[^\n]*(?:\n|\Z)(?:[^\n]+(?:\n|\Z))*)?"
)
"""Marks that stand for themselves: special tokens, and the gateway's directives."""

LONE_CLOSING = rf"(?<![ \t\"'(])(?:{THINK_CLOSING})|(?:{THINK_CLOSING})(?![ \t.,;\"')])"
"""A closing tag whose opening was a part of the prompt; in the middle of a sentence it is only named."""

UNFINISHED = re.compile(
    r"(?:<[^\s<>][^<>\n]{0,300}|\[\[[^\[\]\n]{0,120}\]?|(?m:^)[ \t]{0,9}(?:MEDIA:|\[Tool )[^\n]{0,999})\Z"
)
"""The end of a growing text that may yet become one of these."""

"""People see the answer and nothing else of what an agent writes."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.text.visible import Visible, late_ends, visible, visible_so_far

ANSWER = "The cap table has 3 rows."

_pieces = st.sampled_from(
    [
        *(
            "<think>",
            "</think>",
            "<THINKING >",
            "</thinking>",
            "[THINK]",
            "[/THINK]",
            "<reasoning>",
            "</reasoning>",
        ),
        *("<|channel|>analysis<|message|>", "<|channel|>final<|message|>", "<|end|>", "<|start|>assistant"),
        *("<tool_call>", "</tool_call>", '<invoke name="x">', "</invoke>", "[TOOL_CALLS]", "<function=f>"),
        *("</function>", '{"name": "f"}', "[[reply_to_current]]", "[[reply_to: 1", "]]", "\nMEDIA: /a.png\n"),
        *("NO_REPLY", "HEARTBEAT_OK", "> Reasoning:\n", "> more\n", "Reasoning:\n", "_italic_\n", "analysis"),
        *("assistantfinal", "![", "![a](https://e.example/x.png)", "](https://e.example)", "<img src=", ">"),
        *(
            "`",
            "``",
            "```\n",
            "\n```\n",
            "~~~\n",
            "\n\n",
            "\n",
            " ",
            "word",
            "A sentence. ",
            "* item\n",
            "<",
            "[",
        ),
        *("<|channel|>final", "<|constrain|>json", "<|message|>", "<|python_tag|>", "<s>", "<tool_call\n"),
        *("[Tool Call: x]\n", "Arguments:\n", "MEDIA:", "<img ", "![a]", "(", ")", "]", "!", '"'),
        *("\\", "&", "|", "\x00", "[/THINK]", "<|end_thinking|>"),
    ]
)
_texts = st.lists(_pieces, max_size=25).map("".join)


@pytest.mark.parametrize(
    "hidden",
    [
        "<think>I should look.</think>",
        "<think>\nI should look.\n\n```py\nx\n```\n</think>\n\n",
        "<thinking>one</thinking>\n<thinking>two</thinking>\n",
        "<THINK>one</Think >",
        '<reasoning type="x">one</reasoning>',
        "&lt;think&gt;one&lt;/think&gt;",
        "[THINK]one[/THINK]",
        "◁think▷one◁/think▷",
        "<seed:think>one</seed:think>",
        "<antThinking>one</antThinking>",
        "<|START_THINKING|>one<|END_THINKING|>",
        '<details type="reasoning" done="true">\n<summary>Thought</summary>\n> one\n</details>\n',
        "I should look.\n</think>\n\n",
        "I should look.</thinking>",
        "> Reasoning:\n> I should look.\n>\n> Then answer.\n\n",
        "> 💭 **Reasoning:** I should look.\n> And so on.\n\n",
        "Reasoning:\n_I should look._\n_Then answer._\n\n",
        "<|channel|>analysis<|message|>one<|end|><|start|>assistant<|channel|>final<|message|>",
        "<|channel|>commentary to=f <|constrain|>json<|message|>{}<|call|><|channel|>final<|message|>",
        "<|channel|>analysis<|message|>x<|end|><|channel|>final <|constrain|>json<|message|>",
        "analysisThe user asks for rows.assistantfinal",
        "<|im_start|>assistant\n<think>one</think>",
        "<think></think><final>",
    ],
)
def test_reasoning_in_front_is_hidden(hidden: str) -> None:
    """Whatever the model's or the gateway's way to mark it."""
    assert visible(hidden + ANSWER) == Visible(ANSWER, silent=False)


@pytest.mark.parametrize(
    "text",
    ["<think>never closed", "<think>", "> Reasoning:\n> only", "<|channel|>analysis<|message|>one", "  "],
)
def test_reasoning_alone_leaves_nothing(text: str) -> None:
    """That is no answer, and no wish for silence either."""
    assert visible(text) == Visible("", silent=False)


@pytest.mark.parametrize(
    "markup",
    [
        '<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>',
        '<TOOL_CALL>{"name": "f"}</TOOL_CALL>',
        '<tool_calls><tool_call name="f">x</tool_call></tool_calls>',
        '<function_calls>\n<invoke name="f"><parameter name="a">1</parameter></invoke>\n</function_calls>',
        '<invoke name="f"><parameter name="a">1</parameter></invoke>',
        "<function=f><parameter=a>1</parameter></function>",
        '<function name="f">{}</function>',
        '<minimax:tool_call>\n<invoke name="f"></invoke>\n</minimax:tool_call>',
        "<|tool_calls_section_begin|><|tool_call_begin|>f:0<|tool_call_end|><|tool_calls_section_end|>",
        "<\uff5ctool▁calls▁begin\uff5c><\uff5ctool▁call▁begin\uff5c>function<\uff5ctool▁sep\uff5c>f\n<\uff5ctool▁call▁end\uff5c><\uff5ctool▁calls▁end\uff5c>",
        "<\uff5ctool▁calls▁begin\uff5c>f<\uff5ctool▁sep\uff5c>g\n<\uff5ctool▁calls▁end\uff5c>",
        '[TOOL_REQUEST]{"name": "f"}[END_TOOL_REQUEST]',
        '<|START_ACTION|>[{"tool_name": "f"}]<|END_ACTION|>',
        "<start_function_call>call:f{}<end_function_call>",
        '<tool_response>{"rows": 3}</tool_response>',
        "<tool_code>\nprint(f())\n</tool_code>",
    ],
)
def test_a_tool_call_is_hidden_wherever_it_stands(markup: str) -> None:
    """Before, in and behind the answer."""
    assert visible(f"{markup}\n\n{ANSWER}").text == ANSWER
    assert visible(f"{ANSWER}\n\n{markup}").text == ANSWER
    assert visible(f"One.\n\n{markup}\n\nTwo.").text == "One.\n\nTwo."


@pytest.mark.parametrize(
    "markup",
    [
        '<tool_call>\n{"name": "f"',
        '[TOOL_CALLS][{"name": "f", "arguments": {}}]',
        '[TOOL_CALLS]f[ARGS]{"a": 1}',
        '<|python_tag|>{"name": "f", "parameters": {}}',
        '<|tool_call|>[{"name": "f"}]',
        'functools[{"name": "f", "arguments": {}}]',
        "<think>\nI wonder",
        "<|channel|>commentary to=functions.f<|message|>{}",
        "[Tool Call: f (ID: 1)]\nArguments: {\n  1\n}",
    ],
)
def test_a_tool_call_without_an_end_hides_the_rest(markup: str) -> None:
    """Nothing follows it but itself."""
    assert visible(f"{ANSWER}\n{markup}").text == ANSWER


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "f", "arguments": {"a": 1}}',
        '[{"name": "f", "arguments": {}}, {"name": "g", "parameters": {}}]',
        '{"type": "function", "function": {"name": "f", "arguments": "{}"}}',
    ],
)
def test_a_call_in_json_alone_is_no_answer(text: str) -> None:
    """Some models write a call without any tag."""
    assert visible(text).text == ""


@pytest.mark.parametrize(
    "text",
    [
        ANSWER,
        "Use `<think>` and `</think>`.",
        "```xml\n<tool_call>\nx\n</tool_call>\n```",
        "~~~\n<think>\n~~~",
        "The </think> tag ends it.",
        "Wrap it in <tool_call> tags, please.",
        "a < b and c > d",
        "if x <think y",
        '{"name": "Acme", "shares": 3}',
        '{"name": "Acme"}',
        "[1, 2]",
        "Reasoning: because it is so.",
        "Thinking about it, yes.",
        "> quoted\n\nanswer",
        "analysis of the cap table",
        "`[[reply_to_current]]` and [[wiki]]",
        "MEDIA is a word",
        "Say NO_REPLY, or nothing.",
        "NO_REPLY_TO is a variable",
        "The variable HEARTBEAT_OK_X",
        "No response from the bank.",
        "No response from Deutsche Bank yet.",
        "`MEDIA:/a.png`",
        "```\nMEDIA:/a.png\n```",
        "```\n![a](https://e.example/x.png)\n```",
        "wow! [link](https://e.example)",
        "It is finished!",
        "The control word is `NO_REPLY`.",
        'The agent then answers "NO_REPLY".',
        "```python\nif answer == 'NO_REPLY'\n```",
        "Use this:\n```\nNO_REPLY\n```",
        "NO_REPLY is a control word.",
        "NO_REPLY: a control word.",
        "`NO_REPLY` means that nothing is posted.",
        "The words are:\n\n- `HEARTBEAT_OK`\n- `NO_REPLY`",
        "It ends with </think>, always.",
        "“</think>” ends it.",
        "<reason>late</reason> is what the form needs.",
        "The file has <reason>late</reason> and <amount>3</amount>.",
        "Mistral writes [TOOL_CALLS] before calls.",
        "MEDIA: the press wrote about us",
        "Contacts:\nMEDIA: Jane Doe, jane@example.com\nLEGAL: John Doe",
        '{"name": "Acme", "id": 3}',
        '{"name": "Acme", "type": "LLC"}',
        '[{"name": "Ada", "id": 1}, {"name": "Bob", "id": 2}]',
    ],
)
def test_an_honest_answer_stays_as_it_is(text: str) -> None:
    """Code, prose about tags, and words that only look alike."""
    assert visible(text) == Visible(text, silent=False)


@pytest.mark.parametrize(
    "text",
    [
        "NO_REPLY",
        " NO_REPLY\n",
        "**NO_REPLY**",
        '"NO_REPLY".',
        "`NO_REPLY`",
        "HEARTBEAT_OK",
        "<think>x</think>NO_REPLY",
        "no_reply",
        "(NO_REPLY)",
        "“NO_REPLY”",
        "NO_REPLY…",
        "NO\\_REPLY",
        "```\nNO_REPLY\n```",
        "NO_REPLY\u200b",
    ],
)
def test_silence_is_obeyed(text: str) -> None:
    """The control word stands alone, perhaps dressed up."""
    assert visible(text) == Visible("", silent=True)


@pytest.mark.parametrize(
    "text",
    [
        f"{ANSWER}\n\nNO_REPLY",
        f"{ANSWER} NO_REPLY",
        f"{ANSWER}\n**HEARTBEAT_OK**",
        f"NO_REPLY\n\n{ANSWER}",
        f"[[reply_to_current]] {ANSWER}",
        f"[[ reply_to : abc123 ]]\n{ANSWER}",
        f"{ANSWER}\nMEDIA:/tmp/a.png",
        f"MEDIA: https://e.example/a.png\n{ANSWER}",
        f"{ANSWER}<|im_end|>",
        f"{ANSWER}</s>",
        f"<final>{ANSWER}</final>",
    ],
)
def test_control_words_are_taken_out(text: str) -> None:
    """The answer remains."""
    assert visible(text) == Visible(ANSWER, silent=False)


@pytest.mark.parametrize("text", ["No response from OpenClaw.", "No response from Equabot", "MEDIA:/a.png"])
def test_a_sentence_of_the_gateway_is_no_answer(text: str) -> None:
    """It is not silence that the agent asked for."""
    assert visible(text) == Visible("", silent=False)


def test_what_cannot_be_stored_hides_nothing() -> None:
    """A control character within a tag does not let it through."""
    assert visible("<thi\x00nk>x</think>y").text == "y"


@settings(deadline=None)
@given(st.one_of(_texts, st.text()))
def test_any_text_can_be_read(text: str) -> None:
    """Whole or not, and twice is the same as once where nothing is left to take out."""
    shown = visible(text)
    visible_so_far(text)

    assert shown.text == shown.text.strip()
    assert not (shown.silent and shown.text)


@settings(deadline=None, max_examples=150)
@given(_texts, st.text("word \n.", max_size=250))
@example("\n```\nNO_REPLY", "")
@example("[\n```\nNO_REPLY", "")
@example("```\n![a](https://e.example/x.png) b\n```\n", "c\n")
@example("~~~\n[[reply_to: 1<|channel|>analysis<|message|>x]]", "")
@example("\nNo response from OpenClaw.", "")
@example("Look: <img src=https://e.example/x![y> so", " it is")
@example("Word. \n[Tool Call: x]\n", "more")
@example("<s>> Reasoning:\nReasoning:\n_italic_\n> ", "")
@example("<|channel|>final> more\n\nmore<|message|>The answer", "")
@example("<|channel|>analysis<|message|>no<|channel|>final, more\n<|constrain|>json <|message|>x", "")
@example("</final><tool_call\nMEDIA: /a.png\n&]]>", "")
@example(">`|HEARTBEAT_OK<|python_tag|>\nMEDIA: /a.png\n", "")
@example("Word. ![>> <img\n\n> ](\nsrc=)]", "")
@example("Word ![a]<IMG src=(\n&x>more", "")
@example("!![a](https://e.example/x.png)\n```\n", "")
@example("Well!<img\n>[a](https://e.example)", "")
@example("I should look.\n</think> no, at the other.</think>It is 3.", " And more.")
def test_a_growing_answer_shows_only_what_the_whole_shows(text: str, tail: str) -> None:
    """What was shown stays, whatever follows; how many closing tags stand alone has to be known."""
    whole_text = f"{text}{tail}"
    whole, ends = visible(whole_text).text, late_ends(whole_text)
    for end in range(len(whole_text) + 1):
        assert whole.startswith(visible_so_far(whole_text[:end], late_ends=ends))


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("I should look.</think>It is 3.", 1),
        ("I should look.[/THINK]It is 3. Or not.</thinking>It is 4.", 2),
        ("<think>I should look.</think>It is 3.", 0),
        ("The tag `</think>` ends it.", 0),
        ("The tag </think> ends it.", 0),
        ("```\n</think>x\n```\n", 0),
    ],
)
def test_late_ends_of_reasoning_are_counted(text: str, ends: int) -> None:
    """Where a tag is only named it ends nothing."""
    assert late_ends(text) == ends


def test_a_growing_answer_does_grow() -> None:
    """Most of a plain answer is shown at any moment."""
    text = "One sentence after the other, with `code` and **bold**. " * 20

    assert len(visible_so_far(text)) > 0.9 * len(text)

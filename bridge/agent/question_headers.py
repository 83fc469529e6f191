"""The headers that tell every server whose question it is.

Their names are `istr`, which aiohttp takes as they are: of any other name it makes copies for each request
and keeps one until the answer has come.
"""

from multidict import istr

from bridge.models.agent import Question

_ORGANIZATION = istr("X-Equa-Organization")
_USER = istr("X-Equa-User")
_REQUEST = istr("X-Request-Id")


def headers_of(question: Question) -> dict[str, str]:
    """Return the headers of a question."""
    return {
        _ORGANIZATION: str(question.organization_id),
        _USER: str(question.person_id),
        _REQUEST: question.post_id,
    }

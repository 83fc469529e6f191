"""Make names that Mattermost accepts from names that people gave. Pure: no I/O is imported here.

Rules: server/public/model/user.go (`IsValidUsername`), team.go (`IsValidTeamName`, `IsReservedTeamName`) and
utils.go (`reservedName`). Every function accepts any text.
"""

import re
import unicodedata
from collections.abc import Iterator

from bridge.models.equa import Organization, Person
from bridge.text.storable import is_seen, one_line

LONGEST_DISPLAY_NAME = 64
"""Of teams, channels and a person's first or last name, in characters."""

LONGEST_CHANNEL_NAME = 64
"""In addresses."""

_LONGEST_USERNAME = 22
"""What Mattermost's own pages allow; the server takes 64."""

_LONGEST_SLUG = 48
_LONGEST_EMAIL = 128

_MOST_TEAMS = 100
"""Of one organization on one server."""

_LETTERS = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ð": "d",
        "đ": "d",
        "þ": "th",
        "ł": "l",
        "\u0131": "i",
        "ħ": "h",
        "ŧ": "t",
    }
)
"""Latin letters that do not decompose; `casefold` knows ß."""

_QUOTES = re.compile("['`\u00b4\u2018\u2019\u02bc]")
_DIRECTION = re.compile("[\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Characters that change the direction of other people's text."""

_ATOM = r"[a-z0-9!$&'*+=^_`{|}~\x80-\U0010ffff-]+"
_EMAIL = re.compile(rf"{_ATOM}(\.{_ATOM})*@{_ATOM}(\.{_ATOM})*")
"""Words with single dots between them, as Go's net/mail wants them (`IsValidEmail` in
server/public/model/utils.go), without the signs that a path of the REST interface cannot hold."""

_ALARMS = frozenset({"all", "channel", "here", "matterbot", "system"})
"""Reserved, or read as a mention of everybody even with punctuation behind it."""

_RESERVED_PREFIXES = (
    *("admin", "api", "channel", "claim", "error", "files", "help", "landing", "login", "mfa", "oauth"),
    *("plug", "plugins", "post", "signup", "boards", "playbooks"),
)
_OTHER_ADDRESSES = frozenset({"hooks", "main", "messaging", "preparing-workspace", "static"})
"""First words of addresses on the chat host that are no team."""


def usernames(person: Person) -> Iterator[str]:
    """Yield usernames for a person, the best first; only malice takes the last one."""
    sources = (person.username, person.name, person.email.partition("@")[0])
    base = next(filter(None, map(_username, sources)), "")
    code = person.id.hex
    if base:
        yield base
        yield _suffixed(base, code[:4], _LONGEST_USERNAME)
        yield _suffixed(base, code[:8], _LONGEST_USERNAME)
    yield f"user-{code[:8]}"
    yield f"user-{code}"


def is_kept_at_sign_in(username: str) -> bool:
    """Return whether Mattermost keeps a username that its sign-in's provider answers with.

    Others it cleans first, and gives the account that name (`CleanUsername` in server/public/model/user.go).
    """
    return username not in _RESERVED_PREFIXES and username.strip("-") == username


def team_names(organization: Organization) -> Iterator[str]:
    """Yield names for an organization's team, the best first; only malice takes the last one.

    The numbered ones are for a server with teams of the same organization that other databases of the bridge
    have made: none of them is taken over.
    """
    base = team_name(organization.name)
    code = organization.id.hex
    if base:
        yield base
        yield _suffixed(base, code[:4], _LONGEST_SLUG)
        yield _suffixed(base, code[:8], _LONGEST_SLUG)
    yield f"team-{code[:8]}"
    yield f"team-{code}"
    yield from (f"team-{code}-{number}" for number in range(2, _MOST_TEAMS + 1))


def team_name(name: str) -> str:
    """Return an organization's name for addresses, e.g. `acme-corp`; empty if nothing is left."""
    slug = _words(name, "-")
    if not slug:
        return ""
    if len(slug) < 2 or slug.startswith(_RESERVED_PREFIXES) or slug in _OTHER_ADDRESSES:
        slug = f"team-{slug}"
    return slug[:_LONGEST_SLUG].rstrip("-")


def display_name(name: str, otherwise: str = "") -> str:
    """Return a name as people see it: on one line, at most 64 characters; `otherwise` if nothing is left."""
    return _line(name)[:LONGEST_DISPLAY_NAME].rstrip() or otherwise


def first_and_last(name: str) -> tuple[str, str]:
    """Split a person's name at the first space."""
    first, _, last = _line(name).partition(" ")
    return display_name(first), display_name(last)


def email_address(address: str) -> str:
    """Return the address as Mattermost keeps it, empty if it cannot be one there."""
    plain = address.strip().lower()
    usable = _EMAIL.fullmatch(plain) and plain.isprintable() and len(plain) <= _LONGEST_EMAIL
    return plain if usable else ""


def _username(text: str) -> str:
    words = _words(text, ".", keep="._-").lstrip("0123456789._-")
    short = words[:_LONGEST_USERNAME].rstrip("._-")
    alarming = re.split("[._-]", short)[0] in _ALARMS
    return short if is_kept_at_sign_in(short) and not alarming else ""


def _words(text: str, joint: str, *, keep: str = "") -> str:
    """Return the letters and digits of a text in ASCII, with one `joint` or kept sign between words."""
    plain = _QUOTES.sub("", _ascii(text))
    other = re.sub(f"[^a-z0-9{re.escape(keep)}]+", joint, plain)
    signs = re.escape(keep + joint)
    return re.sub(f"([{signs}])[{signs}]+", r"\1", other).strip(keep + joint)


def _ascii(text: str) -> str:
    """Return a text in lower case with its accents taken off."""
    folded = unicodedata.normalize("NFKD", text.casefold()).casefold().translate(_LETTERS)
    return "".join(character for character in folded if not unicodedata.combining(character))


def _line(text: str) -> str:
    """Return a text on one line, empty if nothing of it can be seen."""
    line = " ".join(_DIRECTION.sub(" ", one_line(text)).split())
    return line if any(map(is_seen, line)) else ""


def _suffixed(base: str, code: str, longest: int) -> str:
    return f"{base[: longest - len(code) - 1].rstrip('._-')}-{code}"

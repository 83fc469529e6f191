"""What happens is written as one line, and no secret with it."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import structlog
from markdown_it import MarkdownIt

from bridge.log import HIDDEN, configure
from bridge.log.limits import LONGEST_LINE
from bridge.log.repeated import CHANGES, RepeatedEvent


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Full(io.StringIO):
    def write(self, _text: str) -> int:
        raise OSError(28, "No space left on device")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, library = logging.getLogger(), logging.getLogger("websockets.client")
    handlers, level, of_library = list(root.handlers), root.level, library.level
    # Whoever has opened a websocket in this process has given it a level of its own.
    library.setLevel(logging.NOTSET)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    library.setLevel(of_library)
    structlog.reset_defaults()


def _fail(text: str) -> None:
    raise ValueError(text)


def _fail_with(value: str) -> None:
    _fail(str(len(value)))


def _line(stream: io.StringIO) -> dict[str, Any]:
    (line,) = stream.getvalue().splitlines()
    parsed: dict[str, Any] = json.loads(line)
    return parsed


def test_an_event_is_a_line_of_json() -> None:
    """With time in UTC, level, the module's name and its data."""
    configure("info", "auto", stream := io.StringIO())

    structlog.get_logger("bridge.worker").info("job", kind="mention", attempt=2)

    line = _line(stream)
    assert line.pop("timestamp").endswith("+00:00")
    assert line == {
        "event": "job",
        "level": "info",
        "logger": "bridge.worker",
        "kind": "mention",
        "attempt": 2,
    }


def test_a_terminal_gets_words() -> None:
    """`auto` is for people where people read."""
    configure("info", "auto", stream := Terminal())

    structlog.get_logger("x").info("job", kind="mention")

    assert "job" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_the_form_can_be_told() -> None:
    """JSON on a terminal, words into a file."""
    configure("info", "json", terminal := Terminal())
    structlog.get_logger().info("job")
    configure("info", "console", file := io.StringIO())
    structlog.get_logger().info("job", kind="mention")

    assert _line(terminal)["event"] == "job"
    assert "kind=mention" in file.getvalue()


def test_what_is_bound_to_the_context_is_told() -> None:
    """A request's id stands in every line that it causes, those of libraries too."""
    configure("info", "json", stream := io.StringIO())

    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger().info("ours")
        logging.getLogger("asyncpg").warning("theirs: %d", 7)

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line["request_id"]) for line in lines] == [("ours", "r1"), ("theirs: 7", "r1")]
    assert lines[1]["logger"] == "asyncpg"


def test_what_is_below_the_level_is_not_written() -> None:
    """Neither ours nor the libraries'."""
    configure("warning", "json", stream := io.StringIO())

    structlog.get_logger().info("ours")
    for name in ("asyncpg", "websockets.client", "aiohttp.access"):
        logging.getLogger(name).info("theirs")

    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("websockets.client", logging.DEBUG),
        ("markdown_it.rules_block", logging.DEBUG),
        ("any.library", logging.DEBUG),
        ("aiohttp.access", logging.INFO),
        ("asyncio", logging.INFO),
    ],
)
def test_libraries_that_tell_too_much_are_kept_quiet(name: str, level: int) -> None:
    """Even at debug: frames and headers carry tokens, and what parses posts writes them out."""
    configure("debug", "json", stream := io.StringIO())

    logging.getLogger(name).log(level, "Authorization: Bearer abc")

    assert stream.getvalue() == ""


def test_configuring_again_replaces() -> None:
    """A line is never written twice."""
    configure("info", "json", first := io.StringIO())
    configure("info", "json", second := io.StringIO())

    logging.getLogger("asyncpg").warning("once")

    assert first.getvalue() == ""
    assert _line(second)["event"] == "once"


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "bot_token",
        "tokens",
        "Authorization",
        "cookie",
        "cookies",
        "password",
        "client_secret",
        "api_key",
        "MATTERMOST_BOT_TOKEN",
        "x-api-key",
        "ticket",
        "dsn",
    ],
)
@pytest.mark.parametrize("value", ["hunter2", b"hunter2", ["hunter2"], {"a": "hunter2"}])
def test_a_secret_name_hides_its_value(name: str, value: object) -> None:
    """Whatever it is, at any depth."""
    configure("info", "json", stream := io.StringIO())

    structlog.get_logger().info("x", **{name: value}, inner={"deep": [{name: value}]})

    assert "hunter2" not in stream.getvalue()
    assert _line(stream)[name] == HIDDEN


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer hunter2",
        "bearer  hunter2",
        "GET /login/token?token=hunter2&redirect_to=/",
        "Cookie: MMAUTHTOKEN=hunter2; x=y",
        "postgresql://bridge:hunter2@db/bridge",
    ],
)
@pytest.mark.parametrize("form", ["json", "console"])
def test_a_credential_in_a_text_is_hidden(text: str, form: Any) -> None:
    """In the event, in values, in exceptions and their tracebacks."""
    configure("info", form, stream := io.StringIO())
    log = structlog.get_logger()

    log.info(text, why=text, error=ValueError(text), inner=[text])
    logging.getLogger("asyncpg").warning("%s", text)
    try:
        _fail(text)
    except ValueError:
        log.exception("failed")

    assert "hunter2" not in stream.getvalue()
    assert "Traceback" in stream.getvalue()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("url", "http://localhost:8065/api/v4"),
        ("token_id", "abc"),
        ("variable", "MATTERMOST_BOT_TOKEN"),
        ("tokens", 3),
        ("token", None),
        ("secret", True),
    ],
)
def test_what_is_no_secret_stays(name: str, value: object) -> None:
    """Operators need addresses, names and counts."""
    configure("info", "json", stream := io.StringIO())

    structlog.get_logger().info("x", **{name: value})

    assert _line(stream)[name] == value


def test_any_value_can_be_told() -> None:
    """Ids, exceptions, keys that JSON does not know."""
    configure("info", "json", stream := io.StringIO())

    one = UUID(int=1)
    structlog.get_logger().info("x", id=one, error=KeyError("k"), by={one: (1, 2)})

    line = _line(stream)
    assert (line["id"], line["error"], line["by"]) == (str(one), "KeyError('k')", {str(one): [1, 2]})


def test_local_variables_are_never_shown() -> None:
    """A traceback for people has no values in it."""
    configure("info", "console", stream := Terminal())
    try:
        _fail_with("hunter2")
    except ValueError:
        structlog.get_logger().exception("failed")

    assert "ValueError: 7" in stream.getvalue()
    assert stream.getvalue().count("hunter2") == 1, "the line of code itself"


def test_a_stream_that_takes_no_more_ends_nothing() -> None:
    """A full disk behind stderr is no reason to stop answering."""
    configure("info", "json", Full())

    structlog.get_logger().info("lost")


def test_ours_is_written_at_debug() -> None:
    """The level is for the bridge's own events."""
    configure("debug", "json", stream := io.StringIO())

    structlog.get_logger().debug("ours")

    assert _line(stream)["event"] == "ours"


def test_a_post_that_is_parsed_writes_nothing() -> None:
    """However many blocks it has."""
    configure("debug", "json", stream := io.StringIO())

    MarkdownIt().parse("* a\n" * 400)

    assert stream.getvalue() == ""


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize(
    "values",
    [
        {"text": "x" * 1_000_000},
        {"text": "\x00" * 1_000_000},
        {"listed": ["x" * 1000] * 1000},
        {f"value{n}": "x" * 1000 for n in range(100)},
        {f"value{n}": "\x00" * 1000 for n in range(1000)},
    ],
    ids=["one", "escaped", "nested", "many", "very many"],
)
def test_a_line_has_a_limit(form: Any, values: dict[str, Any]) -> None:
    """Its values are cut; what happened, when and where stays."""
    configure("info", form, stream := io.StringIO())

    structlog.get_logger("bridge.x").info("happened", **values)

    assert len(stream.getvalue()) <= LONGEST_LINE + 1
    assert "happened" in stream.getvalue()
    if form == "json":
        line = _line(stream)
        assert (line["event"], line["level"], line["logger"]) == ("happened", "info", "bridge.x")
        assert line["cut_from"] > LONGEST_LINE


def test_a_library_s_line_has_a_limit() -> None:
    """It may log whatever passes through it."""
    configure("info", "json", stream := io.StringIO())

    logging.getLogger("any.library").warning("read %s", "x" * 1_000_000)

    assert len(stream.getvalue()) <= LONGEST_LINE + 1
    assert _line(stream)["event"].startswith("read x")


def test_the_end_of_a_traceback_stays() -> None:
    """That is where the error is."""
    configure("info", "json", stream := io.StringIO())

    try:
        _fail("y" * 20_000 + "the end")
    except ValueError:
        structlog.get_logger().exception("failed")

    assert len(stream.getvalue()) <= LONGEST_LINE + 1
    assert _line(stream)["exception"].endswith("the end")


@pytest.mark.parametrize("before", range(460, 520))
def test_a_cut_reveals_no_credential(before: int) -> None:
    """Wherever it falls."""
    configure("info", "json", stream := io.StringIO())

    structlog.get_logger().info("x", text="y" * before + " Bearer hunter2" + "z" * 20_000)
    structlog.get_logger().info("x", text="y" * 20_000 + " Bearer hunter2" + "z" * (before + 980))

    assert "hunter2" not in stream.getvalue()
    assert "unter2" not in stream.getvalue()


_VALUES = [
    "GET",
    "",
    'a "quoted" one',
    "100% of %s and %(x)d",
    "two\nlines\t\x00\x7f",
    "\N{GREEK SMALL LETTER ALPHA}\N{GRINNING FACE}\ud800",
    "\x00text\x00",
    "Bearer hunter2",
    "https://ada:hunter2@example.com/?token=hunter2",
    "x" * 100_000,
    "Bearer hunter2 " * 10_000,
    0.1,
    12_345.0,
    1e-07,
]


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("value", _VALUES)
@pytest.mark.parametrize("name", ["text", "token"])
def test_a_repeated_event_has_the_line_of_any_other(form: Any, name: str, value: str | float) -> None:
    """With nothing else, nothing hidden less, and no line longer."""
    configure("info", form, stream := io.StringIO())
    same = {"route": "/100%/{a}/%s", "error": None, "status": 200}
    at = "2026-11-27T00:00:00"

    structlog.get_logger("bridge.x").info("happened", **same, **{name: value}, last="b", timestamp=at)
    with structlog.contextvars.bound_contextvars(other="x"):
        event = RepeatedEvent("bridge.x", "info", "happened", **same, **{name: CHANGES}, last=CHANGES)
        repeated = event.line(at, value, "b")

    if form == "json":
        assert json.loads(repeated) == json.loads(stream.getvalue())
    else:
        assert f"{repeated}\n" == stream.getvalue()
    assert "hunter2" not in repeated

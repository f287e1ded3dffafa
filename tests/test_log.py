"""Is a fact one line, with what finds it and without what nobody may read? (scenario S15)"""

import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from engine import log

pytestmark = pytest.mark.fast
Said = Callable[[], list[str]]


@pytest.fixture(autouse=True)
def _afterwards_as_before() -> Iterator[None]:
    """Logging is the process's own: leave it as it was."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    token = log.trace_id.set("")
    yield
    log.trace_id.reset(token)
    structlog.configure(**before)
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """The lines on standard error so far; nothing may be on standard output, which belongs to answers."""

    def lines() -> list[str]:
        captured = capsys.readouterr()
        assert captured.out == ""
        return captured.err.split("\n")[:-1]

    return lines


def _one(said: Said) -> dict[str, Any]:
    (line,) = said()
    return json.loads(line)


def test_a_fact_is_one_line_of_json_with_its_fields_and_trace(said: Said) -> None:
    log.configure("info", "json")
    log.trace_id.set("a-trace-id")
    log.logger().info("session.opened", session=42)
    fact = _one(said)
    assert fact.pop("timestamp").endswith("Z")
    assert fact == {"event": "session.opened", "session": 42, "level": "info", "trace_id": "a-trace-id"}


def test_without_a_request_there_is_no_trace_id(said: Said) -> None:
    log.configure("info", "json")
    log.logger().info("tick")
    assert "trace_id" not in _one(said)


@pytest.mark.parametrize(("level", "kept"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_what_is_below_the_level_is_not_written(said: Said, level: str, kept: int) -> None:
    log.configure(level, "json")
    for name in ("debug", "info", "warning", "error"):
        getattr(log.logger(), name)("fact")
    assert len(said()) == kept


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("name", ["password", "current_password", "client_secret", "X-Api-Token", "Authorization", "cookies", "api_key"])
def test_values_under_secret_names_are_never_written(said: Said, form: Any, name: str) -> None:
    log.configure("info", form)
    log.logger().info("fact", **{name: "hunter2", "nested": {"deeper": {name: "hunter2"}, "harmless": "shown"}})
    text = "\n".join(said())
    assert "hunter2" not in text and "shown" in text


# a value from outside, what it would do on a terminal or in a file
EVIL = [
    ('x\n{"event": "forged", "level": "info"}', "begin a line of its own"),
    ("x\r\nforged", "begin a line of its own, as Windows does"),
    ("x\rforged", "write over the line"),
    ("\x1b[2K\x1b[1Gforged", "erase the line"),
    ("\x1b]0;forged\x07", "rename the window"),
    ("\x9b31mforged", "colour, by a single byte"),
    ("x\u2028forged", "break a line where JavaScript reads it"),
    ("x\x85forged", "break a line where Python reads it"),
    ("\u202eforged", "turn the text around"),
    ("\x00", "end the text"),
]


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize(("value", "does"), EVIL)
def test_a_value_can_neither_forge_a_line_nor_move_the_cursor(said: Said, form: Any, value: str, does: str) -> None:
    log.configure("info", form)
    log.trace_id.set(value)
    log.logger().info(value, who=value, short=value.strip("x"))
    (line,) = said()
    assert len(line.splitlines()) == 1, does
    evil = [c for c in value if not c.isprintable()]
    ours = _COLOURS.sub("", line)
    assert not [c for c in evil if c in ours], does
    if form == "json":
        assert json.loads(line)["who"] == value, "nothing is lost"


_COLOURS = re.compile(r"\x1b\[\d*m")


@pytest.mark.parametrize("form", ["json", "text"])
def test_lines_of_libraries_are_ours_too(said: Said, form: Any) -> None:
    log.configure("info", form)
    logging.getLogger("some.library").warning("it\nhappened to %s", "\x1b[31mada")
    (line,) = said()
    assert "library.some.library" in line and "\x1b[31mada" not in line
    logging.getLogger("some.library").info("chatter")
    assert said() == [], "below a warning, libraries are quiet"


def test_an_exception_is_in_the_same_line(said: Said) -> None:
    log.configure("info", "json")
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        log.logger().error("failed", exc_info=error)
    fact = _one(said)
    assert "ValueError: two\nlines" in fact["exception"]


def test_an_exception_in_text_keeps_its_lines_and_loses_its_tricks(said: Said) -> None:
    log.configure("info", "text")
    try:
        raise ValueError("\x1b[2Jgone")
    except ValueError as error:
        log.logger().error("failed", exc_info=error)
    text = "\n".join(said())
    assert "Traceback" in text and "\x1b[2J" not in text and "\\x1b[2Jgone" in text


def test_what_json_does_not_know_is_written_all_the_same(said: Said) -> None:
    log.configure("info", "json")
    log.logger().info("fact", thing=object(), when={1, 2})
    assert "object" in _one(said)["thing"]

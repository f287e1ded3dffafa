"""How is a fact written to the log?

One line of JSON a fact: `log.info("session.opened", session=id)`. Names and ids only: never a secret, a body, an
e-mail address or a query string. The trace id of the request in hand is added by itself.
"""

import logging
import sys
from contextvars import ContextVar
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

trace_id: ContextVar[str] = ContextVar("trace_id", default="")

# Values under these names are never written, whoever passes them.
_SECRET_WORDS = ("password", "secret", "token", "authorization", "cookie", "credential", "api_key")


def logger() -> FilteringBoundLogger:
    """The one logger; bind nothing to it."""
    return structlog.get_logger()


def configure(level: str, form: Literal["json", "text"]) -> None:
    """Set up logging of this process to standard error, other libraries' included."""
    shared: list[Any] = [_add_trace, _hide_secrets, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    shared += [structlog.processors.add_log_level, structlog.processors.format_exc_info]
    render = structlog.processors.JSONRenderer() if form == "json" else _text
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    # A library's record becomes the same line of JSON, as the event "library.<name>".
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[_foreign, *shared[1:2], render]))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _foreign(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event.pop("_record")
    event.pop("_from_structlog", None)
    return {**event, "event": f"library.{record.name}", "message": event.get("event", "")}


def _add_trace(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    if current := trace_id.get():
        event["trace_id"] = current
    return event


def _hide_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {name: _hidden(name, value) for name, value in event.items()}


def _hidden(name: str, value: Any) -> Any:
    if any(word in name.lower() for word in _SECRET_WORDS):
        return "‹hidden›"
    return {inner: _hidden(str(inner), held) for inner, held in value.items()} if isinstance(value, dict) else value


def _text(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """A line for eyes. What came from outside can neither begin a line of its own nor move the cursor."""
    return _console(logger, method, {name: _harmless(name, value) for name, value in event.items()})


def _harmless(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    kept = "\n" if name == "exception" else ""
    return "".join(c if c.isprintable() or c in kept else c.encode("unicode_escape").decode() for c in value)


_console = structlog.dev.ConsoleRenderer()

"""What happens when a handler or the page itself fails in a way that nobody foresaw?"""

import reflex as rx

from engine.log import logger, trace_id
from engine.model.ids import new_trace
from state.toasts import ToastState


def in_handler(exception: Exception) -> rx.event.EventSpec | None:
    """Log it, and say it to the person with the trace that finds it."""
    trace = trace_id.get() or new_trace()
    trace_id.set(trace)
    logger().error("page.failed", exc_info=exception)
    return ToastState.say_failed(trace)  # pyright: ignore[reportReturnType]


def in_browser(exception: Exception) -> None:
    """Log what a browser reported; it wrote it, so it is cut short and kept on one line."""
    logger().warning("browser.failed", said=str(exception)[:300])

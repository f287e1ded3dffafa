"""How is it counted that somebody tries secrets?"""

from engine.errors import TooMany
from engine.identity import throttle
from engine.operations.door import runtime
from engine.storage import instance
from engine.storage.work import INSTANCE, work


def count_tries(subjects: list[throttle.Subject]) -> None:
    """Count a try in a transaction of its own, so that it stays counted when the try fails. Raises TooMany."""
    with work(runtime().database.aside, INSTANCE) as counting:
        counts = instance.count_failures(counting, subjects)
        seconds = throttle.wait(counts, subjects, counting.now)
    if seconds:
        raise TooMany(f"Too many wrong tries. Try again in {-(-seconds // 60)} min.", seconds)


def forgive_tries(subjects: list[throttle.Subject]) -> None:
    """The try was right: it does not count."""
    with work(runtime().database.aside, INSTANCE) as forgiving:
        instance.forgive(forgiving, subjects)

"""How is a child kept alive?"""

import signal
from collections.abc import Callable
from dataclasses import dataclass

from engine.process import ChildProcess, end

_FIRST_WAIT = 0.2
_MOST_WAIT = 10.0
_STEADY_AFTER = 30.0


@dataclass
class Child:
    """A child that is started again when it ends, after a wait that doubles while it keeps ending soon."""

    name: str
    start: Callable[[], ChildProcess]
    stop_signal: signal.Signals
    patience: float
    process: ChildProcess | None = None
    _began: float = 0.0
    _wait: float = _FIRST_WAIT
    _again_at: float = 0.0

    def begin(self, now: float) -> None:
        """Start it."""
        self.process, self._began = self.start(), now

    def look(self, now: float) -> str | None:
        """Start it again if it has ended and its wait is over. Returns what to say when it has just ended."""
        if self.process is not None and self.process.poll() is None:
            return None
        if self.process is not None:
            code, self.process = self.process.returncode, None
            self._put_off(now, steady=now - self._began > _STEADY_AFTER)
            how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
            return f"{self.name} ended {how}; starting it again in {self._wait:.1f} s"
        if now >= self._again_at:
            try:
                self.begin(now)
            except BaseException:
                self._put_off(now, steady=False)  # a start that fails is not tried four times a second either
                raise
        return None

    @property
    def is_alive(self) -> bool:
        """Whether it runs now."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """End it cleanly, or by force after its patience."""
        if self.process is not None:
            end(self.process, self.stop_signal, self.patience)
            self.process = None

    def _put_off(self, now: float, *, steady: bool) -> None:
        self._wait = _FIRST_WAIT if steady else min(self._wait * 2, _MOST_WAIT)
        self._again_at = now + self._wait

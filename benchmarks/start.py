"""How long does a start take? `python -m benchmarks.start` prints JSON, in seconds.

first     on an empty data directory, with the page built already
second    on the same data, until pages are served
well      then, until /health says that all is well
stopped   from Ctrl-C until nothing is left
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.measured import PORT
from tests.testkit.installation import Installation


def main() -> int:
    """Measure, and print."""
    folder = Path(tempfile.mkdtemp(prefix="aiops-bench-"))
    folder.chmod(0o711)
    try:
        Installation(folder / "builder", port=PORT).start(240).stop()  # whoever starts first builds the page
        measured = Installation(folder / "data", port=PORT)
        took = {"first": _seconds(lambda: measured.start(240))}
        measured.stop()
        took["second"] = _seconds(lambda: measured.start(240))
        took["well"] = _seconds(lambda: measured.until(lambda: measured.health().get("status") == "ok"))
        took["stopped"] = _seconds(measured.stop)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(took, indent=2))
    return 0


def _seconds(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return round(time.monotonic() - began, 2)


if __name__ == "__main__":
    sys.exit(main())

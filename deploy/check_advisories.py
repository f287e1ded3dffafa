"""Is anything that we install known to be vulnerable? Blocks where the advisories can be asked for, and says so where not."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx

SOURCE = "https://pypi.org"
LOCK = "deploy/test.lock"


def main(source: str = SOURCE, audit: Callable[[], int] | None = None) -> int:
    """Ask, and print every finding. Returns the exit code."""
    if why := unreachable(source):
        print(f"Advisories were NOT checked: {source} {why}. Run `make audit` where it can be reached.")
        return 0
    return (audit or pip_audit)()


def unreachable(source: str) -> str:
    """Why PyPI's JSON API, which has the advisories of a release, does not answer there; empty when it does. A mirror may lack it."""
    name, version = re.findall(r"^([\w-]+)==([\w.]+)", Path(LOCK).read_text(), re.MULTILINE)[0]
    try:
        answer = httpx.get(f"{source}/pypi/{name}/{version}/json", timeout=20, follow_redirects=True)
    except httpx.HTTPError as error:
        return f"does not answer ({type(error).__name__})"
    if answer.status_code != 200:
        return f"has no advisories (HTTP {answer.status_code})"
    return "" if '"vulnerabilities"' in answer.text else "answers, but with something else than advisories"


def pip_audit() -> int:
    """Every pinned package of the lock, against the advisories of PyPI."""
    arguments = ["--requirement", LOCK, "--disable-pip", "--no-deps", "--strict"]
    return subprocess.run([sys.executable, "-m", "pip_audit", *arguments]).returncode  # noqa: S603 the arguments are ours


if __name__ == "__main__":
    sys.exit(main())

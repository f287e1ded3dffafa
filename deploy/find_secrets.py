"""Is there a secret in the tree? Every tracked file is read; what is meant for tests is listed here."""

import subprocess
import sys

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

PLUGINS = [
    {"name": name}
    for name in ("AWSKeyDetector", "BasicAuthDetector", "GitHubTokenDetector", "JwtTokenDetector", "PrivateKeyDetector", "SlackDetector")
]
NOT_SECRET = ("tests/", "deploy/run.lock", "deploy/test.lock", "deploy/pip.lock", "reflex.lock/", "docs/", "engine/settings.py")


def main() -> int:
    """Print every finding. Returns the exit code."""
    listed = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout  # noqa: S607
    files = [name for name in listed.split("\0") if name]
    with transient_settings({"plugins_used": PLUGINS}):
        found = [secret for file in files if not file.startswith(NOT_SECRET) for secret in scan_file(file)]
    for secret in found:
        print(f"{secret.filename}:{secret.line_number}: {secret.type}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

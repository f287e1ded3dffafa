"""What may a page load and run?

Scripts are ours or carry a hash of the built page; nothing is evaluated. Styles need 'unsafe-inline': the framework sets
style attributes.
"""

import base64
import hashlib
import re
from pathlib import Path

WORKER = "/offline-worker.js"
_INLINE = re.compile(rb"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)


class PagePolicy:
    """The Content-Security-Policy of pages, made from the built page when it is first asked for."""

    def __init__(self, web_dir: Path) -> None:
        self._built = web_dir / "build" / "client"
        self._made = ""

    def for_pages(self) -> str:
        """The policy of HTML."""
        if not self._made:
            hashes = sorted({_hash(code) for page in self._built.rglob("*.html") for code in _INLINE.findall(page.read_bytes())})
            scripts = " ".join(f"'sha256-{value}'" for value in hashes)
            self._made = (
                "default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'; "
                f"script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
                "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'"
            )
        return self._made

    def for_worker(self) -> str:
        """The policy of the script that runs beside the pages: it may ask us, and nobody else."""
        return "default-src 'none'; script-src 'self'; connect-src 'self'"

    def for_data(self) -> str:
        """The policy of everything else: should a browser ever show it, it can do nothing."""
        return "default-src 'none'; frame-ancestors 'none'"


def _hash(code: bytes) -> str:
    return base64.b64encode(hashlib.sha256(code).digest()).decode()

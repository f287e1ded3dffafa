"""Pages that were built once are served at any address: the socket is sought where the page came from.

The framework builds an absolute address into one file of the page, `assets/reflex-env-*.js`. A relative one throws there,
so this plugin writes one that is made from `window.location` (docs/decisions/0020).
"""

import re
from pathlib import Path
from typing import Any

from reflex.plugins import Plugin

# Stands in for the address while the page is built; no page is ever asked for there (RFC 6761).
PLACEHOLDER = "http://page-origin.invalid"
_ADDRESS = re.compile(r"""([`"'])(http|ws)://page-origin\.invalid(/[\w/-]*)\1""")
# Names for which the framework puts the page's own host, and on https drops the port: the address is right as it is.
_LOOPBACK_NAMES = re.compile(r"""\[\s*([`"'])localhost\1,\s*\1(?:0\.){3}0\1,\s*\1::\1,\s*\1(?:0:){7}0\1,?\s*\]""")


class PageOrigin(Plugin):
    """Writes the page's own origin into what was built. It runs before the files are compressed."""

    def post_build(self, **context: Any) -> None:
        """Rewrite the built files below `static_dir`. Raises RuntimeError when the framework builds them in another way than is known."""
        assets = Path(context["static_dir"]) / "assets"
        found = {file: file.read_text() for file in sorted(assets.glob("*.js"))}
        changed = {file: by_page_origin(text) for file, text in found.items()}
        addresses = sum(len(_ADDRESS.findall(text)) for text in found.values())
        lists = sum(len(_LOOPBACK_NAMES.findall(text)) for text in found.values())
        left = [file.name for file, text in changed.items() if PLACEHOLDER.partition("//")[2] in text]
        if not addresses or lists != 1 or left:
            raise RuntimeError(
                f"the built page has {addresses} addresses and {lists} lists of loopback names, and one is left in {left}: "
                "the framework writes them in another way now; aiops_ui/origin.py has to follow"
            )
        for file, text in changed.items():
            if text != found[file]:
                file.write_text(text)


def by_page_origin(script: str) -> str:
    """A built script with its addresses made from the page's own, and no host that is swapped for another."""
    script = _ADDRESS.sub(lambda match: f'{_ORIGIN[match[2]]}+"{match[3]}"', script)
    return _LOOPBACK_NAMES.sub("[]", script)


_ORIGIN = {"http": "window.location.origin", "ws": 'window.location.origin.replace(/^http/,"ws")'}

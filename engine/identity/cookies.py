"""What are our cookies called, and what does the one hold that carries a form's fault to the next page?"""

import base64
import json
from collections.abc import Mapping

# With TLS the prefix makes browsers insist on Secure, Path=/ and our host.
SESSION = {True: "__Host-aiops_session", False: "aiops_session"}
CSRF = {True: "__Host-aiops_csrf", False: "aiops_csrf"}
FLASH = "aiops_flash"


def pack(said: Mapping[str, str]) -> str:
    """Words for the next page, as a cookie can hold them."""
    return base64.urlsafe_b64encode(json.dumps(dict(said)).encode()).decode()


def unpack(text: str) -> dict[str, str]:
    """What `pack` made; empty when it is nothing of ours."""
    try:
        said = json.loads(base64.urlsafe_b64decode(text))
        return {str(key): str(value)[:500] for key, value in said.items()}
    except (ValueError, AttributeError):
        return {}

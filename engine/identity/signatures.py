"""Did the owner of a secret sign this body?

Two common forms, over the raw bytes as they came: `sha256=<hex>` or bare hex of HMAC-SHA256(secret, body), as GitHub and many
others send; and `t=<unix seconds>,v1=<hex>` of HMAC-SHA256(secret, "<t>.<body>"), as Stripe and PagerDuty's kin do, which
cannot be replayed later.
"""

import hmac
import re
from datetime import datetime

TOLERANCE_SECONDS = 300
_STAMPED = re.compile(rb"\d{1,12}\.")


def signed(secret: str, body: bytes, signature: str, now: datetime) -> bool:
    """Whether the signature is that of the body by this secret, and not too old. Takes as long for a wrong one as for a right one."""
    parts = [part.strip().partition("=") for part in signature.split(",")]
    stamp = next((value for name, _, value in parts if name == "t"), None)
    given = [value for name, _, value in parts if name in ("v1", "sha256")] or [signature.strip()]
    if stamp is None and _STAMPED.match(body):
        return False  # the signed text of the other form, sent as a body of its own
    message = body if stamp is None else stamp.encode() + b"." + body
    expected = hmac.digest(secret.encode(), message, "sha256").hex()
    matches = [hmac.compare_digest(expected.encode(), value.lower().encode()) for value in given[:5]]
    return any(matches) and (stamp is None or _is_fresh(stamp, now))


def _is_fresh(stamp: str, now: datetime) -> bool:
    return stamp.isdecimal() and len(stamp) <= 12 and abs(now.timestamp() - int(stamp)) <= TOLERANCE_SECONDS

"""Is this password good enough?"""

from collections.abc import Sequence

LEAST = 12
MOST = 256
_LOOKED_AT = 72  # zxcvbn takes no more; what is hard to guess so far does not get easier
_LEAST_SCORE = 3  # zxcvbn: 10^8 guesses and more


def fault(password: str, about: Sequence[str]) -> str | None:
    """What is wrong with a new password, as a sentence; None when it is good. `about` are words an attacker would try."""
    if len(password) < LEAST:
        return f"Use at least {LEAST} characters; a few words in a row are easy to remember."
    if len(password) > MOST:
        return f"Use at most {MOST} characters."
    from zxcvbn import zxcvbn  # its word lists take 40 ms and 20 MB: only who sets a password pays

    found = zxcvbn(password[:_LOOKED_AT], user_inputs=[word for word in about if word])
    if found["score"] >= _LEAST_SCORE:
        return None
    hint = found["feedback"]["warning"] or "It is made of common words or patterns."
    return f"This password is easy to guess. {hint.rstrip('.')}. Add a few unrelated words."

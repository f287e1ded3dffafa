"""In which few ways can the product fail?

Every error carries a sentence for a person (what happened, what to do) and is translated once, at the edge:
a problem document over REST, a toast on a page, a line on the command line.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """One fault of one field of the input."""

    field: str
    message: str


class AiopsError(Exception):
    """Root of everything raised on purpose."""

    slug = "error"
    status = 500
    title = "Something failed"


class NotSignedIn(AiopsError):
    """The caller is nobody we know: no session or token, or one that has ended."""

    slug = "not-signed-in"
    status = 401
    title = "Sign in first"


class Refused(AiopsError):
    """The caller is known and may not do this."""

    slug = "refused"
    status = 403
    title = "Not permitted"


class NotFound(AiopsError):
    """There is no such thing, or none that the caller may see: the two are never told apart."""

    slug = "not-found"
    status = 404
    title = "Not found"


class Conflict(AiopsError):
    """The thing is not in a state in which this can be done."""

    slug = "conflict"
    status = 409
    title = "Conflict"


class Stale(AiopsError):
    """The thing was changed by somebody else since the caller read it."""

    slug = "changed-meanwhile"
    status = 412
    title = "Changed meanwhile"


class Invalid(AiopsError):
    """The input is at fault; `errors` says where."""

    slug = "invalid"
    status = 422
    title = "Check the input"

    def __init__(self, message: str, errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(message)
        self.errors = errors

    @classmethod
    def field(cls, field: str, message: str) -> "Invalid":
        """A single fault of a single field."""
        return cls(message, (FieldError(field, message),))


class TooMany(AiopsError):
    """A limit of tries or requests was reached; `retry_after` is in seconds."""

    slug = "too-many"
    status = 429
    title = "Too many tries"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(AiopsError):
    """Something we need does not answer; nothing was changed. `vendor` names it."""

    slug = "unavailable"
    status = 503
    title = "Not available now"

    def __init__(self, vendor: str, message: str) -> None:
        super().__init__(message)
        self.vendor = vendor


class LostLease(AiopsError):
    """Another worker has taken over this work; nothing more may be written for it."""

    slug = "lost-lease"
    status = 409
    title = "Taken over by another worker"


class Misconfigured(AiopsError):
    """The installation cannot start or go on as it is set up; `faults` says everything that is wrong, at once."""

    slug = "misconfigured"
    status = 500
    title = "Check the settings"

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults

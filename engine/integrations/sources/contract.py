"""What is a kind of sender?

Two functions over bytes. `accept` is the first look, in the web process, while the sender waits: it only decodes. `read`
gives the alerts, in the worker. Both are pure; neither knows whose source it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from engine.errors import AiopsError
from engine.model.heard import Accepted, Delivery, Fault, Heard
from engine.model.vocabulary import Severity

CREDENTIAL = "‹credential›"


class Undecodable(AiopsError):
    """A body that its kind of sender cannot have meant: the sentence says what is wrong and what would be right."""

    slug = "not-understood"
    status = 422
    title = "Not understood"


class SourceSettings(BaseModel):
    """What can be set for a source of any kind. A form is drawn from it: titles and descriptions are for people."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    default_severity: Severity | None = Field(
        None, title="Severity of unknown words", description="for an alert whose severity is a word we do not know; none: not stated"
    )
    severities: dict[Annotated[str, Field(max_length=100)], Severity] = Field(
        default_factory=dict,
        title="Severity words",
        description="the sender's words that mean something else here than usual",
        max_length=50,
    )
    fingerprint_fields: list[Annotated[str, Field(max_length=100)]] = Field(
        default_factory=list,
        title="Fingerprint fields",
        description="labels or fields that make two alerts the same one; empty: the sender's own key, else its labels",
        max_length=20,
    )
    identity_group: Annotated[str, Field(max_length=100)] = Field(
        "", title="Identity group", description="sources with the same word are one sender, such as a high-availability pair"
    )
    refire_minutes: int = Field(
        30, ge=0, le=1440, title="Re-fire window, minutes", description="an alert that fires again within it is the same alert"
    )
    flap_changes: int = Field(4, ge=2, le=100, title="Flapping from", description="so many changes within the flap window are flapping")
    flap_minutes: int = Field(30, ge=1, le=1440, title="Flap window, minutes", description="and flapping ends after as many quiet minutes")
    stale_minutes: int = Field(
        0,
        ge=0,
        le=10080,
        title="Stale after, minutes",
        description="close a firing alert not heard of for so long, unless it says itself how long it is good for; 0: never by itself",
    )
    silent_minutes: int = Field(
        0, ge=0, le=10080, title="Silent after, minutes", description="show the sender as silent when nothing came for so long; 0: never"
    )
    per_minute: int = Field(
        60_000, ge=1, le=10_000_000, title="Limit, deliveries a minute", description="more are refused with Retry-After, and not stored"
    )

    def beat_wait(self) -> timedelta:
        """How long after a sign of life the next one is missed."""
        return timedelta(hours=5)  # a little more than Alertmanager's usual repeat_interval


@dataclass(frozen=True)
class Kind:
    """One kind of sender: the entry of its file in the table.

    `accept(body, headers)` raises Undecodable. `read(delivery, settings)` returns each alert or its fault, in the order of
    the body; an index is a place in that list. `headers` are the names (lower case; a trailing `*` for a family) that are
    kept with the body. `credential(body)` finds a credential inside the body. `answer(delivery_id, accepted)` is what the
    sender expects: status and JSON (None: an empty body; left out: 202 with our own). `resends`: it repeats what goes on,
    so silence means the end. `retries_429`: it tries again after a 429; else overload is a 503.
    """

    id: str
    title: str
    about: str
    settings: type[SourceSettings]
    accept: Callable[[bytes, Mapping[str, str]], Accepted]
    read: Callable[[Delivery, Any], list[Heard | Fault]]
    headers: tuple[str, ...] = ()
    credential: Callable[[bytes], str | None] | None = None
    answer: Callable[[UUID, Accepted], tuple[int, dict[str, Any] | None]] | None = None
    resends: bool = False
    retries_429: bool = False
    sample_type: str = "application/json"
    sample: str = "{}"  # a body to try it with; {{now}} becomes the time

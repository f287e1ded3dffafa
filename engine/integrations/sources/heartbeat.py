"""How does a job say that it lives? Any post is a sign of life; when the next one is overdue, an alert is raised."""

from collections.abc import Mapping
from datetime import timedelta

from pydantic import Field

from engine.integrations.sources.contract import Kind, SourceSettings
from engine.model.heard import Accepted, Delivery, Fault, Heard


class Settings(SourceSettings):
    """Settings of a sender of heartbeats."""

    every_minutes: int = Field(
        5,
        ge=1,
        le=10_080,
        title="Every, minutes",
        description="how often the sender posts, such as 5, or 1440 for once a day",
    )
    grace_minutes: int = Field(
        1, ge=0, le=1440, title="Grace, minutes", description="how much later than that the post may come before an alert is raised"
    )

    def beat_wait(self) -> timedelta:
        """How long after a sign of life the next one is missed."""
        return timedelta(minutes=self.every_minutes + self.grace_minutes)


def accept(body: bytes, headers: Mapping[str, str]) -> Accepted:
    """One sign of life, whatever the body is."""
    return Accepted(body, 1)


def read(delivery: Delivery, settings: Settings) -> list[Heard | Fault]:
    """The sign of life. Nothing in the body is looked at."""
    return [Heard(title="Heartbeat", firing=True, key="heartbeat", beat=True)]


KIND = Kind(
    id="heartbeat",
    title="Heartbeat",
    about="a post of anything, even of nothing, by a cron job, a backup or a script that must not fall silent",
    settings=Settings,
    accept=accept,
    read=read,
    sample="{}",
)

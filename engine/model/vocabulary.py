"""Which closed sets of words does the product know?"""

from enum import StrEnum


class Role(StrEnum):
    """What a person or token is in an organization or a team; each role can do all that the one before can."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"
    OWNER = "owner"

    @property
    def rank(self) -> int:
        """0 for the least, 3 for the most."""
        return list(Role).index(self)


class Permission(StrEnum):
    """What a role may allow. `engine/identity/permissions.py` says which role allows which."""

    PROFILE = "profile"
    VIEW = "view"
    RESPOND = "respond"
    CONFIGURE = "configure"
    MANAGE_TEAM = "manage_team"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_TOKENS = "manage_tokens"
    VIEW_AUDIT = "view_audit"
    ADMINISTER = "administer"
    INSTANCE = "instance"


class ActorKind(StrEnum):
    """Who acts."""

    USER = "user"
    TOKEN = "token"  # noqa: S105 a word, not a secret
    WORKFLOW = "workflow"
    AGENT = "agent"
    SCHEDULE = "schedule"
    SYSTEM = "system"


class Outcome(StrEnum):
    """How an audited act ended."""

    DONE = "done"
    REFUSED = "refused"


class JobState(StrEnum):
    """Where a job is in its life. `waiting` includes a time that has not come yet."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class LinkKind(StrEnum):
    """What a one-time link is for."""

    INVITATION = "invitation"
    PASSWORD = "password"  # noqa: S105 a word, not a secret


class ProcessKind(StrEnum):
    """Which of our processes reports its heartbeat."""

    WEB = "web"
    WORKER = "worker"

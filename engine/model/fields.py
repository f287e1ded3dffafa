"""Which columns come again and again?

A table that belongs to an organization begins its primary key with `org_id`, so that one tenant's rows lie together.
`Rls` says which policy of the first migration guards it; tests compare it with the database.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import PlainSerializer, SecretStr, WithJsonSchema
from sqlalchemy import DateTime, Enum, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

# A secret that an answer shows once, such as a fresh token. Everywhere else a SecretStr stays hidden.
Shown = Annotated[
    SecretStr,
    PlainSerializer(lambda secret: secret.get_secret_value(), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string"}, mode="serialization"),
]
# A length of time, which leaves as a number of seconds.
Seconds = Annotated[timedelta, PlainSerializer(lambda length: length.total_seconds(), return_type=float, when_used="json")]


class Rls(StrEnum):
    """How row-level security guards a table."""

    TEAM = "team"  # rows of app.org, of no team, one of app.teams, or any with app.all_teams
    TEAMS = "teams"  # rows of app.org that everybody or one of app.teams may see, or any with app.all_teams
    ORG = "org"  # rows of app.org
    OWN = "own"  # rows of app.org, app.user or app.email: the few that are needed before the organization is known
    INSTANCE = "instance"  # app.instance = on: the installation's own rows, no tenant's
    DIRECTORY = "directory"  # none: maps a hash or a public id to an organization, without content


def moment(**more: Any) -> Any:
    """A time in UTC."""
    return Field(sa_type=DateTime(timezone=True), **more)  # pyright: ignore[reportArgumentType]


def word(words: type[StrEnum], **more: Any) -> Any:
    """A word of a closed set, kept as text with a check constraint."""
    names = Enum(words, native_enum=False, create_constraint=False, values_callable=lambda w: [str(x) for x in w], length=32)
    return Field(sa_type=names, **more)  # pyright: ignore[reportArgumentType]


def document(**more: Any) -> Any:
    """A JSON document."""
    return Field(sa_type=JSONB, **more)


def digest(**more: Any) -> Any:
    """Bytes of a hash."""
    return Field(sa_type=LargeBinary, **more)

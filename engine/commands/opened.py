"""How does a command reach the database, whether or not the product runs?"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from uuid import UUID

import click

from engine import start
from engine.errors import Conflict, NotFound
from engine.identity.actor import Actor, Request
from engine.model.people import Organization
from engine.model.vocabulary import ActorKind, Role
from engine.settings import Settings
from engine.storage import directories, embedded, proof
from engine.storage import migrate as schema
from engine.storage.database import Database
from engine.storage.work import Tenant, work

REQUEST = Request(address="command line")
_NOBODY = UUID(int=0)


@contextmanager
def opened() -> Iterator[tuple[Settings, Database]]:
    """The settings, and the database behind an open door; the embedded one is started when it does not run."""
    found = start.settings()
    running = embedded.running(start.embedded(found), note) if found.embedded else nullcontext()
    with running:
        database = start.open_door(found, "command")
        try:
            if (at := schema.current(database.engine)) != schema.newest():
                raise Conflict(f"The schema is at {at or 'none'}, not at {schema.newest()}: run `python -m engine migrate up` first.")
            yield found, database
        finally:
            database.close()


def note(words: str) -> None:
    """A line beside the answer."""
    click.echo(words, err=True)


def system(database: Database, organization: str | None = None) -> Actor:
    """Ourselves, in the organization of that name, or in the only one. Raises NotFound, Conflict."""
    named = organizations(database)
    fitting = [(id, name) for id, name in named if organization is None or organization in (name, str(id))]
    if not fitting:
        raise NotFound("There is no such organization." if named else "There is no organization yet: run `setup` first.")
    if len(fitting) > 1:
        names = ", ".join(name for _, name in fitting)
        raise Conflict(f"Say which organization with --organization: {names}.")
    return _actor(*fitting[0])


def organizations(database: Database) -> list[tuple[UUID, str]]:
    """All organizations with their names, the oldest first."""
    with work(database, Tenant()) as open_work:
        ids = [id for id in directories.organizations(open_work) if id != proof.ORGANIZATION]
    found = []
    for id in ids:
        with work(database, Tenant(id)) as open_work:
            found.append((id, open_work.session.get_one(Organization, id).name))
    return found


def first(database: Database) -> Actor:
    """Ourselves, in the oldest organization: for what concerns the whole installation. Raises NotFound."""
    found = actors(database)
    if not found:
        raise NotFound("There is no organization yet: run `setup` first.")
    return found[0]


def actors(database: Database) -> list[Actor]:
    """Ourselves, in every organization."""
    return [_actor(id, name) for id, name in organizations(database)]


def _actor(id: UUID, name: str) -> Actor:
    return Actor(ActorKind.SYSTEM, _NOBODY, "command line", id, Role.OWNER, instance_admin=True, organization=name, request=REQUEST)

"""Commands about the schema and the record of what was done."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime

import click
from sqlalchemy import Engine

from engine import start
from engine.commands.opened import actors, note, opened
from engine.operations import audit as record
from engine.settings import Settings
from engine.storage import embedded, partitions
from engine.storage import migrate as schema


@contextmanager
def _owner() -> Iterator[tuple[Settings, Engine]]:
    found = start.settings()
    running = embedded.running(start.embedded(found), note) if found.embedded else nullcontext()
    with running:
        engine = start.owner_engine(found)
        try:
            yield found, engine
        finally:
            engine.dispose()


@click.group()
def migrate() -> None:
    """Bring the schema to this version, or back."""


@migrate.command("up")
def migrate_up() -> None:
    """Bring the schema to this version."""
    with _owner() as (found, engine):
        before, after = schema.up(engine, start.application_role(found))
        partitions.keep_up(engine, found.retention, datetime.now(UTC))
    click.echo(f"The schema was at {before or 'none'} and is at {after}.")


@migrate.command("down")
@click.argument("revision")
@click.option("--yes", is_flag=True, help="do not ask")
def migrate_down(revision: str, yes: bool) -> None:
    """Take the schema back to REVISION (`base` removes everything)."""
    if not yes:
        click.confirm(f"Take the schema back to {revision}? What later revisions hold is lost.", abort=True)
    with _owner() as (_, engine):
        schema.down(engine, revision)
    click.echo(f"The schema is at {revision}.")


@migrate.command("status")
def migrate_status() -> None:
    """Say where the schema is."""
    with _owner() as (_, engine):
        click.echo(f"The schema is at {schema.current(engine) or 'none'}; this version has {schema.newest()}.")


@click.group()
def audit() -> None:
    """The record of what was done."""


@audit.command("verify")
def audit_verify() -> None:
    """Walk the chain of every organization; name the first bad entry. Exit code 1 when there is one."""
    bad = 0
    with opened() as (_, database):
        for actor in actors(database):
            verdict = record.verify(actor)
            if verdict.intact:
                click.echo(f"✓ {actor.organization}: {verdict.checked} entries, intact")
                continue
            bad += 1
            row = f" (id {verdict.bad_id})" if verdict.bad_id else ""
            click.echo(f"✗ {actor.organization}: {verdict.fault}{row}; {verdict.checked} entries before it are intact")
    sys.exit(1 if bad else 0)

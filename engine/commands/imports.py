"""The command that takes over what people have decided in another product."""

import sys
from pathlib import Path

import click

from engine.commands.opened import opened, system
from engine.model.vocabulary import ImportKind
from engine.operations import imports


@click.command("import")
@click.argument("kind", type=click.Choice([kind.value for kind in ImportKind]))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--organization", default=None, help="its name or id, where there are several")
@click.option("--check", is_flag=True, help="only say what would be taken")
def take(kind: str, file: Path, organization: str | None, check: bool) -> None:
    """Take over routes, rules, tables, inhibitions and silences of other products, and say line by line what was taken and what not."""
    with opened() as (_, database):
        act = imports.preview if check else imports.take
        found = act(system(database, organization), ImportKind(kind), file.read_text(errors="replace"))
    for line in found.report:
        click.echo(f"{'✓' if line.taken else '✗'} {line.place}: {line.said}")
    would = "would be " if check else ""
    click.echo(f"{found.added} {would}added, {found.changed} {would}changed, {found.same} as before.")
    sys.exit(0)

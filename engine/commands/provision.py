"""The command that makes teams, sources, rules and the like as files describe them."""

import sys
from pathlib import Path

import click

from engine import start
from engine.commands.opened import actors, opened
from engine.errors import Misconfigured
from engine.identity.secrets import new_token
from engine.workflows import provisioner


@click.command()
@click.option("--check", is_flag=True, help="only say what would change; exit code 3 when something would")
@click.option("--new-secret", is_flag=True, help="print a fresh secret for a source, and do nothing else")
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=None, help="the folder (default: AIOPS_PROVISION_DIR)")
def provision(check: bool, new_secret: bool, folder: Path | None) -> None:
    """Make teams, sources, rules and the like as the YAML files of a folder describe them."""
    if new_secret:
        click.echo(new_token().text)
        return
    folder = folder or start.settings().provision_dir
    if folder is None:
        raise Misconfigured("AIOPS_PROVISION_DIR: set it to the folder of the files, or use --dir")
    with opened() as (_, database):
        changes = provisioner.provision(folder, actors(database), only_check=check)
    for change in changes:
        click.echo(("would be: " if check else "") + change)
    if not changes:
        click.echo("Everything is as described.")
    sys.exit(3 if check and changes else 0)

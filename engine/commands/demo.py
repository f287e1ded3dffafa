"""The command that plays the demonstration, or takes it away."""

import click

from engine.commands.opened import opened, system
from engine.operations import demo as operations


@click.command()
@click.option("--organization", default=None, help="its name, when there are several")
@click.option("--speed", default=1.0, show_default=True, help="1 takes four minutes, 4 takes one")
@click.option("--remove", is_flag=True, help="remove the demonstration with everything that came of it")
def demo(organization: str | None, speed: float, remove: bool) -> None:
    """Play a scripted outage of a small shop through the real webhooks; it begins as soon as the product runs."""
    with opened() as (found, database):
        actor = system(database, organization)
        if remove:
            gone = operations.remove(actor)
            click.echo(f"Removed: {gone.alerts} alerts, {gone.incidents} incidents, and the senders.")
            return
        operations.start(actor, speed)
    click.echo(f"The demonstration plays at {found.public_url}/incidents while the product runs.")

"""Commands about organizations and their first owners."""

from pathlib import Path

import click
from pydantic import SecretStr

from engine.commands.opened import REQUEST, first, opened
from engine.operations import organizations, sign_in


@click.command()
@click.option("--organization", required=True, help="name of the first organization")
@click.option("--owner", required=True, help="e-mail address of its owner")
@click.option("--name", default="", help="the owner's name (default: from the address)")
@click.option("--password-file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="file with the password")
def setup(organization: str, owner: str, name: str, password_file: Path) -> None:
    """Make the first owner and organization, without a browser."""
    password = SecretStr(password_file.read_text().strip("\r\n"))
    with opened():
        sign_in.set_up_locally(REQUEST, organization, name or owner.partition("@")[0], owner, password)
    click.echo(f"{owner} owns {organization}. Sign in, or make a token: python -m engine token create --role admin --name first")


@click.group()
def organization() -> None:
    """Further organizations."""


@organization.command("create")
@click.option("--name", required=True, help="its name")
@click.option("--owner", required=True, help="e-mail address of its first owner")
def organization_create(name: str, owner: str) -> None:
    """Make an organization and print the one-time link for its first owner."""
    with opened() as (_, database):
        made = organizations.create(first(database), name, owner)
    assert made.owner_link is not None, "the owner is somebody else"
    click.echo(made.owner_link.get_secret_value())

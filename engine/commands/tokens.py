"""Commands about API tokens."""

import re

import click

from engine.commands.opened import opened, system
from engine.model.vocabulary import Role
from engine.operations import tokens


class _Days(click.ParamType):
    name = "90d"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """`90d` as a number of days."""
        found = re.fullmatch(r"([1-9]\d{0,3})d", str(value))
        if found is None:
            self.fail("say it in days, such as 90d", param, ctx)
        return int(found[1])


@click.group()
def token() -> None:
    """API tokens for programs."""


@token.command("create")
@click.option("--role", required=True, type=click.Choice([str(role) for role in Role]), help="what it may do")
@click.option("--name", required=True, help="what it is for")
@click.option("--expires", type=_Days(), default=None, help="after how many days it ends, such as 90d (default: never)")
@click.option("--organization", default=None, help="name or id, where there are several")
def token_create(role: str, name: str, expires: int | None, organization: str | None) -> None:
    """Make a token and print it, once."""
    with opened() as (_, database):
        made = tokens.create(system(database, organization), name, Role(role), expires_in_days=expires)
    click.echo(made.secret.get_secret_value())

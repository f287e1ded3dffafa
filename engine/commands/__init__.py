"""The command line: `python -m engine …`."""

import sys

import click
from sqlalchemy.exc import SQLAlchemyError

from engine.commands import databases, demo, imports, organizations, processes, provision, tokens
from engine.errors import AiopsError, Misconfigured


@click.group(help="Remediation Engine. `make run` starts everything; settings come from AIOPS_… variables (docs/settings.md).")
def cli() -> None:
    """The group of all commands."""


for command in (
    *(processes.up, processes.dev, processes.web, processes.worker, processes.doctor, processes.settings),
    *(databases.migrate, databases.audit, provision.provision, imports.take, demo.demo),
    *(organizations.setup, organizations.organization, tokens.token),
):
    cli.add_command(command)


def main() -> None:
    """Run a command; a failure is said in words and ends with exit code 1."""
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except Misconfigured as error:
        click.echo("The settings need attention:", err=True)
        for fault in error.faults:
            click.echo(f"  ✗ {fault}", err=True)
        sys.exit(1)
    except AiopsError as error:
        click.echo(f"✗ {error}", err=True)
        sys.exit(1)
    except SQLAlchemyError as error:
        click.echo(f"✗ The database does not do it: {str(error).splitlines()[0]}", err=True)
        sys.exit(1)

"""How do files become teams and sources?

Every `*.yaml` of a folder, as one description: it is read and checked whole before anything changes, and read again every
minute, so that a changed file needs no restart.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import Misconfigured
from engine.identity.actor import Actor
from engine.operations import provisioning
from engine.operations.provisioning import SourceFile
from engine.operations.words import Name


class TeamEntry(BaseModel):
    """A team."""

    model_config = ConfigDict(extra="forbid")

    name: Name


class SourceEntry(SourceFile):
    """A source; its secret is in a file, or in a variable."""

    secret_file: Path | None = None
    secret_env: Annotated[str, Field(max_length=200)] | None = None


class Description(BaseModel):
    """One file."""

    model_config = ConfigDict(extra="forbid")

    organization: str | None = None
    teams: list[TeamEntry] = Field(default_factory=list)
    sources: list[SourceEntry] = Field(default_factory=list)


def described(folder: Path, environment: Mapping[str, str] = os.environ) -> dict[str | None, tuple[list[str], list[SourceFile]]]:
    """What the files describe, by organization. Raises Misconfigured with every fault."""
    faults: list[str] = []
    found: dict[str | None, tuple[list[str], list[SourceFile]]] = {}
    if not folder.is_dir():
        raise Misconfigured(f"AIOPS_PROVISION_DIR: {folder} is no folder")
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        try:
            file = Description.model_validate(yaml.safe_load(path.read_text()) or {})
        except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
            faults.append(f"{path.name}: cannot be read: {str(error)[:300]}")
            continue
        except ValidationError as error:
            faults += [f"{path.name}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False)]
            continue
        teams, sources = found.setdefault(file.organization, ([], []))
        teams += [team.name for team in file.teams]
        sources += [_with_secret(entry, path, environment, faults) for entry in file.sources]
    ids = [source.id for _, sources in found.values() for source in sources]
    faults += [f"source id {id} is described twice" for id in sorted({id for id in ids if ids.count(id) > 1})]
    if faults:
        raise Misconfigured(*faults)
    return found


def _with_secret(entry: SourceEntry, path: Path, environment: Mapping[str, str], faults: list[str]) -> SourceFile:
    secret: Any = entry.secret
    if entry.secret is not None:
        faults.append(f"{path.name}: source {entry.id}: a secret does not belong in this file; use secret_file or secret_env")
    elif entry.secret_file is not None:
        try:
            secret = (path.parent / entry.secret_file).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            faults.append(f"{path.name}: source {entry.id}: secret_file cannot be read ({type(error).__name__})")
    elif entry.secret_env is not None:
        secret = environment.get(entry.secret_env)
        if secret is None:
            faults.append(f"{path.name}: source {entry.id}: the variable {entry.secret_env} is not set")
    said = entry.model_dump(exclude={"secret", "secret_file", "secret_env"})
    return SourceFile.model_validate(said | {"secret": secret})


def provision(folder: Path, actors: list[Actor], *, only_check: bool) -> list[str]:
    """Make everything as the files describe it, and say what changed; or only say what would. Raises what cannot be.

    Also where no file describes anything any more: what was described there before goes.
    """
    wanted: dict[UUID, tuple[list[str], list[SourceFile]]] = {actor.org_id: ([], []) for actor in actors}
    for organization, (teams, sources) in described(folder).items():
        mine = wanted[_actor(actors, organization).org_id]  # named, or the only one: the same organization
        mine[0].extend(teams)
        mine[1].extend(sources)
    planned = [(actor, provisioning.check(actor, *wanted[actor.org_id]).changes) for actor in actors]  # all before any changes
    if not only_check:
        planned = [(actor, provisioning.apply(actor, *wanted[actor.org_id]).changes) for actor, changes in planned if changes]
    return [change for _, changes in planned for change in changes]


def _actor(actors: list[Actor], organization: str | None) -> Actor:
    fitting = [actor for actor in actors if organization in (None, actor.organization)]
    if len(fitting) != 1:
        names = ", ".join(actor.organization for actor in actors)
        raise Misconfigured(f"provisioning: say for which organization with `organization:`; there is {names or 'none yet'}")
    return fitting[0]

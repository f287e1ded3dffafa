"""How do files become teams, sources, rules and the like?

Every `*.yaml` of a folder, as one description: it is read and checked whole before anything changes, and read again every
minute, so that a changed file needs no restart.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import Misconfigured
from engine.identity.actor import Actor
from engine.model.vocabulary import DefinitionKind
from engine.operations import provisioning
from engine.operations.definitions import Kind
from engine.operations.provisioning import DefinitionFile, SourceFile
from engine.operations.words import Name


class TeamEntry(BaseModel):
    """A team."""

    model_config = ConfigDict(extra="forbid")

    name: Name


class SourceEntry(SourceFile):
    """A source; its secret is in a file, or in a variable."""

    secret_file: Path | None = None
    secret_env: Annotated[str, Field(max_length=200)] | None = None


class DefinitionEntry(BaseModel):
    """A rule, extraction, table or inhibition: a team, and beside it what the model of its kind knows, which is checked later."""

    model_config = ConfigDict(extra="allow")

    team: Name | None = None


class Description(BaseModel):
    """One file."""

    model_config = ConfigDict(extra="forbid")

    organization: str | None = None
    teams: list[TeamEntry] = Field(default_factory=list)
    sources: list[SourceEntry] = Field(default_factory=list)
    rules: list[DefinitionEntry] = Field(default_factory=list)
    extractions: list[DefinitionEntry] = Field(default_factory=list)
    mappings: list[DefinitionEntry] = Field(default_factory=list)
    inhibitions: list[DefinitionEntry] = Field(default_factory=list)

    def definitions(self, name: str) -> list[DefinitionFile]:
        """Every definition with its place in the file of that name."""
        parts: dict[Kind, list[DefinitionEntry]] = {
            DefinitionKind.RULE: self.rules,
            DefinitionKind.EXTRACTION: self.extractions,
            DefinitionKind.MAPPING: self.mappings,
            DefinitionKind.INHIBITION: self.inhibitions,
        }
        return [
            DefinitionFile(kind=kind, place=f"{name}: {kind}s.{number}", team=entry.team, spec=entry.model_extra or {})
            for kind, entries in parts.items()
            for number, entry in enumerate(entries)
        ]


@dataclass(frozen=True)
class Wanted:
    """What files describe for one organization."""

    teams: list[str] = field(default_factory=list)
    sources: list[SourceFile] = field(default_factory=list)
    definitions: list[DefinitionFile] = field(default_factory=list)

    def add(self, other: "Wanted") -> None:
        """Have what another one describes as well, after it."""
        self.teams.extend(other.teams)
        self.sources.extend(other.sources)
        self.definitions.extend(other.definitions)


def described(folder: Path, environment: Mapping[str, str] = os.environ) -> list[tuple[str | None, Wanted]]:
    """What each file describes, and of which organization. Raises Misconfigured with every fault."""
    faults: list[str] = []
    found: list[tuple[str | None, Wanted]] = []
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
        sources = [_with_secret(entry, path, environment, faults) for entry in file.sources]
        found.append((file.organization, Wanted([team.name for team in file.teams], sources, file.definitions(path.name))))
    ids = [source.id for _, wanted in found for source in wanted.sources]
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
    wanted: dict[UUID, Wanted] = {actor.org_id: Wanted() for actor in actors}
    for organization, found in described(folder):
        wanted[_actor(actors, organization).org_id].add(found)  # named, or the only one: the same organization
    asked = {id: (each.teams, each.sources, tuple(each.definitions)) for id, each in wanted.items()}
    planned = [(actor, provisioning.check(actor, *asked[actor.org_id]).changes) for actor in actors]  # all before any changes
    if not only_check:
        planned = [(actor, provisioning.apply(actor, *asked[actor.org_id]).changes) for actor, changes in planned if changes]
    return [change for _, changes in planned for change in changes]


def _actor(actors: list[Actor], organization: str | None) -> Actor:
    fitting = [actor for actor in actors if organization in (None, actor.organization)]
    if len(fitting) != 1:
        names = ", ".join(actor.organization for actor in actors)
        raise Misconfigured(f"provisioning: say for which organization with `organization:`; there is {names or 'none yet'}")
    return fitting[0]

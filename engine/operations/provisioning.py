"""Which teams, sources, rules and the like do files describe, and what must change so that it is so?"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from engine.errors import AiopsError, Conflict, FieldError, Invalid
from engine.identity import secrets
from engine.model.definitions import Definition
from engine.model.ids import new_id
from engine.model.people import Team
from engine.model.sources import Source
from engine.model.vocabulary import DefinitionKind, Permission, SourceAuth
from engine.operations import defining
from engine.operations.definitions import Kind
from engine.operations.door import Context, operation, runtime
from engine.operations.sources import Header, Networks
from engine.operations.words import Name
from engine.storage import definitions as defined
from engine.storage import people
from engine.storage import sources as stored

PublicId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{3,39}$", description="the part of the address that names the source")]


class SourceFile(BaseModel):
    """A source as a file describes it. `secret` comes from a file or a variable that it names."""

    model_config = ConfigDict(extra="forbid")

    id: PublicId
    name: Name
    kind: str
    team: Name | None = None
    auth: SourceAuth = SourceAuth.SECRET
    signature_header: Header = "X-Signature"
    networks: Networks = Field(default_factory=list)
    settings: dict[str, Any] = Field(default_factory=dict)
    paused: bool = False
    secret: SecretStr | None = None


class DefinitionFile(BaseModel):
    """A rule, extraction, table or inhibition as a file describes it; `place` is where it stands there."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    place: str
    team: Name | None = None
    spec: dict[str, Any] = Field(exclude=True)  # the audit log says what changed; a table in it each time would be too much


@dataclass(frozen=True)
class Provisioned:
    """What was changed, or would be, a sentence each."""

    changes: tuple[str, ...]


Teams = Annotated[list[Name], Field(max_length=1000)]
Sources = Annotated[list[SourceFile], Field(max_length=1000)]
Definitions = Annotated[tuple[DefinitionFile, ...], Field(max_length=2000)]
_Wanted = dict[tuple[DefinitionKind, str], DefinitionFile]  # by kind and name, in the order of the files


@operation("provisioning.check", Permission.ADMINISTER, reads=True)
def check(ctx: Context, teams: Teams, sources: Sources, definitions: Definitions = ()) -> Provisioned:
    """Say what `apply` would change."""
    with ctx.work.session.begin_nested() as tried:
        changes = _changes(ctx, teams, sources, definitions)
        tried.rollback()
    return Provisioned(changes)


@operation("provisioning.apply", Permission.ADMINISTER)
def apply(ctx: Context, teams: Teams, sources: Sources, definitions: Definitions = ()) -> Provisioned:
    """Make everything as files describe it; what was described and is no more is deleted, except teams. Safe to repeat."""
    changes = _changes(ctx, teams, sources, definitions)
    ctx.note("provisioning", changes=list(changes[:50]))
    ctx.work.touch("source")
    ctx.work.touch("people")
    return Provisioned(changes)


def _changes(ctx: Context, teams: list[str], sources: list[SourceFile], definitions: Iterable[DefinitionFile]) -> tuple[str, ...]:
    said = [f"team “{name}” added" for name in teams if _add_team(ctx, name)]
    faults: list[FieldError] = []
    for file in sources:
        try:
            said += _source(ctx, file)
        except AiopsError as error:
            faults.append(FieldError(f"source {file.id}", str(error).removeprefix(f"source {file.id}: ")))
    said += _define(ctx, definitions, faults)
    if faults:
        raise Invalid("; ".join(f"{fault.field}: {fault.message}" for fault in faults), tuple(faults))
    wanted = {file.id for file in sources}
    for gone in stored.provisioned(ctx.work):
        if gone.public_id not in wanted:
            gone.deleted_at, gone.team_id = ctx.work.now, None
            stored.unregister(ctx.work, gone.id)
            said.append(f"source “{gone.name}” deleted")
    return tuple(said)


def _add_team(ctx: Context, name: str) -> bool:
    if people.team_named(ctx.work, name):
        return False
    ctx.work.session.add(Team(org_id=ctx.actor.org_id, id=new_id(ctx.work.now), name=name, created_at=ctx.work.now))
    ctx.work.session.flush()
    return True


def _team(ctx: Context, name: str | None) -> UUID | None:
    team = people.team_named(ctx.work, name) if name else None
    if name and team is None:
        raise Invalid.field("team", f"there is no team “{name}”; list it under `teams`.")
    return team.id if team else None


def _source(ctx: Context, file: SourceFile) -> list[str]:
    team_id = _team(ctx, file.team)
    if file.auth is SourceAuth.ADDRESS and not file.networks:
        raise Invalid.field("networks", f"source {file.id}: one that is known by its address needs networks.")
    if file.auth is not SourceAuth.ADDRESS and file.secret is None:
        raise Invalid.field("secret", f"source {file.id}: name a secret_file or a secret_env.")
    source = _existing(ctx, file)
    is_new = source is None
    if source is None:
        source = _made(ctx, file)
    wanted = {
        "name": file.name,
        "team_id": team_id,
        "networks": file.networks,
        "settings": stored.checked(file.kind, file.settings),
        "signature_header": file.signature_header,
        "paused": file.paused,
    }
    changed = [name for name, value in wanted.items() if getattr(source, name) != value]
    for name in changed:
        setattr(source, name, wanted[name])
    source.version += bool(changed)
    ctx.work.session.add(source)
    ctx.work.session.flush()
    if _secret(ctx, source, file):
        changed.append("secret")
    if is_new:
        return [f"source “{file.name}” added"]
    return [f"source “{file.name}”: {', '.join(changed)} changed"] if changed else []


def _existing(ctx: Context, file: SourceFile) -> Source | None:
    place = stored.directory(ctx.work, file.id)
    if place is None:
        return None
    source = stored.one(ctx.work, place[1], lock=True) if place[0] == ctx.actor.org_id else None
    if source is None or not source.provisioned:
        raise Conflict(f"source {file.id}: this id is taken by a source that no file describes; choose another id.")
    if (source.kind, source.auth) != (file.kind, file.auth):
        raise Conflict(f"source {file.id}: kind and auth cannot be changed; give it another id.")
    return source


def _made(ctx: Context, file: SourceFile) -> Source:
    source = Source(
        org_id=ctx.actor.org_id,
        id=new_id(ctx.work.now),
        public_id=file.id,
        kind=file.kind,
        name=file.name,
        auth=file.auth,
        signature_header=file.signature_header,
        networks=file.networks,
        paused=file.paused,
        provisioned=True,
        created_by="provisioning",
        created_at=ctx.work.now,
        settings=stored.checked(file.kind, file.settings),
    )
    if (same := stored.named(ctx.work, file.name)) is not None:
        raise Conflict(f"source {file.id}: there is a source called “{same.name}” already.")
    stored.add(ctx.work, source)
    return source


def _secret(ctx: Context, source: Source, file: SourceFile) -> bool:
    """Make the described secret the valid one. Returns whether it was not."""
    if file.secret is None:
        return False
    token = secrets.parse_token(file.secret.get_secret_value())
    if token is None:
        raise Invalid.field("secret", f"source {file.id}: the secret must be one that `python -m engine provision --new-secret` prints.")
    live = stored.credentials(ctx.work, [source.id]).get(source.id, [])
    if any(each.public_id == token.public_id for each in live):
        return False
    for old in live:
        old.expires_at = ctx.work.now
        ctx.work.session.add(old)
    stored.unregister(ctx.work, source.id, [token.public_id, *(old.public_id for old in live)])
    stored.add_credential(ctx.work, source, token, runtime().vault)
    return True


def _define(ctx: Context, files: Iterable[DefinitionFile], faults: list[FieldError]) -> list[str]:
    """Have rules and the like as files describe them. What cannot be is added to the faults."""
    wanted = _wanted(files, faults)
    kinds = [kind for kind in DefinitionKind if kind is not defining.SILENCE]
    there = {(row.kind, row.name.lower()): row for kind in kinds for row in defined.all_of(ctx.work, kind)}
    by_file = Context(replace(ctx.actor, name="provisioning"), ctx.work)  # the author of every version
    said: list[str] = []
    for key, row in there.items():  # before others are added, as there may be only so many
        if row.provisioned and key not in wanted:
            defining.remove(by_file, row)
            said.append(f"{row.kind} “{row.name}” deleted")
    for key, file in wanted.items():
        try:
            said += _definition(by_file, file, there.get(key))
        except AiopsError as error:
            faults += _placed(file, error)
    return said + _put_in_order(ctx, wanted)


def _wanted(files: Iterable[DefinitionFile], faults: list[FieldError]) -> _Wanted:
    found: _Wanted = {}
    for file in files:
        try:
            spec = defining.checked(file.kind, file.spec)
        except Invalid as error:
            faults += _placed(file, error)
            continue
        key = (file.kind, str(spec["name"]).lower())
        if key in found:
            faults.append(FieldError(f"{file.place}.name", f"{file.kind} “{spec['name']}” is described twice, also in {found[key].place}"))
        found[key] = file.model_copy(update={"spec": spec})
    return found


def _placed(file: DefinitionFile, error: AiopsError) -> list[FieldError]:
    """The faults of a definition, each with its place in the files."""
    if not isinstance(error, Invalid):
        return [FieldError(file.place, str(error))]
    return [FieldError(f"{file.place}.{each.field}".removesuffix(".spec"), each.message) for each in error.errors]


def _definition(by_file: Context, file: DefinitionFile, row: Definition | None) -> list[str]:
    team_id, name = _team(by_file, file.team), file.spec["name"]
    if row is None:
        defining.add(by_file, file.kind, file.spec, team_id).provisioned = True
        return [f"{file.kind} “{name}” added"]
    if not row.provisioned:
        raise Conflict(f"There is one called “{row.name}” already that no file describes; choose another name, or delete that one.")
    changed = sorted(part for part in row.spec.keys() | file.spec.keys() if row.spec.get(part) != file.spec.get(part))
    if row.team_id != team_id:
        changed.append("team")
    if not changed:
        return []
    row.team_id = team_id
    defining.rewrite(by_file, row, file.spec, "changed in a file")
    return [f"{file.kind} “{name}”: {', '.join(changed)} changed"]


def _put_in_order(ctx: Context, wanted: _Wanted) -> list[str]:
    """Rules of files are asked first, in the order of the files; those of people after them, in the order in which they were."""
    rules = defined.all_of(ctx.work, DefinitionKind.RULE)
    places = {key: place for place, key in enumerate(wanted)}
    ordered = sorted(rules, key=lambda row: places.get((row.kind, row.name.lower()), len(places)) if row.provisioned else len(places))
    if [row.id for row in ordered] == [row.id for row in rules]:
        return []
    defining.put_in_order(ctx, ordered)
    return ["rules put in the order of the files"]

"""Which teams and sources do files describe, and what must change so that it is so?"""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from engine.errors import AiopsError, Conflict, FieldError, Invalid
from engine.identity import secrets
from engine.model.ids import new_id
from engine.model.people import Team
from engine.model.sources import Source
from engine.model.vocabulary import Permission, SourceAuth
from engine.operations.door import Context, operation, runtime
from engine.operations.sources import Header, Networks
from engine.operations.words import Name
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


@dataclass(frozen=True)
class Provisioned:
    """What was changed, or would be, a sentence each."""

    changes: tuple[str, ...]


Teams = Annotated[list[Name], Field(max_length=1000)]
Sources = Annotated[list[SourceFile], Field(max_length=1000)]


@operation(Permission.ADMINISTER, reads=True)
def check(ctx: Context, teams: Teams, sources: Sources) -> Provisioned:
    """Say what `apply` would change."""
    with ctx.work.session.begin_nested() as tried:
        changes = _changes(ctx, teams, sources)
        tried.rollback()
    return Provisioned(changes)


@operation(Permission.ADMINISTER)
def apply(ctx: Context, teams: Teams, sources: Sources) -> Provisioned:
    """Make teams and sources as files describe them; a source that was described and is no more is deleted. Safe to repeat."""
    changes = _changes(ctx, teams, sources)
    ctx.note("provisioning", changes=list(changes[:50]))
    ctx.work.touch("source")
    ctx.work.touch("people")
    return Provisioned(changes)


def _changes(ctx: Context, teams: list[str], sources: list[SourceFile]) -> tuple[str, ...]:
    said = [f"team “{name}” added" for name in teams if _add_team(ctx, name)]
    faults: list[FieldError] = []
    for file in sources:
        try:
            said += _source(ctx, file)
        except AiopsError as error:
            faults.append(FieldError(f"source {file.id}", str(error).removeprefix(f"source {file.id}: ")))
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


def _source(ctx: Context, file: SourceFile) -> list[str]:
    team = people.team_named(ctx.work, file.team) if file.team else None
    if file.team and team is None:
        raise Invalid.field("team", f"source {file.id}: there is no team “{file.team}”; list it under `teams`.")
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
        "team_id": team.id if team else None,
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

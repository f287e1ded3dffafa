"""Who sends alerts to us, and how do they prove themselves?"""

from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

from engine.errors import Conflict, Invalid, NotFound, Stale
from engine.identity import secrets
from engine.integrations.sources import KINDS
from engine.integrations.sources.contract import SourceSettings
from engine.model.ids import new_id
from engine.model.sources import CredentialView, KindView, NewSource, Source, SourceCredential, SourceView
from engine.model.views import Page, Paging
from engine.model.vocabulary import Permission, SourceAuth
from engine.operations.door import Context, operation, runtime
from engine.operations.words import Name, Words
from engine.storage import people
from engine.storage import sources as stored

_MOST_VALID = 2


def _network(said: str) -> str:
    try:
        return str(ip_network(said.strip(), strict=False))
    except ValueError:
        raise PydanticCustomError("network", "This is no address or network, such as 10.0.0.0/8.") from None


Network = Annotated[str, Field(max_length=50), AfterValidator(_network)]
Networks = Annotated[list[Network], Field(max_length=50)]
Header = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,60}$", description="header that carries the signature")]
Overlap = Annotated[int, Field(ge=0, le=720, description="hours for which the credential before stays valid")]


@operation("sources.kinds", Permission.VIEW, reads=True)
def kinds(ctx: Context) -> tuple[KindView, ...]:
    """List the kinds of senders that can be added, each with the schema of its settings."""
    return tuple(KindView(k.id, k.title, k.about, _schema(k.settings), k.sample) for k in KINDS)


@operation("sources.all", Permission.VIEW, reads=True)
def all(ctx: Context, kind: Words = "", page: Paging = Paging()) -> Page[SourceView]:
    """List the sources that this actor may see."""
    found, part = stored.listed(ctx.work, kind, page)
    credentials = stored.credentials(ctx.work, [source.id for source in found])
    views = tuple(_view(ctx, source, credentials.get(source.id, [])) for source in found)
    return Page(views, part.next_cursor, part.total, part.total_is_capped)


@operation("sources.show", Permission.VIEW, reads=True)
def show(ctx: Context, source_id: UUID) -> SourceView:
    """Show one source."""
    return _shown(ctx, _source(ctx, source_id))


@operation("sources.create", Permission.CONFIGURE, team="team_id")
def create(
    ctx: Context,
    kind: Words,
    name: Name,
    team_id: UUID | None = None,
    settings: dict[str, Any] | None = None,
    auth: SourceAuth = SourceAuth.SECRET,
    signature_header: Header = "X-Signature",
    networks: Networks | None = None,
) -> NewSource:
    """Add a source; its secret is shown once. With auth `address` it is known by its network alone: a risk, for closed networks."""
    kept = stored.checked(kind, settings or {})
    _require_proof(auth, networks or [])
    _require_free(ctx, name)
    if team_id and people.team(ctx.work, team_id) is None:
        raise NotFound("There is no such team.")
    source = Source(
        org_id=ctx.actor.org_id,
        id=new_id(ctx.work.now),
        team_id=team_id,
        public_id=secrets.new_token().public_id,
        kind=kind,
        name=name,
        settings=kept,
        auth=auth,
        signature_header=signature_header,
        networks=networks or [],
        created_by=ctx.actor.name,
        created_at=ctx.work.now,
    )
    stored.add(ctx.work, source)
    secret = None if auth is SourceAuth.ADDRESS else _new_credential(ctx, source)
    ctx.note(name, kind=kind)
    ctx.work.touch("source", source.id, team_id)
    return NewSource(_shown(ctx, source), secret)


@operation("sources.change", Permission.CONFIGURE, thing=True)
def change(
    ctx: Context,
    source_id: UUID,
    name: Name | None = None,
    settings: dict[str, Any] | None = None,
    networks: Networks | None = None,
    version: int | None = None,
) -> SourceView:
    """Change a source's name, settings or networks; what is left out stays. Raises Conflict when files describe it."""
    source = _mine(ctx, source_id)
    if version is not None and version != source.version:
        raise Stale("This source was changed meanwhile. Load it again and repeat your change.")
    if name is not None and name.lower() != source.name.lower():
        _require_free(ctx, name)
    if networks is not None:
        _require_proof(source.auth, networks)
        source.networks = networks
    source.name = name or source.name
    source.settings = source.settings if settings is None else stored.checked(source.kind, settings)
    return _saved(ctx, source)


@operation("sources.pause", Permission.CONFIGURE, thing=True)
def pause(ctx: Context, source_id: UUID, paused: bool = True) -> SourceView:
    """Refuse what a source sends, until it is resumed with `paused` false."""
    source = _mine(ctx, source_id)
    source.paused = paused
    ctx.note(source.name, paused=paused)
    return _saved(ctx, source)


@operation("sources.rotate", Permission.CONFIGURE, thing=True)
def rotate(ctx: Context, source_id: UUID, overlap_hours: Overlap = 24) -> NewSource:
    """Give a source a new secret, shown once; the one before stays valid for some hours. Two are valid at once, not more."""
    source = _mine(ctx, source_id)
    if source.auth is SourceAuth.ADDRESS:
        raise Conflict("This source is known by its address: it has no secret to rotate.")
    live = stored.credentials(ctx.work, [source.id]).get(source.id, [])
    ends_at = ctx.work.now + timedelta(hours=overlap_hours)
    for place, old in enumerate(live):
        is_kept = place < _MOST_VALID - 1 and overlap_hours > 0
        old.expires_at = min(old.expires_at or ends_at, ends_at) if is_kept else ctx.work.now
        ctx.work.session.add(old)
    secret = _new_credential(ctx, source)
    ctx.note(source.name)
    _saved(ctx, source)
    return NewSource(_shown(ctx, source), secret)


@operation("sources.delete", Permission.CONFIGURE, thing=True)
def delete(ctx: Context, source_id: UUID) -> None:
    """Delete a source: nothing is taken from it any more. Its alerts stay."""
    source = _mine(ctx, source_id)
    source.deleted_at, source.team_id = ctx.work.now, None  # its team may go too
    stored.unregister(ctx.work, source.id)
    ctx.note(source.name)
    _saved(ctx, source)


def _schema(settings: type[SourceSettings]) -> dict[str, Any]:
    """The schema with every default in it, also those that are made anew for each source."""
    schema, defaults = settings.model_json_schema(), settings.model_validate({}).model_dump(mode="json")
    for name, part in schema["properties"].items():
        part.setdefault("default", defaults[name])
    return schema


def _source(ctx: Context, source_id: UUID, *, lock: bool = False) -> Source:
    if (source := stored.one(ctx.work, source_id, lock=lock)) is None:
        raise NotFound("There is no such source.")
    return source


def _mine(ctx: Context, source_id: UUID) -> Source:
    """A source that the actor may configure and no file describes, locked."""
    source = _source(ctx, source_id, lock=True)
    ctx.require(Permission.CONFIGURE, source.team_id)
    if source.provisioned:
        raise Conflict(f"“{source.name}” is described by a file in AIOPS_PROVISION_DIR; change it there.")
    return source


def _saved(ctx: Context, source: Source) -> SourceView:
    source.version += 1
    ctx.work.session.add(source)
    ctx.note(source.name)
    ctx.work.touch("source", source.id, source.team_id)
    return _shown(ctx, source)


def _require_proof(auth: SourceAuth, networks: list[str]) -> None:
    if auth is SourceAuth.ADDRESS and not networks:
        raise Invalid.field("networks", "A source that is known by its address alone needs a network, such as 10.1.2.0/24.")


def _require_free(ctx: Context, name: str) -> None:
    if stored.named(ctx.work, name) is not None:
        raise Conflict(f"There is a source called “{name}” already. Choose another name.")


def _new_credential(ctx: Context, source: Source) -> SecretStr:
    token = secrets.new_token()
    stored.add_credential(ctx.work, source, token, runtime().vault)
    return SecretStr(token.text)


def _shown(ctx: Context, source: Source) -> SourceView:
    ctx.work.session.flush()
    return _view(ctx, source, stored.credentials(ctx.work, [source.id]).get(source.id, []))


def _view(ctx: Context, source: Source, credentials: list[SourceCredential]) -> SourceView:
    return SourceView(
        id=source.id,
        public_id=source.public_id,
        url=f"{runtime().public_url}/webhook/{source.kind}/{source.public_id}",
        kind=source.kind,
        name=source.name,
        team_id=source.team_id,
        settings=source.settings,
        auth=source.auth,
        signature_header=source.signature_header,
        networks=tuple(source.networks),
        paused=source.paused,
        silent=stored.is_silent(source, ctx.work.now),
        provisioned=source.provisioned,
        demo=source.demo,
        credentials=tuple(CredentialView(c.id, f"aio_{c.public_id}_…", c.created_at, c.expires_at) for c in credentials),
        deliveries=source.deliveries,
        alerts=source.alerts,
        rejected=source.rejected,
        quarantined=source.quarantined,
        failures=source.failures,
        last_seen_at=source.last_seen_at,
        last_failure_at=source.last_failure_at,
        last_failure=source.last_failure,
        created_by=source.created_by,
        created_at=source.created_at,
        version=source.version,
    )

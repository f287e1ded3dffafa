"""Which sources are there, and what do the senders need to know of each?"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import delete, select, text
from sqlmodel import col

from engine.errors import FieldError, Invalid
from engine.identity import secrets
from engine.identity.secrets import Token
from engine.integrations.sources import KINDS
from engine.integrations.sources.contract import Kind, SourceSettings
from engine.model.heard import Policy
from engine.model.ids import new_id
from engine.model.sources import Source, SourceCredential, SourceDirectory
from engine.model.views import Page, Paging
from engine.model.vocabulary import Severity, SourceAuth
from engine.storage import rows
from engine.storage.paging import Order, read
from engine.storage.vault import Vault
from engine.storage.work import Work

_MOST_BY_ADDRESS = 200


@dataclass(frozen=True)
class Sender:
    """A source as the pipeline needs it. `dropped`: one of a demonstration that is removed; what it still had on its way is nothing."""

    id: UUID
    name: str
    kind: str
    settings: SourceSettings
    policy: Policy
    dropped: bool


@dataclass(frozen=True)
class Found:
    """A source as a request needs it: with the credentials that are valid now."""

    source: Source
    credentials: tuple[SourceCredential, ...]
    settings: SourceSettings


def sender(source: Source) -> Sender:
    """A source's settings as the stages understand them."""
    kind = KINDS[source.kind]
    settings = settings_of(source)
    dropped = source.demo and source.deleted_at is not None
    return Sender(source.id, source.name, source.kind, settings, policy(source.id, source.team_id, kind, settings, source.name), dropped)


def settings_of(source: Source) -> SourceSettings:
    """The settings of a source. What an older version kept, and this one does not know, is left out."""
    schema = KINDS[source.kind].settings
    return schema.model_validate({name: value for name, value in source.settings.items() if name in schema.model_fields})


def is_silent(source: Source, now: datetime) -> bool:
    """Whether nothing has come for longer than its settings allow."""
    after = timedelta(minutes=settings_of(source).silent_minutes)
    return bool(after) and not source.paused and now - (source.last_seen_at or source.created_at) > after


def checked(kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as the kind's schema has them. Raises Invalid with each fault."""
    try:
        found: SourceSettings = KINDS[kind].settings.model_validate(dict(settings))
    except ValidationError as error:
        faults = tuple(FieldError(".".join(["settings", *map(str, e["loc"])]), e["msg"]) for e in error.errors(include_input=False))
        raise Invalid(f"{faults[0].field}: {faults[0].message}", faults) from None
    return found.model_dump(mode="json", exclude_defaults=True)


def policy(source_id: UUID, team_id: UUID | None, kind: Kind, settings: SourceSettings, name: str = "") -> Policy:
    """What settings mean to the stages."""
    return Policy(
        source_id=source_id,
        team_id=team_id,
        scope=settings.identity_group.encode() or source_id.bytes,
        source=name,
        kind=kind.id,
        default_severity=settings.default_severity,
        severities={word.lower(): Severity(severity) for word, severity in settings.severities.items()},
        fingerprint_fields=tuple(settings.fingerprint_fields),
        refire=settings.refire_minutes * 60.0,
        flap_changes=settings.flap_changes,
        flap=settings.flap_minutes * 60.0,
        stale=settings.stale_minutes * 60.0,
        resends=kind.resends,
    )


def senders(work: Work, ids: Collection[UUID]) -> dict[UUID, Sender]:
    """Sources by id; also those that are deleted, for what they had sent before."""
    query = select(Source).where(Source.org_id == work.org_id, Source.id.in_(ids))
    return {row.id: sender(row) for row in work.session.execute(query).scalars()}


def directory(work: Work, public_id: str) -> tuple[UUID, UUID] | None:
    """The organization and the source of a public id. Needs no tenant."""
    row = work.session.get(SourceDirectory, public_id)
    return None if row is None else (row.org_id, row.source_id)


def by_address(work: Work, kind: str) -> list[tuple[UUID, UUID]]:
    """Organization and id of the sources of a kind that are known by their address. Needs no tenant."""
    begins = address_id(kind, None)
    query = select(SourceDirectory).where(col(SourceDirectory.public_id).startswith(begins, autoescape=True))
    return [(row.org_id, row.source_id) for row in work.session.execute(query.limit(_MOST_BY_ADDRESS)).scalars()]


def address_id(kind: str, source_id: UUID | None) -> str:
    """Under what a source that is known by its address is in the directory."""
    return f"address:{kind}:{source_id or ''}"


def add(work: Work, source: Source) -> None:
    """Keep a new source, and let it be found by its public id, or by its address."""
    work.session.add(source)
    work.session.flush()
    _register(work, source.public_id, source.id)
    if source.auth is SourceAuth.ADDRESS:
        _register(work, address_id(source.kind, source.id), source.id)


def add_credential(work: Work, source: Source, token: Token, vault: Vault) -> None:
    """Let a source prove itself by a token: kept as a digest, or sealed where its secret signs."""
    is_signature = source.auth is SourceAuth.SIGNATURE
    row = SourceCredential(
        org_id=source.org_id,
        id=new_id(work.now),
        team_id=source.team_id,
        source_id=source.id,
        public_id=token.public_id,
        secret_hash=None if is_signature else secrets.digest(token.secret),
        sealed=vault.seal(token.text) if is_signature else None,
        created_at=work.now,
    )
    work.session.add(row)
    _register(work, token.public_id, source.id)


def _register(work: Work, public_id: str, source_id: UUID) -> None:
    work.session.add(SourceDirectory(public_id=public_id, org_id=work.org_id, source_id=source_id))


def unregister(work: Work, source_id: UUID, public_ids: Collection[str] | None = None) -> None:
    """Let a source, or some credentials of it, be found no more."""
    gone = delete(SourceDirectory).where(SourceDirectory.org_id == work.org_id, SourceDirectory.source_id == source_id)
    if public_ids is not None:
        gone = gone.where(col(SourceDirectory.public_id).in_(public_ids))
    work.session.execute(gone)


def found(work: Work, source_id: UUID) -> Found | None:
    """A source that was not deleted, with its valid credentials."""
    source = one(work, source_id)
    if source is None:
        return None
    return Found(source, tuple(credentials(work, [source_id]).get(source_id, ())), settings_of(source))


def one(work: Work, source_id: UUID, *, lock: bool = False) -> Source | None:
    """A source that was not deleted."""
    query = select(Source).where(Source.org_id == work.org_id, Source.id == source_id, col(Source.deleted_at).is_(None))
    return work.session.execute(query.with_for_update() if lock else query).scalar_one_or_none()


def named(work: Work, name: str) -> Source | None:
    """The source of that name, whatever its case."""
    query = select(Source).where(Source.org_id == work.org_id, col(Source.deleted_at).is_(None))
    return work.session.execute(query.where(text("lower(name) = lower(:name)").bindparams(name=name))).scalar_one_or_none()


def of_team(work: Work, team_id: UUID) -> list[str]:
    """The names of a team's sources, some of them."""
    query = select(Source.name).where(Source.org_id == work.org_id, Source.team_id == team_id, col(Source.deleted_at).is_(None))
    return list(work.session.execute(query.order_by(Source.name).limit(20)).scalars())


def credentials(work: Work, source_ids: Collection[UUID]) -> dict[UUID, list[SourceCredential]]:
    """The credentials of sources that have not ended, the newest first."""
    mine = SourceCredential.org_id == work.org_id, SourceCredential.source_id.in_(source_ids)
    live = col(SourceCredential.expires_at).is_(None) | (col(SourceCredential.expires_at) > work.now)
    by_source: dict[UUID, list[SourceCredential]] = {}
    for row in work.session.execute(select(SourceCredential).where(*mine, live).order_by(col(SourceCredential.id).desc())).scalars():
        by_source.setdefault(row.source_id, []).append(row)
    return by_source


def listed(work: Work, kind: str, paging: Paging) -> tuple[list[Source], Page[Any]]:
    """Sources that were not deleted, the oldest first."""
    query = select(Source).where(Source.org_id == work.org_id, col(Source.deleted_at).is_(None))
    if kind:
        query = query.where(Source.kind == kind)
    found, page = read(work.session, query, Order((Source.id,)), paging)
    return [row[0] for row in found], page


def provisioned(work: Work) -> list[Source]:
    """Sources that files describe."""
    query = select(Source).where(Source.org_id == work.org_id, col(Source.deleted_at).is_(None), Source.provisioned.is_(True))
    return list(work.session.execute(query).scalars())


def beat(work: Work, beats: Mapping[UUID, tuple[datetime, timedelta]]) -> None:
    """Note signs of life, and until when the next one is waited for."""
    values = {
        "org": work.org_id,
        "ids": list(beats),
        "at": [at for at, _ in beats.values()],
        "due": [at + wait for at, wait in beats.values()],
    }
    rows.run(work, _BEAT, values)


_BEAT = """
UPDATE source s SET beat_at = greatest(s.beat_at, b.at), beat_due_at = greatest(s.beat_due_at, b.due)
FROM unnest(%(ids)s::uuid[], %(at)s::timestamptz[], %(due)s::timestamptz[]) AS b (id, at, due) WHERE s.org_id = %(org)s AND s.id = b.id
"""


def overdue(work: Work, now: datetime, limit: int = 100) -> list[Sender]:
    """Sources whose next sign of life is overdue; each is told once for each silence."""
    values = {"org": work.org_id, "now": now, "limit": limit}
    ids = [row[0] for row in rows.fetch(work, _OVERDUE, values)]
    return list(senders(work, ids).values()) if ids else []


_OVERDUE = """
UPDATE source SET beat_due_at = NULL WHERE org_id = %(org)s AND id IN (
    SELECT id FROM source WHERE org_id = %(org)s AND beat_due_at <= %(now)s AND NOT paused AND deleted_at IS NULL LIMIT %(limit)s)
RETURNING id
"""


def fail(work: Work, source_id: UUID, reason: str, rejected: int) -> None:
    """Note that a delivery of a source was refused as it could not be understood."""
    rows.run(work, _FAIL, {"org": work.org_id, "id": source_id, "reason": reason[:500], "rejected": rejected})


_FAIL = """
UPDATE source SET failures = failures + 1, rejected = rejected + %(rejected)s, last_failure = %(reason)s, last_failure_at = now()
WHERE org_id = %(org)s AND id = %(id)s
"""


def names(work: Work, ids: Iterable[UUID]) -> dict[UUID, str]:
    """The names of sources, deleted ones too."""
    query = select(Source.id, Source.name).where(Source.org_id == work.org_id, Source.id.in_(set(ids)))
    return {id: name for id, name in work.session.execute(query)}

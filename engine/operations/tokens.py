"""Which programs may come in?"""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field, SecretStr

from engine.errors import NotFound, Refused
from engine.identity import secrets
from engine.model.ids import new_id
from engine.model.tokens import ApiToken, NewToken, TokenView
from engine.model.views import Bulk, Failed, Page, Paging
from engine.model.vocabulary import ActorKind, Permission, Role
from engine.operations.door import Context, operation
from engine.operations.words import Ids, Name
from engine.storage import people
from engine.storage import tokens as stored

Days = Annotated[int, Field(ge=1, le=3650, description="days until it expires; leave out for a token without an end")]


@operation("tokens.all", Permission.MANAGE_TOKENS, reads=True)
def all(ctx: Context, page: Paging = Paging()) -> Page[TokenView]:
    """List the organization's API tokens, without their secrets."""
    return stored.live(ctx.work, page)


@operation("tokens.create", Permission.MANAGE_TOKENS)
def create(
    ctx: Context,
    name: Name,
    role: Role,
    scopes: list[Permission] | None = None,
    team_id: UUID | None = None,
    expires_in_days: Days | None = None,
) -> NewToken:
    """Make an API token; its secret is shown once. `scopes` cut it down to some permissions, `team_id` to one team."""
    if ctx.actor.role is None or role.rank > ctx.actor.role.rank:
        raise Refused("A token cannot have a higher role than your own.")
    if ctx.actor.scopes is not None and not (scopes and ctx.actor.scopes.issuperset(scopes)):
        raise Refused("A token that is cut down cannot make one that is less so: name scopes that it has itself.")
    if team_id and people.team(ctx.work, team_id) is None:
        raise NotFound("There is no such team.")
    token, id, now = secrets.new_token(), new_id(ctx.work.now), ctx.work.now
    expires_at: datetime | None = now + timedelta(days=expires_in_days) if expires_in_days else None
    _require_shorter_life(ctx, expires_at)
    row = ApiToken(
        org_id=ctx.actor.org_id,
        id=id,
        team_id=team_id,
        name=name,
        public_id=token.public_id,
        role=role,
        scopes=sorted({str(scope) for scope in scopes or []}),
        created_by=ctx.actor.name,
        created_at=now,
        expires_at=expires_at,
    )
    ctx.work.session.add(row)
    stored.register(ctx.work, token, id, expires_at)
    ctx.note(name)
    ctx.work.touch("token", id)
    return NewToken(id, name, role, SecretStr(token.text), expires_at)


@operation("tokens.revoke", Permission.MANAGE_TOKENS)
def revoke(ctx: Context, ids: Ids) -> Bulk:
    """Revoke API tokens; a program that uses one is refused from its next request on."""
    revoked = tuple(id for id in dict.fromkeys(ids) if stored.revoke(ctx.work, id))
    for id in revoked:
        ctx.work.touch("token", id)
    failed = tuple(Failed(id, "There is no such token, or it was revoked.") for id in dict.fromkeys(ids) if id not in revoked)
    return Bulk(revoked, failed)


def _require_shorter_life(ctx: Context, expires_at: datetime | None) -> None:
    """A token that ends makes none that lives longer."""
    mine = stored.one(ctx.work, ctx.actor.id) if ctx.actor.kind is ActorKind.TOKEN else None
    if mine is not None and mine.expires_at is not None and (expires_at is None or expires_at > mine.expires_at):
        raise Refused("A token cannot make one that outlives it; give the new one an earlier end.")

"""Where am I signed in?"""

from uuid import UUID

from pydantic import SecretStr

from engine.errors import NotFound, NotSignedIn
from engine.identity import secrets
from engine.model.ids import new_id
from engine.model.sessions import SessionView, SignedIn
from engine.model.views import Bulk, Failed, Page, Paging
from engine.model.vocabulary import Permission
from engine.operations.door import Context, operation, runtime
from engine.operations.words import Ids
from engine.storage import people
from engine.storage import sessions as stored
from engine.storage.sessions import Opening


@operation("sessions.mine", Permission.PROFILE, reads=True)
def mine(ctx: Context, page: Paging = Paging()) -> Page[SessionView]:
    """List my live sessions in this organization."""
    return stored.mine(ctx.work, ctx.actor.id, ctx.actor.session_id, page)


@operation("sessions.end", Permission.PROFILE)
def end(ctx: Context, ids: Ids) -> Bulk:
    """End some of my sessions; a page that is open in one is signed out at once."""
    ended = stored.end(ctx.work, ctx.actor.id, ids)
    failed = tuple(Failed(id, "You have no such session, or it has ended.") for id in ids if id not in ended)
    return Bulk(tuple(ended), failed)


@operation("sessions.end_everywhere", Permission.PROFILE)
def end_everywhere(ctx: Context) -> int:
    """End all my sessions in every organization, this one too. Answers with how many there were."""
    return len(stored.end(ctx.work, ctx.actor.id, stored.of_user(ctx.work, ctx.actor.id, all_organizations=True)))


@operation("sessions.sign_out", Permission.PROFILE)
def sign_out(ctx: Context) -> None:
    """End this session."""
    if ctx.actor.session_id is None:
        raise NotSignedIn("There is no session to end.")
    stored.end(ctx.work, ctx.actor.id, [ctx.actor.session_id])


@operation("sessions.switch", Permission.PROFILE)
def switch(ctx: Context, organization_id: UUID) -> SignedIn:
    """Go on in another organization of mine: this session ends there, a new one begins here. Raises NotFound."""
    chosen = next((o for o in people.organizations_of(ctx.work, ctx.actor.id) if o.id == organization_id), None)
    if chosen is None or ctx.actor.session_id is None:
        raise NotFound("You are not a member of that organization.")
    ctx.note(chosen.name)
    stored.end(ctx.work, ctx.actor.id, [ctx.actor.session_id])
    secret, session_id = secrets.new_secret(), new_id(ctx.work.now)
    opening = Opening(secret, session_id, ctx.actor.id, ctx.actor.request.address, ctx.actor.request.agent)
    with ctx.in_organization(chosen.id):
        ends = stored.open_session(ctx.work, opening, runtime().life)
    return SignedIn(SecretStr(secret), session_id, ctx.actor.id, chosen.id, ends)

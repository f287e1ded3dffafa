"""Which organizations does this installation hold?"""

from dataclasses import dataclass
from uuid import UUID

from engine.errors import Invalid
from engine.model.fields import Shown
from engine.model.ids import new_id
from engine.model.people import Membership, Organization, OrganizationView
from engine.model.vocabulary import ActorKind, LinkKind, Permission, Role
from engine.operations.door import Context, operation, runtime
from engine.operations.words import Email, Name
from engine.storage import directories, links


@dataclass(frozen=True)
class NewOrganization:
    """A fresh organization, and the one-time link for its first owner where that is somebody else."""

    id: UUID
    name: str
    owner_link: Shown | None


@operation("organizations.create", Permission.INSTANCE)
def create(ctx: Context, name: Name, owner: Email | None = None) -> NewOrganization:
    """Make a further organization. Its first owner is who makes it, or gets a one-time link by `owner`."""
    id, link = new_id(ctx.work.now), None
    if owner is None and ctx.actor.kind is not ActorKind.USER:
        raise Invalid.field("owner", "Name the e-mail address of the first owner.")
    with ctx.in_organization(id):
        ctx.work.session.add(Organization(id=id, name=name, created_at=ctx.work.now))
        ctx.work.session.flush()
        directories.enter(ctx.work)
        if owner is None:
            ctx.work.session.add(Membership(org_id=id, user_id=ctx.actor.id, role=Role.OWNER, created_at=ctx.work.now))
        else:
            wanted = links.Offer(LinkKind.INVITATION, owner, Role.OWNER, None, ctx.actor.name)
            link = links.offer(ctx.work, wanted, runtime().public_url).url
    ctx.note(name)
    return NewOrganization(id, name, link)


@operation("organizations.rename", Permission.ADMINISTER)
def rename(ctx: Context, name: Name) -> OrganizationView:
    """Give this organization another name."""
    organization = ctx.work.session.get_one(Organization, ctx.actor.org_id)
    ctx.note(name, before=organization.name)
    organization.name = name
    ctx.work.session.add(organization)
    ctx.work.touch("people", organization.id)
    assert ctx.actor.role is not None, "who administers has a role"
    return OrganizationView(organization.id, name, ctx.actor.role)

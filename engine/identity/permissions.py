"""Which role may do what?

One table for the organization, one for a team. Nothing else in the product decides by role.
"""

from engine.model.vocabulary import Permission, Role

# The least role in the organization that allows it. INSTANCE is no role's: it belongs to instance administrators.
IN_ORGANIZATION = {
    Permission.PROFILE: Role.VIEWER,
    Permission.VIEW: Role.VIEWER,
    Permission.RESPOND: Role.OPERATOR,
    Permission.CONFIGURE: Role.ADMIN,
    Permission.MANAGE_TEAM: Role.ADMIN,
    Permission.MANAGE_PEOPLE: Role.ADMIN,
    Permission.MANAGE_TOKENS: Role.ADMIN,
    Permission.VIEW_AUDIT: Role.ADMIN,
    Permission.ADMINISTER: Role.OWNER,
}
# The least role in a team that allows it on things of that team. What is not here, no team role allows.
IN_TEAM = {
    Permission.VIEW: Role.VIEWER,
    Permission.RESPOND: Role.OPERATOR,
    Permission.CONFIGURE: Role.ADMIN,
    Permission.MANAGE_TEAM: Role.OWNER,
}
# From this role on in the organization, a person sees and manages every team.
SEES_ALL_TEAMS = Role.ADMIN


def in_organization(role: Role | None, permission: Permission) -> bool:
    """Whether a role in the organization allows it there."""
    least = IN_ORGANIZATION.get(permission)
    return role is not None and least is not None and role.rank >= least.rank


def of(role: Role) -> frozenset[Permission]:
    """What a role allows in the organization, beyond the own profile."""
    return frozenset(p for p, least in IN_ORGANIZATION.items() if role.rank >= least.rank and p is not Permission.PROFILE)


def in_team(role: Role | None, permission: Permission) -> bool:
    """Whether a role in a team allows it on things of that team."""
    least = IN_TEAM.get(permission)
    return role is not None and least is not None and role.rank >= least.rank

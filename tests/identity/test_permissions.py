"""Who may do what? The whole matrix, written out."""

from uuid import UUID

import pytest

from engine.identity.actor import Actor, Request
from engine.identity.permissions import IN_ORGANIZATION, IN_TEAM
from engine.model.vocabulary import ActorKind, Permission, Role

pytestmark = pytest.mark.fast
MINE, FOREIGN = UUID(int=1), UUID(int=2)
VIEWER, OPERATOR, ADMIN, OWNER = Role
NOBODY: set[Role | None] = set()

# For each permission: the roles in the organization that have it on a thing of the whole organization, the roles in a
# team that add it on things of that team (for somebody who is a viewer in the organization), and why.
MATRIX = {
    Permission.PROFILE: ({VIEWER, OPERATOR, ADMIN, OWNER}, {VIEWER, OPERATOR, ADMIN, OWNER}, "the own account is everybody's"),
    Permission.VIEW: ({VIEWER, OPERATOR, ADMIN, OWNER}, {VIEWER, OPERATOR, ADMIN, OWNER}, "who is in, looks"),
    Permission.RESPOND: ({OPERATOR, ADMIN, OWNER}, {OPERATOR, ADMIN, OWNER}, "who is on call, acts"),
    Permission.CONFIGURE: ({ADMIN, OWNER}, {ADMIN, OWNER}, "who may break the alerting of others"),
    Permission.MANAGE_TEAM: ({ADMIN, OWNER}, {OWNER}, "an owner of a team manages its members"),
    Permission.MANAGE_PEOPLE: ({ADMIN, OWNER}, NOBODY, "a team takes nobody into the organization"),
    Permission.MANAGE_TOKENS: ({ADMIN, OWNER}, NOBODY, "a token outlives its maker"),
    Permission.VIEW_AUDIT: ({ADMIN, OWNER}, NOBODY, "the log is of the whole organization"),
    Permission.ADMINISTER: ({OWNER}, NOBODY, "the organization itself"),
    Permission.INSTANCE: (NOBODY, NOBODY, "of no role, but of the installation's administrators"),
}


def actor(role: Role | None, team_role: Role | None = None, **more: object) -> Actor:
    """A person with that role in the organization and, perhaps, in the team MINE."""
    teams = {MINE: team_role} if team_role else {}
    what = {"kind": ActorKind.USER, "id": UUID(int=9), "name": "Ada", "org_id": UUID(int=8), **more}
    return Actor(role=role, teams=teams, **what)  # pyright: ignore


def test_the_matrix_names_every_permission() -> None:
    assert set(MATRIX) == set(Permission)
    assert set(IN_ORGANIZATION) == set(Permission) - {Permission.INSTANCE}
    assert set(IN_TEAM) <= set(Permission)


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("role", [*Role, None])
def test_a_role_in_the_organization_allows_what_the_matrix_says(role: Role | None, permission: Permission) -> None:
    allowed, _, why = MATRIX[permission]
    assert actor(role).may(permission) is (role in allowed), why


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("team_role", Role)
def test_a_role_in_a_team_allows_what_the_matrix_says_and_only_there(team_role: Role, permission: Permission) -> None:
    of_viewer, of_team, why = MATRIX[permission]
    member = actor(VIEWER, team_role)
    assert member.may(permission, MINE) is (VIEWER in of_viewer or team_role in of_team), why
    assert member.may(permission) is (VIEWER in of_viewer), "a role in a team is none in the organization"
    assert not member.may(permission, FOREIGN), "another team's things are not there"


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("role", [*Role, None])
def test_a_thing_of_a_foreign_team_is_only_for_who_sees_all_teams(role: Role | None, permission: Permission) -> None:
    allowed = MATRIX[permission][0] & {ADMIN, OWNER}
    assert actor(role).may(permission, FOREIGN) is (role in allowed)


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("role", Role)
def test_a_lower_role_in_a_team_takes_nothing_away(role: Role, permission: Permission) -> None:
    assert actor(role, VIEWER).may(permission, MINE) >= actor(role).may(permission)


@pytest.mark.parametrize("permission", Permission)
def test_a_higher_role_can_do_all_that_the_one_before_can(permission: Permission) -> None:
    for lower, higher in zip(list(Role), list(Role)[1:], strict=False):
        assert actor(higher).may(permission) >= actor(lower).may(permission)
        assert actor(VIEWER, higher).may(permission, MINE) >= actor(VIEWER, lower).may(permission, MINE)


@pytest.mark.parametrize("team", [None, MINE, FOREIGN])
def test_the_installation_belongs_to_its_administrators_and_to_no_role(team: UUID | None) -> None:
    assert actor(VIEWER, instance_admin=True).may(Permission.INSTANCE, team)
    assert not actor(OWNER, OWNER).may(Permission.INSTANCE, team)


def test_an_administrator_of_the_installation_may_nothing_more_in_an_organization() -> None:
    assert not actor(VIEWER, instance_admin=True).may(Permission.RESPOND)


@pytest.mark.parametrize("kind", ActorKind)
def test_only_a_person_has_a_profile(kind: ActorKind) -> None:
    assert actor(OWNER, kind=kind).may(Permission.PROFILE) is (kind is ActorKind.USER)


@pytest.mark.parametrize("permission", Permission)
def test_scopes_cut_a_token_down_and_add_nothing(permission: Permission) -> None:
    for role in Role:
        scoped = actor(role, kind=ActorKind.TOKEN, scopes=frozenset({permission}))
        for other in Permission:
            free = actor(role, kind=ActorKind.TOKEN).may(other)
            assert scoped.may(other) is (free and other is permission)


def test_a_token_with_empty_scopes_may_nothing() -> None:
    """Empty in the database means uncut, and becomes None; an empty set here is the strict reading."""
    nothing = actor(OWNER, kind=ActorKind.TOKEN, scopes=frozenset(), instance_admin=True)
    assert not any(nothing.may(permission) for permission in Permission)


@pytest.mark.parametrize("role", [*Role, None])
def test_from_admin_on_every_team_is_seen(role: Role | None) -> None:
    assert actor(role).sees_all_teams is (role in {ADMIN, OWNER})


def test_an_actor_in_another_request_is_the_same_but_for_the_request() -> None:
    one, other = actor(OWNER), Request("t", "::1", "curl", "key")
    assert one.on(other).request == other
    assert one.on(other).on(Request()) == one

"""May each caller do what the permission table says, on what is theirs, another team's, another organization's? (scenario S1)

Nothing here says who may do what: the expected answer is worked out from the operation's permission and `actor.may`.
A new route needs a line of what to send, in `sent`; a route that asks no permission shows, because it answers where it must refuse.
"""

from dataclasses import dataclass
from uuid import UUID

import pytest
from pydantic import SecretStr

from engine.api import build_api
from engine.identity.actor import Actor
from engine.model.vocabulary import Permission, Role
from engine.operations import jobs, people, sessions, sign_in, teams, tokens
from engine.operations.door import OPERATIONS
from engine.serving import Web
from engine.settings import load
from tests.api.clients import Client, Server
from tests.api.sent import BY_HAND, QUERIES, Made, Place, Way, body_of, ways
from tests.testkit.database import TestDatabase
from tests.testkit.people import HERE, Company, enter, found_company

# Open to everybody, and why. Whatever is not here asks for a permission.
PUBLIC = {
    "POST /api/v1/sessions": "opens a session: the password is asked, and tries are counted",
    "POST /auth/sign-in": "the same as a form",
    "POST /auth/set-up": "asks for the set-up link",
    "POST /auth/join": "asks for a one-time link",
    "POST /auth/sign-out": "asks for session and double submit itself; see test_cross_site",
    "POST /auth/switch": "asks for session and double submit itself; see test_cross_site",
    "GET /api/v2/alerts": "asks for an API token itself, by the same door; see test_alertmanager_api",
    "GET /api/v2/silences": "the same; see test_alertmanager_silences",
    "POST /api/v2/silences": "the same",
    "GET /api/v2/silence/{silence_id}": "the same",
    "DELETE /api/v2/silence/{silence_id}": "the same",
    "GET /api/v2/status": "the same",
    "GET /api/v2/receivers": "the same",
    "GET /health": "for load balancers and people: no names; see test_health",
    "GET /health/live": "for supervisors",
    "GET /health/ready": "for load balancers",
    "GET /metrics": "asks for this machine or a token itself; see test_health",
    "GET /api/docs": "the contract for people",
    "GET /api/openapi.json": "the contract for machines",
}
API = build_api(load({"AIOPS_DATA_DIR": "/nonexistent"}), "0")
GUARDED = [way for way in ways(API) if way.key not in PUBLIC]


@dataclass
class Walker:
    """Somebody who goes through all routes, in a fresh session wherever one may end it."""

    title: str
    person: Actor | None = None
    token: str = ""
    _ready: tuple[Server, Client, Actor | None] | None = None

    def ready(self, server: Server, way: Way) -> tuple[Client, Actor | None]:
        """How to ask, and who that is."""
        if way.operation.name.startswith(("sessions.", "profile.")):
            self._ready = None
            return self._anew(server)
        if self._ready is None or self._ready[0] is not server:
            self._ready = (server, *self._anew(server))
        return self._ready[1:]

    def _anew(self, server: Server) -> tuple[Client, Actor | None]:
        if self.token:
            return server.bearer(self.token), sign_in.by_token(HERE, SecretStr(self.token))
        if self.person is None:
            return server.anybody(), None
        secret = enter(self.person)
        return server.holder(secret), sign_in.by_session(HERE, SecretStr(secret))


@dataclass(frozen=True)
class World:
    """Two organizations, and those of the first who walk."""

    mine: Company
    other: Company
    walkers: list[Walker]

    def places(self, way: Way) -> list[Place]:
        """Where a route can be tried: on own things, those of team red and of team blue, and those of the other organization."""
        if "{" not in way.path:
            return [Place(self.mine.owner, False, None)]
        in_path = {part[1:-1] for part in way.path.split("/") if part.startswith("{")}
        teams = [None, self.mine.red.id, self.mine.blue.id] if in_path & (OF_A_TEAM | {"team_id"}) else [None]
        if way.name == "teams.delete":
            teams = [None]
        here = [Place(self.mine.owner, False, team) for team in teams]
        return [*here, Place(self.other.owner, True, self.other.red.id if len(teams) > 1 else None)]


@pytest.fixture(scope="module")
def world(shared: TestDatabase, scratch: object) -> World:
    """Made once: each walk makes what it needs beside it."""
    shared.open_door(scratch)  # type: ignore[arg-type]
    mine, other = found_company(shared.database, "Walked"), found_company(shared.database, "Quiet-Neighbour")

    def program(role: Role, **more: object) -> str:
        return tokens.create(mine.owner, "program", role, **more).secret.get_secret_value()  # type: ignore[arg-type]

    walkers = [Walker("anonymous"), *(Walker(str(role), person) for role, person in mine.people.items())]
    walkers += [Walker("owner of team red", mine.red.people[Role.OWNER]), Walker("operator of team red", mine.red.people[Role.OPERATOR])]
    walkers += [
        Walker("admin's program", token=program(Role.ADMIN)),
        Walker("team red's program", token=program(Role.OWNER, team_id=mine.red.id)),
    ]
    walkers += [Walker("cut-down program", token=program(Role.OWNER, scopes=[Permission.VIEW]))]
    return World(mine, other, walkers)


def expected(way: Way, actor: Actor | None, place: Place, made: Made) -> int:
    """The status that the permission table asks for."""
    if actor is None:
        return 401
    permission = way.operation.permission
    if way.operation.thing:
        return _expected_of_a_thing(way, actor, place)
    team_id = made.get("team_id") if way.operation.team else None
    if not actor.may(permission, team_id):
        return 403 if team_id is None or actor.may(Permission.VIEW, team_id) else 404
    is_anothers = "view_id" in made and actor.id != place.owner.id
    if place.is_foreign or is_anothers or not actor.may(Permission.VIEW, _whose(place, made)):
        return 404
    return SPECIAL.get(way.operation.name, way.status)


def _expected_of_a_thing(way: Way, actor: Actor, place: Place) -> int:
    """What belongs to a team is asked for twice: whether the actor may do it anywhere, and whether on this thing."""
    permission = way.operation.permission
    if not any(actor.may(permission, team_id) for team_id in (None, *actor.teams)):
        return 403
    if "{" not in way.path:
        return way.status
    if place.is_foreign or not actor.may(Permission.VIEW, place.team_id):
        return 404
    if not actor.may(permission, place.team_id):
        return 403
    return SPECIAL.get(way.operation.name, way.status)


# Sent what `sent` says, these refuse for another reason, which shows that they were let in.
SPECIAL = {"incidents.reopen": 409, "incidents.merge": 404, "demo.start": 422, "rules.try_out": 404}
OF_A_TEAM = {"definition_id", "silence_id", "job_id", "source_id", "entry_id", "alert_id", "incident_id", "number"}


def _whose(place: Place, made: Made) -> UUID | None:
    """Whose a thing is. Teams and their members are known to the whole organization; what belongs to one is not."""
    return place.team_id if OF_A_TEAM & set(made) else None


def differences(server: Server, world: World, way: Way) -> list[str]:
    """Where a route answers otherwise than the permission table says, or tells something of the other organization."""
    found = []
    for place in world.places(way):
        made: Made | None = None
        for walker in world.walkers:
            made = place.made(way) if made is None else made
            client, actor = walker.ready(server, way)
            path = way.path.format(**made) + QUERIES.get(way.operation.name, "")
            body = body_of(way, made)
            answer = client(way.method, path, **({} if body is None else {"json": body}))
            wanted = expected(way, actor, place, made)
            where = f"{walker.title}: {way.key} ({'foreign' if place.is_foreign else place.team_id})"
            if answer.status_code != wanted:
                found.append(f"{where} is {answer.status_code}, not {wanted}: {answer.text[:200]}")
            asked = {str(id) for id in made.values()}
            found += [f"{where} tells {word}" for word in _words(world.other) - asked if word in answer.text]
            if answer.status_code < 300 and way.method != "GET":
                made = None  # what was changed may be gone
    return found


def _words(company: Company) -> set[str]:
    """What nobody outside a company may ever read."""
    everybody = [*company.people.values(), *company.red.people.values(), *company.blue.people.values()]
    ids = {str(company.id), str(company.red.id), str(company.blue.id), *(str(p.id) for p in everybody)}
    return ids | {company.name} | {p.email for p in everybody} | {str(p.session_id) for p in everybody}


def test_every_way_in_is_public_for_a_reason_or_carries_out_an_operation() -> None:
    every = {way.key: way for way in ways(API)}
    assert set(PUBLIC) <= set(every), "what is gone is taken off the list"
    assert [way.key for way in GUARDED if BY_HAND.get(way.name, way.name) not in OPERATIONS] == []
    assert {way.operation.name for way in GUARDED} | {
        "sessions.switch",
        "provisioning.check",
        "provisioning.apply",
        "demo.prepare",
        "rules.dry_run",
    } == set(OPERATIONS)


@pytest.mark.parametrize("way", GUARDED, ids=lambda way: way.key)
def test_a_route_answers_as_the_permission_table_says(server: Server, world: World, way: Way) -> None:
    assert differences(server, world, way) == []


def test_nothing_of_the_other_organization_was_changed(world: World, database: object) -> None:
    owner = world.other.owner
    assert {t.name for t in teams.all(owner).items if not t.name.startswith("team ")} == {world.other.red.name, world.other.blue.name}
    assert {job.state for job in jobs.newest(owner).items} <= {"waiting"}
    assert sessions.mine(owner).total == 1
    staff = [world.other.people[role] for role in Role]
    assert [people.member(owner, person.id).role for person in staff] == list(Role)


def test_a_route_that_asks_no_permission_is_found(server: Server, world: World) -> None:
    web = Web(server.settings)

    @web.api.get("/api/v1/leak", name="teams.all")
    def leak() -> dict[str, str]:
        return {"data": world.other.name}

    @web.api.get("/api/v1/unnamed")
    def unnamed() -> dict[str, str]:
        return {}

    rogue = Server(server.settings, web.guard(web.api))
    added = {way.path: way for way in ways(web.api) if way.key not in PUBLIC and way not in GUARDED}
    found = differences(rogue, world, added["/api/v1/leak"])
    assert any("anonymous" in line and "is 200, not 401" in line for line in found)
    assert any("cut-down program" not in line and "tells Quiet-Neighbour" in line for line in found)
    assert added["/api/v1/unnamed"].name not in OPERATIONS

"""May each caller do what the permission table says, on what is theirs, another team's, another organization's? (scenario S1)

Nothing here says who may do what: the expected answer is worked out from the operation's permission and `actor.may`.
A new route needs a line of what to send; a route that asks no permission shows, because it answers where it must refuse.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from engine.api import build_api
from engine.identity.actor import Actor
from engine.model.heard import Delivery
from engine.model.vocabulary import ListPage, Permission, Role
from engine.operations import definitions, jobs, people, saved_views, sessions, sign_in, silences, teams, tokens
from engine.operations.door import OPERATIONS, Operation, runtime, tenant_of
from engine.settings import load
from engine.start import Web
from engine.storage import quarantine, sources
from engine.storage.jobs import Errand, enqueue
from engine.storage.work import work
from tests import delivering
from tests.api.clients import Client, Server
from tests.conftest import TestDatabase
from tests.factories import HERE, PASSWORD, Company, SecretStr, enter, found_company, hire

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
# Routes written by hand that carry out an operation.
BY_HAND = {"close_session": "sessions.sign_out"}

Made = dict[str, UUID]


@dataclass(frozen=True)
class Way:
    """One route: how it is asked, and which operation is behind it."""

    method: str
    path: str
    name: str
    status: int

    @property
    def key(self) -> str:
        """How the tables name it."""
        return f"{self.method} {self.path}"

    @property
    def operation(self) -> Operation[..., object]:
        """The operation behind it."""
        return OPERATIONS[BY_HAND.get(self.name, self.name)]


def ways(api: FastAPI) -> Iterator[Way]:
    """Every way into an application."""
    for route in iter_route_contexts(api.routes):
        for method in (route.methods or set()) - {"HEAD"}:
            yield Way(method, route.path or "", route.name or "", getattr(route, "status_code", None) or 200)


API = build_api(load({"AIOPS_DATA_DIR": "/nonexistent"}), "0")
GUARDED = [way for way in ways(API) if way.key not in PUBLIC]


@dataclass(frozen=True)
class Place:
    """Objects of an organization to act on. `team_id`: whose they are, None when they are the whole organization's."""

    owner: Actor
    is_foreign: bool
    team_id: UUID | None

    def made(self, way: Way) -> Made:
        """Fresh objects for the parts of a path, so that each request finds what the one before may have removed."""
        made: Made = {}
        if "{team_id}" in way.path:
            made["team_id"] = self.team_id or self._team()
        fresh: dict[str, Callable[[], UUID]] = {
            "user_id": lambda: hire(self.owner, Role.VIEWER, made.get("team_id")).id,
            "link_id": lambda: people.invite(self.owner, f"{uuid4().hex}@example.com", Role.VIEWER).id,
            "job_id": self._job,
            "source_id": lambda: delivering.source(self.owner, self.team_id).id,
            "view_id": lambda: saved_views.save(self.owner, ListPage.ALERTS, f"view {uuid4().hex}").id,
            "entry_id": self._quarantined,
            "definition_id": lambda: definitions.create(self.owner, DEFINED[way.path.split("/")[3]], spec_of(way.path), self.team_id).id,
            "rule_id": lambda: definitions.create(self.owner, "rule", spec_of("/api/v1/rules")).id,
            "silence_id": lambda: silences.create(self.owner, spec_of("/api/v1/silences"), self.team_id).id,
        }
        made |= {name: make() for name, make in fresh.items() if f"{{{name}}}" in way.path}
        if {"{alert_id}", "{incident_id}", "{number}"} & set(way.path.split("/")):
            made["alert_id"], made["incident_id"], number = delivering.alert(self.owner, self.team_id)
            made["number"] = 1_999_999 if self.is_foreign else number  # pyright: ignore[reportArgumentType]
        return made

    def _quarantined(self) -> UUID:
        source_id = delivering.source(self.owner, self.team_id).id
        with work(runtime().database, tenant_of(self.owner)) as open_work:
            source = sources.one(open_work, source_id)
            return quarantine.add(open_work, source, Delivery(b"{", {}, open_work.now), "half a body")

    def _team(self) -> UUID:
        return teams.create(self.owner, f"team {uuid4().hex}").id

    def _job(self) -> UUID:
        with work(runtime().database, tenant_of(self.owner)) as open_work:
            return enqueue(open_work, Errand("probe", {}, team_id=self.team_id))


# What is defined, by the part of the path that names it.
DEFINED = {"rules": "rule", "extractions": "extraction", "mappings": "mapping", "inhibitions": "inhibition"}
MATCHER = {"name": "service", "value": "payment"}
WRITTEN: dict[str, dict[str, object]] = {
    "rules": {"when": {"field": "service", "value": "payment"}, "then": {"severity": "info"}},
    "extractions": {"field": "title", "pattern": "on (?P<host>.*)"},
    "mappings": {"match_on": ["service"], "columns": ["service", "tier"], "rows": [["payment", "1"]]},
    "inhibitions": {"sources": [MATCHER], "targets": [{"name": "severity", "value": "info"}]},
    "silences": {"matchers": [MATCHER], "starts": "2026-01-01T00:00:00", "ends": "2126-01-01T00:00:00", "comment": "quiet"},
}


def spec_of(path: str) -> dict[str, object]:
    """Something to define there, of a name of its own."""
    part = path.split("/")[3]
    return WRITTEN[part] | ({} if part == "silences" else {"name": uuid4().hex})


# What each route is sent beside its path; a route that takes nothing needs no line.
BODIES: dict[str, Callable[[Made], dict[str, object]]] = {
    "profile.change": lambda made: {"time_zone": "Europe/Berlin"},
    "profile.change_password": lambda made: {"current": PASSWORD, "password": PASSWORD},
    "sessions.end": lambda made: {"ids": [str(uuid4())]},
    "organizations.rename": lambda made: {"name": "Walked"},
    "organizations.create": lambda made: {"name": "Mine", "owner": f"{uuid4().hex}@example.com"},
    "people.change_role": lambda made: {"role": "viewer"},
    "people.invite": lambda made: {"email": f"{uuid4().hex}@example.com", "role": "viewer"},
    "teams.create": lambda made: {"name": f"team {uuid4().hex}"},
    "teams.rename": lambda made: {"name": f"team {uuid4().hex}"},
    "teams.set_member": lambda made: {"role": "viewer"},
    "tokens.create": lambda made: {"name": "program", "role": "viewer"},
    "tokens.revoke": lambda made: {"ids": [str(uuid4())]},
    "sources.create": lambda made: {"kind": "heartbeat", "name": uuid4().hex},
    "sources.change": lambda made: {"name": uuid4().hex},
    "sources.pause": lambda made: {"paused": True},
    "sources.rotate": lambda made: {"overlap_hours": 1},
    "intake.try_out": lambda made: {"kind": "generic", "body": '{"title": "Disk full"}'},
    "quarantine.replay": lambda made: {"ids": [str(uuid4())]},
    "quarantine.replay_all": lambda made: {"source_id": str(uuid4())},
    "quarantine.discard": lambda made: {"ids": [str(uuid4())]},
    "alerts.those": lambda made: {"ids": [str(uuid4())]},
    "alerts.acknowledge": lambda made: {"ids": [str(uuid4())]},
    "alerts.resolve": lambda made: {"ids": [str(uuid4())]},
    "alerts.delete": lambda made: {"ids": [str(uuid4())]},
    "incidents.those": lambda made: {"ids": [str(uuid4())]},
    "incidents.acknowledge": lambda made: {"note": "mine"},
    "incidents.assign": lambda made: {"user_id": None},
    "incidents.comment": lambda made: {"text": "hello"},
    "incidents.change": lambda made: {"title": "Shop is down"},
    "incidents.resolve": lambda made: {"cause": "a cable"},
    "incidents.merge": lambda made: {"ids": [str(uuid4())]},
    "incidents.split": lambda made: {"alert_ids": [str(made["alert_id"])]},
    "incidents.move": lambda made: {"alert_ids": [str(made["alert_id"])]},
    "bulk.incidents": lambda made: {"ids": [str(uuid4())], "act": "acknowledge"},
    "saved_views.save": lambda made: {"of": "incidents", "name": f"view {uuid4().hex}"},
    "demo.start": lambda made: {"speed": 0},
    "imports.preview": lambda made: {"kind": "amtool-silences", "text": "[]"},
    "imports.take": lambda made: {"kind": "amtool-silences", "text": "[]"},
    "definitions.enable": lambda made: {"enabled": False},
    "definitions.roll_back": lambda made: {"to": 1},
    "definitions.move": lambda made: {"before": None},
    "silences.extend": lambda made: {"ends": "2126-02-01T00:00:00Z"},
}
# What is written there is of the kind that the path names.
SPECIFIED = ("definitions.create", "definitions.change", "silences.create", "silences.change", "silences.preview", "rules.try_lately")
SPECIFIED += ("rules.request_dry_run", "rules.try_out")


def body_of(way: Way, made: Made) -> dict[str, object] | None:
    """What a route is sent."""
    if way.operation.name in SPECIFIED:
        return {"spec": spec_of(way.path)} | ({"alert_id": str(uuid4())} if way.operation.name == "rules.try_out" else {})
    make = BODIES.get(way.operation.name)
    return make(made) if make else None


# What stands behind the path of a route that must be asked for something.
QUERIES = {
    "saved_views.all": "?of=incidents",
    "silences.calendar": "?since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z",
}


@dataclass(frozen=True)
class Walker:
    """Somebody who goes through all routes, each in a fresh session: some of them end it."""

    title: str
    person: Actor | None = None
    token: str = ""

    def ready(self, server: Server) -> tuple[Client, Actor | None]:
        """How to ask, and who that is."""
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


# Sent what the table above says, these refuse for another reason, which shows that they were let in.
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
            client, actor = walker.ready(server)
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

"""What is each route sent: which ids in its path, what behind it, and which body?

A new route needs a line here, unless it takes nothing. Who may send it is another matter: see test_permissions.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from engine.identity.actor import Actor
from engine.model.heard import Delivery
from engine.model.vocabulary import DefinitionKind, ListPage, Role
from engine.operations import definitions, people, saved_views, silences, teams
from engine.operations.door import OPERATIONS, Operation, runtime, tenant_of
from engine.storage import quarantine, sources
from engine.storage.jobs import Errand, enqueue
from engine.storage.work import work
from tests.testkit.deliveries import Deliveries
from tests.testkit.people import PASSWORD, hire

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
            "source_id": lambda: Deliveries.by(self.owner).source(team_id=self.team_id).id,
            "view_id": lambda: saved_views.save(self.owner, ListPage.ALERTS, f"view {uuid4().hex}").id,
            "entry_id": self._quarantined,
            "definition_id": lambda: definitions.create(self.owner, DEFINED[way.path.split("/")[3]], spec_of(way.path), self.team_id).id,
            "rule_id": lambda: definitions.create(self.owner, DefinitionKind.RULE, spec_of("/api/v1/rules")).id,
            "silence_id": lambda: silences.create(self.owner, spec_of("/api/v1/silences"), self.team_id).id,
        }
        made |= {name: make() for name, make in fresh.items() if f"{{{name}}}" in way.path}
        if {"{alert_id}", "{incident_id}", "{number}"} & set(way.path.split("/")):
            made["alert_id"], made["incident_id"], number = Deliveries.by(self.owner).fire(self.team_id)
            made["number"] = 1_999_999 if self.is_foreign else number  # pyright: ignore[reportArgumentType]
        return made

    def _quarantined(self) -> UUID:
        source_id = Deliveries.by(self.owner).source(team_id=self.team_id).id
        with work(runtime().database, tenant_of(self.owner)) as open_work:
            source = sources.one(open_work, source_id)
            assert source is not None
            return quarantine.add(open_work, source, Delivery(b"{", {}, open_work.now), "half a body")

    def _team(self) -> UUID:
        return teams.create(self.owner, f"team {uuid4().hex}").id

    def _job(self) -> UUID:
        with work(runtime().database, tenant_of(self.owner)) as open_work:
            return enqueue(open_work, Errand("probe", {}, team_id=self.team_id))


# What is defined, by the part of the path that names it.
DEFINED: dict[str, definitions.Kind] = {
    "rules": DefinitionKind.RULE,
    "extractions": DefinitionKind.EXTRACTION,
    "mappings": DefinitionKind.MAPPING,
    "inhibitions": DefinitionKind.INHIBITION,
}
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
SPECIFIED = {
    "definitions.create",
    "definitions.change",
    "silences.create",
    "silences.change",
    "silences.preview",
    "rules.try_lately",
    "rules.request_dry_run",
    "rules.try_out",
}


def body_of(way: Way, made: Made) -> dict[str, object] | None:
    """What a route is sent."""
    if way.operation.name in SPECIFIED:
        spec: dict[str, object] = {"spec": spec_of(way.path)}
        return spec | ({"alert_id": str(uuid4())} if way.operation.name == "rules.try_out" else {})
    make = BODIES.get(way.operation.name)
    return make(made) if make else None


# What stands behind the path of a route that must be asked for something.
QUERIES = {
    "saved_views.all": "?of=incidents",
    "silences.calendar": "?since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z",
}

"""Does anything that can be sent make us fail, or answer otherwise than the contract says? (always the same examples)

Schemathesis derives the requests from the contract: right ones, nearly right ones at every edge of a schema, and nonsense.
`TEST_FUZZ_EXAMPLES` is how many random ones each route gets beside those at the edges.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from engine.api import build_api
from engine.integrations.sources import KINDS
from engine.model.vocabulary import Role
from engine.operations import sources, tokens
from engine.settings import load
from tests.api.clients import PROBLEM, Client, Server
from tests.testkit.database import TestDatabase
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import Company, found_company

EXAMPLES = int(os.environ.get("TEST_FUZZ_EXAMPLES", "4"))
SPEC = build_api(load({"AIOPS_DATA_DIR": "/nonexistent"}), "0").openapi()
# What parsers, databases and logs have stumbled over.
NASTY = [
    *("", " ", "0", "-1", "null", "true", "1e309", "NaN", "\x00", "a\x00b", "\r\nX: y", "\x1b[31m", "\u202e", "\u0130", "%00", "%", "_"),
    *("../../etc/passwd", "' OR 1=1 --", "{{7*7}}", "<script>", "9" * 40, "x" * 5000, "2026-13-45", "0001-01-01T00:00:00Z"),
    *("9999-12-31T23:59:59-14:00", "2026-01-01", "W10", "W3sidSI6ICJ4In1d", "WzFd", "bnVsbA", "W251bGxd", "Infinity", "१२३", "²"),
    *('x=~"("', 'x=~".*.*.*.*=b"', 'a="\\', "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")),
]
# Which routes a sender of alerts calls, with the secret of a source.
DELIVERED = ("deliver", "deliver_by_credential", "deliver_alerts")
# Ids of things that are there, so that requests also get to what they would do.
_ids: list[UUID] = [UUID(int=0)]
schemathesis.openapi.format("uuid", st.sampled_from(range(40)).map(lambda place: str(_ids[place % len(_ids)])) | st.uuids().map(str))
load_all_checks()
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ALWAYS_THE_SAME = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)


# Conditions lie within conditions, so that making one up takes seconds: a right one is put in their place, or anything.
WRITTEN: dict[str, dict[str, Any]] = {
    "RuleSpec": {
        "name": "fuzz",
        "when": {"any": [{"field": "service", "op": "like", "value": "*"}]},
        "then": {"labels": {"a": "{{title}}"}},
    },
    "Extraction": {"name": "fuzz", "field": "title", "pattern": "(?P<a>.)"},
    "Mapping": {"name": "fuzz", "match_on": ["service"], "columns": ["service", "tier"], "rows": [["a", "1"]]},
    "InhibitionSpec": {"name": "fuzz", "sources": [{"name": "a", "value": "1"}], "targets": [{"name": "b", "value": "1"}]},
    "SilenceSpec": {
        "matchers": [{"name": "fuzz", "value": "1"}],
        "starts": "2026-01-01T00:00:00",
        "ends": "2126-01-01T00:00:00",
        "comment": "fuzz",
    },
}
WRITTEN_BY = dict(zip(("rules", "extractions", "mappings", "inhibitions", "silences"), WRITTEN, strict=True))


def _contract() -> Any:
    plain = {name: {"type": "object"} if name in WRITTEN else schema for name, schema in SPEC["components"]["schemas"].items()}
    found = schemathesis.openapi.from_dict(SPEC | {"components": SPEC["components"] | {"schemas": plain}})
    found.config.generation.with_security_parameters = False
    found.config.phases.coverage.unexpected_methods = set()
    return found


CONTRACT = _contract()
OPERATIONS = {each.ok().label: each.ok() for each in CONTRACT.get_all_operations()}


@dataclass(frozen=True)
class Playground:
    """Whose requests they are: a company that may be wrecked."""

    server: Server
    company: Company
    tokens: dict[str, str]
    secrets: dict[str, str]  # of a source of each kind
    public_ids: dict[str, str]  # of the same ones

    known: dict[str, UUID]  # things that are there, by the names that routes have for their ids

    def aim(self, case: Case) -> None:
        """Let every other request be about something that is there, and every other delivery be one that its kind understands."""
        named = case.path_parameters or {}
        for name, value in list(named.items()):
            if name in self.known and sum(map(ord, str(value))) % 2:
                named[name] = str(self.known[name])
        if isinstance(case.body, dict) and isinstance(spec := case.body.get("spec"), dict) and len(str(spec)) % 2:
            right = WRITTEN[WRITTEN_BY[case.path.split("/")[3]]]
            case.body["spec"] = right | {name: spec[name] for name in list(spec)[:1] if len(spec) > 1}
        kind = KINDS.get(str(named.get("kind", "prometheus")))
        if case.operation.definition.raw["operationId"] in DELIVERED and kind is not None and len(str(case.body)) % 2:
            named |= {"source": self.public_ids[kind.id]} if "source" in named else {}
            case.body = json.loads(kind.sample.replace("{{now}}", "2026-01-02T03:04:05Z"))

    def senders(self, case: Case) -> list[Client]:
        """Who sends this: the owner and a viewer, or a source of that kind."""
        if case.operation.definition.raw["operationId"] in DELIVERED:
            kind = (case.path_parameters or {}).get("kind", "prometheus")
            return [self.server.bearer(self.secrets.get(kind, self.secrets["alertmanager"]))]
        return [self.server.bearer(self.tokens["viewer"]), self.server.bearer(self.tokens["owner"])]


@pytest.fixture(scope="module")
def playground(server: Server, shared: TestDatabase, scratch: Path) -> Iterator[Playground]:
    """A company with an alert, an incident, a source and something in the quarantine; its ids are in the requests."""
    shared.open_door(scratch)
    company = found_company(shared.database, "Playground")
    known = Deliveries(shared.database, company)
    made = {kind.id: sources.create(company.owner, kind.id, f"Sends {kind.id}") for kind in KINDS}
    wrecked = sources.create(company.owner, "alertmanager", "To be wrecked").source
    known.deliver(wrecked, alert("DiskFull"), alert("Other", cluster="b"))
    entry = known.put_aside(wrecked, b"what is this")
    _ids[:] = [company.red.id, company.blue.id, company.viewer.id, company.operator.id, company.id, wrecked.id, entry]
    _ids.extend(alert.id for alert in known.alerts())
    _ids.extend(incident.id for incident in known.incidents())
    held = {role: tokens.create(company.owner, f"fuzz {role}", Role(role)).secret.get_secret_value() for role in ("owner", "viewer")}
    there = {"source_id": wrecked.id, "entry_id": entry, "team_id": company.blue.id, "user_id": company.viewer.id}
    there |= {"alert_id": known.alerts()[0].id, "incident_id": known.incidents()[0].id}
    secrets = {kind: new.secret.get_secret_value() for kind, new in made.items() if new.secret}
    yield Playground(server, company, held, secrets, {kind: new.source.public_id for kind, new in made.items()}, there)
    assert server.bearer(held["owner"]).get("/api/v1/tokens").status_code == 200, "the owner was let in to the end"
    _ids[:] = [UUID(int=0)]


def _send(case: Case, sender: Client) -> httpx.Response:
    """The request as schemathesis means it, through the whole application."""
    said = case.as_transport_kwargs(base_url=sender.origin)
    ready = requests.Request(
        said["method"], said["url"], **{name: said[name] for name in ("params", "headers", "data", "json", "files") if name in said}
    ).prepare()
    headers = {name: value.encode("latin-1", "replace") if isinstance(value, str) else value for name, value in ready.headers.items()}
    path = (ready.url or "").removeprefix(sender.origin)
    return sender(ready.method or "GET", path, headers=headers | dict(sender.headers), content=ready.body or b"")


def _is_in_order(case: Case, answer: httpx.Response) -> None:
    """What holds for every answer, whatever was sent. Without a worker, /health says so with the 503 of its contract."""
    is_health = case.path.startswith("/health") and answer.status_code == 503
    case.validate_response(answer, checks=CHECKS[1:] if is_health else CHECKS)
    assert answer.headers["x-trace-id"]
    if case.path.startswith("/api/v2/silence") and answer.status_code in (400, 404):
        assert isinstance(answer.json(), str), "as Alertmanager says it"
    elif answer.status_code >= 400 and not is_health:
        assert answer.headers["content-type"] == PROBLEM, answer.text
        assert answer.json()["status"] == answer.status_code and answer.json()["detail"]
    elif case.path.startswith("/api/v1"):
        assert "data" in answer.json() if answer.status_code not in (204, 304) else answer.content == b""


@CONTRACT.parametrize()
@ALWAYS_THE_SAME
def test_every_route_answers_as_its_contract_says(case: Case, playground: Playground) -> None:
    playground.aim(case)
    for sender in playground.senders(case):
        _is_in_order(case, _send(case, sender))


def _twist(case: Case, nasty: str, place: int) -> None:
    """Put a nasty string where the request has a value."""
    body = case.body if isinstance(case.body, dict) else {}
    spots: list[Callable[[], None]] = [lambda name=name: body.__setitem__(name, nasty) for name in body]
    spots += [lambda name=name: case.path_parameters.__setitem__(name, nasty or "-") for name in case.path_parameters or {}]
    names = [each.name for each in case.operation.query] or ["unknown"]
    spots += [lambda name=name: case.query.__setitem__(name, nasty) for name in names]
    printable = "".join(sign for sign in nasty if " " <= sign <= "~").strip()
    headers = [each.name for each in case.operation.headers] or ["accept"]
    spots += [lambda name=name: case.headers.__setitem__(name, printable) for name in [*headers, "x-forwarded-for"]]
    spots[place % len(spots)]()


@pytest.mark.parametrize("label", OPERATIONS)
def test_what_parsers_have_stumbled_over_is_answered_as_the_contract_says(label: str, playground: Playground) -> None:
    right = OPERATIONS[label].as_strategy(generation_mode=GenerationMode.POSITIVE)

    @settings(ALWAYS_THE_SAME, max_examples=3 * EXAMPLES, phases=[Phase.generate])
    @given(case=right, nasty=st.sampled_from(NASTY), place=st.integers(0, 20))
    def holds(case: Case, nasty: str, place: int) -> None:
        _twist(case, nasty, place)
        playground.aim(case)
        _is_in_order(case, _send(case, playground.senders(case)[-1]))

    holds()

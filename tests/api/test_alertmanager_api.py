"""Can amtool and Grafana read our alerts, as if we were an Alertmanager?"""

import base64
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from engine.model.vocabulary import Role
from engine.operations import alerts, sources, tokens
from tests.api.clients import Client, Server, is_problem
from tests.testkit.database import TestDatabase
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import Company, found_company

# name, severity, and the labels that are asked for
THERE = [("DiskFull", "critical", "shop"), ("DiskSlow", "warning", "shop"), ("CpuHigh", "critical", "search")]


@pytest.fixture(scope="module")
def company(shared: TestDatabase, scratch: Path) -> Company:
    """An organization with three alerts that fire, one that is over, and one of a team."""
    shared.open_door(scratch)
    made = found_company(shared.database, "Read by amtool")
    line = Deliveries(shared.database, made)
    source = line.source()
    for name, severity, service in THERE:
        line.deliver(source, alert(name, severity=severity, service=service))
    line.deliver(source, alert("Over", service="over"))
    line.deliver(source, alert("Over", service="over", over=True))
    line.deliver(line.source(team_id=made.red.id), alert("Red", service="red"))
    return made


@pytest.fixture
def program(server: Server, company: Company) -> Client:
    """A program with a viewer's token."""
    return server.program(company.owner, Role.VIEWER)


def token(company: Company) -> str:
    """A viewer's token."""
    return tokens.create(company.owner, "amtool", Role.VIEWER).secret.get_secret_value()


def basic(user: str, password: str) -> dict[str, str]:
    """Basic authentication."""
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def names(client: Client, query: str = "") -> set[str]:
    """The alerts that are listed."""
    answer = client.get(f"/api/v2/alerts{query}")
    assert answer.status_code == 200, answer.text
    return {each["labels"]["alertname"] for each in answer.json()}


def test_an_alert_has_every_field_that_a_reader_of_alertmanager_expects(program: Client, company: Company) -> None:
    (found,) = program.get("/api/v2/alerts?filter=alertname=DiskFull").json()
    (ours,) = alerts.search(company.owner, q="diskfull").items
    assert found["labels"] == {"alertname": "DiskFull", "severity": "critical", "service": "shop"}
    assert (found["annotations"], found["fingerprint"]) == ({"summary": "DiskFull"}, ours.fingerprint)
    assert found["status"] == {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []}
    assert found["receivers"] == [{"name": "aiops"}]
    assert {"startsAt", "endsAt", "updatedAt", "generatorURL"} <= set(found)


# what amtool asks, what it is told, why
FILTERS = [
    ("", {"DiskFull", "DiskSlow", "CpuHigh"}, "everything that fires and that the token may see"),
    ('?filter=alertname="DiskFull"', {"DiskFull"}, "amtool alert query DiskFull"),
    ('?filter=alertname=~"Disk.*"', {"DiskFull", "DiskSlow"}, "a regular expression"),
    ('?filter=alertname=~"Disk.*"&filter=severity!="warning"', {"DiskFull"}, "several: all must hold"),
    ('?filter=service!~"shop|over"', {"CpuHigh"}, "none of these"),
    ('?filter=nowhere=""', {"DiskFull", "DiskSlow", "CpuHigh"}, "a label that is missing is empty"),
    ("?active=false", set(), "only what is muted: there is no such thing here yet"),
    ("?silenced=false&inhibited=false&unprocessed=false&active=true", {"DiskFull", "DiskSlow", "CpuHigh"}, "what amtool sends by itself"),
    ("?receiver=aiops", {"DiskFull", "DiskSlow", "CpuHigh"}, "the receiver that there is"),
    ("?receiver=nobody", set(), "a receiver that there is not"),
]


@pytest.mark.parametrize(("query", "found", "why"), FILTERS)
def test_alerts_are_listed_as_amtool_asks(program: Client, query: str, found: set[str], why: str) -> None:
    assert names(program, quote(query, safe="?&=")) == found, why


# what is asked, the field at fault
FAULTS = [("?filter=alertname", "filter.0"), ("?filter=a=~(", "filter.0"), ("?active=maybe", "active"), ("?colour=red", "colour")]


@pytest.mark.parametrize(("query", "field"), FAULTS)
def test_what_cannot_be_asked_is_a_problem_that_names_it(program: Client, query: str, field: str) -> None:
    answer = program.get(f"/api/v2/alerts{query}")
    assert is_problem(answer, 422, "invalid")
    assert [each["field"] for each in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("path", ["/api/v2/alerts", "/api/v2/status", "/api/v2/receivers"])
def test_a_token_is_shown_as_bearer_or_as_password(server: Server, company: Company, path: str) -> None:
    shown = token(company)
    assert server.bearer(shown).get(path).status_code == 200
    assert server.anybody().get(path, headers=basic("anything", shown)).status_code == 200


# what is shown, why it is nothing
NO_CREDENTIALS: list[tuple[dict[str, str], str]] = [
    ({}, "nothing"),
    (basic("anything", "wrong"), "a password that is no token"),
    (basic("aio_abcdefgh_" + "x" * 43, ""), "a token that does not exist, as user"),
    ({"authorization": "Basic !!!"}, "no base64"),
    ({"authorization": "Basic /////w=="}, "no text"),
    ({"authorization": "Basic "}, "nothing at all"),
    ({"authorization": "Digest x"}, "a way that we do not know"),
]


@pytest.mark.parametrize(("headers", "why"), NO_CREDENTIALS)
@pytest.mark.parametrize("path", ["/api/v2/alerts", "/api/v2/status"])
def test_without_a_token_nothing_is_told(server: Server, path: str, headers: dict[str, str], why: str) -> None:
    answer = server.anybody("203.0.113.77").get(path, headers=headers)
    assert is_problem(answer, 401, "not-signed-in"), why
    assert "basic" in answer.headers["www-authenticate"].lower() or "bearer" in answer.headers["www-authenticate"].lower()


def test_the_secret_of_a_source_sends_and_does_not_read(server: Server, company: Company) -> None:
    made = sources.create(company.owner, "prometheus", "Sends only")
    assert made.secret
    sender = server.bearer(made.secret.get_secret_value())
    assert sender.get("/api/v2/alerts").status_code == 401
    assert sender.post("/api/v2/alerts", json=[]).status_code == 200
    assert server.bearer(token(company)).post("/api/v2/alerts", json=[]).status_code == 401, "and a reader does not send"


def test_another_organization_reads_its_own(server: Server, company: Company, beta: Company) -> None:
    assert names(server.program(beta.owner)).isdisjoint({"DiskFull", "Red"})
    assert "Red" in names(server.program(company.owner)), "an owner sees what a team has"
    in_team = server.program(company.owner, Role.VIEWER, team_id=company.red.id)
    assert "Red" in names(in_team)


def test_the_status_says_what_a_client_needs_to_go_on(program: Client) -> None:
    said: dict[str, Any] = program.get("/api/v2/status").json()
    assert said["cluster"]["status"] == "disabled"
    assert said["versionInfo"]["version"] and "original" in said["config"] and said["uptime"]


def test_the_contract_names_every_refusal(server: Server) -> None:
    paths = server.anybody().get("/api/openapi.json").json()["paths"]
    for path in ("/api/v2/alerts", "/api/v2/status", "/api/v2/receivers"):
        said = paths[path]["get"]
        assert {"401", "429", "503"} <= set(said["responses"]), path
        assert said["security"], path

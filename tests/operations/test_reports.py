"""What does somebody take along of an incident, and does it tell more than the page?"""

import json
from typing import Any
from uuid import uuid4

import pytest

from engine.errors import Invalid, NotFound
from engine.model.incidents import IncidentView
from engine.model.vocabulary import Role
from engine.operations import incidents, reports
from engine.storage.database import Database
from tests.testkit.deliveries import ALL, Deliveries, alert
from tests.testkit.people import Company


@pytest.fixture
def line(database: Database, acme: Company) -> Deliveries:
    """Acme's way from a delivery to its alerts."""
    return Deliveries(database, acme)


def opened(line: Deliveries, *titles: str, **labels: str) -> IncidentView:
    """An incident of a service of its own, with an alert of each title."""
    name = f"svc-{uuid4().hex[:12]}"
    said = [alert(f"{title} {name}", service=name, **labels) for title in titles or ("DiskFull",)]
    line.deliver(line.source(), *said)
    return line.incident_of(f"{(titles or ('DiskFull',))[0]} {name}")


def parsed(line: Deliveries, view: IncidentView) -> dict[str, Any]:
    """The report for programs."""
    return json.loads(reports.incident(line.company.viewer, view.id, "json").text)


def test_an_incident_is_written_with_its_alerts_and_its_timeline(line: Deliveries) -> None:
    view, me = opened(line, "DiskFull", "DiskSlow"), line.company.operator
    incidents.comment(me, view.id, "It is the disk.")
    incidents.resolve(me, view.id, cause="a full disk", resolution="a bigger disk")
    file = reports.incident(line.company.viewer, view.id)
    assert file.filename == f"incident-{view.number}.md"
    assert file.text.startswith(f"# #{view.number} {view.title}\n")
    for said in ("## Alerts (2)", f"{me.name} It is the disk.", "## Cause\n\na full disk", "## Resolution\n\na bigger disk"):
        assert said in file.text


def test_the_same_is_written_for_programs(line: Deliveries) -> None:
    view = opened(line, "DiskFull", "DiskSlow")
    file = reports.incident(line.company.viewer, view.id, "json")
    told = json.loads(file.text)
    assert file.filename == f"incident-{view.number}.json"
    assert (told["incident"]["id"], told["incident"]["title"], told["alerts_total"]) == (str(view.id), view.title, 2)
    assert [each["kind"] for each in told["timeline"]] == [each.kind for each in incidents.timeline(line.company.viewer, view.id).items]


def test_what_senders_wrote_is_escaped(line: Deliveries) -> None:
    view = opened(line, "<img src=x> | [click](http://evil.test) *now*", environment="a|b")
    text = reports.incident(line.company.viewer, view.id).text
    assert "\\<img src=x\\> \\| \\[click\\](http://evil.test) \\*now\\*" in text
    assert "- **Environment:** a\\|b" in text
    assert "<img" not in text.replace("\\<img", "") and "[click]" not in text


def test_a_long_timeline_is_written_whole(line: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    view = opened(line)
    for place in range(7):
        incidents.comment(line.company.operator, view.id, f"comment {place}")
    monkeypatch.setattr(reports, "_PART", 2)
    whole = incidents.timeline(line.company.viewer, view.id, page=ALL).items
    assert [each["id"] for each in parsed(line, view)["timeline"]] == [str(each.id) for each in whole]
    monkeypatch.setattr(reports, "_MOST_LINES", 4)
    assert len(parsed(line, view)["timeline"]) == 4, "but not without end"


def test_alerts_beyond_the_first_part_are_counted(line: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    view = opened(line, "A", "B", "C")
    monkeypatch.setattr(reports, "_PART", 2)
    assert "1 more are not listed." in reports.incident(line.company.viewer, view.id).text
    assert (len(parsed(line, view)["alerts"]), parsed(line, view)["alerts_total"]) == (2, 3)


def test_another_form_is_refused(line: Deliveries) -> None:
    with pytest.raises(Invalid):
        reports.incident(line.company.viewer, opened(line).id, "pdf")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("form", ["markdown", "json"])
def test_of_an_alert_of_another_team_only_the_team_is_told(line: Deliveries, form: Any) -> None:
    company, name = line.company, f"svc-{uuid4().hex[:12]}"
    line.deliver(line.source(team_id=company.red.id), alert(f"{name} red", service=name))
    line.deliver(line.source(team_id=company.blue.id), alert(f"{name} blue", service=name))
    view = line.incident_of(f"{name} red")
    to_blue, to_red = (reports.incident(team.people[Role.VIEWER], view.id, form).text for team in (company.blue, company.red))
    assert f"{name} blue" in to_blue and f"{name} red" not in to_blue, "the leading alert is foreign: no title either"
    assert f"{name} red" in to_red and f"{name} blue" not in to_red
    assert f"1 alert of team {company.red.name}" in to_blue
    with pytest.raises(NotFound):
        reports.incident(company.viewer, view.id, form)


def test_another_organization_takes_nothing_along(line: Deliveries, beta: Company) -> None:
    for strange in (opened(line).id, uuid4()):
        with pytest.raises(NotFound):
            reports.incident(beta.owner, strange)

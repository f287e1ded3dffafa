"""What of an incident do its teams see, and what may each of them do?"""

from uuid import uuid4

import pytest

from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model.incidents import IncidentView
from engine.model.vocabulary import IncidentStatus, Role, Severity
from engine.operations import incidents, teams
from tests.operations.troubles import counts, ids_of, named, opened, told
from tests.testkit.asking import entered, known
from tests.testkit.deliveries import ALL, Deliveries, alert

# who, what comes of acting on an incident of team red, why
ACTING: list[tuple[str, type[Exception] | None, str]] = [
    ("organization admin", None, "an admin sees and does everything"),
    ("red operator", None, "who responds in the team"),
    ("red viewer", Refused, "who only looks"),
    ("organization operator", NotFound, "who is not in the team does not even see it"),
    ("blue owner", NotFound, "nor does another team"),
]


@pytest.mark.parametrize(("who", "fault", "why"), ACTING)
def test_an_incident_is_acted_on_by_who_may(line: Deliveries, who: str, fault: type[Exception] | None, why: str) -> None:
    place, _, role = who.partition(" ")
    company = line.company
    me = {"organization": company.people, "red": company.red.people, "blue": company.blue.people}[place][Role(role)]
    view = opened(line, "critical", "warning", team_id=company.red.id)
    acts = (
        lambda: incidents.acknowledge(me, view.id),
        lambda: incidents.assign(me, view.id, me.id),
        lambda: incidents.comment(me, view.id, "mine"),
        lambda: incidents.change(me, view.id, title="mine"),
        lambda: incidents.split(me, view.id, ids_of(line, view, 1)),
        lambda: incidents.resolve(me, view.id),
        lambda: incidents.reopen(me, view.id),
    )
    before = told(company.owner, view)
    for act in acts:
        if fault:
            with pytest.raises(fault):
                act()
        else:
            act()
    assert (told(company.owner, view) == before) is (fault is not None), why


def mixed(line: Deliveries) -> IncidentView:
    """An incident of an alert of red, which leads it, and a worse one of blue."""
    company, name = line.company, f"svc-{uuid4().hex[:12]}"
    opened(line, "warning", team_id=company.red.id, service=name)
    line.deliver(line.source(team_id=company.blue.id), alert(f"{name} secret", severity="critical", service=name))
    return line.incident_of(f"{name} 0")


def test_of_an_alert_of_another_team_only_the_team_is_told(line: Deliveries) -> None:
    view, blue, red = mixed(line), line.company.blue.people[Role.VIEWER], line.company.red.people[Role.VIEWER]
    name = named(view)
    assert (view.alerts, view.severity) == (2, Severity.CRITICAL)
    foreign = [each for each in incidents.members(red, view.id).items if each.alert_id is None]
    (told_of,) = foreign
    assert told_of.title == f"1 alert of team {line.company.blue.name}"
    assert (told_of.severity, told_of.status, told_of.reason) == (None, None, "")
    seen_by_blue = incidents.show(blue, view.id)
    assert (seen_by_blue.title, seen_by_blue.services, seen_by_blue.grouped_by) == (f"Incident #{view.number}", (), "")
    assert incidents.those(blue, [view.id]) == (seen_by_blue,)
    assert incidents.those(line.company.viewer, [view.id]) == (), "who is in neither team is not told that it exists"
    shown = (seen_by_blue, incidents.members(blue, view.id), incidents.search(blue, page=ALL), incidents.timeline(blue, view.id))
    assert f"{name} 0" not in repr(shown), "the title of its leading alert is hidden"
    assert f"{name} secret" not in repr((incidents.members(red, view.id), incidents.timeline(red, view.id, page=ALL)))
    assert (seen_by_blue.alerts, seen_by_blue.open_alerts) == (2, 2), "how many there are is no secret"


def test_an_incident_is_not_found_by_words_that_are_hidden(line: Deliveries) -> None:
    view = mixed(line)
    blue = line.company.blue.people[Role.VIEWER]
    assert {each.id for each in incidents.search(line.company.owner, q=named(view)).items} == {view.id}
    assert incidents.search(blue, q=named(view)).total == 0, "what is found by a word has the word in it"


def test_a_title_given_by_hand_is_for_everybody_who_sees_the_incident(line: Deliveries) -> None:
    view = mixed(line)
    incidents.change(line.company.admin, view.id, title="Database is away")
    assert incidents.show(line.company.blue.people[Role.VIEWER], view.id).title == "Database is away"


def test_acting_on_the_own_alerts_leaves_those_of_other_teams_counted(line: Deliveries) -> None:
    view, operator = mixed(line), line.company.red.people[Role.OPERATOR]
    made = incidents.split(operator, view.id, ids_of(line, view, 0))
    left = incidents.show(line.company.owner, view.id)
    assert (left.alerts, left.open_alerts, left.severity) == (1, 1, Severity.CRITICAL), "the alert of blue fires on"
    assert counts(line.company.owner, made) == (1, 1)


def test_who_only_looks_in_another_team_does_not_split_its_alerts_off(line: Deliveries) -> None:
    company = line.company
    me = company.red.people[Role.OPERATOR]
    teams.set_member(company.owner, company.blue.id, me.id, Role.VIEWER)
    view = mixed(line)
    try:
        both = known(entered(me).secret)
        with pytest.raises((Refused, Invalid)):
            incidents.split(both, view.id, [line.alert(f"{named(view)} secret").id])
        assert counts(company.owner, view) == (2, 2)
    finally:
        teams.remove_member(company.owner, company.blue.id, me.id)


def test_merging_what_is_partly_unseen_leaves_no_firing_alert_in_what_is_resolved(line: Deliveries) -> None:
    view, to = mixed(line), opened(line, "info", team_id=line.company.red.id)
    operator = line.company.red.people[Role.OPERATOR]
    try:
        incidents.merge(operator, to.id, [view.id])
    except (Refused, Conflict):
        return
    left = incidents.show(line.company.owner, view.id)
    assert left.open_alerts == 0 or left.status is not IncidentStatus.RESOLVED
    assert line.incident_of(f"{named(view)} secret").status is not IncidentStatus.RESOLVED

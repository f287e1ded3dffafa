"""Does the page of an alert tell what it says, what happened to it and why it is what it is, and can it be acted on?"""

from uuid import UUID, uuid4

import pytest

from engine.identity.actor import Actor
from engine.model.vocabulary import Role
from engine.operations import alerts, definitions, silences
from state.alert import AlertState
from state.alerts import AlertsState
from tests.state.tabs import led_to
from tests.state.visits import Visit
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import Company, Team

REFUSED = "Your role does not allow this (it needs the permission “configure”). Ask an owner of your organization."


def shown(who: Actor, id: UUID | str) -> Visit:
    """The page of an alert, open."""
    return Visit(AlertState, who, f"/alerts/{id}", "/alerts/[alert_id]").arrived()


def fired(line: Deliveries, title: str = "", **labels: str) -> UUID:
    """A new alert that fires, by its id."""
    title = title or f"Down {uuid4().hex[:8]}"
    line.deliver(line.source(), alert(title, **{"service": title} | labels))
    return line.alert(title).id


def test_it_tells_what_its_sender_said(line: Deliveries) -> None:
    source = line.source()
    said = alert("Disk of db-1 full", service="db", zone="b", environment="production")
    said["annotations"] |= {"description": "97 %", "runbook_url": "https://wiki.example/disk", "zz": "x", "aa": "y"}
    line.deliver(source, said)
    view = line.alert("Disk of db-1 full")
    page = shown(line.company.viewer, view.id)
    assert (page.loaded, page.missing, page.alert.title, page.alert.severity) == (True, False, view.title, "Critical")
    assert (page.alert.incident, page.alert.incident_href) == (f"#{view.incident.number}", f"/incidents/{view.incident.number}")
    facts = {pair.name: pair.value for pair in page.facts}
    assert facts["Source"] == source.name and facts["Fingerprint"] == view.fingerprint
    assert (facts["Service"], facts["Environment"], facts["Fired"], facts["Heard"]) == ("db", "production", "once", "once")
    assert "Closed by" not in facts and "Acknowledged by" not in facts, "what is not there is not said"
    assert {(pair.name, pair.value) for pair in page.labels} == set(view.labels.items())
    for pairs in (page.labels, page.annotations):
        assert [pair.name for pair in pairs] == sorted(pair.name for pair in pairs)
    assert [link.value for link in page.links] == ["https://wiki.example/disk"]
    assert page.times["first_seen_at"] == view.first_seen_at.isoformat() and page.times["ends_at"] == ""


def test_its_history_and_the_reasons_for_what_it_is_are_told(line: Deliveries) -> None:
    source = line.source()
    line.deliver(source, alert("Comes and goes", service="flip"))
    line.deliver(source, alert("Comes and goes", service="flip", over=True))
    page = shown(line.company.viewer, line.alert("Comes and goes").id)
    assert [each.kind for each in page.history] == ["resolved", "opened"], "the newest first"
    assert all(each.said and each.at for each in page.history)
    assert (page.alert.is_over, page.alert.severity, page.alert.mark) == (True, "Resolved", "good")
    stages = {each.stage for each in page.reasons}
    assert {"identity", "normalise", "correlate"} <= stages and "dedup" not in stages, "its history has those"
    assert [0 < each.score <= 100 for each in page.reasons if each.stage == "correlate"] == [True]
    assert {each.score for each in page.reasons if each.stage != "correlate"} == {-1}


def test_what_was_delivered_is_shown_on_demand_and_cut_when_long(line: Deliveries) -> None:
    source = line.source()
    line.deliver(source, alert("Talks much", service="talk", words="x" * 30_000))
    page = shown(line.company.viewer, line.alert("Talks much").id)
    assert list(page.bodies) == []
    page.do("show_deliveries")
    (body,) = page.bodies
    assert '"alerts"' in body.body and len(body.body) == 20_002 and body.body.endswith("\n…")
    page.goes(f"/alerts/{fired(line)}")
    assert list(page.bodies) == [], "of another alert another body"


def test_it_is_acknowledged_and_closed(line: Deliveries, me: Actor) -> None:
    id = fired(line)
    page = shown(me, id)
    page.do("act", "acknowledge", [str(id)])
    assert (page.alert.acknowledged_by, page.settled) == (me.name, 1)
    page.do("act", "resolve", [str(id)])
    assert (page.alert.is_over, page.settled, page.toasts) == (True, 2, [])
    assert {pair.name: pair.value for pair in page.facts}["Closed by"] == me.name
    page.do("act", "resolve", [str(id)])
    assert (page.settled, page.toasts, page.alert.is_over) == (3, [], True), "a second time changes nothing"


def test_it_is_deleted_by_who_may_and_the_list_is_shown(line: Deliveries, me: Actor) -> None:
    id = fired(line)
    page = shown(me, id)
    assert led_to(page.do("act", "delete", [str(id)])) == ""
    assert (page.settled, page.toasts, alerts.show(me, id).id) == (1, [REFUSED], id)
    page = shown(line.company.admin, id)
    assert led_to(page.do("act", "delete", [str(id)])) == "/alerts"
    assert shown(me, id).missing


def test_what_a_team_may_not_delete_is_said_and_stays(line: Deliveries) -> None:
    line.deliver(line.source(team_id=line.company.red.id), alert("Of the reds", service="reds"))
    id = line.alert("Of the reds").id
    page = shown(line.company.blue.people[Role.OWNER], id)
    assert page.missing
    assert led_to(page.do("act", "delete", [str(id)])) == ""
    assert page.toasts[0] == "There is no such alert." and alerts.show(line.company.owner, id).id == id


def test_an_act_that_there_is_not_does_nothing(line: Deliveries, me: Actor) -> None:
    id = fired(line)
    page = shown(me, id)
    page.do("act", "explode", [str(id)])
    assert (page.settled, page.toasts, page.alert.is_over) == (1, [], False)


@pytest.mark.parametrize("id", ["nothing", "", "01890000-0000-7000-8000-000000000000", "1"])
def test_an_alert_that_there_is_not_is_said_on_the_page(company: Company, id: str) -> None:
    page = shown(company.owner, id)
    assert (page.missing, page.loaded, page.toasts) == (True, True, [])


def test_an_alert_of_another_organization_is_not_there(line: Deliveries, beta: Company) -> None:
    page = shown(beta.owner, fired(line, "Ours alone"))
    assert page.missing and "Ours alone" not in str(page._tab.shown())


def test_it_is_kept_quiet_for_some_hours_and_nothing_else_is(line: Deliveries, me: Actor) -> None:
    source, title = line.source(), f"Full {uuid4().hex[:8]}"
    line.deliver(source, *(alert(title, service=title, host=f"h-{place}") for place in range(2)))
    mine = next(each for each in line.alerts() if each.title == title and each.labels["host"] == "h-1")
    page = shown(me, mine.id)
    page.do("silence", 2)
    assert (page.silenced, page.toasts) == (1, [f"“{title}” is quiet for 2 h. It is heard again if it still fires then."])
    made = silences.all(me).items[0]
    assert {each.name: (each.op, each.value) for each in made.matchers} == {name: ("=", value) for name, value in mine.labels.items()}
    assert (made.comment, made.author, made.team_id, made.active) == (f"“{title}” for 2 h", me.name, None, True)
    would = silences.preview(me, made.spec)
    assert [each.id for each in would.alerts] == [mine.id], "exactly it"
    assert made.ends_at and abs((made.ends_at - made.created_at).total_seconds() - 7200) <= 60
    line.deliver(source, *(alert(title, service=title, host=f"h-{place}") for place in range(2)))
    page.do("refresh")
    (quiet,) = page.quiet
    assert (quiet.words, quiet.href, quiet.until) == (f"Silenced: {made.comment}", f"/silences/{made.id}", made.ends_at.isoformat())
    assert (page.alert.quiet, page.alert.quiet_by) == ("silenced", made.comment)
    rows = {row.id: row for row in Visit(AlertsState, me, f"/alerts?service={title}", "/alerts").arrived().rows}
    assert sorted(row.quiet for row in rows.values()) == ["", "silenced"] and rows[str(mine.id)].quiet == "silenced"
    silences.end(me, made.id)


@pytest.mark.parametrize("hours", [0, -1, 10**9])
def test_it_is_not_kept_quiet_for_no_time(line: Deliveries, me: Actor, hours: int) -> None:
    page = shown(me, fired(line))
    before = silences.all(me).total
    page.do("silence", hours)
    assert (page.silenced, silences.all(me).total, len(page.toasts)) == (0, before, 1)


def test_what_cannot_name_an_alert_is_left_out_of_its_silence(line: Deliveries, me: Actor) -> None:
    title = f"Long {uuid4().hex[:8]}"
    line.deliver(line.source(), alert(title, service=title, note="x" * 1500))
    page = shown(me, line.alert(title).id)
    page.do("silence", 1)
    assert page.silenced == 1, page.toasts


def test_an_alert_of_a_team_is_silenced_for_that_team(line: Deliveries) -> None:
    red: Team = line.company.red
    line.deliver(line.source(team_id=red.id), alert("Loud red", service="loud"))
    id = line.alert("Loud red").id
    shown(line.company.blue.people[Role.OWNER], id).do("silence", 1)
    shown(red.people[Role.VIEWER], id).do("silence", 1)
    assert silences.all(line.company.owner, q="Loud red").total == 0
    shown(red.people[Role.OPERATOR], id).do("silence", 1)
    assert [each.team_id for each in silences.all(line.company.owner, q="Loud red").items] == [red.id]


def test_what_a_rule_did_to_it_is_told_with_every_part_of_its_condition(line: Deliveries) -> None:
    title = f"Ruled {uuid4().hex[:8]}"
    when = {"all": [{"field": "service", "value": title}, {"not": {"field": "severity", "value": "info"}}]}
    spec = {"name": title, "when": when, "then": {"suppress": True}}
    rule = definitions.create(line.company.owner, "rule", spec)
    page = shown(line.company.viewer, fired(line, title))
    (why,) = [each for each in page.reasons if each.trace]
    assert title in why.why + why.decision
    assert [(each.depth, each.holds) for each in why.trace] == [(0, True), (1, True), (1, True), (2, False)]
    assert (why.trace[1].seen, why.trace[3].seen) == (title, "critical")
    assert [(each.words, each.href) for each in page.quiet] == [(f"Quiet by the rule “{title}”", "/rules")]
    assert page.alert.quiet == "quiet by a rule" and page.alert.incident == ""
    definitions.delete(line.company.owner, "rule", rule.id)


def test_what_inhibits_it_is_told_and_where_that_is(line: Deliveries) -> None:
    name = f"node-{uuid4().hex[:8]}"
    sides = {"sources": [{"name": "role", "value": "node"}], "targets": [{"name": "role", "value": "app"}]}
    made = definitions.create(line.company.owner, "inhibition", sides | {"name": name, "equal": ["node"]})
    source = fired(line, f"Down {name}", role="node", node=name)
    page = shown(line.company.viewer, fired(line, f"Slow {name}", role="app", node=name))
    (quiet,) = page.quiet
    assert quiet.words.startswith("Inhibited by “") and quiet.words.endswith("”")
    assert (quiet.href, page.alert.quiet) == (f"/alerts/{source}", "inhibited")
    definitions.delete(line.company.owner, "inhibition", made.id)

"""What becomes of alerts by what operators have decided: rules, enrichment, silences, inhibition?"""

from datetime import timedelta
from typing import Any

import pytest

from engine.operations import alerts, definitions, incidents, jobs, silences
from tests.pipeline.deciding import ALWAYS, inhibition, quiet, rule, shown, silence
from tests.pipeline.stored import Line
from tests.testkit.clock import MINUTE
from tests.testkit.deliveries import alert, group

PAYMENT = {"field": "service", "value": "payment"}


def incidents_of(line: Line) -> list[tuple[str, int]]:
    """The incidents with the number of their alerts."""
    return [(row.title, row.alert_count) for row in line.incident_rows()]


def test_a_rule_changes_what_an_alert_says_and_the_alert_says_which_rule(line: Line) -> None:
    made = rule(line, PAYMENT, {"severity": "info", "team": "money", "labels": {"tier": "1"}}, "payment is small")
    line.send(line.source(), group(alert("Slow", service="payment"), alert("Full", service="search")))
    full, slow = line.alert_rows()
    assert (slow.severity, slow.team, slow.labels["tier"]) == ("info", "money", "1")
    assert (full.severity, full.team, full.ruling) == ("critical", None, None)
    assert slow.ruling["ran"] == [
        {"rule_id": str(made.id), "version": 1, "name": "payment is small", "did": ["severity info", "team money", "label tier=1"]}
    ]
    assert slow.ruling["before"] == {"fields": {"severity": "critical", "team": None}, "labels": {"tier": None}}
    assert sorted(row.severity for row in line.incident_rows()) == ["critical", "info"]
    assert [each.id for each in alerts.search(line.company.owner, team="money").items] == [slow.id]


def test_enrichment_comes_before_the_rules(line: Line) -> None:
    owner = line.company.owner
    extraction = {"name": "host", "field": "title", "pattern": "on (?P<host>\\S+)"}
    table = {"name": "hosts", "match_on": ["labels.host"], "columns": ["labels.host", "service"], "rows": [["pay-1", "payment"]]}
    definitions.create(owner, "extraction", extraction)
    definitions.create(owner, "mapping", table)
    rule(line, PAYMENT, {"severity": "warning"})
    line.send(line.source(), group(alert("Slow", summary="Slow on pay-1")))
    found = line.alert_row()
    assert (found.service, found.severity, found.labels["host"]) == ("payment", "warning", "pay-1")
    assert [each["name"] for each in found.ruling["enriched"]] == ["host", "hosts"]
    assert incidents_of(line) == [("payment: Slow on pay-1", 1)]


def test_what_enrichment_and_rules_say_does_not_change_which_alert_it_is(line: Line) -> None:
    source, told = line.source(), group(alert("Slow", service="payment", starts=line.begins))
    line.send(source, told)
    rule(line, PAYMENT, {"service": "pay", "labels": {"job": "x"}})
    line.send(source, told, line.begins + 10 * MINUTE)
    assert (line.alert_row().service, line.alert_row().deliveries) == ("pay", 2)


def test_a_rule_says_which_alerts_are_one_incident(line: Line) -> None:
    rule(line, ALWAYS, {"group_by": ["labels.rack"]}, "by rack")
    told = [alert(f"A{n}", service=f"s{n}", rack=f"r{n % 2}") for n in range(4)]
    line.send(line.source(), group(*told))
    assert [(row.grouped_by, row.alert_count) for row in line.incident_rows()] == [("rack r0", 2), ("rack r1", 2)]


def test_what_is_suppressed_is_kept_and_marked_and_in_no_incident(line: Line) -> None:
    rule(line, PAYMENT, {"suppress": True}, "noise")
    line.send(line.source(), group(alert("Slow", service="payment")))
    (view,) = shown(line)
    assert (view.status, view.incident, [(each.by, each.name) for each in view.muted_by]) == ("firing", None, [("rule", "noise")])
    assert line.incident_rows() == []


def test_an_edited_rule_does_not_rewrite_the_past_and_counts_from_the_next_hearing(line: Line) -> None:
    made = rule(line, PAYMENT, {"suppress": True})
    source, told = line.source(), group(alert("Slow", service="payment", starts=line.begins))
    line.send(source, told)
    definitions.change(line.company.owner, "rule", made.id, {"name": "rule", "when": PAYMENT, "then": {"severity": "error"}})
    line.check(line.begins + MINUTE)
    assert (line.incident_rows(), line.alert_row().severity, quiet(line)) == ([], "critical", [["rule"]])
    line.send(source, told, line.begins + 10 * MINUTE)
    assert (incidents_of(line), line.alert_row().severity, quiet(line)) == ([("payment: Slow", 1)], "error", [[]])


def test_an_alert_that_is_held_opens_its_incident_when_it_still_fires(line: Line) -> None:
    rule(line, ALWAYS, {"hold_minutes": 5})
    source = line.source()
    line.send(source, group(alert("Stays", service="a"), alert("Goes", service="b", starts=line.begins)))
    assert (line.incident_rows(), quiet(line)) == ([], [["hold"], ["hold"]])
    line.send(source, group(alert("Goes", service="b", starts=line.begins, ends=line.begins + MINUTE)))
    line.check(line.begins + 4 * MINUTE)
    assert line.incident_rows() == []
    line.check(line.begins + 5 * MINUTE)
    line.check(line.begins + 6 * MINUTE)
    assert (incidents_of(line), quiet(line)) == ([("a: Stays", 1)], [[], []])


def test_a_held_alert_joins_an_incident_that_is_open(line: Line) -> None:
    source = line.source()
    line.send(source, group(alert("First", service="a")))
    rule(line, ALWAYS, {"hold_minutes": 5})
    line.send(source, group(alert("Second", service="a")))
    assert incidents_of(line) == [("a: First", 2)]


def test_a_threshold_of_alerts_counts_every_firing_and_of_fingerprints_each_alert_once(line: Line) -> None:
    rule(line, {"field": "service", "value": "a"}, {"threshold": {"count": 3, "minutes": 10}}, "alerts")
    rule(line, {"field": "service", "value": "b"}, {"threshold": {"count": 3, "minutes": 10, "of": "fingerprints"}}, "fingerprints")
    source = line.source()
    for n in range(3):
        at = line.begins + n * MINUTE
        for service in ("a", "b"):
            line.send(source, group(alert("Flaps", service=service, starts=at)), at)
            if n < 2:
                line.send(source, group(alert("Flaps", service=service, starts=at, ends=at + MINUTE / 4)), at + MINUTE / 2)
    assert incidents_of(line) == [("a: Flaps", 1)]
    line.send(source, group(*(alert(f"Other{n}", service="b") for n in range(2))), line.begins + 4 * MINUTE)
    line.check(line.begins + 5 * MINUTE)
    assert incidents_of(line) == [("a: Flaps", 1), ("b: Other1", 3)]


def test_a_threshold_that_is_reached_too_slowly_is_not_reached(line: Line) -> None:
    rule(line, ALWAYS, {"threshold": {"count": 2, "minutes": 5, "of": "fingerprints"}})
    source = line.source()
    line.send(source, group(alert("One", service="a")))
    line.send(source, group(alert("Two", service="a")), line.begins + 6 * MINUTE)
    assert (line.incident_rows(), quiet(line)) == ([], [["threshold"], ["threshold"]])


def test_what_rules_ask_for_is_handed_on_once_when_the_incident_opens(line: Line) -> None:
    rule(line, ALWAYS, {"analyse": True, "runbook": "restart payment"}, "look")
    source = line.source()
    for n in range(3):
        line.send(source, group(alert(f"A{n}", service="payment")), line.begins + n * MINUTE)
    handed = jobs.newest(line.company.owner).items
    incident = line.incident_row()
    assert sorted(each.kind for each in handed) == ["analyse", "runbook"]
    said = sorted(entry.said for entry in incidents.timeline(line.company.owner, incident.id).items if entry.kind == "asked")
    assert said == ["the rule “look” asks for its analysis", "the rule “look” asks for the runbook restart payment"]


def test_who_is_only_notified_gets_no_incident(line: Line) -> None:
    rule(line, ALWAYS, {"notify_only": True}, "only tell")
    source = line.source()
    for n in range(2):
        line.send(source, group(alert("Slow", service="payment", starts=line.begins)), line.begins + n * 10 * MINUTE)
    assert (line.incident_rows(), quiet(line)) == ([], [["rule"]])
    assert [each.kind for each in jobs.newest(line.company.owner).items] == ["notify"]


def test_what_is_silenced_is_heard_once_when_the_silence_ends(line: Line) -> None:
    silence(line, line.begins - MINUTE, 11 * MINUTE, ("service", "payment"))
    source = line.source()
    line.send(source, group(alert("Slow", service="payment"), alert("Full", service="search")))
    assert (incidents_of(line), quiet(line)) == ([("search: Full", 1)], [[], ["silence"]])
    line.check(line.begins + 9 * MINUTE)
    assert len(line.incident_rows()) == 1
    for minutes in (10, 10, 11):
        line.check(line.begins + minutes * MINUTE)
    assert incidents_of(line) == [("search: Full", 1), ("payment: Slow", 1)]
    assert line.told().count("opened") == 2


def test_what_ends_while_it_is_silenced_is_never_heard(line: Line) -> None:
    silence(line, line.begins - MINUTE, 11 * MINUTE, ("service", "payment"))
    source = line.source()
    line.send(source, group(alert("Slow", service="payment", starts=line.begins)))
    line.send(source, group(alert("Slow", service="payment", starts=line.begins, ends=line.begins + MINUTE)), line.begins + 2 * MINUTE)
    line.check(line.begins + 20 * MINUTE)
    assert (line.incident_rows(), line.rows("SELECT * FROM alert_token")) == ([], [])


def test_a_silence_that_is_ended_early_lets_its_alerts_be_heard(line: Line) -> None:
    made = silence(line, line.begins - MINUTE, 60 * MINUTE, ("service", "payment"))
    line.send(line.source(), group(alert("Slow", service="payment")))
    silences.end(line.company.owner, made.id)
    line.check(line.begins + timedelta(seconds=30))
    assert (incidents_of(line), quiet(line)) == ([("payment: Slow", 1)], [[]])


def test_an_alert_that_was_in_an_incident_and_fires_again_while_silenced_comes_back_to_it_afterwards(line: Line) -> None:
    source = line.source()
    line.send(source, group(alert("Slow", service="payment", starts=line.begins)))
    line.send(source, group(alert("Slow", service="payment", starts=line.begins, ends=line.begins + MINUTE)), line.begins + MINUTE)
    line.check(line.begins + 7 * MINUTE)
    silence(line, line.begins, 20 * MINUTE, ("service", "payment"))
    again = line.begins + 8 * MINUTE
    line.send(source, group(alert("Slow", service="payment", starts=again)), again)
    assert (line.incident_row().status, line.incident_row().open_by_severity) == ("resolved", [0] * 5)
    line.check(line.begins + 20 * MINUTE)
    assert (line.incident_row().status, line.incident_row().open_by_severity, line.incident_row().reopened) == (
        "detected",
        [1, 0, 0, 0, 0],
        1,
    )
    line.send(source, group(alert("Slow", service="payment", starts=again, ends=again + 20 * MINUTE)), again + 20 * MINUTE)
    assert line.incident_row().open_by_severity == [0] * 5


def test_what_is_in_an_incident_stays_there_when_it_is_silenced(line: Line) -> None:
    line.send(line.source(), group(alert("Slow", service="payment")))
    silence(line, line.begins - MINUTE, 60 * MINUTE, ("service", "payment"))
    assert (incidents_of(line), quiet(line)) == ([("payment: Slow", 1)], [["silence"]])


def test_a_teams_silence_keeps_only_the_alerts_of_that_team_quiet(line: Line) -> None:
    red = line.company.red
    spec = {"matchers": [{"name": "service", "value": "payment"}], "comment": "ours"}
    starts, ends = ((line.begins + n * MINUTE).replace(tzinfo=None).isoformat() for n in (-1, 60))
    silences.create(line.company.owner, spec | {"starts": starts, "ends": ends}, red.id)
    line.send(line.source(team_id=red.id), group(alert("Ours", service="payment")))
    line.send(line.source(team_id=line.company.blue.id), group(alert("Theirs", service="payment")))
    assert incidents_of(line) == [("payment: Theirs", 1)]


def test_an_inhibited_alert_is_heard_when_the_one_that_inhibits_it_ends(line: Line) -> None:
    inhibition(line, ("alertname", "NodeDown"), ("severity", "warning"), ["node"])
    source = line.source()
    down: dict[str, Any] = {"node": "n1", "starts": line.begins}
    warn = alert("Slow", node="n1", service="payment") | {}
    warn["labels"]["severity"] = "warning"
    line.send(source, group(warn, alert("NodeDown", **down)))
    assert (incidents_of(line), quiet(line)) == ([("NodeDown", 1)], [[], ["inhibition"]])
    line.send(source, group(alert("NodeDown", **down, ends=line.begins + MINUTE)), line.begins + MINUTE)
    line.check(line.begins + MINUTE)
    assert incidents_of(line) == [("NodeDown", 1), ("payment: Slow", 1)]


def test_an_inhibition_that_is_made_later_counts_what_fires_already(line: Line) -> None:
    source = line.source()
    line.send(source, group(alert("NodeDown", node="n1")))
    made = inhibition(line, ("alertname", "NodeDown"), ("alertname", "Slow"), ["node"])
    line.check(line.begins)
    line.send(source, group(alert("Slow", node="n1", service="payment")))
    assert quiet(line) == [[], ["inhibition"]]
    definitions.delete(line.company.owner, "inhibition", made.id)
    line.check(line.begins + MINUTE)
    assert (incidents_of(line), quiet(line)) == ([("NodeDown", 1), ("payment: Slow", 1)], [[], []])


def test_people_put_a_waiting_alert_where_they_want_it(line: Line) -> None:
    source = line.source()
    line.send(source, group(alert("Full", service="search")))
    silence(line, line.begins - MINUTE, 60 * MINUTE, ("service", "payment"))
    line.send(source, group(alert("Slow", service="payment")))
    slow = shown(line)[1]
    incidents.move(line.company.owner, line.incident_row().id, [slow.id])
    line.check(line.begins + 90 * MINUTE)
    assert incidents_of(line) == [("search: Full", 2)]
    assert line.incident_row().open_by_severity == [2, 0, 0, 0, 0]


def test_an_organization_that_has_decided_nothing_pays_one_short_statement(line: Line) -> None:
    line.send(line.source(), group(alert("Slow")))
    assert (line.rows("SELECT * FROM decided"), line.rows("SELECT * FROM alert_token"), line.alert_row().ruling) == ([], [], None)


def test_a_quiet_alert_that_is_sent_again_goes_on_inhibiting_by_what_rules_made_of_it(line: Line) -> None:
    rule(line, {"field": "title", "value": "Down"}, {"labels": {"kind": "root"}})
    inhibition(line, ("kind", "root"), ("alertname", "Slow"), ["node"])
    silence(line, line.begins - MINUTE, 60 * MINUTE, ("alertname", "Down"))
    source, down = line.source(), group(alert("Down", node="n1", starts=line.begins))
    line.send(source, down)
    line.send(source, group(alert("Slow", node="n1", service="payment")))
    line.check(line.begins)
    line.send(source, down, line.begins + 10 * MINUTE)
    line.check(line.begins + 11 * MINUTE)
    assert (line.incident_rows(), quiet(line)) == ([], [["silence"], ["inhibition"]])


@pytest.mark.parametrize("kind", ["suppress", "notify_only"])
def test_what_a_rule_kept_quiet_for_a_time_is_heard_when_the_time_is_over_though_nobody_sends_it_again(line: Line, kind: str) -> None:
    night = {"times": [{"from": f"{line.begins - 60 * MINUTE:%H:%M}", "to": f"{line.begins + 60 * MINUTE:%H:%M}"}]}
    rule(line, {"all": [{"field": "title", "value": "Slow"}, night]}, {kind: True, "labels": {"seen": "by night"}})
    line.send(line.source(), group(alert("Slow", service="payment"), alert("Fast", service="search")))
    assert (incidents_of(line), quiet(line)) == ([("search: Fast", 1)], [[], ["rule"]])
    line.check(line.begins + 30 * MINUTE)
    assert quiet(line) == [[], ["rule"]]
    line.check(line.begins + 61 * MINUTE)
    line.check(line.begins + 24 * 60 * MINUTE)
    assert incidents_of(line) == [("search: Fast", 1), ("payment: Slow", 1)]


def test_what_an_inhibition_kept_quiet_is_heard_when_it_expires(line: Line) -> None:
    until = line.begins + 60 * MINUTE
    made = inhibition(line, ("alertname", "NodeDown"), ("alertname", "Slow"), [])
    definitions.change(line.company.owner, "inhibition", made.id, made.spec | {"reason": "moved", "expires": until.isoformat()})
    line.send(line.source(), group(alert("NodeDown"), alert("Slow", service="payment")))
    (by,) = shown(line)[1].muted_by
    assert (by.name, by.until) == ("inhibition: moved", until)
    line.check(until - MINUTE)
    assert incidents_of(line) == [("NodeDown", 1)]
    line.check(until)
    assert incidents_of(line) == [("NodeDown", 1), ("payment: Slow", 1)]

"""Does a rule answer while it is written: of which alerts it holds, of the one it is for, and of the past?"""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from engine.identity.actor import Actor
from engine.model.vocabulary import JobState, Role
from engine.operations import definitions, jobs
from state.rule import RuleState
from tests.operations.test_rules import carry_out
from tests.state.visits import Visit
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import Company, found_company


def shown(who: Actor, what: str = "new") -> Visit:
    """The page of a rule, or of a new one, open."""
    return Visit(RuleState, who, f"/rules/{what}", "/rules/[rule_id]").arrived()


def named() -> str:
    """A service of its own."""
    return f"svc-{uuid4().hex[:8]}"


def fired(line: Deliveries, service: str, *severities: str) -> UUID:
    """Alerts of a service, by severity: `<service> 0` and so on; the id of the first."""
    told = [alert(f"{service} {place}", severity=each, service=service, host="h-1") for place, each in enumerate(severities or ("error",))]
    line.deliver(line.source(), *told)
    return line.alert(f"{service} 0").id


def written(page: Visit, service: str, **other: str) -> dict[str, Any]:
    """The form of a rule about a service."""
    return dict(page.form) | {"when": json.dumps({"field": "service", "value": service})} | other


def test_it_answers_while_it_is_written_even_before_it_has_a_name_and_does_something(line: Deliveries) -> None:
    service = named()
    fired(line, service, "critical", "error", "warning")
    page = shown(line.company.admin)
    page.do("said", written(page, service))
    total = len(line.alerts())
    assert (page.lately.words, page.lately.changes, page.wrong, dict(page.faults)) == (f"Holds of 3 of {total} alerts", "", "", {})
    assert {each.title for each in page.lately.alerts} == {f"{service} {place}" for place in range(3)}
    assert {(each.severity, each.mark) for each in page.lately.alerts} == {
        ("Critical", "critical"),
        ("Error", "error"),
        ("Warning", "warning"),
    }
    assert all(each.href.startswith("/alerts/") and each.at for each in page.lately.alerts)
    page.do("said", written(page, service, severity="warning", labels="tier = 1"))
    assert page.lately.changes == "would change label tier of 3, severity of 2"
    page.do("said", written(page, "of nobody"))
    assert (page.lately.words, list(page.lately.alerts)) == (f"Holds of 0 of {total} alerts", [])
    assert definitions.all(line.company.owner, "rule").total == 0, "nothing is kept by asking"


def test_a_dozen_of_the_alerts_are_shown(line: Deliveries) -> None:
    service = named()
    fired(line, service, *["error"] * 15)
    page = shown(line.company.viewer)
    page.do("said", written(page, service))
    assert page.lately.words.startswith("Holds of 15 of ") and len(page.lately.alerts) == 12


def test_where_there_are_no_alerts_that_is_said(line: Deliveries) -> None:
    nobody = found_company(line.database, "Silent")
    page = shown(nobody.owner)
    page.do("said", written(page, "x"))
    assert (page.lately.words, page.wrong) == ("There are no alerts to ask it about yet", "")


def test_a_viewer_and_a_team_are_answered_of_what_they_see(line: Deliveries) -> None:
    service, red = named(), line.company.red
    line.deliver(line.source(team_id=red.id), alert(f"{service} red", service=service))
    for who, count in ((red.people[Role.VIEWER], 1), (line.company.blue.people[Role.OWNER], 0), (line.company.viewer, 0)):
        page = shown(who)
        page.do("said", written(page, service))
        assert page.lately.words.startswith(f"Holds of {count} of") or (count, page.lately.alerts) == (0, [])
        assert len(page.lately.alerts) == count


def test_what_cannot_be_asked_yet_is_said_and_the_answer_before_stays(line: Deliveries) -> None:
    service = named()
    fired(line, service)
    page = shown(line.company.admin)
    page.do("said", written(page, service))
    before = page.lately.words
    for wrong in ('{"field": "service", "op": "=~", "value": "(a"}', "{", "", "[" * 200_000):
        page.do("said", written(page, service, when=wrong))
        assert (set(page.faults), page.lately.words) == ({"when"}, before)
        assert page.wrong == "What is written cannot be asked yet: look at the fields in red."
    page.do("said", written(page, service))
    assert (dict(page.faults), page.wrong) == ({}, "")


def test_a_rule_for_alerts_like_one_begins_with_what_that_one_says(line: Deliveries) -> None:
    service = named()
    id = fired(line, service)
    page = shown(line.company.admin, f"new?alert={id}")
    assert page.tried_title == f"{service} 0"
    assert json.loads(page.form["when"]) == {
        "all": [{"field": "title", "value": f"{service} 0"}, {"field": "service", "value": service}],
    }
    page.do("said", dict(page.form))
    assert [(each.depth, each.holds) for each in page.tried] == [(0, True), (1, True), (1, True)]
    assert (page.tried_mark, page.tried_words) == ("good", "holds"), "it does nothing yet"
    assert service in page.tried[2].said and page.tried[2].seen == service
    page.do("said", dict(page.form) | {"severity": "info", "labels": "at = {{labels.host}}"})
    assert page.tried_words.startswith("holds: ") and "at=h-1" in page.tried_words
    page.do("said", written(page, "of nobody"))
    assert (page.tried_mark, page.tried_words, [each.holds for each in page.tried]) == ("unstated", "does not hold", [False])


def test_a_rule_that_is_there_is_asked_of_an_alert_too(line: Deliveries) -> None:
    service = named()
    id = fired(line, service)
    spec = {"name": service, "when": {"all": []}, "then": {"service": service}}
    made = definitions.create(line.company.owner, "rule", spec)
    page = shown(line.company.viewer, f"{made.id}?alert={id}")
    page.do("said", dict(page.form))
    assert page.tried_words.startswith("holds: ")
    definitions.delete(line.company.owner, "rule", made.id)


@pytest.mark.parametrize("which", ["nothing", "01890000-0000-7000-8000-000000000000", "%00", "x" * 3000])
def test_an_alert_that_there_is_not_makes_an_empty_rule_and_is_said(line: Deliveries, which: str) -> None:
    page = shown(line.company.admin, f"new?alert={which}")
    assert (json.loads(page.form["when"]), page.tried_title) == ({"field": "service", "value": ""}, "")
    page.do("said", dict(page.form))
    assert (page.wrong, list(page.tried)) == ("The alert that this page was opened for is gone.", [])


def test_an_alert_of_another_organization_tells_nothing_to_a_rule(line: Deliveries, beta: Company) -> None:
    service = named()
    id = fired(line, service)
    page = shown(beta.owner, f"new?alert={id}")
    page.do("said", dict(page.form))
    assert service not in str(page._tab.shown())


def asked(page: Visit, form: dict[str, Any], days: str = "7") -> None:
    """Have the past asked about what is written."""
    page.do("said", form)
    page.do("ask_history", {"days": days})


def test_a_dry_run_is_followed_to_its_end(line: Deliveries) -> None:
    service = named()
    fired(line, service, "critical", "error")
    page = shown(line.company.admin)
    asked(page, written(page, service, severity="info"))
    assert (page.asking, page.progress, page.note, page.history.words) == (True, 0, "waiting for a worker", "")
    page.do("refresh")
    assert page.asking
    carry_out(line)
    page.do("refresh")
    total = len(line.alerts())
    assert (page.asking, page.history.words) == (False, f"Holds of 2 of {total} alerts")
    assert page.history.changes == "would change severity of 2"
    assert {(each.title, each.severity) for each in page.history.alerts} == {(f"{service} 0", "Critical"), (f"{service} 1", "Error")}
    assert sum(int(bar.alerts) for bar in page.history.bars) == total and sum(int(bar.matched) for bar in page.history.bars) == 2
    assert page.history.since == page.history.bars[0].at and int(page.history.most) == max(int(bar.alerts) for bar in page.history.bars)
    assert all(float(bar.top) + float(bar.height) == 120 and float(bar.x) + float(bar.width) <= 600 for bar in page.history.bars)


def test_a_dry_run_is_cancelled(line: Deliveries) -> None:
    page = shown(line.company.admin)
    asked(page, written(page, "x"))
    page.do("cancel")
    assert (page.asking, page.history.words) == (False, "Cancelled.")
    assert jobs.show(line.company.owner, UUID(page.job)).state is JobState.CANCELLED
    page.do("cancel")
    assert page.toasts == ["This job has ended already: it is cancelled."]
    asked(page, written(page, "x"))
    assert (page.asking, page.history.words) == (True, ""), "and asked again"


# what is written, for how many days, where the fault stands
REFUSED = [
    ("{", "7", "when"),
    ("", "7", "when"),
    ('{"all": []}', "0x", "days"),
    ('{"all": []}', "1e2", "days"),
    ('{"all": []}', "500", "days"),
]


@pytest.mark.parametrize(("when", "days", "control"), REFUSED)
def test_a_dry_run_of_nonsense_is_not_begun(line: Deliveries, when: str, days: str, control: str) -> None:
    page = shown(line.company.admin)
    asked(page, written(page, "x", when=when), days)
    assert (page.asking, page.job, set(page.faults)) == (False, "", {control})


def test_of_another_rule_no_answer_is_left(line: Deliveries) -> None:
    service = named()
    id = fired(line, service)
    page = shown(line.company.admin, f"new?alert={id}")
    asked(page, dict(page.form))
    page.goes("/rules/new")
    assert (page.lately.words, page.history.words, page.asking, list(page.tried), page.tried_title) == ("", "", False, [], "")
    assert service not in str(page._tab.shown())


def test_the_fields_of_a_condition_are_those_of_alerts_with_the_labels_that_they_have(line: Deliveries) -> None:
    line.deliver(line.source(), alert(named(), zz_of_test="x"))
    fields = shown(line.company.viewer).fields
    assert fields[:3] == ["title", "description", "severity"] and "labels.zz_of_test" in fields
    assert [name for name in fields if name.startswith("labels.")] == sorted({name for name in fields if name.startswith("labels.")})

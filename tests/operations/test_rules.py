"""How are rules kept, tried and rehearsed, and what is said of what they did?"""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from engine.errors import Conflict, Invalid, NotFound, Refused, Stale
from engine.model.alerts import Reason
from engine.model.vocabulary import Role
from engine.operations import alerts, definitions, jobs, rules
from engine.storage import jobs as stored_jobs
from engine.storage.database import Database
from engine.storage.work import work
from engine.workflows.handlers import HANDLERS
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import found_company

ALWAYS: dict[str, Any] = {"all": []}
PAYMENT = {"field": "service", "value": "payment"}


@pytest.fixture
def alerting(database: Database) -> Deliveries:
    """The way of alerts in an organization of its own."""
    return Deliveries(database, found_company(database, "Ruled"))


def spec(name: str = "rule", when: dict[str, Any] = PAYMENT, **then: Any) -> dict[str, Any]:
    """What is written of a rule."""
    return {"name": name, "when": when, "then": then or {"severity": "info"}}


def carry_out(alerting: Deliveries) -> None:
    """Do what waits in this organization, as a worker would."""
    with work(alerting.database, alerting.tenant) as open_work:
        leased = stored_jobs.claim(open_work, "tests", 10)
    for job in leased:
        result = HANDLERS[job.kind](job)
        with work(alerting.database, alerting.tenant) as open_work:
            stored_jobs.finish(open_work, job, result)


def test_a_rule_is_kept_with_every_version_and_its_author(alerting: Deliveries) -> None:
    owner, admin = alerting.company.owner, alerting.company.admin
    made = definitions.create(owner, "rule", spec())
    definitions.change(admin, "rule", made.id, spec(severity="error"), version=1)
    definitions.enable(owner, "rule", made.id, enabled=False)
    back = definitions.roll_back(owner, "rule", made.id, 1)
    found = definitions.versions(owner, "rule", made.id)
    assert [(each.version, each.said, each.author) for each in found] == [
        (4, "rolled back to version 1", owner.name),
        (3, "switched off", owner.name),
        (2, "changed", admin.name),
        (1, "made", owner.name),
    ]
    assert (back.spec, back.enabled, back.version) == (made.spec, True, 4)
    with pytest.raises(Stale):
        definitions.change(admin, "rule", made.id, spec(), version=2)


def test_the_same_again_is_no_new_version(alerting: Deliveries) -> None:
    owner = alerting.company.owner
    made = definitions.create(owner, "rule", spec())
    assert definitions.change(owner, "rule", made.id, spec()).version == 1


def test_rules_are_asked_in_the_order_in_which_they_were_put(alerting: Deliveries) -> None:
    owner = alerting.company.owner
    one, two, three = (definitions.create(owner, "rule", spec(name)).id for name in ("one", "two", "three"))
    assert [each.name for each in definitions.move(owner, three, one)] == ["three", "one", "two"]
    assert [each.name for each in definitions.move(owner, three)] == ["one", "two", "three"]
    assert [each.name for each in definitions.all(owner, "rule").items] == ["one", "two", "three"]
    with pytest.raises(NotFound):
        definitions.move(owner, uuid4(), two)


# what is written, and words of the refusal
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": "x"}, "when: Field required"),
    (spec(when={"field": "servce", "value": "x"}), "when"),
    (spec(when={"field": "service", "op": "=~", "value": "(a"}), "no regular expression"),
    (spec(when={"logic": {"nonsense": [1]}}), "JSON Logic cannot be read"),
    (spec(sverity="info"), "Extra inputs are not permitted"),
    ({**spec(), "then": {}}, "at least one action"),
]


@pytest.mark.parametrize(("said", "words"), WRONG)
def test_what_is_wrong_with_a_rule_is_said(alerting: Deliveries, said: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid, match=words.replace("(", "\\(")):
        definitions.create(alerting.company.owner, "rule", said)


def test_a_name_is_taken_once(alerting: Deliveries) -> None:
    definitions.create(alerting.company.owner, "rule", spec("Mine"))
    with pytest.raises(Conflict, match="“Mine”"):
        definitions.create(alerting.company.owner, "rule", spec("mine"))


def test_who_configures_a_team_defines_for_its_alerts_alone(alerting: Deliveries) -> None:
    red = alerting.company.red
    team_admin = red.people[Role.ADMIN]
    made = definitions.create(team_admin, "rule", spec(), red.id)
    with pytest.raises(Refused):
        definitions.create(team_admin, "rule", spec("all"))
    theirs = definitions.create(alerting.company.owner, "rule", spec("blue"), alerting.company.blue.id)
    assert [each.id for each in definitions.all(team_admin, "rule").items] == [made.id]
    with pytest.raises(NotFound):
        definitions.delete(team_admin, "rule", theirs.id)
    definitions.delete(alerting.company.owner, "rule", theirs.id)
    for team_id in (red.id, alerting.company.blue.id):
        alerting.deliver(alerting.source(team_id=team_id), alert(f"Slow {team_id}", service="payment"))
    severities = {each.team_id: each.severity for each in alerts.search(alerting.company.owner).items}
    assert severities == {red.id: "info", alerting.company.blue.id: "critical"}


def test_an_alert_says_which_rules_did_what_and_why(alerting: Deliveries) -> None:
    owner = alerting.company.owner
    when = {"all": [PAYMENT, {"not": {"field": "severity", "value": "info"}}]}
    first = definitions.create(owner, "rule", spec("calm", when, severity="info"))
    definitions.create(owner, "rule", spec("second", {"logic": {"==": [{"var": "severity"}, "info"]}}, labels={"calm": "yes"}))
    alerting.deliver(alerting.source(), alert("Slow", service="payment"))
    definitions.change(owner, "rule", first.id, spec("calm", ALWAYS, severity="error"))
    (shown,) = alerts.search(owner).items
    reasons = alerts.explain(owner, shown.id).reasons
    assert [(each.decision, each.why) for each in reasons if each.stage == "normalise"] == [
        ("severity critical", "its sender says “critical”")
    ], "what its sender says, and not what rules made of it"
    said: list[Reason] = [each for each in reasons if each.stage == "rules"]
    assert [(each.decision, each.why) for each in said] == [
        ("“calm”, version 1", "severity info"),
        ("“second”, version 1", "label calm=yes"),
    ]
    assert [(line.depth, line.said, line.holds, line.seen) for line in said[0].trace] == [
        (0, "all of", True, ""),
        (1, "service = payment", True, "payment"),
        (1, "not", True, ""),
        (2, "severity = info", False, "critical"),
    ]
    assert said[1].trace[0].holds


def test_a_quiet_alert_says_what_keeps_it_quiet(alerting: Deliveries) -> None:
    owner = alerting.company.owner
    definitions.create(owner, "rule", spec("noise", suppress=True))
    alerting.deliver(alerting.source(), alert("Slow", service="payment"))
    (shown,) = alerts.search(owner).items
    assert [(each.decision, each.why) for each in alerts.explain(owner, shown.id).reasons if each.stage == "quiet"] == [
        ("quiet by rule", "noise")
    ]


def test_a_rule_is_tried_with_an_alert_before_it_is_kept(alerting: Deliveries) -> None:
    owner = alerting.company.owner
    alerting.deliver(alerting.source(), alert("Slow", service="payment"), alert("Full", service="search"))
    found = {each.title: rules.try_out(owner, spec(team="{{service}} team"), each.id) for each in alerts.search(owner).items}
    assert (found["Slow"].holds, found["Slow"].did) == (True, ("team payment team",))
    assert (found["Full"].holds, found["Full"].did, found["Full"].trace[0].seen) == (False, (), "search")
    lately = rules.try_lately(owner, spec())
    assert (lately.alerts, lately.matched, [each.title for each in lately.newest], lately.changes) == (2, 1, ["Slow"], {"severity": 1})
    assert [each.severity for each in alerts.search(owner).items] == ["critical", "critical"]


# of what a rule may ask, and how many of the three alerts it then holds
REHEARSED: list[tuple[dict[str, Any], int]] = [
    (ALWAYS, 3),
    (PAYMENT, 2),
    ({"field": "labels.host", "op": "like", "value": "pay-*"}, 2),
    ({"field": "source", "op": "=~", "value": "alertmanager.*"}, 3),
    ({"logic": {"in": ["2", {"var": "labels.host"}]}}, 1),
    ({"times": [{}]}, 3),
    ({"all": [PAYMENT, {"field": "title", "op": "missing"}]}, 0),
]


@pytest.mark.parametrize(("when", "matched"), REHEARSED)
def test_a_rule_is_rehearsed_over_the_history(alerting: Deliveries, when: dict[str, Any], matched: int) -> None:
    owner, source = alerting.company.owner, alerting.source()
    told = [alert("Slow", service="payment", host="pay-1"), alert("Slow", service="payment", host="pay-2"), alert("Full", service="search")]
    alerting.deliver(source, *told)
    asked = rules.request_dry_run(owner, spec(when=when, severity="info", labels={"seen": "{{labels.host}}"}), 1)
    carry_out(alerting)
    found: dict[str, Any] = jobs.show(owner, asked.id).result or {}
    assert (found["alerts"], found["matched"], len(found["newest"])) == (3, matched, matched)
    assert found["changes"].get("severity", 0) == matched
    assert sum(bar["matched"] for bar in found["bars"]) == matched


def test_a_rehearsal_changes_nothing_and_ends_when_it_is_cancelled(alerting: Deliveries) -> None:
    owner = alerting.company.owner
    alerting.deliver(alerting.source(), alert("Slow", service="payment"))
    asked = rules.request_dry_run(owner, spec(), 1)
    jobs.cancel(owner, asked.id)
    carry_out(alerting)
    assert (jobs.show(owner, asked.id).state, alerts.search(owner).items[0].severity) == ("cancelled", "critical")


def test_rules_that_never_hold_are_never_asked_or_are_undone_are_pointed_out(alerting: Deliveries) -> None:
    owner = alerting.company.owner
    names = {
        definitions.create(owner, "rule", said).id: said["name"]
        for said in (
            spec("undone", severity="info"),
            spec("sets anew", severity="error"),
            spec("last", ALWAYS, team="x") | {"stop": True},
            spec("unreached", {"field": "title", "value": "x"}),
        )
    }
    alerting.deliver(alerting.source(), alert("Slow", service="payment"), alert("Full", service="search"))
    found = {names[each.rule_id]: each for each in rules.hints(owner)}
    assert {name: (each.hits_day, each.hint) for name, each in found.items()} == {
        "undone": (1, "“sets anew” holds of the same alerts and sets severity anew"),
        "sets anew": (1, None),
        "last": (2, None),
        "unreached": (0, "is never asked: “last” stops before it"),
    }
    with work(alerting.database, alerting.tenant) as open_work:
        open_work.session.execute(text("UPDATE definition SET changed_at = now() - interval '8 days'"))
        open_work.session.execute(text("DELETE FROM rule_hit"))
    assert {each.hint for each in rules.hints(owner) if names[each.rule_id] == "last"} == {"has not held of any alert for 7 days"}


def test_what_a_dry_run_has_found_is_nothing_for_who_may_not_ask_it(alerting: Deliveries) -> None:
    company = alerting.company
    asked = rules.request_dry_run(company.owner, spec(), 1)
    for actor in (company.viewer, company.operator, company.red.people[Role.OWNER]):
        assert asked.id not in {job.id for job in jobs.newest(actor).items}
        with pytest.raises(NotFound):
            jobs.show(actor, asked.id)
    assert jobs.show(company.owner, asked.id).id == asked.id

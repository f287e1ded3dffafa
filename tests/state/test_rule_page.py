"""Does the page of a rule keep what its form says, as docs/rules.md says it, and only over what was read?"""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from engine.identity.actor import Actor
from engine.model.definitions import DefinitionView
from engine.model.vocabulary import Role
from engine.operations import definitions, teams
from state.rule import RuleState
from tests.operations.test_rules_as_documented import ACTIONS, CONDITIONS
from tests.state.tabs import led_to
from tests.state.visits import Visit
from tests.testkit.asking import written
from tests.testkit.people import Company

WHEN: dict[str, Any] = {"field": "service", "value": "payment"}
STALE = "This was changed meanwhile. Load it again and repeat your change."


def shown(who: Actor, id: UUID | str) -> Visit:
    """The page of a rule, open."""
    return Visit(RuleState, who, f"/rules/{id}", "/rules/[rule_id]").arrived()


def fresh() -> str:
    """A name that no rule has."""
    return f"Rule {uuid4().hex[:8]}"


def made(company: Company, team: UUID | None = None, **said: Any) -> DefinitionView:
    """A rule of the organization."""
    spec = {"name": fresh(), "when": WHEN, "then": {"severity": "warning"}} | said
    return definitions.create(company.owner, "rule", spec, team)


def now(company: Company, id: UUID | str) -> DefinitionView:
    """The rule as it is kept."""
    return definitions.show(company.owner, "rule", UUID(str(id)))


def drawn(page: Visit, **other: Any) -> dict[str, Any]:
    """The form as it is drawn, and what is changed in it."""
    return dict(page.form) | other


def created(page: Visit, form: dict[str, Any]) -> str:
    """The id of the rule that the form has made."""
    return led_to(page.do("save", form)).removeprefix("/rules/")


def test_a_form_becomes_a_rule_in_the_documented_words(company: Company) -> None:
    page = shown(company.admin, "new")
    assert (page.is_new, page.may_configure, page.loaded, page.missing, page.version) == (True, True, True, False, 0)
    assert json.loads(page.form["when"]) == {"field": "service", "value": ""}
    said = {"name": fresh(), "description": "why", "when": json.dumps(WHEN), "severity": "warning", "service": " {{labels.app}} "}
    said |= {"labels": "tier = 1\n\nwhere = {{labels.host}} = here\n", "group_by": "labels.cluster, title\n", "hold_minutes": "5"}
    said |= {"count": "3", "minutes": "", "of": "fingerprints", "analyse": "on", "runbook": "restart", "stop": "on", "team": ""}
    kept = now(company, created(page, said))
    assert kept.spec == {
        "name": said["name"],
        "description": "why",
        "when": WHEN,
        "then": {
            "severity": "warning",
            "service": "{{labels.app}}",
            "labels": {"tier": "1", "where": "{{labels.host}} = here"},
            "group_by": ["labels.cluster", "title"],
            "hold_minutes": 5,
            "threshold": {"count": 3, "minutes": 10, "of": "fingerprints"},
            "analyse": True,
            "runbook": "restart",
        },
        "stop": True,
    }
    assert (kept.team_id, kept.enabled, kept.version) == (None, True, 1)
    assert page.toasts == [f"“{said['name']}” is kept. It counts from the next alert on."]


@pytest.mark.parametrize("then", ACTIONS, ids=str)
def test_every_documented_action_is_drawn_and_read_back(company: Company, then: dict[str, Any]) -> None:
    kept = made(company, then=then)
    page = shown(company.admin, kept.id)
    page.do("save", drawn(page))
    assert (dict(page.faults), now(company, kept.id).version) == ({}, 1), "the same again is no new version"
    page.do("save", drawn(page, description="changed"))
    assert now(company, kept.id).spec == kept.spec | {"description": "changed"}


@pytest.mark.parametrize("when", CONDITIONS, ids=str)
def test_every_documented_condition_is_drawn_and_read_back(company: Company, when: dict[str, Any]) -> None:
    kept = made(company, when=when)
    page = shown(company.admin, kept.id)
    assert json.loads(page.form["when"]) == kept.spec["when"]
    page.do("save", drawn(page))
    assert (dict(page.faults), now(company, kept.id).version) == ({}, 1)


def test_what_the_builder_does_not_know_is_kept_as_it_is_written(company: Company) -> None:
    logic = {"if": [{"var": "labels.z"}, {"in": ["ä", {"var": "title"}]}, {"!!": [{"var": "labels.a"}]}]}
    when = {"any": [{"logic": logic}, {"not": {"all": [WHEN, {"times": [{"days": ["sun"], "month_days": [-1]}]}]}}]}
    page = shown(company.admin, "new")
    id = created(page, drawn(page, name=fresh(), when=json.dumps(when), severity="info"))
    assert now(company, id).spec["when"] == when
    text = shown(company.admin, id).form["when"]
    assert json.loads(text) == when and "ä" in text and "\n" in text, "readable"


# what is written, by which control it stands, words of what is wrong
FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"name": ""}, "name", "at least 1 character"),
    ({"name": "x" * 101}, "name", "at most 100 characters"),
    ({"when": ""}, "when", "This is no JSON."),
    ({"when": "[" * 200_000}, "when", "This is no JSON."),
    ({"when": "[]"}, "when", "valid dictionary"),
    ({"when": '{"field": "servce"}'}, "when", "field: "),
    ({"when": '{"all": [{"field": "title", "op": "=~", "value": "(a"}]}'}, "when", "all.0: "),
    ({"when": '{"logic": {"nonsense": [1]}}'}, "when", "JSON Logic cannot be read"),
    ({"severity": ""}, "general", "at least one action"),
    ({"severity": "purple"}, "severity", "'critical'"),
    ({"suppress": "on", "analyse": "on"}, "general", "What is suppressed opens nothing"),
    ({"labels": "tier"}, "labels", "name = value"),
    ({"labels": "no name! = 1"}, "labels", "pattern"),
    ({"group_by": "service\ncolour"}, "group_by", "pattern"),
    ({"hold_minutes": "soon"}, "hold_minutes", "whole number"),
    ({"hold_minutes": "1441"}, "hold_minutes", "1440"),
    ({"count": "three"}, "count", "whole number"),
    ({"count": "1"}, "count", "greater than or equal to 2"),
    ({"count": "3", "minutes": "1441"}, "minutes", "1440"),
]


@pytest.mark.parametrize(("wrong", "control", "words"), FAULTS)
def test_a_fault_stands_beside_its_control_and_nothing_is_kept(company: Company, wrong: dict[str, Any], control: str, words: str) -> None:
    kept = made(company)
    page = shown(company.admin, kept.id)
    page.do("save", drawn(page, **wrong))
    assert set(page.faults) == {control} and words in page.faults[control]
    assert (now(company, kept.id), page.toasts) == (kept, [])
    page.do("save", drawn(page, description="right"))
    assert (dict(page.faults), now(company, kept.id).version) == ({}, 2)


def test_a_name_that_is_taken_is_said_beside_it(company: Company) -> None:
    there = made(company)
    page = shown(company.admin, "new")
    assert created(page, drawn(page, name=there.name.upper(), severity="info")) == ""
    assert dict(page.faults) == {"name": f"There is one called “{there.name}” already; choose another name."}


@pytest.mark.parametrize("is_read", [True, False], ids=["page read again", "page as it was"])
def test_what_somebody_else_changed_meanwhile_is_said_and_not_overwritten(company: Company, is_read: bool) -> None:
    kept = made(company)
    page = shown(company.admin, kept.id)
    form, before = drawn(page, severity="info"), page.drawn
    definitions.change(company.owner, "rule", kept.id, kept.spec | {"description": "theirs"})
    if is_read:
        page.do("refresh")
        assert page.changed_by == company.owner.name
    page.do("save", form)
    assert (page.toasts, now(company, kept.id).spec) == ([STALE], kept.spec | {"description": "theirs"})
    assert (page.drawn, page.form["description"]) == (before, ""), "what is being written stays"
    page.do("load_again")
    assert (page.form["description"], page.form["severity"], page.version, page.changed_by) == ("theirs", "warning", 2, "")
    assert page.drawn != before
    page.do("save", drawn(page, severity="info"))
    assert now(company, kept.id).spec == kept.spec | {"description": "theirs", "then": {"severity": "info"}}


def test_a_switch_is_no_change_of_what_is_being_written(company: Company) -> None:
    kept = made(company)
    page = shown(company.admin, kept.id)
    form, before = drawn(page, severity="info"), page.drawn
    page.do("switch")
    definitions.enable(company.owner, "rule", kept.id, enabled=True)
    page.do("refresh")
    assert (page.drawn, page.changed_by, page.enabled) == (before, "", True)
    page.do("save", form)
    assert now(company, kept.id).spec == kept.spec | {"then": {"severity": "info"}}


def test_it_is_switched_off_and_on_and_stays_so_when_it_is_kept(company: Company) -> None:
    kept = made(company)
    page = shown(company.admin, kept.id)
    page.do("switch")
    assert (page.enabled, now(company, kept.id).enabled) == (False, False)
    page.do("save", drawn(page, description="still off"))
    assert (page.enabled, now(company, kept.id).enabled) == (False, False)
    page.do("switch")
    assert (page.enabled, now(company, kept.id).spec) == (True, kept.spec | {"description": "still off"})


def test_every_version_is_shown_with_what_it_changed_and_one_is_brought_back(company: Company) -> None:
    kept = made(company)
    definitions.change(company.owner, "rule", kept.id, kept.spec | {"then": {"severity": "info"}})
    page = shown(company.admin, kept.id)
    assert [(each.version, each.said, each.author, each.is_now) for each in page.versions] == [
        (2, "changed", company.owner.name, True),
        (1, "made", company.owner.name, False),
    ]
    changed = [("removed", "-  severity: warning"), ("added", "+  severity: info")]
    newest, first = ([(line.kind, line.text) for line in each.diff] for each in page.versions)
    assert [line for line in newest if line[0] in ("added", "removed")] == changed
    assert newest[0][0] == "place" and ("same", " then:") in newest
    assert {kind for kind, _ in first} == {"place", "added"}
    page.do("roll_back", 1)
    assert (now(company, kept.id).spec, page.form["severity"], page.version) == (kept.spec, "warning", 3)
    assert page.versions[0].said == "rolled back to version 1" and page.toasts == [f"“{kept.name}” says what it said in version 1 again."]
    page.do("roll_back", 9)
    assert page.toasts[-1] == f"“{kept.name}” has no version 9."


def test_it_is_deleted_and_the_list_is_shown(company: Company) -> None:
    kept = made(company)
    page = shown(company.admin, kept.id)
    assert led_to(page.do("delete")) == "/rules"
    assert page.toasts == [f"“{kept.name}” is deleted. What it has done to alerts stays."]
    assert shown(company.owner, kept.id).missing


def test_what_a_file_describes_is_read_only(company: Company) -> None:
    kept = made(company)
    written(company.owner, "UPDATE definition SET provisioned = true WHERE id = :id", id=kept.id)
    page = shown(company.owner, kept.id)
    assert (page.provisioned, page.may_configure) == (True, False)
    refusal = f"“{kept.name}” is described by a file in AIOPS_PROVISION_DIR; change it there."
    for name, *given in (("switch",), ("roll_back", 1), ("delete",)):
        assert led_to(page.do(name, *given)) == "" and page.toasts[-1] == refusal
    page.do("save", drawn(page, severity="info"))
    assert (dict(page.faults), now(company, kept.id).spec) == ({"name": refusal}, kept.spec)


# who, whether that one configures a rule of all alerts
MAY = [(Role.OWNER, True), (Role.ADMIN, True), (Role.OPERATOR, False), (Role.VIEWER, False)]


@pytest.mark.parametrize(("role", "configures"), MAY)
def test_it_says_who_may_configure_it(company: Company, role: Role, configures: bool) -> None:
    page = shown(company.people[role], made(company).id)
    assert (page.may_configure, page.loaded, page.form["severity"]) == (configures, True, "warning")


def test_a_team_makes_rules_of_its_own_that_other_teams_do_not_see(company: Company) -> None:
    red, blue = company.red, company.blue
    page = shown(red.people[Role.ADMIN], "new")
    assert page.may_configure and str(red.id) in [team.id for team in page.team_choices]
    id = created(page, drawn(page, name=fresh(), severity="info", team=str(red.id)))
    assert now(company, id).team_id == red.id
    for role, configures in MAY:
        assert shown(red.people[role], id).may_configure is configures
    assert not shown(red.people[Role.OWNER], made(company).id).may_configure, "one of all alerts is not theirs"
    assert shown(blue.people[Role.OWNER], id).missing
    assert {team.id for team in shown(company.owner, "new").team_choices} == {str(each.id) for each in teams.all(company.owner).items}


@pytest.mark.parametrize("id", ["nothing", "", "01890000-0000-7000-8000-000000000000", "1"])
def test_a_rule_that_there_is_not_is_said_on_the_page(company: Company, id: str) -> None:
    page = shown(company.owner, id)
    assert (page.missing, page.loaded, page.toasts) == (True, True, [])


def test_of_another_rule_another_form_is_drawn(company: Company) -> None:
    first, second = made(company), made(company, then={"suppress": True})
    page = shown(company.admin, first.id)
    page.do("save", drawn(page, name=""))
    page.goes(f"/rules/{second.id}")
    assert (page.name, page.form["suppress"], page.form["severity"], dict(page.faults)) == (second.name, "on", "", {})
    page.goes("/rules/new")
    assert (page.is_new, page.id, page.form["suppress"], list(page.versions)) == (True, "", "", [])


def test_a_rule_of_another_organization_is_not_there(company: Company, beta: Company) -> None:
    kept = made(company)
    page = shown(beta.owner, kept.id)
    assert page.missing and kept.name not in str(page._tab.shown())

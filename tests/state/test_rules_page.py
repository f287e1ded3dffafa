"""Does the list of rules show them as they are asked, say what is odd about one, and put them in another order?"""

from typing import Any
from uuid import UUID, uuid4

import pytest

from engine.model.definitions import DefinitionView
from engine.model.vocabulary import Role
from engine.operations import definitions
from engine.storage.database import Database
from state import rules
from state.rules import RulesState
from tests.state.tabs import downloaded
from tests.state.visits import Visit
from tests.testkit.asking import written
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import Company, found_company

PAYMENT: dict[str, Any] = {"field": "service", "value": "payment"}


@pytest.fixture
def company(database: Database) -> Company:
    """An organization of its own: an order is of all rules."""
    return found_company(database, "Ordered")


def made(company: Company, *names: str, **said: Any) -> list[DefinitionView]:
    """Rules of these names, asked in this order."""
    usual: dict[str, Any] = {"when": PAYMENT, "then": {"analyse": True}}
    return [definitions.create(company.owner, "rule", usual | {"name": name} | said) for name in names]


def opened(company: Company, role: Role = Role.ADMIN) -> Visit:
    """The list, open."""
    return Visit(RulesState, company.people[role], "/rules", "/rules").arrived()


def order(page: Visit) -> str:
    """The names of the rules as they stand."""
    return " ".join(row.name for row in page.rows)


def test_each_rule_says_when_it_holds_and_what_it_does(company: Company) -> None:
    first, _ = made(company, "calm", then={"severity": "info", "labels": {"tier": "1"}}), made(company, "last", stop=True, enabled=False)
    page = opened(company, Role.VIEWER)
    assert (page.loaded, page.total, page.may_configure, page.has_more) == (True, "2 rules", False, False)
    calm, last = page.rows
    assert (calm.id, calm.place, calm.name, calm.hits, calm.hint) == (str(first[0].id), 1, "calm", "0", "")
    assert (calm.when, calm.then) == ("service is payment", "severity info, label tier=1")
    assert (calm.stop, calm.enabled, calm.team, calm.provisioned) == (False, True, False, False)
    assert (last.place, last.stop, last.enabled, opened(company).may_configure) == (2, True, False, True)


def test_it_says_how_often_a_rule_held_today(company: Company, database: Database) -> None:
    made(company, "payment"), made(company, "nobody", when={"field": "service", "value": "of nobody"})
    line = Deliveries(database, company)
    line.deliver(line.source(), alert("One", service="payment"), alert("Two", service="payment"), alert("Three", service="search"))
    assert [(row.name, row.hits) for row in opened(company).rows] == [("payment", "2"), ("nobody", "0")]


def test_it_points_out_rules_that_are_never_asked_or_undone(company: Company) -> None:
    made(company, "one", then={"severity": "info"}), made(company, "two", then={"severity": "error"}), made(company, "three", stop=True)
    made(company, "four")
    hints = {row.name: row.hint for row in opened(company).rows}
    assert hints == {
        "one": "“two” holds of the same alerts and sets severity anew",
        "two": "",
        "three": "",
        "four": "is never asked: “three” stops before it",
    }


# the rule that is moved, before which (none: last), what comes of it
MOVES = [("c", "a", "c a b"), ("a", "c", "b a c"), ("a", "", "b c a"), ("b", "b", "a b c"), ("c", "", "a b c")]


@pytest.mark.parametrize(("moved", "before", "then"), MOVES)
def test_a_rule_is_moved_before_another_one_or_last(company: Company, moved: str, before: str, then: str) -> None:
    ids = {each.name: str(each.id) for each in made(company, "a", "b", "c")} | {"": ""}
    page = opened(company)
    page.do("move", ids[moved], ids[before])
    assert order(page) == then and [row.place for row in page.rows] == [1, 2, 3]
    assert [each.name for each in definitions.all(company.owner, "rule").items] == then.split()


# the rule, by how much, what comes of it
STEPS = [
    *(("a", 1, "b a c"), ("b", 1, "a c b"), ("b", -1, "b a c"), ("c", -1, "a c b")),
    *(("a", -1, "a b c"), ("c", 1, "a b c"), ("a", 2, "a b c"), ("a", 0, "a b c"), ("c", -10, "a b c")),
]


@pytest.mark.parametrize(("moved", "by", "then"), STEPS)
def test_a_rule_steps_one_place_up_or_down(company: Company, moved: str, by: int, then: str) -> None:
    ids = {each.name: str(each.id) for each in made(company, "a", "b", "c")}
    page = opened(company)
    page.do("step", ids[moved], by)
    assert (order(page), page.toasts) == (then, [])


def test_a_step_never_leaps_over_rules_of_the_next_part_of_the_list(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_MOST", 2)
    ids = {each.name: str(each.id) for each in made(company, "a", "b", "c", "d")}
    page = opened(company)
    assert (order(page), page.has_more) == ("a b", True)
    page.do("step", ids["a"], 1)
    page.do("step", ids["b"], 1)
    assert [each.name for each in definitions.all(company.owner, "rule").items][2:] == ["c", "d"]
    page.do("next_rows")
    assert (order(page), [row.place for row in page.rows], page.has_more) == ("c d", [3, 4], False)
    page.do("step", ids["c"], 1)
    assert order(page) == "d c"
    page.do("rows_before")
    assert page.rows[0].place == 1


def test_a_rule_that_somebody_deleted_meanwhile_is_not_moved_and_the_list_is_read_again(company: Company) -> None:
    a, b = made(company, "a", "b")
    page = opened(company)
    definitions.delete(company.owner, "rule", a.id)
    page.do("move", str(a.id), str(b.id))
    assert (order(page), page.toasts) == ("b", ["There is no such rule."])
    page.do("step", str(uuid4()), 1)
    assert (order(page), len(page.toasts)) == ("b", 1)


def test_what_files_describe_stays_first(company: Company) -> None:
    a, b = made(company, "a", "b")
    written(company.owner, "UPDATE definition SET provisioned = true WHERE id = :id", id=a.id)
    page = opened(company)
    assert [row.provisioned for row in page.rows] == [True, False]
    page.do("step", str(b.id), -1)
    page.do("move", str(a.id), "")
    page.do("switch", str(a.id), False)
    assert order(page) == "a b" and len(page.toasts) == 3
    assert all(words.startswith("“a” is described by a file in AIOPS_PROVISION_DIR") for words in page.toasts)


def test_a_rule_is_switched_off_and_on_in_the_list(company: Company) -> None:
    (a,) = made(company, "a")
    page = opened(company)
    for on in (False, False, True):
        page.do("switch", str(a.id), on)
        assert (page.rows[0].enabled, definitions.show(company.owner, "rule", a.id).enabled) == (on, on)


def test_a_team_switches_its_own_rules_and_sees_no_others(company: Company) -> None:
    red, spec = company.red, {"name": "red", "when": PAYMENT, "then": {"analyse": True}}
    own = definitions.create(company.owner, "rule", spec, red.id)
    definitions.create(company.owner, "rule", spec | {"name": "blue"}, company.blue.id)
    (all_of_them,) = made(company, "all")
    page = Visit(RulesState, red.people[Role.ADMIN], "/rules", "/rules").arrived()
    assert [(row.name, row.team) for row in page.rows] == [("red", True), ("all", False)]
    page.do("switch", str(own.id), False)
    assert not page.rows[0].enabled
    page.do("switch", str(all_of_them.id), False)
    assert definitions.show(company.owner, "rule", all_of_them.id).enabled and len(page.toasts) == 1


def test_what_is_defined_is_downloaded(company: Company) -> None:
    made(company, "a")
    page = opened(company, Role.VIEWER)
    name, text = downloaded(page.do("export"))
    assert name == "rules.yaml" and "name: a" in text and UUID(page.rows[0].id)

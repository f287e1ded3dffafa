"""Is every example of docs/rules.md taken as it is written, and does each kind of condition and action have one?"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.model.conditions import Op
from engine.model.rulings import Actions
from engine.operations import definitions, rules, silences
from tests.testkit.database import TestDatabase
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import Company, found_company

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules.md"
BLOCKS = {found[1]: found[2] for found in re.finditer(r"```yaml (\w+)\n(.*?)```", PAGE.read_text(), re.DOTALL)}


def examples(kind: str) -> list[Any]:
    """The examples of a block; each begins with a line's first brace."""
    return [yaml.safe_load(said) for said in re.split(r"\n(?=\{)", BLOCKS[kind].strip())]


DEFINED = [(kind[:-1], spec) for kind in ("extractions", "mappings", "inhibitions") for spec in examples(kind)]
CONDITIONS, ACTIONS = examples("conditions"), examples("actions")


@pytest.fixture(scope="module")
def line(shared: TestDatabase, scratch: Path) -> Deliveries:
    """An organization with one alert, of which some of the examples hold."""
    shared.open_door(scratch)
    made = Deliveries(shared.database, found_company(shared.database, "Documented"))
    made.deliver(made.source(), alert("Disk full", service="payment", host="pay-1", percent="91", job="node", environment="prod"))
    return made


@pytest.fixture
def company(line: Deliveries) -> Company:
    """Whose examples they are."""
    return line.company


@pytest.mark.parametrize("when", CONDITIONS, ids=str)
def test_a_condition_is_taken_and_asked(line: Deliveries, when: dict[str, Any]) -> None:
    (shown,) = line.alerts()
    spec = {"name": f"condition {when}"[:100], "when": when, "then": {"labels": {"seen": "yes"}}}
    tried = rules.try_out(line.company.owner, spec, shown.id)
    assert tried.trace and tried.holds is (tried.did == ("label seen=yes",))
    definitions.create(line.company.owner, "rule", spec | {"enabled": False})


@pytest.mark.parametrize("then", ACTIONS, ids=str)
def test_an_action_is_taken_and_done(line: Deliveries, then: dict[str, Any]) -> None:
    (shown,) = line.alerts()
    spec = {"name": f"action {then}"[:100], "when": {"all": []}, "then": then}
    assert rules.try_out(line.company.owner, spec, shown.id).holds
    definitions.create(line.company.owner, "rule", spec | {"enabled": False})


@pytest.mark.parametrize(("kind", "spec"), DEFINED)
def test_what_is_defined_is_taken(company: Company, kind: str, spec: dict[str, Any]) -> None:
    definitions.create(company.owner, kind, spec)


@pytest.mark.parametrize("spec", examples("silences"), ids=str)
def test_a_silence_is_taken(company: Company, spec: dict[str, Any]) -> None:
    later = {name: said.replace("2026", "2126") if isinstance(said, str) else said for name, said in spec.items()}
    silences.create(company.owner, later)


def test_every_operator_and_every_action_has_an_example() -> None:
    assert set(Op) == {each.get("op", "=") for each in CONDITIONS if "field" in each}
    assert {kind for kind in ("all", "any", "not", "times", "logic") if not any(kind in each for each in CONDITIONS)} == set()
    assert set(Actions.model_fields) == {name for each in ACTIONS for name in each}

"""Has an alert become dearer than what was written down?"""

from pathlib import Path

import pytest

from benchmarks import smoke
from benchmarks.measured import measured
from engine.operations import sources
from engine.storage.database import Database
from tests.testkit.people import Company

pytestmark = pytest.mark.slow


def test_a_batch_takes_the_same_statements_for_few_alerts_and_for_many(database: Database, acme: Company) -> None:
    source = sources.create(acme.owner, "alertmanager", "load").source
    few, many = (smoke.statements(database, acme.id, source.id, alerts) for alerts in (20, 1000))
    assert few == many
    assert few <= smoke.HEADROOM * smoke.figures()["statements_per_batch"]


def test_an_alert_costs_no_more_cpu_than_half_as_much_again(scratch: Path) -> None:
    limit = smoke.HEADROOM * smoke.figures()["cpu_ms_per_alert"]
    with measured(scratch / "smoke") as on:
        spent, yardstick_ms = smoke.cost(on, enough=limit)
    assert 0 < smoke.told(spent, yardstick_ms) <= limit

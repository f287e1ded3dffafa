"""Is nothing lost and nothing counted twice when everything is killed at random? (scenario S12)"""

from pathlib import Path

import psycopg
import pytest

from benchmarks.chaos import chaos
from benchmarks.findings import Record, findings
from benchmarks.measured import Measured, measured, superuser

pytestmark = pytest.mark.slow

_NEWEST = "(SELECT id FROM {} WHERE org_id = %(org)s{} ORDER BY id DESC LIMIT 1)"
_DELIVERY, _ALERT = "%(acknowledged)s", _NEWEST.format("alert", " AND status = 'firing'")
_LINE = _NEWEST.format("alert_entry", " AND kind <> 'repeated'")
_INCIDENT = "org_id = %(org)s AND number = 1"
# what is spoilt, and what is said of it
SPOILT = {
    f"DELETE FROM inbox WHERE id = {_DELIVERY}": "acknowledged, but not stored",
    f"UPDATE inbox SET body = 'x' WHERE id = {_DELIVERY}": "stored with another body",
    f"DELETE FROM alert_entry WHERE id = {_LINE}": "stored, but not applied",
    f"UPDATE alert SET deliveries = deliveries + 1 WHERE id = {_ALERT}": "counted its deliveries wrongly",
    f"UPDATE alert SET count = count + 1 WHERE id = {_ALERT}": "heard of",
    f"UPDATE alert SET incident_id = NULL WHERE id = {_ALERT}": "is in no incident",
    f"UPDATE incident SET alert_count = alert_count + 1 WHERE {_INCIDENT}": "counted its alerts wrongly",
    f"UPDATE incident SET open_by_severity = '{{0,0,0,0,9}}' WHERE {_INCIDENT}": "counted its firing alerts wrongly",
    f"UPDATE incident SET number = 1000000 WHERE {_INCIDENT}": "incident numbers are not 1, 2, 3",
    f"INSERT INTO pending SELECT org_id, id, alerts, 1 FROM inbox WHERE id = {_DELIVERY}": "still waits",
}


@pytest.fixture(scope="module")
def killed(scratch: Path) -> "dict[str, object]":
    """What came of six kills, and what the spoilt data were found to be."""
    with measured(scratch / "chaos") as on:
        record = Record()
        result = chaos(on, kills=6, seed=3, seconds=9, record=record)
        return result | {"spoilt": _spoilt(on, record) if not result["violations"] else {}}


def test_what_was_acknowledged_is_there_once_and_rightly_counted(killed: dict[str, object]) -> None:
    assert killed["violations"] == []
    assert isinstance(killed["kills"], dict) and killed["kills"]["all"] == 6
    assert isinstance(killed["acknowledged"], int) and killed["acknowledged"] > 100


@pytest.mark.parametrize(("statement", "says"), SPOILT.items(), ids=list(SPOILT.values()))
def test_the_checks_would_notice(killed: dict[str, object], statement: str, says: str) -> None:
    spoilt = killed["spoilt"]
    assert isinstance(spoilt, dict)
    assert any(says in found for found in spoilt[statement]), spoilt[statement]


def _spoilt(on: Measured, record: Record) -> dict[str, list[str]]:
    """What is found when the data are spoilt, each in a transaction that is rolled back."""
    found: dict[str, list[str]] = {}
    with psycopg.connect(superuser(on.installed), dbname="aiops") as db:
        for statement in SPOILT:
            # The newest delivery may be one whose answer was lost: only of those that were answered something is promised.
            known = {"org": on.org_id, "acknowledged": max(record.acknowledged)}
            assert db.execute(statement, known).rowcount == 1
            found[statement] = findings(db, on.org_id, record)
            db.rollback()
    return found

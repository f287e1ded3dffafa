"""Do imported routes take the alerts that Alertmanager itself would have taken there?

What is expected is asked of Alertmanager's own `amtool config routes test`.
"""

import random
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml

from engine.errors import Invalid
from engine.integrations.imports import alertmanager
from engine.integrations.imports.alertmanager import Imported
from engine.matching.conditions import Subject
from engine.model.ruled import Ruling
from engine.model.rulings import RuleSpec
from engine.model.silences import InhibitionSpec
from engine.stages.rules import Rule, RuleSet

pytestmark = pytest.mark.fast

CONFIGS = Path(__file__).parent / "imports"
NAMES = ("company", "several", "flat")
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday
VALUES = {
    "alertname": ("NodeDown", "Slow", "Watchdog"),
    "team": ("database", "frontend", "infra-eu", "search", None),
    "severity": ("critical", "error", "warning", "info", None),
    "service": ("checkout", "cart", "payment", "search", None),
    "environment": ("prod", "dev", None),
    "cluster": ("eu", "us"),
}


def label_sets() -> list[dict[str, str]]:
    """Thirty alerts, always the same."""
    chosen = random.Random(7)
    made = [{name: chosen.choice(values) for name, values in VALUES.items()} for _ in range(30)]
    return [{name: value for name, value in labels.items() if value is not None} for labels in made]


def imported(name: str) -> Imported:
    """A configuration, read."""
    return alertmanager.translate(yaml.safe_load((CONFIGS / f"{name}.yml").read_text()))


def judged(rules: list[dict[str, Any]], labels: dict[str, str], now: datetime = NOON) -> Ruling:
    """What the rules say of an alert."""
    specs = [RuleSpec.model_validate(each) for each in rules]
    made = [
        Rule(id=UUID(int=n), version=1, name=spec.name, priority=n, when=spec.when, then=spec.then, stop=spec.stop)
        for n, spec in enumerate(specs)
    ]
    return RuleSet(made).judge(Subject(now, {}, dict(labels), {}))


def receivers(ruling: Ruling) -> list[str]:
    """Whom the rules that held are of, in their order."""
    return [ran.name.rpartition("→ ")[2] for ran in ruling.ran if not ran.name.endswith(", quiet")]


@pytest.mark.skipif(not shutil.which("amtool"), reason="not installed: amtool")
@pytest.mark.parametrize("name", NAMES)
def test_every_alert_is_routed_as_amtool_says(name: str) -> None:
    rules = imported(name).rules
    for labels in label_sets():
        said = [f"{label}={value}" for label, value in labels.items()]
        command = ["amtool", "config", "routes", "test", f"--config.file={CONFIGS / name}.yml", *said]
        theirs = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip().split(",")
        assert receivers(judged(rules, labels)) == theirs, labels


# labels, and by what the alert is grouped
GROUPED: list[tuple[str, dict[str, str], tuple[str, ...]]] = [
    ("company", {"team": "database", "alertname": "Slow", "instance": "a"}, ("alertname Slow", "instance a")),
    ("company", {"team": "database", "severity": "critical", "cluster": "eu"}, ("cluster eu",)),
    ("company", {"severity": "critical", "environment": "prod"}, ()),
    ("company", {"alertname": "Slow", "cluster": "eu"}, ("alertname Slow", "cluster eu")),
    ("several", {"environment": "prod", "service": "checkout", "severity": "critical"}, ("service checkout",)),
]


@pytest.mark.parametrize(("name", "labels", "by"), GROUPED)
def test_alerts_are_grouped_as_their_route_says_and_apart_from_other_routes(name: str, labels: dict[str, str], by: tuple[str, ...]) -> None:
    first, *rest = judged(imported(name).rules, labels).group
    assert first.startswith("alertmanager_route ") and tuple(rest) == by


# when, whose alert, and whether it is quiet
QUIET = [
    ("2026-03-04T12:00:00", "frontend", False, "a Wednesday at noon"),
    ("2026-03-04T21:30:00", "frontend", True, "22:30 in Berlin"),
    ("2026-03-05T04:59:00", "frontend", True, "05:59 in Berlin"),
    ("2026-03-05T05:00:00", "frontend", False, "06:00 in Berlin"),
    ("2026-03-07T12:00:00", "frontend", True, "a Saturday"),
    ("2026-03-04T12:00:00", "infra-eu", False, "in office hours"),
    ("2026-03-04T08:59:00", "infra-eu", True, "before them"),
    ("2026-12-09T12:00:00", "infra-eu", True, "in December"),
    ("2026-12-31T23:00:00", "infra-eu", False, "the last day of a month"),
    ("2026-12-02T23:00:00", "infra-eu", False, "the second of a month"),
    ("2026-03-07T12:00:00", "database", False, "whose route says no times"),
]


@pytest.mark.parametrize(("at", "team", "is_quiet", "why"), QUIET)
def test_routes_are_quiet_in_their_times(at: str, team: str, is_quiet: bool, why: str) -> None:
    ruling = judged(imported("company").rules, {"team": team, "severity": "error"}, datetime.fromisoformat(at).replace(tzinfo=UTC))
    assert bool(ruling.suppressed_by) is is_quiet, why


def test_inhibitions_are_taken_as_they_are() -> None:
    specs = [InhibitionSpec.model_validate(each) for each in imported("company").inhibitions]
    assert [(list(map(str, each.sources)), list(map(str, each.targets)), each.equal) for each in specs] == [
        (['alertname="NodeDown"'], ['severity=~"warning|info"'], ["node"]),
        (['severity="critical"'], ['severity=~"warning|info"'], ["alertname", "cluster"]),
    ]


def test_the_report_says_of_every_part_what_was_taken_and_what_not() -> None:
    report = imported("company").report
    left = {line.place: line.said for line in report if not line.taken}
    assert left["receivers: frontend-pager"].startswith("tells webhook; nobody is told from here yet")
    assert left["global"] == "is not about routing, grouping or muting"
    assert {"route", "route.routes[1].routes[0]", "inhibit_rules[1]", "time_intervals: office"} <= {
        line.place for line in report if line.taken
    }
    assert any("“...”" in line.said for line in imported("flat").report)


# what is no configuration, and where that is said
WRONG: list[tuple[Any, str]] = [
    ({}, "route"),
    ({"route": "x"}, "route"),
    ({"route": {"receiver": "a", "routes": [{"matchers": ["what is this"]}]}}, "route.routes[0]"),
]


@pytest.mark.parametrize(("config", "place"), WRONG)
def test_what_is_no_configuration_is_refused_with_its_place(config: Any, place: str) -> None:
    with pytest.raises(Invalid) as caught:
        alertmanager.translate(config)
    assert [fault.field for fault in caught.value.errors] == [place]

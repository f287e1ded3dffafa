"""What has an organization decided about its alerts that a handler could be told to show or change?"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from engine.model.vocabulary import ImportKind
from engine.operations import definitions, rules, silences
from state.rules import RuleRow
from state.silences import SilenceRow
from tests.testkit.people import Company

_NOWHERE: dict[str, Any] = {"field": "service", "value": "of nobody"}
RULES_FILE = json.dumps({"rules": [{"name": "Imported", "when": _NOWHERE, "then": {"analyse": True}}]})
# The pages of one thing, by their states: what they show, and where they are.
PAGES = {
    "RuleState": ("rule", "rules"),
    "ExtractionState": ("extraction", "extractions"),
    "MappingState": ("mapping", "mappings"),
    "InhibitionState": ("inhibition", "inhibitions"),
    "SilenceState": ("silence", "silences"),
}
# What could be in any form about these; it holds of every alert and names nothing of the organization.
FORM = {
    "when": '{"all": []}',
    "analyse": "on",
    "field": "title",
    "pattern": r"on (?P<host>\S+)",
    "match_on": "service",
    "rows": "service,tier\nfresh,1\n",
    "sources": 'alertname="Fresh"',
    "targets": 'severity="warning"',
    "matchers": 'severity="critical"',
    "comment": "Fresh",
    "lasts": "60",
    "kind": ImportKind.RULES.value,
}


def found_decided(company: Company) -> tuple[set[str], dict[str, str]]:
    """A thing of every kind, by name and id: of all alerts, or of the blue team's alone."""
    owner, blue = company.owner, company.blue.id
    fresh = {kind: f"{kind} {uuid4().hex[:8]}" for kind in ("rule", "last", "extraction", "mapping", "inhibition")}
    rule: dict[str, Any] = {"when": _NOWHERE, "then": {"analyse": True}}
    specs: list[tuple[str, Any, dict[str, Any], Any]] = [
        ("rule", "rule", rule, None),
        ("last", "rule", rule, blue),
        ("extraction", "extraction", {"field": "labels.nothing", "pattern": "(?P<x>y)"}, None),
        ("mapping", "mapping", {"match_on": ["service"], "columns": ["service", "tier"], "rows": [["of nobody", "1"]]}, blue),
        ("inhibition", "inhibition", {name: [{"name": "job", "value": "of nobody"}] for name in ("sources", "targets")}, blue),
    ]
    told = {name: str(definitions.create(owner, kind, spec | {"name": fresh[name]}, team).id) for name, kind, spec, team in specs}
    now, comment = datetime.now(UTC).replace(tzinfo=None, microsecond=0), f"Quiet {uuid4().hex[:8]}"
    times = {"starts": (now - timedelta(hours=1)).isoformat(), "ends": (now + timedelta(days=1)).isoformat()}
    quiet = silences.create(owner, times | {"matchers": [{"name": "job", "value": "of nobody"}], "comment": comment}, blue)
    job = rules.request_dry_run(owner, rule | {"name": "asked"}, 1)
    return {*fresh.values(), comment}, told | {"silence": str(quiet.id), "job": str(job.id)}


def remembered(targets: dict[str, str]) -> dict[str, dict[str, Any]]:
    """What the pages of these would have read before, by their states."""
    known: dict[str, dict[str, Any]] = {
        state: {"id": targets[kind], "name": "chosen", "is_new": False, "version": 1}
        for state, (kind, _) in PAGES.items()
        if kind != "silence"
    }
    known["RuleState"] |= {"job": targets["job"], "asking": True, "_said": FORM | {"name": "asked"}}
    quiet = SilenceRow(targets["silence"], *["chosen"] * 9, is_once=True, is_over=False)
    rows = [RuleRow(targets[name], 1, *["chosen"] * 5, False, False, True, False) for name in ("rule", "last")]
    return known | {
        "SilenceState": {"silence": quiet, "is_new": False, "_version": 1},
        "RulesState": {"rows": rows},
        "ImportsState": {"_looked_at": (ImportKind.RULES, RULES_FILE)},
    }

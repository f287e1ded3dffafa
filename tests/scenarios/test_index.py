"""Which test shows which acceptance scenario? A scenario without its tests is not shown."""

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast
TESTS = Path(__file__).resolve().parents[1]

SHOWN_BY = {
    "S1 every handler, route and socket, for everybody": ("api/test_permissions.py", "state/test_handlers.py", "state/test_socket.py"),
    "S2 no organization, no rows; no bleeding over pooled connections": ("storage/test_tenancy.py",),
    "S3 a role that could bypass row-level security is refused": ("storage/test_external.py",),
    "S6 another site's page cannot act for its visitor": ("api/test_cross_site.py",),
    "S7 signatures of deliveries: wrong, missing, old, re-encoded, replayed; two secrets while rotating": ("api/test_intake.py",),
    "S10 an edited, deleted or reordered audit row is named": ("storage/test_audit.py",),
    "S12 every process killed under load, and nothing is lost or doubled": ("scenarios/test_chaos.py",),
    "S13 a full disk loses nothing that was answered": ("scenarios/test_disk_full.py",),
    "S14 tries are limited for account and address": ("operations/test_throttle.py",),
}


@pytest.mark.parametrize(("scenario", "files"), SHOWN_BY.items(), ids=[name.partition(" ")[0] for name in SHOWN_BY])
def test_the_tests_of_a_scenario_are_there_and_say_so(scenario: str, files: tuple[str, ...]) -> None:
    number = scenario.partition(" ")[0]
    for file in files:
        text = (TESTS / file).read_text()
        tests = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
        assert tests, f"{file} is to show {scenario}"
        assert re.search(rf"\b{number}\b", text), f"{file} does not say that it shows {number}"

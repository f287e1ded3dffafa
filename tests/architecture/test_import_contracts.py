"""Do the import contracts hold, and would each of them notice?"""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
ROOTS = ("aiops_ui", "state", "engine")

# contract, what is added to which files, why it must be caught
VIOLATIONS = [
    (
        "Pages show, state asks, engine does",
        {"state/toasts.py": "import aiops_ui.theme"},
        "state does not know how it is shown",
    ),
    (
        "Callers ask operations; the core knows nobody",
        {"engine/storage/paging.py": "import engine.operations.words"},
        "storage does not know who asks",
    ),
    (
        "Callers ask operations; the core knows nobody",
        {"engine/extras.py": '"""A module of no layer."""'},
        "the layers are exhaustive: a new module is put into one on purpose",
    ),
    (
        "The core is pure",
        {"engine/identity/throttle.py": "import time"},
        "the time is an argument",
    ),
    (
        "The core is pure",
        {"engine/identity/throttle.py": "import engine.settings"},
        "the policy is an argument",
    ),
    (
        "A stage never imports another stage",
        {"engine/stages/judge.py": "import engine.stages.group", "engine/stages/group.py": ""},
        "stages meet only in the pipeline",
    ),
    (
        "State enters only by the door",
        {"state/toasts.py": "import engine.storage.paging"},
        "no page reads past the operations",
    ),
    (
        "State enters only by the door",
        {"state/toasts.py": "import sqlalchemy"},
        "nor writes SQL",
    ),
    (
        "Pages know state and the vocabulary",
        {"aiops_ui/theme.py": "import engine.operations.words"},
        "a page asks its state",
    ),
    (
        "Only workflows touch production",
        {"engine/api/health.py": "import engine.integrations.executors"},
        "no route can run a command",
    ),
    (
        "Engine has no UI",
        {"engine/api/health.py": "import reflex"},
        "the engine runs without pages",
    ),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the product to spoil."""
    copy = tmp_path_factory.mktemp("tree")
    for root in ROOTS:
        shutil.copytree(PROJECT / root, copy / root, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", copy)
    return copy


def test_all_contracts_hold(tree: Path) -> None:
    verdicts = lint(tree)
    assert set(verdicts) == contracts()
    assert {name for name, verdict in verdicts.items() if verdict != "KEPT"} == set()


@pytest.mark.parametrize(("contract", "added", "why"), VIOLATIONS, ids=[f"{name}: {why}" for name, _, why in VIOLATIONS])
def test_a_violation_is_caught_by_its_contract(tree: Path, contract: str, added: dict[str, str], why: str) -> None:
    before = {path: (tree / path).read_text() if (tree / path).exists() else None for path in added}
    try:
        for path, line in added.items():
            (tree / path).write_text(f"{before[path] or ''}\n{line}\n")
        assert {name for name, verdict in lint(tree).items() if verdict == "BROKEN"} == {contract}, why
    finally:
        for path, text in before.items():
            (tree / path).unlink() if text is None else (tree / path).write_text(text)


def test_every_contract_has_a_violation() -> None:
    assert {contract for contract, _, _ in VIOLATIONS} == contracts()


def contracts() -> set[str]:
    """The names of all contracts."""
    told = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    return {contract["name"] for contract in told["tool"]["importlinter"]["contracts"]}


def lint(tree: Path) -> dict[str, str]:
    """The verdict on each contract in that tree."""
    tool = Path(sys.executable).with_name("lint-imports")
    command = [tool, "--config", "pyproject.toml", "--no-cache"]
    said = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=60)
    verdicts = dict(re.findall(r"^(.+?) (KEPT|BROKEN)\b", said.stdout, re.MULTILINE))
    assert verdicts, said.stdout + said.stderr
    return verdicts

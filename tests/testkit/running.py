"""How the suite is run: what shares a process, in which order, what a skip means, and where the time went.

Files are the unit that a process takes; what shares a whole installation, or drives programs on fixed ports, stays together,
so that each is started once. With TEST_SEED files, and tests in them, come in a random order that the seed repeats.
"""

import os
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Tests that ask for one of these stay together, whatever file they are in; scenarios have an installation of their own.
TOGETHER = {"installation": "installation", "browser": "installation", "product": "supervisor"}
SCENARIOS = "tests/scenarios"
# What takes longest begins first, so that no process has it left when the others are done.
FIRST = ["installation", "tests/api/test_fuzz.py", "supervisor", "scenarios"]
SEED = os.environ.get("TEST_SEED", "")

_seconds: dict[str, float] = defaultdict(float)
_counts: dict[str, int] = defaultdict(int)


def pytest_report_header() -> str:
    """Say which order it is, so that it can be had again."""
    return f"order: random, TEST_SEED={SEED} repeats it" if SEED else "order: of the files; TEST_SEED=… for a random one"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Asked for fast tests alone, files that have none are not even imported."""
    if config.option.markexpr == "fast" and collection_path.name.startswith("test_") and collection_path.suffix == ".py":
        return "pytest.mark.fast" not in collection_path.read_text() or None
    return None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Name the group of each test, before pytest-xdist reads the names, and put groups in order."""
    _in_groups(items)
    yield


def _in_groups(items: list[pytest.Item]) -> None:
    groups: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        groups[_group(item)].append(item)
    for name, members in groups.items():
        for item in members:
            item.add_marker(pytest.mark.xdist_group(name))
    names = sorted(groups, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    if SEED:
        chance = random.Random(SEED)
        chance.shuffle(names)
        names.sort(key=lambda name: name not in FIRST)
        groups = {name: _shuffled(groups[name], chance) for name in names}
    # Tests with a browser follow one another, so that it starts once.
    items[:] = [item for name in names for item in sorted(groups[name], key=_has_browser)]


def _has_browser(item: pytest.Item) -> bool:
    return "browser" in getattr(item, "fixturenames", ())


def _group(item: pytest.Item) -> str:
    asked = getattr(item, "fixturenames", ())
    if item.nodeid.startswith(SCENARIOS):
        return "scenarios"
    return next((group for fixture, group in TOGETHER.items() if fixture in asked), _file(item))


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _shuffled(items: list[pytest.Item], chance: random.Random) -> list[pytest.Item]:
    """Files in another order, and the tests of each: what a file has founded is not founded again for each test."""
    files: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        files[_file(item)].append(item)
    order = list(files.values())
    chance.shuffle(order)
    for members in order:
        chance.shuffle(members)
    return [item for members in order for item in members]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Under CI nothing may be left out: a test that skips there fails."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"skipped under CI=true: {report.longrepr}"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up what tests cost, setting up and tearing down included."""
    folder = "/".join(report.nodeid.partition("::")[0].split("/")[:2])
    _seconds[folder] += report.duration
    _counts[folder] += report.when == "call"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say where the time went, by folder. With several processes the sum is more than the time on the clock."""
    if _seconds:
        terminalreporter.section("where the time went, seconds of all processes")
    for folder, seconds in sorted(_seconds.items(), key=lambda entry: -entry[1]):
        terminalreporter.write_line(f"{seconds:8.1f} s  {_counts[folder]:5} tests  {folder}")

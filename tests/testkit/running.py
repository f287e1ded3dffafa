"""How the suite is run: what shares a process, in which order, what a skip means, and where the time went.

Files are the unit that a process takes; what shares a whole installation, or drives programs on fixed ports, stays together,
so that each is started once. With TEST_SEED files, and tests in them, come in a random order that the seed repeats.
"""

import gc
import os
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# What shares something that is started once: these folders and files are each one group; every other file is one of its own.
GROUPS = {
    "tests/ui": "installation",
    "tests/state/test_socket.py": "installation",
    "tests/supervisor": "supervisor",
    "tests/scenarios": "scenarios",
}
# Who asks for this must be in that group, or it is started once more.
STARTED_ONCE = {"browser": "installation", "installation": "installation", "product": "supervisor"}
# What takes longest begins first, so that no process has it left when the others are done.
FIRST = ["installation", "supervisor", "tests/api/test_fuzz.py", "scenarios"]
# Of the scenarios these come in this order, before the others: while the first two kill and fill, a minute's story of real senders is
# told, which the third looks at and then takes away.
SCENARIOS = [f"tests/scenarios/test_{name}.py" for name in ("chaos", "disk_full", "real_senders")]
SEED = os.environ.get("TEST_SEED", "")

# What tests make dies with them, and what is imported stays: looking for garbage costs a tenth of the run.
gc.set_threshold(100_000, 50, 100)

_seconds: dict[str, float] = defaultdict(float)
_counts: dict[str, int] = defaultdict(int)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Asked for fast tests alone, files that have none are not even imported."""
    if config.option.markexpr == "fast" and collection_path.name.startswith("test_") and collection_path.suffix == ".py":
        return "pytest.mark.fast" not in collection_path.read_text() or None
    return None


class ByGroup(LoadScopeScheduling):
    """Hands out tests to the processes group by group, in the order of the groups."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByGroup:
    """Have every process take whole groups. (The marks for that of pytest-xdist 3.8 are not read under pytest 9.2.)"""
    return ByGroup(config, log)


def group_of(nodeid: str) -> str:
    """The group of a test: all of it runs in one process."""
    file = nodeid.partition("::")[0]
    return next((group for place, group in GROUPS.items() if file == place or file.startswith(f"{place}/")), file)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put groups in order, the longest first; with a seed, shuffle them and what is in them."""
    groups: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        groups[group_of(item.nodeid)].append(item)
    astray = {item.nodeid for item in items for name in _fixtures_of(item) if (at := STARTED_ONCE.get(name)) and not _is_in(item, at)}
    if astray:
        raise pytest.UsageError(f"these share what is started once, but not its group (tests/testkit/running.py): {sorted(astray)[:5]}")
    names = list(groups)
    if SEED:
        chance = random.Random(SEED)
        chance.shuffle(names)
        groups = {name: _shuffled(groups[name], chance) for name in names}
    names.sort(key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    # Tests with a browser follow one another, so that it starts once.
    items[:] = [item for name in names for item in sorted(groups[name], key=_sort_key)]


def _sort_key(item: pytest.Item) -> tuple[int, bool]:
    file = item.nodeid.partition("::")[0]
    return SCENARIOS.index(file) if file in SCENARIOS else len(SCENARIOS), "browser" in _fixtures_of(item)


def _fixtures_of(item: pytest.Item) -> tuple[str, ...]:
    return tuple(getattr(item, "fixturenames", ()))


def _is_in(item: pytest.Item, group: str) -> bool:
    # Scenarios have an installation of their own.
    return group_of(item.nodeid) in (group, "scenarios")


def _shuffled(items: list[pytest.Item], chance: random.Random) -> list[pytest.Item]:
    """Files in another order, and the tests of each: what a file has founded is not founded again for each test."""
    files: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        files[item.nodeid.partition("::")[0]].append(item)
    order = list(files.values())
    chance.shuffle(order)
    for members in order:
        chance.shuffle(members)
    return [item for members in order for item in members]


def pytest_collection_finish() -> None:
    """Let the garbage collector look no more at what is imported and collected."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Under CI nothing may be left out: a test that skips there fails."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"skipped under CI=true: {report.longrepr}"


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    """Nor may a whole file."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome, report.longrepr = "failed", f"skipped under CI=true: {report.longrepr}"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up what tests cost, setting up and tearing down included."""
    folder = "/".join(report.nodeid.partition("::")[0].split("/")[:2])
    _seconds[folder] += report.duration
    _counts[folder] += report.when == "call"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the order, so that it can be repeated, and where the time went: with several processes more than on the clock."""
    if SEED:
        terminalreporter.write_line(f"random order: TEST_SEED={SEED} repeats it")
    if _seconds:
        terminalreporter.section("where the time went, seconds of all processes")
    for folder, seconds in sorted(_seconds.items(), key=lambda entry: -entry[1]):
        terminalreporter.write_line(f"{seconds:8.1f} s  {_counts[folder]:5} tests  {folder}")

"""Is the code as the design says? Each rule is first shown to notice what it is for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.architecture import shapes
from tests.state.allowed import OPEN_TO_ALL, UNGUARDED

pytestmark = pytest.mark.fast

PROJECT = Path(__file__).resolve().parents[2]
PRODUCT = {
    str(path.relative_to(PROJECT)): path.read_text() for top in ("engine", "state", "aiops_ui") for path in (PROJECT / top).rglob("*.py")
}
TESTS = {str(path.relative_to(PROJECT)) for path in (PROJECT / "tests").rglob("*.py")}

# The door's own machinery: what the operations are made with, and who asks.
MACHINERY = {"defining.py", "__init__.py", "door.py", "callers.py", "live.py", "tries.py", "words.py"}
# Where a fault of any kind is caught and said, and nowhere else.
CATCHES_ALL = {
    "engine/api/edge.py": "the edge of everything: a delivery that meets a fault of ours is answered, so that it comes again",
    "engine/api/keeping.py": "hands the failure of a shared commit on to each request that waits",
    "engine/pipeline/__init__.py": "a poison alert is put aside, the batch goes on",
    "engine/workflows/applier.py": "a supervisor",
    "engine/workflows/runner.py": "a workflow step",
    "engine/workflows/worker.py": "a supervisor",
}
# What is longer than allowed, with its lines. It may only shrink, and goes when it is short enough.
TOO_LONG = {
    "engine/api/expose.py": {"expose": 46},
    "aiops_ui/pages/setup.py": {"page": 41},
}

STATE = "class PeopleState(rx.State):\n"
# rule, a text that breaks it, what it says, a text that keeps it
SAMPLES: list[tuple[Callable[[str], object], str, object, str]] = [
    (shapes.unguarded_operations, "def close(ctx): ...", ["close"], "@operation(Permission.VIEW)\ndef close(ctx): ...\ndef _close(): ..."),
    (shapes.unguarded_operations, "@cache\ndef close(ctx): ...", ["close"], "@entrance\ndef enter(entry): ..."),
    (shapes.varying, "at = datetime.now(UTC)", ["now()"], "def judge(now): return now"),
    (shapes.varying, "id = uuid4()", ["uuid4()"], "id: UUID"),
    (shapes.varying, "import time\nat = time.time()", ["time()", "import time"], "from datetime import timedelta"),
    (shapes.varying, "from random import choice", ["import random"], "from dataclasses import dataclass"),
    (
        shapes.unguarded_handlers,
        STATE + "    @rx.event\n    async def refresh(self): ...",
        ["PeopleState.refresh"],
        STATE + "    @rx.event\n    @requires(Permission.VIEW)\n    async def refresh(self): ...",
    ),
    (
        shapes.unguarded_handlers,
        STATE + "    @requires(Permission.VIEW)\n    @rx.event\n    async def refresh(self): ...",
        ["PeopleState.refresh"],
        STATE + "    @rx.event\n    @open_to_all\n    async def refresh(self): ...",
    ),
    (
        shapes.unguarded_handlers,
        STATE + "    @rx.event(background=True)\n    @log\n    async def listen(self): ...",
        ["PeopleState.listen"],
        STATE + "    @rx.event(background=True)\n    @open_to_all\n    async def listen(self): ...",
    ),
    (
        shapes.handlers_by_accident,
        STATE + "    def took(self): ...",
        ["PeopleState.took"],
        STATE + "    def _took(self): ...\n    @rx.var\n    def total(self): ...\n    @rx.event\n    def dismiss(self): ...",
    ),
    (
        shapes.handlers_by_accident,
        "class Rows(TableState):\n    def took(self): ...",
        ["Rows.took"],
        "class Rows:\n    def took(self): ...",
    ),
    (shapes.naive_times, "datetime.now()", ["1: now"], "datetime.now(UTC)"),
    (shapes.naive_times, "datetime.utcnow()", ["1: utcnow"], "datetime.now(tz=UTC)"),
    (shapes.naive_times, "datetime.fromtimestamp(1)", ["1: fromtimestamp"], "datetime.fromtimestamp(1, UTC); func.now()"),
    (shapes.broad_excepts, "try: ...\nexcept Exception: pass", ["2: Exception"], "try: ...\nexcept ValueError: pass"),
    (shapes.broad_excepts, "try: ...\nexcept: pass", ["2: bare"], "try: ...\nexcept BaseException:\n    stop()\n    raise"),
    (shapes.broad_excepts, "try: ...\nexcept (OSError, Exception): pass", ["2: (OSError, Exception)"], "try: ...\nexcept OSError: ..."),
    (shapes.too_long, "a = 1\n" * 301, {"": 301}, "a = 1\n" * 300),
    (
        shapes.too_long,
        "class Door:\n    def open(self):\n" + "        a = 1\n" * 40,
        {"Door.open": 41},
        "class Door:\n    def open(self):\n" + "        a = 1\n" * 39,
    ),
    (shapes.without_question, "a = 1", ["no docstring"], '"""Who is asking?"""'),
    (shapes.without_question, '"""Who is asking and\nwhy?"""', ["Who is asking and"], '"""Who is asking?\n\nAnd why."""'),
    (shapes.undocumented, "def close(): ...", ["close"], 'def close():\n    """Close it."""'),
    (
        shapes.undocumented,
        'class Door:\n    """A door."""\n    def open(self): ...',
        ["Door.open"],
        "class _Door:\n    def open(self): ...",
    ),
    (shapes.vague_name, "engine/utils.py", ["utils"], "engine/utilities_of_the_town.py"),
    (shapes.vague_name, "engine/common/rows.py", ["common"], "engine/storage/database.py"),
    (shapes.vague_name, "state/session_manager.py", ["manager"], "state/session.py"),
]


@pytest.mark.parametrize(("rule", "bad", "says", "good"), SAMPLES)
def test_a_rule_notices_what_it_is_for(rule: Callable[[str], object], bad: str, says: object, good: str) -> None:
    assert rule(bad) == says
    assert not rule(good)


def test_the_product_is_found() -> None:
    assert len(PRODUCT) > 80
    assert {"engine/operations/door.py", "state/call.py", "aiops_ui/theme.py"} <= set(PRODUCT)


def test_every_public_function_of_the_door_is_an_operation() -> None:
    operations = {path: text for path, text in within("engine/operations/").items() if path.rpartition("/")[2] not in MACHINERY}
    assert len(operations) > 5
    assert faults(shapes.unguarded_operations, operations) == {}


def test_a_stage_is_given_the_time_and_asks_for_nothing() -> None:
    assert faults(shapes.varying, within("engine/stages/") | within("engine/matching/")) == {}


def test_every_handler_is_guarded() -> None:
    unguarded = [name for text in within("state/").values() for name in shapes.unguarded_handlers(text)]
    assert sorted(unguarded) == sorted(UNGUARDED)


def test_what_is_open_to_all_is_listed() -> None:
    open_to_all = [name for text in within("state/").values() for name, how in shapes.handlers(text).items() if "open_to_all" in how]
    assert sorted(open_to_all) == sorted(OPEN_TO_ALL)


def test_no_state_has_a_handler_by_accident() -> None:
    assert faults(shapes.handlers_by_accident, PRODUCT) == {}


def test_states_are_only_in_state() -> None:
    assert [path for path, text in PRODUCT.items() if shapes.handlers(text) and not path.startswith("state/")] == []


def test_no_moment_is_without_a_time_zone() -> None:
    assert faults(shapes.naive_times, PRODUCT) == {}


def test_everything_is_caught_only_where_nothing_may_end() -> None:
    assert set(faults(shapes.broad_excepts, PRODUCT)) == set(CATCHES_ALL)


def test_files_and_functions_are_short() -> None:
    long = faults(shapes.too_long, PRODUCT)
    grown = {f"{path}:{name}": lines for path, found in long.items() for name, lines in found.items() if lines > known(path, name)}
    assert grown == {}


def test_no_exception_of_length_outlives_its_need() -> None:
    long = faults(shapes.too_long, PRODUCT)
    assert [f"{path}:{name}" for path, names in TOO_LONG.items() for name in names if name not in long.get(path, {})] == []


def test_every_module_says_what_it_answers() -> None:
    assert faults(shapes.without_question, PRODUCT) == {}


def test_everything_public_of_the_engine_is_documented() -> None:
    assert faults(shapes.undocumented, within("engine/")) == {}


def test_every_file_is_named_by_what_it_is() -> None:
    assert {path: found for path in {*PRODUCT, *TESTS} if (found := shapes.vague_name(path))} == {}


def within(folder: str) -> dict[str, str]:
    """The product's files of a folder."""
    return {path: text for path, text in PRODUCT.items() if path.startswith(folder)}


def faults(rule: Callable[[str], object], files: dict[str, str]) -> dict:
    """What breaks the rule, by file."""
    return {path: found for path, text in files.items() if (found := rule(text))}


def known(path: str, name: str) -> int:
    """How long it is allowed to be."""
    return TOO_LONG.get(path, {}).get(name, 0)

"""Is a pattern that others choke on answered in time that grows with the text alone, wherever an operator can write one?

What is compared is a text with a quarter of it. Twelve times as long is generous for what is linear; what is quadratic takes
sixteen times, and what backtracks never ends.
"""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import TypeAdapter

from engine.matching.conditions import Patterns, Subject, compiled
from engine.matching.windows import Window
from engine.model.conditions import Condition
from engine.model.enrichments import Extraction
from engine.model.rulings import RuleSpec
from engine.model.silences import InhibitionSpec, Matcher
from engine.stages.enrich import Enrichments
from engine.stages.quiet import Inhibition, Inhibitions, Silence, Silences
from engine.stages.rules import Rule, RuleSet

pytestmark = pytest.mark.fast

NOW = datetime(2026, 3, 6, 12, tzinfo=UTC)
ID = UUID(int=1)
LONGEST = 64 * 1024
SEARCHED = 8_000  # an extraction looks no further than a little behind it
GENEROUS = 12.0
# Whatever asks about a text, and whether it holds for it.
Ask = Callable[[str], bool]


def text(length: int) -> str:
    """What nearly matches until its last letter."""
    return "a" * (length - 1) + "!"


def alert(said: str) -> Subject:
    """An alert with this title."""
    return Subject(NOW, {"title": said}, {}, {})


def condition(pattern: str) -> Ask:
    """A condition by itself."""
    patterns = Patterns()
    said: Condition = TypeAdapter(Condition).validate_python({"field": "title", "op": "=~", "value": pattern})
    test = compiled(said, patterns)
    patterns.ready()
    return lambda said: test(alert(said))


def rule(pattern: str) -> Ask:
    """The condition of a rule."""
    when = {"field": "title", "op": "=~", "value": pattern}
    spec = RuleSpec.model_validate({"name": "hostile", "when": when, "then": {"severity": "info"}})
    rules = RuleSet([Rule(id=ID, version=1, name=spec.name, priority=1, when=spec.when, then=spec.then)])
    return lambda said: bool(rules.judge(alert(said)).ran)


def silence(pattern: str) -> Ask:
    """The matcher of a silence."""
    window = Window(datetime(2026, 3, 6), datetime(2026, 3, 7), "UTC", "")  # noqa: DTZ001 on the wall
    matchers = (Matcher(name="alertname", op="=~", value=pattern),)
    silences = Silences([Silence(id=ID, matchers=matchers, window=window)])
    return lambda said: bool(silences.muting({"alertname": said}, NOW))


def inhibition(pattern: str) -> Ask:
    """The matchers of an inhibition: those of its sources and those of its targets."""
    matcher = {"name": "alertname", "op": "=~", "value": pattern}
    spec = InhibitionSpec.model_validate({"name": "hostile", "sources": [matcher], "targets": [matcher]})
    made = Inhibition(id=ID, name=spec.name, sources=tuple(spec.sources), targets=tuple(spec.targets))
    inhibitions = Inhibitions([made])
    return lambda said: bool(inhibitions.as_source({"alertname": said})) or bool(inhibitions.as_target({"alertname": said}, NOW))


def extraction(pattern: str) -> Ask:
    """The pattern of an extraction, which is looked for anywhere in the text."""
    spec = Extraction.model_validate({"name": "hostile", "field": "title", "pattern": f"(?P<found>{pattern})"})
    enrichments = Enrichments([spec], [])
    return lambda said: bool(enrichments.apply(alert(said)))


WHOLE = [condition, rule, silence, inhibition]
# pattern, why others choke on it
HOSTILE = [
    ("(a+)+$", "repetitions within repetitions"),
    ("(a|aa)+$", "the same in two ways"),
    ("(a|a?)+b", "or nothing"),
    ("(.*a){20}", "twenty ways to cut a text"),
    ("([a-zA-Z]+)+$", "a class, repeated and repeated"),
    ("(a*)*b", "repetitions of nothing"),
    ("(.*)*x", "everything, many times"),
    (".*.*.*.*.*.*.*=b", "which has stopped half the web for half an hour"),
    ("^(([a-z])+.)+[A-Z]([a-z])+$", "the name of a class in Java"),
    ("[ab]*a[ab]{200}b", "200 letters that have to be remembered"),
]


def growth(ask: Ask, longest: int = LONGEST) -> float:
    """How many times as long a text takes as a quarter of it: the least of five measurements of each."""
    whole, quarter = text(longest), text(longest // 4)
    return min(_seconds(ask, whole) for _ in range(5)) / min(_seconds(ask, quarter) for _ in range(5))


def _seconds(ask: Ask, said: str) -> float:
    """Of this thread alone: what else the machine does is not the pattern's."""
    began = time.thread_time()
    ask(said)
    return time.thread_time() - began


def test_what_is_not_linear_is_noticed() -> None:
    """An engine that backtracks begins anew at each letter, and tries every cut between the two."""
    backtracking = re.compile("a*a*b")
    assert growth(lambda said: backtracking.search(said) is not None, longest=512) > GENEROUS


@pytest.mark.parametrize("asked", WHOLE, ids=lambda asked: asked.__name__)
@pytest.mark.parametrize(("pattern", "why"), HOSTILE)
def test_a_hostile_pattern_is_answered_in_linear_time(asked: Callable[[str], Ask], pattern: str, why: str) -> None:
    assert growth(asked(pattern)) <= GENEROUS, why


@pytest.mark.parametrize("asked", WHOLE, ids=lambda asked: asked.__name__)
@pytest.mark.parametrize(("pattern", "ending"), [("(a+)+$", "a"), ("(a|aa)+$", "a"), ("(.*a){20}", "a"), ("(a*)*b", "b"), ("(.*)*x", "x")])
def test_a_hostile_pattern_is_answered_rightly(asked: Callable[[str], Ask], pattern: str, ending: str) -> None:
    ask = asked(pattern)
    assert not ask(text(LONGEST))
    assert ask(text(LONGEST)[:-1] + ending), "giving up would be quick too"


@pytest.mark.parametrize(("pattern", "is_there"), [("(a+)+$", False), ("(a|aa)+$", False), ("(.*a){20}", True), ("(a*)*b", False)])
def test_what_a_hostile_pattern_finds_is_taken_out(pattern: str, is_there: bool) -> None:
    assert extraction(pattern)(text(SEARCHED)) is is_there


def test_only_the_beginning_of_a_text_is_searched_as_captures_cost_more_than_matching() -> None:
    behind = extraction("(a+!)")
    assert (behind(text(SEARCHED)), behind(text(LONGEST))) == (True, False)

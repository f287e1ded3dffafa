"""Is nothing taken over before it was looked at, and is every line told?"""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from engine.identity.actor import Actor
from engine.model.vocabulary import Role
from engine.operations import definitions
from state.imports import ImportsState
from tests.state.visits import Visit
from tests.testkit.people import Company

CONFIG = (Path(__file__).parents[1] / "integrations" / "imports" / "company.yml").read_text()
GOOD: dict[str, Any] = {"when": {"field": "service", "value": "payment"}, "then": {"analyse": True}}


def opened(who: Actor) -> Visit:
    """The page, open."""
    return Visit(ImportsState, who, "/imports", "/imports").arrived()


def looked(who: Actor, text: Any, kind: Any = "rules") -> Visit:
    """The page after a look at a file."""
    page = opened(who)
    page.do("look", {"kind": kind, "text": text})
    return page


def file(*names: str, **other: Any) -> str:
    """A file of ours with rules of these names."""
    return json.dumps({"rules": [GOOD | {"name": name} | other for name in names]})


def fresh(count: int = 1) -> list[str]:
    """Names that no rule has."""
    return [f"Imported {uuid4().hex[:8]}" for _ in range(count)]


def there(company: Company) -> set[str]:
    """The names of all rules."""
    return {each.name for each in definitions.all(company.owner, "rule").items}


def test_a_look_says_what_would_be_taken_and_changes_nothing(company: Company) -> None:
    before, names = there(company), fresh(2)
    page = looked(company.admin, file(*names))
    assert (page.verdict, page.was_taken, page.fault) == ("2 added, 0 changed, 0 as they are, 0 left out", False, "")
    assert [(line.place, line.taken, line.said) for line in page.report] == [(f"rules[{n}]", True, f"“{names[n]}”") for n in (0, 1)]
    assert (there(company), page.toasts) == (before, [])


def test_what_was_looked_at_is_taken_once(company: Company) -> None:
    names = fresh(2)
    page = looked(company.admin, file(*names))
    page.do("take")
    assert set(names) <= there(company) and page.was_taken
    assert page.toasts == ["Taken over: 2 added, 0 changed, 0 as they are, 0 left out."]
    page.do("take")
    assert len(page.toasts) == 1, "nothing is left to be taken"
    page.do("look", {"kind": "rules", "text": file(names[0])})
    assert (page.verdict, page.was_taken) == ("0 added, 0 changed, 1 as they are, 0 left out", False)
    page.do("look", {"kind": "rules", "text": file(names[0], stop=True)})
    page.do("take")
    assert page.toasts[1:] == ["Taken over: 0 added, 1 changed, 0 as they are, 0 left out."]


def test_nothing_is_taken_without_a_look(company: Company) -> None:
    before = there(company)
    page = opened(company.admin)
    page.do("take")
    assert (there(company), page.toasts, page.verdict) == (before, [], "")


def test_what_was_looked_at_is_forgotten_when_the_page_is_left_or_another_look_fails(company: Company) -> None:
    before = there(company)
    for forgets in (("arrive",), ("look", {"kind": "rules", "text": "rubbish"}), ("look", {"kind": "", "text": "x"})):
        page = looked(company.admin, file(*fresh()))
        page.do(*forgets)
        page.do("take")
        assert (there(company), page.verdict, list(page.report), page.toasts) == (before, "", [], [])


def test_every_line_is_told_and_the_right_ones_are_taken(company: Company) -> None:
    good, bad = fresh(2)
    text = json.dumps({"rules": [GOOD | {"name": good}, {"then": {}}, GOOD | {"name": bad, "then": {}}], "colours": []})
    page = looked(company.admin, text)
    told = {line.place: line for line in page.report}
    taken = {place: line.taken for place, line in told.items()}
    assert taken == {"rules[0]": True, "rules[1]": False, "rules[2]": False, "colours": False}
    assert told["rules[1]"].said == "it has no name" and "at least one action" in told["rules[2]"].said
    assert page.verdict == "1 added, 0 changed, 0 as they are, 3 left out"
    page.do("take")
    assert good in there(company) and bad not in there(company)


def test_a_long_report_is_cut_and_what_is_more_is_counted(company: Company) -> None:
    page = looked(company.admin, json.dumps({"rules": [{}] * 305}))
    assert (len(page.report), page.more, page.verdict) == (300, 5, "0 added, 0 changed, 0 as they are, 305 left out")
    page.do("look", {"kind": "rules", "text": file(*fresh())})
    assert page.more == 0


def test_a_file_of_another_product_is_taken(company: Company) -> None:
    page = looked(company.admin, CONFIG, "alertmanager")
    assert page.fault == "" and any("receiver" in line.place or "receiver" in line.said for line in page.report)
    looked_at = page.verdict
    page.do("take")
    assert page.verdict == looked_at and page.toasts == [f"Taken over: {looked_at}."]


# what the file is said to be, its text, words of what is wrong
RUBBISH: list[tuple[Any, Any, str]] = [
    ("rules", "", "at least 1 character"),
    ("rules", "rubbish", "This has none of"),
    ("rules", "{", "neither YAML nor JSON"),
    ("rules", "a: b: c", "neither YAML nor JSON"),
    ("rules", "[" * 2000, "neither YAML nor JSON"),
    ("rules", "\0", "neither YAML nor JSON"),
    ("rules", "5", "This has none of"),
    ("rules", CONFIG, "This has none of"),
    ("rules", ["x"], "valid string"),
    ("keep", "[]", ""),
    ("", "x", "Choose what the file is."),
    ("nagios", "x", "Choose what the file is."),
    (["rules"], "x", "Choose what the file is."),
]


@pytest.mark.parametrize(("kind", "text", "words"), RUBBISH)
def test_rubbish_is_said_and_there_is_nothing_to_take(company: Company, kind: Any, text: Any, words: str) -> None:
    page = looked(company.admin, text, kind)
    assert words in page.fault and (page.fault, page.verdict) != ("", "")
    assert (list(page.report), page.toasts) == ([], [])


def test_a_look_after_rubbish_is_a_look(company: Company) -> None:
    page = looked(company.admin, "{")
    page.do("look", {"kind": "rules", "text": file(*fresh())})
    assert (page.fault, len(page.report)) == ("", 1)


def test_who_may_not_configure_neither_looks_nor_takes(company: Company) -> None:
    text = file(*fresh())
    for who in (company.operator, company.viewer, company.red.people[Role.OWNER]):
        page = opened(who)
        page.do("look", {"kind": "rules", "text": text})
        page.do("take")
        assert (page.verdict, list(page.report)) == ("", [])
        assert page.toasts and all(words.startswith("Your role does not allow this") for words in page.toasts)

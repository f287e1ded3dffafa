"""Is what people decided elsewhere taken over, once, and is every line told?"""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from engine.errors import Invalid, Refused
from engine.model.vocabulary import ImportKind
from engine.operations import alerts, definitions, imports, silences
from engine.storage.database import Database
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import found_company

CONFIG = (Path(__file__).parents[1] / "integrations" / "imports" / "company.yml").read_text()
AMTOOL = [
    {
        "id": "1",
        "status": {"state": state},
        "updatedAt": "2026-01-01T00:00:00Z",
        "comment": f"move {number}",
        "createdBy": "ada",
        "startsAt": "2026-01-01T00:00:00.123456789Z",
        "endsAt": ends,
        "matchers": [
            {"name": "service", "value": "a|b", "isRegex": True, "isEqual": False},
            {"name": "team", "value": "x", "isRegex": False, "isEqual": True},
        ],
    }
    for number, (state, ends) in enumerate([("active", "2126-01-01T00:00:00+02:00"), ("expired", "2026-01-02T00:00:00Z")])
]
BLACKOUTS = {
    "status": "ok",
    "blackouts": [
        {
            "id": "b1",
            "environment": "Production",
            "service": ["shop", "c.art"],
            "event": "NodeDown",
            "tags": ["rack=7"],
            "startTime": "2026-01-01T00:00:00.000Z",
            "endTime": "2126-01-01T00:00:00.000Z",
            "text": "move",
            "user": "ada",
        },
        {"id": "b2", "environment": "Production", "tags": ["bare"], "startTime": "2026-01-01T00:00:00Z", "endTime": "2126-01-01T00:00:00Z"},
        {"id": "b3"},
    ],
}


@pytest.fixture
def line(database: Database) -> Deliveries:
    """The way of alerts in an organization of its own."""
    return Deliveries(database, found_company(database, "Imported"))


def test_a_configuration_is_previewed_and_then_taken_once(line: Deliveries) -> None:
    owner = line.company.owner
    looked = imports.preview(owner, ImportKind.ALERTMANAGER, CONFIG)
    assert definitions.all(owner, "rule").items == ()
    taken = imports.take(owner, ImportKind.ALERTMANAGER, CONFIG)
    assert (looked, taken.changed, taken.same) == (taken, 0, 0)
    assert taken.added == len(definitions.all(owner, "rule").items) + len(definitions.all(owner, "inhibition").items)
    again = imports.take(owner, ImportKind.ALERTMANAGER, CONFIG)
    assert (again.added, again.changed, again.same) == (0, 0, taken.added)
    changed = imports.take(owner, ImportKind.ALERTMANAGER, CONFIG.replace("group_by: [cluster]", "group_by: [service]"))
    assert (changed.added, changed.changed) == (0, 1)


def test_alerts_go_the_way_of_the_imported_routes(line: Deliveries) -> None:
    owner = line.company.owner
    imports.take(owner, ImportKind.ALERTMANAGER, CONFIG)
    told = [alert(f"Slow{n}", team="database", cluster="eu", instance=f"i{n}") for n in range(2)] + [alert("NodeDown", severity="error")]
    line.deliver(line.source(), *told)
    assert sorted((each.title, each.alerts) for each in line.incidents()) == [("NodeDown", 1), ("Slow0", 2)]
    assert {each.title: each.labels["alertmanager_route"] for each in alerts.search(owner).items} == {
        "Slow0": "database-pager.routes[1].routes[0]",
        "Slow1": "database-pager.routes[1].routes[0]",
        "NodeDown": "everybody-mail",
    }


def test_silences_of_amtool_are_taken(line: Deliveries) -> None:
    owner = line.company.owner
    taken = imports.take(owner, ImportKind.AMTOOL_SILENCES, json.dumps(AMTOOL))
    (made,) = silences.all(owner).items
    assert (made.comment, made.author, made.active) == ("move 0", "ada", True)
    assert [str(each) for each in made.matchers] == ['service!~"a|b"', 'team="x"']
    assert made.ends_at and made.ends_at.isoformat() == "2125-12-31T22:00:00+00:00"
    assert [(each.place, each.taken) for each in taken.report] == [("silences[0]", True), ("silences[1]", False)]
    assert imports.take(owner, ImportKind.AMTOOL_SILENCES, json.dumps(AMTOOL)).same == 1


def test_blackouts_of_alerta_are_taken(line: Deliveries) -> None:
    owner = line.company.owner
    taken = imports.take(owner, ImportKind.ALERTA_BLACKOUTS, json.dumps(BLACKOUTS))
    (made,) = silences.all(owner).items
    assert [str(each) for each in made.matchers] == [
        'environment="Production"',
        'alertname="NodeDown"',
        'service=~"shop|c\\\\.art"',
        'rack="7"',
    ]
    assert [each.taken for each in taken.report] == [True, False, False]


# Each line names the one before nine times over.
BOMB = "a: &a [x]\n" + "".join(f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n" for before, name in pairwise("abcdefgh"))


def test_what_is_exported_is_taken_elsewhere_in_the_same_order(line: Deliveries, database: Database) -> None:
    owner, elsewhere = line.company.owner, found_company(database, "Elsewhere").owner
    imports.take(owner, ImportKind.ALERTMANAGER, CONFIG)
    definitions.create(owner, "mapping", {"name": "owners", "match_on": ["service"], "columns": ["service", "team"], "rows": [["a", "b"]]})
    definitions.create(owner, "rule", {"name": "of red", "when": {"all": []}, "then": {"suppress": True}}, line.company.red.id)
    file = imports.export(owner)
    assert (file.filename, file.text.splitlines()[0]) == ("rules.yaml", "# 1 of teams are left out.")
    imports.take(elsewhere, ImportKind.RULES, file.text)
    there = [each.name for each in definitions.all(elsewhere, "rule").items]
    assert there == [each.name for each in definitions.all(owner, "rule").items if each.name != "of red"]
    assert imports.export(elsewhere).text == file.text.partition("\n")[2]


def test_of_a_file_of_ours_every_wrong_line_is_told(line: Deliveries) -> None:
    said = {"rules": [{"name": "good", "when": {"all": []}, "then": {"suppress": True}}, {"name": "bad"}, {"when": 1}], "colours": []}
    taken = imports.take(line.company.owner, ImportKind.RULES, json.dumps(said))
    assert {(each.place, each.taken) for each in taken.report} == {
        ("rules[0]", True),
        ("rules[1]", False),
        ("rules[2]", False),
        ("colours", False),
    }


# kind, text, words of the refusal
WRONG: list[tuple[ImportKind, str, str]] = [
    (ImportKind.ALERTMANAGER, "{", "neither YAML nor JSON"),
    (ImportKind.ALERTMANAGER, "[]", "no configuration of Alertmanager"),
    (ImportKind.AMTOOL_SILENCES, "{}", "no list of silences"),
    (ImportKind.ALERTA_BLACKOUTS, "[1]", "no list of blackouts"),
    (ImportKind.ALERTMANAGER, BOMB, "in parts"),
]


@pytest.mark.parametrize(("kind", "text", "words"), WRONG)
def test_what_is_none_of_it_is_refused(line: Deliveries, kind: ImportKind, text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        imports.take(line.company.owner, kind, text)


def test_what_cannot_be_kept_is_told_and_the_rest_is_taken(line: Deliveries) -> None:
    said: list[dict[str, Any]] = [
        AMTOOL[0] | {"matchers": [{"name": "a", "value": ".*", "isRegex": True}]},
        AMTOOL[0] | {"comment": "good"},
    ]
    taken = imports.take(line.company.owner, ImportKind.AMTOOL_SILENCES, json.dumps(said))
    assert (taken.added, [each.comment for each in silences.all(line.company.owner).items]) == (1, ["good"])
    assert any("every alert" in each.said for each in taken.report if not each.taken)


def test_who_may_not_configure_imports_nothing(line: Deliveries) -> None:
    with pytest.raises(Refused):
        imports.take(line.company.operator, ImportKind.ALERTMANAGER, CONFIG)

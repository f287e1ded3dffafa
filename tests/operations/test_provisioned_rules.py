"""Do files describe rules, extractions, tables and inhibitions, all of it or nothing, and as often as one likes?"""

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from engine.errors import Conflict, Invalid, Misconfigured
from engine.model.definitions import DefinitionView
from engine.model.vocabulary import DefinitionKind
from engine.operations import definitions, imports, provisioning, sources, teams
from engine.operations.definitions import Kind
from engine.storage import definitions as stored
from engine.storage.database import Database
from engine.storage.work import work
from engine.workflows import provisioner
from tests.testkit.asking import newest
from tests.testkit.deliveries import ALL, Deliveries, alert
from tests.testkit.people import found_company

RULE, EXTRACTION = DefinitionKind.RULE, DefinitionKind.EXTRACTION
MAPPING, INHIBITION = DefinitionKind.MAPPING, DefinitionKind.INHIBITION
KINDS: tuple[Kind, ...] = (RULE, EXTRACTION, MAPPING, INHIBITION)
PAGE = Path(__file__).resolve().parents[2] / "docs" / "senders.md"
SPECS: dict[Kind, dict[str, Any]] = {
    RULE: {"name": "calm", "when": {"field": "service", "value": "payment"}, "then": {"severity": "info"}},
    EXTRACTION: {"name": "host", "field": "title", "pattern": "on (?P<host>\\S+)"},
    MAPPING: {"name": "owners", "match_on": ["service"], "columns": ["service", "tier"], "rows": [["payment", "1"]]},
    INHIBITION: {
        "name": "node first",
        "sources": [{"name": "alertname", "value": "NodeDown"}],
        "targets": [{"name": "severity", "value": "warning"}],
    },
}


def rule(name: str, **more: Any) -> dict[str, Any]:
    """What is written of a rule."""
    return SPECS[RULE] | {"name": name} | more


class Folder:
    """A folder of files that describe one organization, and the way of its alerts."""

    def __init__(self, path: Path, line: Deliveries) -> None:
        self.path, self.line, self.owner = path, line, line.company.owner

    def write(self, file: str = "all.yaml", /, **parts: Any) -> None:
        """Write a file of these parts."""
        (self.path / file).write_text(yaml.safe_dump(parts, sort_keys=False))

    def apply(self) -> list[str]:
        """Make everything as it is described."""
        return provisioner.provision(self.path, [self.owner], only_check=False)

    def check(self) -> list[str]:
        """Say what would change."""
        return provisioner.provision(self.path, [self.owner], only_check=True)

    def all(self, kind: Kind = RULE) -> tuple[DefinitionView, ...]:
        """What is defined of a kind."""
        return definitions.all(self.owner, kind, page=ALL).items

    def names(self) -> list[str]:
        """The rules, the first to be asked first."""
        return [each.name for each in self.all()]

    def revision(self) -> int:
        """How often what is compiled of the definitions had to be compiled anew."""
        with work(self.line.database, self.line.tenant) as open_work:
            return stored.revision(open_work)


@pytest.fixture
def folder(tmp_path: Path, database: Database) -> Folder:
    """An empty folder, for an organization of the test's own."""
    return Folder(tmp_path, Deliveries(database, found_company(database, f"Ruled by files {uuid4().hex[:6]}")))


def describe_one_of_each(folder: Folder) -> None:
    """Write one definition of each kind."""
    folder.write("all.yaml", **{f"{kind}s": [spec] for kind, spec in SPECS.items()})


def test_one_of_each_kind_is_made_and_the_second_time_nothing_changes(folder: Folder) -> None:
    describe_one_of_each(folder)
    assert sorted(folder.apply()) == sorted(f"{kind} “{spec['name']}” added" for kind, spec in SPECS.items())
    made: dict[Kind, tuple[DefinitionView, ...]] = {kind: folder.all(kind) for kind in KINDS}
    for kind, (one,) in made.items():
        assert (one.name, one.team_id, one.version, one.author, one.provisioned) == (SPECS[kind]["name"], None, 1, "provisioning", True)
    revision, recorded = folder.revision(), newest(folder.owner)
    assert folder.apply() == []
    assert {kind: folder.all(kind) for kind in KINDS} == made
    assert newest(folder.owner) == recorded, "where nothing changes, nothing is recorded"
    ((_, wanted),) = provisioner.described(folder.path)
    assert provisioning.apply(folder.owner, [], [], tuple(wanted.definitions)).changes == ()
    assert folder.revision() == revision, "nothing is compiled anew"


def test_a_check_says_what_would_change_and_changes_nothing(folder: Folder) -> None:
    describe_one_of_each(folder)
    revision = folder.revision()
    said = folder.check()
    assert len(said) == len(KINDS) and [folder.all(kind) for kind in KINDS] == [()] * len(KINDS)
    assert folder.revision() == revision
    assert folder.apply() == said


# a kind, what is written instead, and what is said to be changed
CHANGED: list[tuple[Kind, dict[str, Any], str]] = [
    (RULE, {"then": {"severity": "error"}, "stop": True}, "stop, then"),
    (EXTRACTION, {"field": "description"}, "field"),
    (MAPPING, {"rows": []}, "rows"),
    (INHIBITION, {"enabled": False}, "enabled"),
]


@pytest.mark.parametrize(("kind", "more", "said"), CHANGED)
def test_a_change_is_a_version_that_a_file_has_written(folder: Folder, kind: Kind, more: dict[str, Any], said: str) -> None:
    folder.write("all.yaml", **{f"{kind}s": [SPECS[kind]]})
    folder.apply()
    folder.write("all.yaml", **{f"{kind}s": [SPECS[kind] | more]})
    assert folder.apply() == [f"{kind} “{SPECS[kind]['name']}”: {said} changed"]
    (there,) = folder.all(kind)
    versions = definitions.versions(folder.owner, kind, there.id)
    assert [(each.version, each.said, each.author) for each in versions] == [
        (2, "changed in a file", "provisioning"),
        (1, "made", "provisioning"),
    ]
    assert (there.spec, there.version) == (SPECS[kind] | more, 2)
    assert folder.apply() == []


def test_a_name_may_be_written_anew_in_other_letters(folder: Folder) -> None:
    folder.write(rules=[rule("calm")])
    folder.apply()
    (before,) = folder.all()
    folder.write(rules=[rule("Calm")])
    assert folder.apply() == ["rule “Calm”: name changed"]
    assert [(each.id, each.name) for each in folder.all()] == [(before.id, "Calm")]


def test_what_is_described_no_more_is_deleted_and_what_people_made_stays(folder: Folder) -> None:
    describe_one_of_each(folder)
    folder.apply()
    by_hand = [definitions.create(folder.owner, kind, SPECS[kind] | {"name": "By hand"}) for kind in KINDS]
    (folder.path / "all.yaml").unlink()
    assert sorted(folder.apply()) == sorted(f"{kind} “{spec['name']}” deleted" for kind, spec in SPECS.items())
    assert [folder.all(kind) for kind in KINDS] == [(each,) for each in by_hand]
    assert folder.apply() == []


def test_what_is_described_again_comes_back(folder: Folder) -> None:
    for described in ([rule("calm")], []):
        folder.write(rules=described)
        folder.apply()
    folder.write(rules=[rule("calm")])
    assert folder.apply() == ["rule “calm” added"]


def test_a_name_that_people_have_given_is_not_taken_over(folder: Folder) -> None:
    theirs = definitions.create(folder.owner, RULE, rule("Calm"))
    folder.write(rules=[rule("other"), rule("calm", stop=True)])
    for act in (folder.check, folder.apply):
        with pytest.raises(Invalid, match="all.yaml: rules.1: There is one called “Calm” already that no file describes"):
            act()
    assert folder.all() == (theirs,), "nothing is made when something cannot be"
    definitions.delete(folder.owner, RULE, theirs.id)
    assert folder.apply() == ["rule “other” added", "rule “calm” added"]


def test_what_is_exported_can_be_described(folder: Folder) -> None:
    made = [definitions.create(folder.owner, kind, spec) for kind, spec in SPECS.items()]
    exported = imports.export(folder.owner).text
    for each, kind in zip(made, KINDS, strict=True):
        definitions.delete(folder.owner, kind, each.id)
    (folder.path / "exported.yaml").write_text(exported)
    folder.apply()
    assert [one.spec for kind in KINDS for one in folder.all(kind)] == [each.spec for each in made]


def test_rules_of_files_are_asked_first_in_the_order_of_the_files(folder: Folder) -> None:
    for name in ("mine", "yours"):
        definitions.create(folder.owner, RULE, rule(name))
    folder.write("b.yaml", rules=[rule("third"), rule("fourth")])
    folder.write("a.yaml", rules=[rule("second"), rule("first")])
    assert folder.apply()[-1] == "rules put in the order of the files"
    assert folder.names() == ["second", "first", "third", "fourth", "mine", "yours"]
    folder.write("a.yaml", rules=[rule("first"), rule("second")])
    assert folder.apply() == ["rules put in the order of the files"]
    assert folder.names() == ["first", "second", "third", "fourth", "mine", "yours"]
    assert {each.version for each in folder.all()} == {1}, "the order is no part of what a rule says"
    revision = folder.revision()
    assert (folder.apply(), folder.revision()) == ([], revision)


def test_a_rule_put_between_others_is_asked_there(folder: Folder) -> None:
    folder.write(rules=[rule("first"), rule("last")])
    folder.apply()
    definitions.create(folder.owner, RULE, rule("mine"))
    folder.write(rules=[rule("first"), rule("between"), rule("last")])
    assert folder.apply() == ["rule “between” added", "rules put in the order of the files"]
    assert folder.names() == ["first", "between", "last", "mine"]


def test_files_are_in_order_whether_or_not_they_name_the_organization(folder: Folder) -> None:
    folder.write("a.yaml", rules=[rule("first")])
    folder.write("b.yaml", organization=folder.line.company.name, rules=[rule("second")])
    folder.write("c.yaml", rules=[rule("third")])
    folder.apply()
    assert folder.names() == ["first", "second", "third"]


def test_who_moves_rules_leaves_those_of_files_where_they_are(folder: Folder) -> None:
    folder.write(rules=[rule("one"), rule("two")])
    folder.apply()
    mine, yours = (definitions.create(folder.owner, RULE, rule(name)) for name in ("mine", "yours"))
    one, two = folder.all()[:2]
    for moved, before in ((one.id, None), (two.id, one.id), (one.id, mine.id)):
        with pytest.raises(Conflict, match="described by a file in AIOPS_PROVISION_DIR; change it there"):
            definitions.move(folder.owner, moved, before)
    with pytest.raises(Conflict, match="“two” is described by a file in AIOPS_PROVISION_DIR, and what files describe is asked first"):
        definitions.move(folder.owner, mine.id, two.id)
    assert folder.names() == ["one", "two", "mine", "yours"]
    assert [each.name for each in definitions.move(folder.owner, yours.id, mine.id)] == ["one", "two", "yours", "mine"]
    assert folder.apply() == [], "the order among the rules of people is theirs"


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_file_describes_cannot_be_changed_here(folder: Folder, kind: Kind) -> None:
    describe_one_of_each(folder)
    folder.apply()
    (there,) = folder.all(kind)
    with pytest.raises(Conflict, match="described by a file"):
        definitions.change(folder.owner, kind, there.id, SPECS[kind] | {"name": "mine"})
    with pytest.raises(Conflict, match="described by a file"):
        definitions.enable(folder.owner, kind, there.id, enabled=False)
    with pytest.raises(Conflict, match="described by a file"):
        definitions.roll_back(folder.owner, kind, there.id, 1)
    with pytest.raises(Conflict, match="described by a file"):
        definitions.delete(folder.owner, kind, there.id)
    assert folder.all(kind) == (there,)


def test_a_rule_of_a_team_concerns_its_alerts_and_may_go_to_another_team_or_to_all(folder: Folder) -> None:
    blue = folder.line.company.blue
    folder.write(teams=[{"name": "Payments"}], rules=[rule("calm", team="Payments")])
    assert folder.apply() == ["team “Payments” added", "rule “calm” added"]
    payments = next(each.id for each in teams.all(folder.owner).items if each.name == "Payments")
    assert [(each.team_id, each.spec) for each in folder.all()] == [(payments, rule("calm"))]
    for team_id in (payments, blue.id):
        folder.line.deliver(folder.line.source(team_id=team_id), alert(f"Slow {team_id}", service="payment"))
    assert {each.team_id: each.severity for each in folder.line.alerts()} == {payments: "info", blue.id: "critical"}
    for more, team_id in (({"team": blue.name}, blue.id), ({}, None)):
        folder.write(rules=[rule("calm", **more)])
        assert folder.apply() == ["rule “calm”: team changed"]
        assert [each.team_id for each in folder.all()] == [team_id]
    assert [each.version for each in folder.all()] == [3]


# what is written under `rules:`, and what is said of it
FAULTS: list[tuple[list[Any], str]] = [
    (
        [rule("good"), {"name": "x", "when": {"field": "servce", "value": "x"}, "then": {"severity": "info"}}],
        "all.yaml: rules.1.when.field: ",
    ),
    ([rule("x", when={"all": [{"field": "service", "op": "=~", "value": "(a"}]})], "all.0: This is no regular expression"),
    ([rule("x", when={"logic": {"nonsense": [1]}})], "all.yaml: rules.0.when: The JSON Logic cannot be read"),
    ([rule("x", colour="red")], "all.yaml: rules.0.colour: Extra inputs are not permitted"),
    ([rule("x", then={})], "all.yaml: rules.0.then: Say what the rule does"),
    ([{"when": {"all": []}, "then": {"severity": "info"}}], "all.yaml: rules.0.name: Field required"),
    ([rule("x", team="Nobody")], "all.yaml: rules.0.team: there is no team “Nobody”; list it under `teams`."),
    ([rule("same"), rule("Same")], "all.yaml: rules.1.name: rule “Same” is described twice, also in all.yaml: rules.0"),
]


@pytest.mark.parametrize(("described", "said"), FAULTS)
def test_a_fault_is_named_by_its_place_and_nothing_changes(folder: Folder, described: list[Any], said: str) -> None:
    folder.write(teams=[{"name": "Never made"}], rules=described)
    for act in (folder.check, folder.apply):
        with pytest.raises(Invalid) as caught:
            act()
        assert said in str(caught.value)
    assert folder.all() == () and "Never made" not in [each.name for each in teams.all(folder.owner).items]


@pytest.mark.parametrize(
    ("described", "said"),
    [
        ("rules: red", "a.yaml: rules: "),
        ("rules: [red]", "a.yaml: rules.0: "),
        ("mappings: [{name: x, team: [a, b]}]", "a.yaml: mappings.0.team: "),
    ],
)
def test_what_is_no_list_of_definitions_is_a_fault_of_the_file(folder: Folder, described: str, said: str) -> None:
    (folder.path / "a.yaml").write_text(described)
    with pytest.raises(Misconfigured, match=said):
        folder.check()


def test_every_fault_of_every_file_is_named_at_once(folder: Folder) -> None:
    definitions.create(folder.owner, MAPPING, SPECS[MAPPING])
    folder.write("a.yaml", rules=[rule("x", colour="red", then={})], sources=[{"id": "good-id", "name": "x", "kind": "generic"}])
    folder.write("b.yaml", extractions=[{"name": "x", "field": "title"}], mappings=[SPECS[MAPPING]])
    folder.write("c.yaml", inhibitions=[SPECS[INHIBITION] | {"targets": []}, SPECS[INHIBITION] | {"team": "Nobody"}])
    with pytest.raises(Invalid) as caught:
        folder.check()
    assert [fault.field for fault in caught.value.errors] == [
        "source good-id",
        "a.yaml: rules.0.then",
        "a.yaml: rules.0.colour",
        "b.yaml: extractions.0",
        "c.yaml: inhibitions.0.targets",
        "b.yaml: mappings.0",
        "c.yaml: inhibitions.1.team",
    ]


def test_the_same_name_in_two_files_or_of_two_kinds(folder: Folder) -> None:
    folder.write("a.yaml", rules=[rule("same")], mappings=[SPECS[MAPPING] | {"name": "same"}])
    assert len(folder.apply()) == 2, "names are of a kind"
    folder.write("b.yaml", rules=[rule("same")])
    with pytest.raises(Invalid, match="b.yaml: rules.0.name: rule “same” is described twice, also in a.yaml: rules.0"):
        folder.apply()


def test_a_rule_of_a_file_applies_to_an_alert_until_it_is_taken_out(folder: Folder) -> None:
    source = folder.line.source()
    folder.write(rules=[rule("calm")])
    folder.apply()
    folder.line.deliver(source, alert("Slow", service="payment"))
    assert folder.line.alert("Slow").severity == "info"
    folder.write(rules=[])
    folder.apply()
    folder.line.deliver(source, alert("Slower", service="payment"))
    assert folder.line.alert("Slower").severity == "critical"


def test_the_record_says_what_was_changed(folder: Folder) -> None:
    describe_one_of_each(folder)
    said = folder.apply()
    entry = newest(folder.owner, "provisioning.apply")[0]
    assert entry.detail["changes"] == said
    assert {each["place"] for each in entry.detail["definitions"]} == {f"all.yaml: {kind}s.0" for kind in KINDS}
    assert "payment" not in repr(entry), "a large table is not in the record each time"


def test_what_the_page_shows_is_taken_as_it_is_written(folder: Folder) -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text().split("\n## Files\n")[1], re.DOTALL)
    (folder.path / "shown.yaml").write_text(shown)
    assert len(folder.apply()) == 4 and folder.apply() == []
    storefront = next(each.id for each in teams.all(folder.owner).items if each.name == "Storefront")
    source = sources.create(folder.owner, "alertmanager", "Shop", storefront).source
    folder.line.deliver(source, alert("Cart slow", severity="warning", service="cart"), alert("Cart tested", environment="test"))
    slow, tested = folder.line.alert("Cart slow"), folder.line.alert("Cart tested")
    assert (slow.severity, slow.labels["owner"]) == ("critical", "anna")
    assert (slow.incident is None, tested.incident is None) == (False, True)

"""Do the pages of extractions, tables and inhibitions keep what their forms say, and read any table as people write it?"""

from typing import Any
from uuid import UUID, uuid4

import pytest

from engine.model.definitions import DefinitionView
from engine.model.vocabulary import Role
from engine.operations import definitions
from engine.operations.definitions import Kind
from engine.storage.database import Database
from state.enrichment import EnrichmentState, ExtractionState, InhibitionsState, InhibitionState, MappingState
from tests.operations.test_rules_as_documented import DEFINED
from tests.state.tabs import led_to
from tests.state.visits import Visit
from tests.testkit.asking import written
from tests.testkit.people import Company, found_company

STATES: dict[str, type[Any]] = {"extraction": ExtractionState, "mapping": MappingState, "inhibition": InhibitionState}
SPECS: dict[str, dict[str, Any]] = {
    "extraction": {"field": "title", "pattern": r"on (?P<host>\S+)"},
    "mapping": {"match_on": ["service"], "columns": ["service", "tier"], "rows": [["payment", "1"]]},
    "inhibition": {"sources": [{"name": "alertname", "value": "NodeDown"}], "targets": [{"name": "job", "value": "x"}]},
}
KINDS = sorted(SPECS)


def shown(company: Company, kind: str, what: UUID | str = "new", role: Role = Role.ADMIN) -> Visit:
    """The page of one, or of a new one, open."""
    return Visit(STATES[kind], company.people[role], f"/{kind}s/{what}", f"/{kind}s/[{kind}_id]").arrived()


def fresh() -> str:
    """A name that none has."""
    return f"Named {uuid4().hex[:8]}"


def made(company: Company, kind: Any, **said: Any) -> DefinitionView:
    """One of a kind."""
    return definitions.create(company.owner, kind, SPECS[kind] | {"name": fresh()} | said)


def now(company: Company, kind: Any, id: UUID | str) -> DefinitionView:
    """One as it is kept."""
    return definitions.show(company.owner, kind, UUID(str(id)))


def kept(company: Company, kind: Kind, **form: str) -> dict[str, Any]:
    """What is kept of a form, without the name."""
    page = shown(company, kind)
    path = led_to(page.do("save", dict(page.form) | {"name": fresh()} | form))
    assert path.startswith(f"/{kind}s/"), dict(page.faults)
    return {name: value for name, value in now(company, kind, path.rpartition("/")[2]).spec.items() if name != "name"}


def test_a_form_becomes_an_extraction_by_pattern_or_by_paths(company: Company) -> None:
    pattern = kept(company, "extraction", field="title", pattern=r"on (?P<host>\S+)", overwrite="on")
    assert pattern == SPECS["extraction"] | {"overwrite": True}
    paths = kept(company, "extraction", field="annotations.details", paths="service = app.name\nteam=app.owners[?a=='b'] | [0]\n")
    assert paths == {"field": "annotations.details", "paths": {"service": "app.name", "team": "app.owners[?a=='b'] | [0]"}}


def test_a_form_becomes_a_table(company: Company) -> None:
    said = kept(company, "mapping", match_on="service, labels.host\n", rows="service,labels.host,team\na,*,x\n", wildcards="on")
    assert said == {
        "match_on": ["service", "labels.host"],
        "columns": ["service", "labels.host", "team"],
        "rows": [["a", "*", "x"]],
        "wildcards": True,
    }


def test_a_form_becomes_an_inhibition(company: Company) -> None:
    said = kept(company, "inhibition", sources="alertname=NodeDown", targets='severity=~"warning|error"\njob!="x"', equal="node, zone")
    assert said["sources"] == [{"name": "alertname", "value": "NodeDown"}]
    assert said["targets"] == [
        {"name": "severity", "op": "=~", "value": "warning|error"},
        {"name": "job", "op": "!=", "value": "x"},
    ]
    assert said["equal"] == ["node", "zone"]


@pytest.mark.parametrize(("kind", "spec"), DEFINED)
def test_every_documented_one_is_drawn_and_read_back(company: Company, kind: Kind, spec: dict[str, Any]) -> None:
    one = definitions.create(company.owner, kind, spec | {"name": fresh()})
    page = shown(company, kind, one.id)
    page.do("save", dict(page.form))
    assert (dict(page.faults), now(company, kind, one.id).version) == ({}, 1), "the same again is no new version"
    name = fresh()
    page.do("save", dict(page.form) | {"name": name})
    assert now(company, kind, one.id).spec == one.spec | {"name": name}


# what was typed, and the rows below the columns service and team
TABLES = [
    ("service,team\na,x\nb,y", [["a", "x"], ["b", "y"]], "commas"),
    ("service;team\na;x\nb;y, z", [["a", "x"], ["b", "y, z"]], "semicolons, as some spreadsheets write"),
    ("service\tteam\na\tx\nb\ty; z", [["a", "x"], ["b", "y; z"]], "tabs, as they are pasted"),
    ('service,"team"\n"a, b","say ""x"""\n', [["a, b", 'say "x"']], "quotes"),
    ('service,team\na,"two\nlines"', [["a", "two\nlines"]], "a line break in quotes"),
    ("\ufeffservice,team\na,x", [["a", "x"]], "a byte order mark"),
    ("\r\nservice;team\r\na;x\r\n", [["a", "x"]], "lines as Windows ends them"),
    (" service , team \n a ,  x \n", [["a", "x"]], "spaces around"),
    ("service,team\na,\n,x", [["a", ""], ["", "x"]], "empty values"),
    ("service,team\nä,日本", [["ä", "日本"]], "any letters"),
]


@pytest.mark.parametrize(("text", "rows", "why"), TABLES)
def test_a_table_is_read_however_people_write_it(company: Company, text: str, rows: list[list[str]], why: str) -> None:
    page = shown(company, "mapping")
    page.do("said", {"rows": text})
    count = "1 row" if len(rows) == 1 else f"{len(rows)} rows"
    assert (page.wrong, page.columns, page.sample, page.count) == ("", ["service", "team"], rows, count), why
    said = kept(company, "mapping", match_on="service", rows=text)
    assert (said["columns"], said["rows"]) == (["service", "team"], rows)


def test_empty_lines_of_a_table_are_left_out(company: Company) -> None:
    assert kept(company, "mapping", match_on="service", rows="\n\r\n \nservice;team\n\n;\n ; \n \na;x\n\n")["rows"] == [["a", "x"]]


def test_what_is_kept_is_drawn_as_a_table_that_reads_the_same(company: Company) -> None:
    rows = [['say "x", y', "a;b"], ["two\nlines", "a\tb"], ["", "x"]]
    one = made(company, "mapping", rows=rows)
    page = shown(company, "mapping", one.id)
    page.do("said", dict(page.form))
    assert (page.columns, page.sample) == (["service", "tier"], rows)
    page.do("save", dict(page.form))
    assert now(company, "mapping", one.id).version == 1


# what was typed, words of what is wrong with it
NO_TABLES = [
    ("", "names of the columns in the first line"),
    (" \n \n", "names of the columns in the first line"),
    ("service,team", "at least one row below it"),
    ("service,team\n" + '"' + "x" * 200_000, "This is no CSV"),
]


@pytest.mark.parametrize(("text", "words"), NO_TABLES)
def test_what_is_no_table_is_said_while_it_is_written_and_beside_it(company: Company, text: str, words: str) -> None:
    page = shown(company, "mapping")
    page.do("said", {"rows": "service,team\na,x"})
    page.do("said", {"rows": text})
    assert words in page.wrong and (list(page.columns), list(page.sample), page.count) == ([], [], "")
    page.do("save", {"name": fresh(), "match_on": "service", "rows": text})
    assert set(page.faults) == {"rows"} and words in page.faults["rows"]


def test_of_a_long_table_the_beginning_is_shown(company: Company) -> None:
    page = shown(company, "mapping")
    page.do("said", {"rows": "service,team\n" + "\n".join(f"s{n},x" for n in range(1500))})
    assert (len(page.sample), page.count) == (20, "1,500 rows")


def test_of_another_table_no_row_is_left(company: Company) -> None:
    page = shown(company, "mapping", made(company, "mapping").id)
    page.do("said", dict(page.form))
    page.goes("/mappings/new")
    assert (list(page.columns), list(page.sample), page.count, page.form["rows"]) == ([], [], "", "")


# the kind, what is wrong in the form, by which control it stands, words of it
FAULTS = [
    ("mapping", {"rows": "service,tier\na,b,c"}, "general", "Row 1 has 3 values; the table has 2 columns."),
    ("mapping", {"rows": "service,tier\na"}, "general", "Row 1 has 1 values"),
    ("mapping", {"rows": "service,service\na,b"}, "general", "Two columns have the same name."),
    ("mapping", {"rows": "service,no name!\na,b"}, "general", "pattern"),
    ("mapping", {"rows": "service\na"}, "general", "at least 2 items"),
    ("mapping", {"match_on": "host"}, "match_on", "pattern"),
    ("mapping", {"match_on": "labels.host"}, "general", "no column labels.host"),
    ("mapping", {"match_on": ""}, "match_on", "at least 1 item"),
    ("extraction", {"field": "titel"}, "field", "pattern"),
    ("extraction", {"pattern": "("}, "general", "no regular expression"),
    ("extraction", {"pattern": "x"}, "general", "Name what is taken out"),
    ("extraction", {"paths": "service"}, "paths", "name = value"),
    ("extraction", {"paths": "service = a"}, "general", "either a pattern or paths"),
    ("extraction", {"pattern": "", "paths": "service = [["}, "general", "JMESPath"),
    ("inhibition", {"sources": ""}, "sources", "at least 1 item"),
    ("inhibition", {"sources": "node"}, "sources", "Write name="),
    ("inhibition", {"targets": 'a=~".*"'}, "targets", "hold for every alert"),
    ("inhibition", {"equal": "a=b"}, "equal", "pattern"),
    *((kind, {"name": ""}, "name", "at least 1 character") for kind in KINDS),
]


@pytest.mark.parametrize(("kind", "wrong", "control", "words"), FAULTS)
def test_a_fault_stands_beside_its_control_and_nothing_is_kept(
    company: Company, kind: str, wrong: dict[str, Any], control: str, words: str
) -> None:
    one = made(company, kind)
    page = shown(company, kind, one.id)
    page.do("save", dict(page.form) | wrong)
    assert set(page.faults) == {control} and words in page.faults[control]
    assert (now(company, kind, one.id), page.toasts) == (one, [])


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_switched_brought_back_and_deleted(company: Company, kind: str) -> None:
    one = made(company, kind)
    page = shown(company, kind, one.id)
    page.do("switch")
    page.do("save", dict(page.form) | {"name": fresh()})
    assert (page.enabled, now(company, kind, one.id).enabled, len(page.versions)) == (False, False, 3)
    page.do("roll_back", 1)
    assert now(company, kind, one.id).spec == one.spec
    assert led_to(page.do("delete")) == ("/inhibitions" if kind == "inhibition" else "/enrichment")
    assert shown(company, kind, one.id).missing


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_file_describes_is_read_only(company: Company, kind: str) -> None:
    one = made(company, kind)
    written(company.owner, "UPDATE definition SET provisioned = true WHERE id = :id", id=one.id)
    page = shown(company, kind, one.id, Role.OWNER)
    page.do("save", dict(page.form) | {"name": fresh()})
    page.do("delete")
    assert (page.provisioned, page.may_configure, now(company, kind, one.id).spec) == (True, False, one.spec)
    assert set(page.faults) == {"name"} and "AIOPS_PROVISION_DIR" in page.toasts[0]


@pytest.mark.parametrize("kind", KINDS)
def test_of_another_kind_or_organization_it_is_not_there(company: Company, beta: Company, kind: str) -> None:
    one = made(company, kind)
    other = KINDS[KINDS.index(kind) - 1]
    assert shown(company, other, one.id).missing and shown(beta, kind, one.id, Role.OWNER).missing


def test_the_lists_say_what_each_does(database: Database) -> None:
    alone = found_company(database, "Enriched")
    ids = {kind: str(made(alone, kind, name=kind.title()).id) for kind in KINDS}
    made(alone, "extraction", name="Paths", pattern="", paths={"service": "app.name"}, enabled=False)
    made(alone, "inhibition", name="Same", equal=["node", "zone"])
    lists = Visit(EnrichmentState, alone.viewer, "/enrichment", "/enrichment").arrived()
    quiet = Visit(InhibitionsState, alone.viewer, "/inhibitions", "/inhibitions").arrived()
    assert [(row.name, row.does, row.enabled) for row in lists.extractions] == [
        ("Extraction", r"reads title: on (?P<host>\S+)", True),
        ("Paths", "reads title: service from app.name", False),
    ]
    assert [(row.does, row.href) for row in lists.mappings] == [("by service sets tier · 1 row", f"/mappings/{ids['mapping']}")]
    assert [row.does for row in quiet.rows] == [
        'alertname="NodeDown" keeps job="x" quiet',
        'alertname="NodeDown" keeps job="x" quiet with the same node, zone',
    ]
    assert {row.author for row in (*lists.extractions, *quiet.rows)} == {alone.owner.name} and lists.loaded and quiet.loaded

"""Are senders listed as they are, and is one added by a form that is drawn from its kind's schema?"""

from typing import Any
from uuid import uuid4

import pytest

from engine.integrations.sources import KINDS
from engine.model.sources import SourceView
from engine.model.vocabulary import Role, SourceAuth
from engine.operations import demo, jobs, sources
from engine.storage.database import Database
from state.form import USUAL
from state.source import SourceState
from state.sources import NewSourceState, SourcesState
from tests.state.tabs import led_to
from tests.state.visits import Visit
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import Company, found_company

CONTROLS = {"text", "number", "flag", "choice", "list", "map"}


@pytest.fixture
def curious(database: Database) -> Deliveries:
    """An organization without sources."""
    return Deliveries(database, found_company(database, f"Curious {uuid4().hex[:6]}"))


def listed(company: Company, role: Role = Role.ADMIN) -> Visit:
    """The list of sources."""
    return Visit(SourcesState, company.people[role], "/sources", "/sources").arrived()


def adding(company: Company, kind: str = "", role: Role = Role.ADMIN) -> Visit:
    """The page that adds a source, maybe at the form of a kind."""
    return Visit(NewSourceState, company.people[role], f"/sources/new?kind={kind}" if kind else "/sources/new", "/sources/new").arrived()


def filled(page: Visit, **other: str) -> dict[str, Any]:
    """The form of the page as it is drawn, with a fresh name; a control's name with `settings_` is that of a field."""
    drawn = {f"settings.{field.name}": field.value for field in page.fields}
    said = {name.replace("settings_", "settings.", 1): value for name, value in other.items()}
    return {"name": f"Fresh {uuid4().hex[:8]}"} | drawn | said


def made(answer: Any, company: Company) -> SourceView:
    """The source to whose page somebody was led."""
    path = led_to(answer)
    assert path.startswith("/sources/")
    return sources.show(company.owner, path.rpartition("/")[2])


def test_every_source_is_a_row_that_says_how_it_is(curious: Deliveries) -> None:
    heard, waiting, paused = (curious.source() for _ in range(3))
    curious.deliver(heard, alert("Down"))
    curious.put_aside(heard, b"{")
    sources.pause(curious.company.admin, paused.id)
    page = listed(curious.company, Role.VIEWER)
    rows = {row.id: row for row in page.rows}
    assert [rows[str(each.id)].state for each in (heard, waiting, paused)] == ["Heard", "Waiting", "Paused"]
    row = rows[str(heard.id)]
    assert (row.href, row.name, row.kind, row.alerts, row.rejected) == (f"/sources/{heard.id}", heard.name, "alertmanager", "1", "0")
    assert row.seen_at != "" and rows[str(waiting.id)].seen_at == ""
    assert (page.total, page.loaded, page.has_more) == ("3 sources", True, False)


def test_the_demonstration_is_offered_started_seen_and_removed(curious: Deliveries) -> None:
    page = listed(curious.company)
    assert (page.demo_offered, page.demo_here, page.demo_running) == (True, False, False)
    assert led_to(page.do("start_demo")) == "/incidents"
    page.do("refresh")
    assert (page.demo_running, jobs.newest(curious.company.owner, kind="demo").total) == (True, 1)
    demo.prepare(curious.company.owner)
    page.do("refresh")
    assert (page.demo_here, len(page.rows)) == (True, 3)
    curious.deliver(next(each for each in sources.all(curious.company.owner).items if each.kind == "alertmanager"), alert("Demo"))
    page.do("remove_demo")
    assert (page.demo_here, page.demo_running, list(page.rows)) == (False, False, [])
    assert page.toasts[-1] == "The demonstration is removed: 1 alerts, 1 incidents."


@pytest.mark.parametrize(("role", "offered"), [(Role.OWNER, True), (Role.ADMIN, True), (Role.OPERATOR, False), (Role.VIEWER, False)])
def test_the_demonstration_is_offered_to_who_may_start_it(curious: Deliveries, role: Role, offered: bool) -> None:
    assert listed(curious.company, role).demo_offered is offered


def test_the_demonstration_is_not_offered_or_started_among_real_senders(curious: Deliveries) -> None:
    curious.source()
    page = listed(curious.company)
    assert page.demo_offered is False
    assert led_to(page.do("start_demo")) == ""
    assert page.toasts == ["There are sources of yours already: the demonstration would get between real alerts."]


def test_every_kind_can_be_chosen_and_none_is_chosen_for_anybody(company: Company) -> None:
    teams = {company.red.name, company.blue.name}
    page = adding(company)
    assert [(row.id, row.title) for row in page.kinds] == [(kind.id, kind.title) for kind in KINDS]
    assert all(row.about for row in page.kinds)
    assert (page.kind, list(page.fields)) == ("", [])
    assert {choice.name for choice in page.team_choices} == teams
    page.do("choose", "telegraph")
    assert (page.kind, list(page.fields)) == ("", [])
    assert adding(company, "telegraph").kind == ""


@pytest.mark.parametrize("kind", [kind.id for kind in KINDS])
def test_the_form_of_a_kind_has_a_control_for_every_setting(company: Company, kind: str) -> None:
    page = adding(company, kind)
    schema = KINDS[kind].settings.model_json_schema()
    assert (page.kind, page.title, page.sample) == (kind, KINDS[kind].title, KINDS[kind].sample)
    assert [field.name for field in page.fields] == list(schema["properties"])
    assert {field.kind for field in page.fields} <= CONTROLS
    assert all(field.title and field.hint for field in page.fields), "each says what it is for"
    assert all(field.options for field in page.fields if field.kind == "choice")
    assert {field.name for field in page.fields if field.is_usual} == USUAL, "what every kind has stands below"


@pytest.mark.parametrize("kind", [kind.id for kind in KINDS])
def test_the_sample_of_a_kind_is_understood_as_it_is(company: Company, kind: str) -> None:
    page, before = adding(company, kind), sources.all(company.owner, kind=kind).total
    page.do("try_out", filled(page, sample=page.sample))
    assert (page.tried_fault, dict(page.faults)) == ("", {})
    assert page.tried or kind == "heartbeat"
    assert all(row.said for row in page.tried)
    assert sources.all(company.owner, kind=kind).total == before, "nothing is kept"


def test_a_sample_is_tried_with_the_settings_of_the_form(company: Company) -> None:
    page = adding(company, "generic")
    form = filled(
        page, sample='{"n": "Disk full", "sev": "BAD"}', settings_mapping="title = n\nseverity = sev", settings_severities="bad = critical"
    )
    page.do("try_out", form)
    assert [(row.title, row.mark, row.severity) for row in page.tried] == [("Disk full", "critical", "Critical")]
    page.do("try_out", form | {"sample": "{ no json"})
    assert page.tried_fault != "" and list(page.tried) == []
    page.do("try_out", form | {"settings.mapping": "title"})
    assert set(page.faults) == {"mapping"} and (page.tried_fault, list(page.tried)) == ("", [])
    page.do("choose", "alertmanager")
    assert (list(page.tried), dict(page.faults)) == ([], {}), "another kind, another try"


# the kind, what is wrong in the form, the field beside which that stands, a word of what stands there
FAULTS = [
    ("generic", {"settings.refire_minutes": "soon"}, "refire_minutes", "whole number"),
    ("generic", {"settings.refire_minutes": "1.5"}, "refire_minutes", "whole number"),
    ("generic", {"settings.refire_minutes": "99999"}, "refire_minutes", "1440"),
    ("generic", {"settings.severities": "bad"}, "severities", "name = value"),
    ("generic", {"settings.severities": "bad = awful"}, "severities", "critical"),
    ("generic", {"settings.mapping": "colour = x"}, "mapping", "title"),
    ("generic", {"settings.default_severity": "awful"}, "default_severity", "critical"),
    ("heartbeat", {"settings.every_minutes": "0"}, "every_minutes", "1"),
    ("generic", {"name": ""}, "name", "1 character"),
    ("generic", {"name": "x" * 101}, "name", "100"),
]


@pytest.mark.parametrize(("kind", "wrong", "field", "word"), FAULTS)
def test_a_fault_stands_beside_its_field(company: Company, kind: str, wrong: dict[str, str], field: str, word: str) -> None:
    page = adding(company, kind)
    before = sources.all(company.owner).total
    assert page.do("create", filled(page) | wrong) is None
    assert set(page.faults) == {field} and word in page.faults[field]
    assert (page.toasts, sources.all(company.owner).total) == ([], before)
    made(page.do("create", filled(page)), company)
    assert dict(page.faults) == {}, "and goes when it is put right"


def test_several_faults_stand_beside_their_fields_at_once(company: Company) -> None:
    page = adding(company, "generic")
    page.do("create", filled(page, settings_refire_minutes="x", settings_flap_minutes="y", settings_severities="z"))
    assert set(page.faults) == {"refire_minutes", "flap_minutes", "severities"}


def test_what_the_form_says_is_kept(company: Company) -> None:
    page = adding(company, "alertmanager")
    form = filled(
        page, settings_heartbeats="Watchdog\nPing\n", settings_severities="page = critical\nlow = info", settings_refire_minutes="5"
    )
    there = made(page.do("create", form | {"team": str(company.red.id), "name": " Spaced "}), company)
    assert (there.name, there.kind, there.team_id, there.auth) == ("Spaced", "alertmanager", company.red.id, SourceAuth.SECRET)
    assert there.settings == {"heartbeats": ["Watchdog", "Ping"], "severities": {"page": "critical", "low": "info"}, "refire_minutes": 5}


def test_a_sender_is_known_as_is_chosen(company: Company) -> None:
    page = adding(company, "generic")
    page.do("choose_auth", "signature")
    there = made(page.do("create", filled(page, signature_header="X-Hub")), company)
    assert (there.auth, there.signature_header) == (SourceAuth.SIGNATURE, "X-Hub")
    page.do("choose_auth", "address")
    assert page.do("create", filled(page)) is None
    assert "networks" in page.faults, "by its address it needs one"
    assert page.do("create", filled(page, networks="10.1.2.3/8, nonsense")) is None
    assert set(page.faults) == {"networks"}
    there = made(page.do("create", filled(page, networks=" 10.1.2.3/8,192.0.2.7 \n")), company)
    assert (there.auth, there.networks, there.credentials) == (SourceAuth.ADDRESS, ("10.0.0.0/8", "192.0.2.7/32"), ())
    page.do("choose_auth", "a promise")
    assert page.auth == "secret", "what there is not is the usual one"


def test_a_name_that_is_taken_is_said_and_nothing_is_made(company: Company) -> None:
    page = adding(company, "generic")
    form = filled(page)
    made(page.do("create", form), company)
    assert led_to(page.do("create", form)) == ""
    assert page.faults == {"name": f"There is a source called “{form['name']}” already. Choose another name."}


def test_who_may_not_configure_is_drawn_no_form(company: Company) -> None:
    page = adding(company, "generic", Role.OPERATOR)
    assert (page.kind, list(page.kinds), page.toasts) == ("", [], ["Your role does not allow this."])


def test_a_new_source_leads_to_its_page_with_its_secret(company: Company) -> None:
    page = adding(company, "generic")
    there = made(page.do("create", filled(page)), company)
    page.goes(f"/sources/{there.id}", SourceState)
    assert page.secret.startswith("aio_") and page.secret.split("_")[1] in there.credentials[0].hint
    assert (page.is_new, page.name, page.greeting) == (True, there.name, "")
    assert all(page.secret in paste.text and there.url in paste.text for paste in page.pastes)

"""Does the page of a source show its secret once, greet its first alert, and keep what somebody else changed?"""

from typing import Any

import pytest

from engine.model.sources import SourceView
from engine.model.views import Paging
from engine.model.vocabulary import Role, SourceAuth
from engine.operations import alerts, sources
from state import pasting
from state.source import SourceState
from state.sources import NewSourceState, SourcesState
from tests.state.tabs import led_to
from tests.state.visits import Visit
from tests.testkit.asking import written
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import Company


def shown(company: Company, source: SourceView, role: Role = Role.ADMIN) -> Visit:
    """The page of a source."""
    return Visit(SourceState, company.people[role], f"/sources/{source.id}", "/sources/[source_id]").arrived()


def added(company: Company) -> tuple[Visit, SourceView]:
    """The page of a source that was just added in the same tab, and the source."""
    page = Visit(NewSourceState, company.admin, "/sources/new?kind=generic", "/sources/new").arrived()
    path = led_to(page.do("create", {"name": f"Added {sources.all(company.owner).total}"}))
    return page.goes(path, SourceState), sources.show(company.owner, path.rpartition("/")[2])


def form(page: Visit, **other: str) -> dict[str, Any]:
    """The settings as they are drawn, and what is changed in them."""
    drawn = {f"settings.{field.name}": field.value for field in page.fields}
    return {"name": page.name} | drawn | {name.replace("settings_", "settings.", 1): value for name, value in other.items()}


def now(source: SourceView, company: Company) -> SourceView:
    """The source as it is kept."""
    return sources.show(company.owner, source.id)


def is_pasted(page: Visit, secret: str) -> bool:
    """Whether everything to paste has it."""
    assert page.pastes
    return all(secret in paste.text for paste in page.pastes)


def test_it_says_how_it_is_and_what_came(line: Deliveries) -> None:
    source = line.source()
    line.deliver(source, "no alert")
    line.deliver(source, alert("Down"), alert("Down too"))
    page = shown(line.company, source, Role.VIEWER)
    assert (page.name, page.kind, page.url, page.auth, page.state, page.loaded) == (
        *(source.name, "alertmanager", source.url, "secret"),
        *("Heard", True),
    )
    counts = dict(page.counts)
    assert (counts["Deliveries"], counts["Alerts"], counts["Quarantined"], counts["Rejected"]) == ("2", "2", "1", "0")
    assert [(each.alerts, each.waiting, "Down too" in each.body) for each in page.deliveries] == [(2, False, True), (1, False, False)]
    assert [each.hint for each in page.credentials] == [source.credentials[0].hint]
    assert (page.secret, is_pasted(page, pasting.SECRET)) == ("", True)


# who, whether that one configures it, whether that one responds
MAY = [(Role.OWNER, True, True), (Role.ADMIN, True, True), (Role.OPERATOR, False, True), (Role.VIEWER, False, False)]


@pytest.mark.parametrize(("role", "configures", "responds"), MAY)
def test_it_says_what_may_be_done_with_it(line: Deliveries, role: Role, configures: bool, responds: bool) -> None:
    page = shown(line.company, line.source(), role)
    assert (page.may_configure, page.may_respond) == (configures, responds)


def test_a_team_may_do_with_its_source_what_its_roles_allow(line: Deliveries) -> None:
    red = line.company.red
    source = line.source(team_id=red.id)
    for role, configures, responds in MAY:
        page = Visit(SourceState, red.people[role], f"/sources/{source.id}", "/sources/[source_id]").arrived()
        assert (page.may_configure, page.may_respond) == (configures, responds)
    stranger = Visit(SourceState, line.company.blue.people[Role.OWNER], f"/sources/{source.id}", "/sources/[source_id]").arrived()
    assert (stranger.missing, stranger.name, list(stranger.pastes)) == (True, "", [])


@pytest.mark.parametrize("id", ["nothing", "01890000-0000-7000-8000-000000000000", ""])
def test_a_source_that_there_is_not_is_said_on_the_page(company: Company, id: str) -> None:
    page = Visit(SourceState, company.owner, f"/sources/{id}", "/sources/[source_id]").arrived()
    assert (page.missing, page.loaded, page.toasts) == (True, True, [])


def test_a_fresh_secret_stays_while_the_page_is_read_again_and_until_it_is_hidden(company: Company) -> None:
    page, _ = added(company)
    secret = page.secret
    assert secret.startswith("aio_") and is_pasted(page, secret)
    page.do("refresh")
    page.arrived()
    assert page.secret == secret and is_pasted(page, secret)
    page.do("hide_secret")
    assert (page.secret, is_pasted(page, pasting.SECRET)) == ("", True)
    page.arrived()
    assert page.secret == "" and secret not in str(page._tab.shown())


def test_a_fresh_secret_is_gone_once_another_source_was_looked_at(line: Deliveries) -> None:
    page, source = added(line.company)
    secret, other = page.secret, line.source(kind="generic")
    page.goes(f"/sources/{other.id}")
    assert (page.id, page.secret, is_pasted(page, pasting.SECRET)) == (str(other.id), "", True)
    assert secret not in str(page._tab.shown())
    page.goes(f"/sources/{source.id}")
    assert page.secret == "", "nor does it come back"


def test_the_first_alert_is_greeted_and_leads_to_its_incident(line: Deliveries) -> None:
    source = line.source()
    page = shown(line.company, source)
    assert (page.is_new, page.greeting, page.state) == (True, "", "Waiting")
    line.deliver(source, alert("The very first", service=str(source.id)))
    page.do("refresh")
    number = line.incident_of("The very first").number
    assert (page.greeting, page.greeting_href) == ("The very first", f"/incidents/{number}")
    line.deliver(source, alert("The second", service=str(source.id)))
    page.do("refresh")
    assert page.greeting == "The very first", "it stays while the page is open"
    page.arrived()
    assert (page.greeting, page.is_new) == ("", False), "who comes again is not greeted again"


def test_only_the_first_alert_of_a_source_that_had_none_is_greeted(line: Deliveries) -> None:
    silent, old = line.source(), line.source()
    line.deliver(old, alert("Long known"))
    page = shown(line.company, silent)
    assert page.is_new
    page.goes(f"/sources/{old.id}")
    assert (page.is_new, page.greeting) == (False, ""), "coming from one that waits"
    page.do("rotate", {})
    assert (page.is_new, page.greeting) == (False, ""), "and with a fresh secret"


def test_a_secret_is_rotated_and_the_one_before_ends_later(line: Deliveries) -> None:
    source = line.source()
    page = shown(line.company, source)
    page.do("rotate", {"hours": "2"})
    first = page.secret
    assert first.startswith("aio_") and is_pasted(page, first) and page.round == 1
    ends = {each.hint: each.expires_at for each in page.credentials}
    assert len(ends) == 2 and ends[source.credentials[0].hint] != "" and list(ends.values()).count("") == 1
    page.do("rotate", {"hours": ""})
    assert page.secret not in ("", first) and len(page.credentials) == 2, "two are valid at once, not more"
    page.do("rotate", {"hours": "721"})
    assert len(page.toasts) == 1 and page.toasts[0].startswith("overlap_hours")


def test_a_source_by_address_has_no_secret_to_show_or_rotate(company: Company) -> None:
    source = sources.create(company.owner, "generic", "By address", auth=SourceAuth.ADDRESS, networks=["10.0.0.0/8"]).source
    page = shown(company, source)
    assert (page.networks, page.secret, list(page.credentials)) == ("10.0.0.0/8", "", [])
    assert not any(pasting.SECRET in paste.text or "Authorization" in paste.text for paste in page.pastes)
    page.do("rotate", {"hours": "1"})
    assert page.toasts == ["This source is known by its address: it has no secret to rotate."]
    page.do("save", form(page, networks="nonsense"))
    assert set(page.faults) == {"networks"}
    page.do("save", form(page, networks=""))
    assert set(page.faults) == {"networks"}
    page.do("save", form(page, networks="192.0.2.0/24\n10.0.0.0/8"))
    assert (now(source, company).networks, page.networks) == (("192.0.2.0/24", "10.0.0.0/8"), "192.0.2.0/24\n10.0.0.0/8")


def test_it_is_paused_and_resumed(line: Deliveries) -> None:
    source = line.source()
    page = shown(line.company, source)
    for paused, state in ((True, "Paused"), (False, "Waiting")):
        page.do("pause")
        assert (page.paused, page.state, now(source, line.company).paused) == (paused, state, paused)


def test_a_test_alert_goes_the_way_of_all_alerts(line: Deliveries) -> None:
    source = line.source(kind="generic")
    page = shown(line.company, source, Role.OPERATOR)
    page.do("send_test")
    assert page.toasts == ["A test alert is on its way through everything."]
    page.do("refresh")
    assert [each.waiting for each in page.deliveries] == [True]
    line.apply()
    page.do("refresh")
    assert ([each.waiting for each in page.deliveries], page.greeting != "") == ([False], True)
    assert alerts.search(line.company.viewer, source_id=source.id, page=Paging(limit=1)).total == 1


def test_settings_are_kept_and_drawn_as_they_are_kept(line: Deliveries) -> None:
    source = line.source(refire_minutes=5, heartbeats=["Watchdog"])
    page = shown(line.company, source)
    drawn = {field.name: field.value for field in page.fields}
    assert (drawn["refire_minutes"], drawn["heartbeats"], drawn["flap_changes"]) == ("5", "Watchdog", "4")
    page.do("save", form(page, name="Renamed", settings_refire_minutes="7", settings_heartbeats=""))
    assert (now(source, line.company).name, now(source, line.company).settings) == ("Renamed", {"refire_minutes": 7, "heartbeats": []})
    assert page.toasts == ["The settings are kept. They hold from the next delivery on."]
    assert ({field.name: field.value for field in page.fields}["refire_minutes"], page.name, page.round) == ("7", "Renamed", 1)


def test_a_fault_of_the_settings_stands_beside_its_field_and_nothing_is_kept(line: Deliveries) -> None:
    source = line.source()
    page = shown(line.company, source)
    for wrong, field in (("settings_refire_minutes", "refire_minutes"), ("settings_severities", "severities")):
        page.do("save", form(page, **{wrong: "soon"}))
        assert set(page.faults) == {field}
    page.do("save", form(page, name="x" * 101))
    assert set(page.faults) == {"name"}
    assert (now(source, line.company), page.toasts, page.round) == (source, [], 0)
    page.do("save", form(page))
    assert dict(page.faults) == {}


@pytest.mark.parametrize("is_read", [True, False], ids=["page read again", "page as it was"])
def test_what_somebody_else_changed_meanwhile_is_not_overwritten(line: Deliveries, is_read: bool) -> None:
    source = line.source()
    page = shown(line.company, source)
    sources.change(line.company.owner, source.id, settings={"refire_minutes": 9})
    if is_read:
        page.do("refresh")
    page.do("save", form(page, settings_flap_minutes="3"))
    assert page.toasts == ["This source was changed meanwhile. Load it again and repeat your change."]
    assert now(source, line.company).settings == {"refire_minutes": 9}
    page.arrived()
    page.do("save", form(page, settings_flap_minutes="3"))
    assert now(source, line.company).settings == {"refire_minutes": 9, "flap_minutes": 3}


def test_a_pause_or_a_fresh_secret_is_no_change_of_the_settings(line: Deliveries) -> None:
    source = line.source()
    page = shown(line.company, source)
    page.do("pause")
    sources.rotate(line.company.owner, source.id)
    page.do("refresh")
    page.do("save", form(page, settings_flap_minutes="3"))
    assert (now(source, line.company).settings, now(source, line.company).paused) == ({"flap_minutes": 3}, True)


def test_it_is_deleted_and_its_alerts_stay(line: Deliveries) -> None:
    source = line.source()
    line.deliver(source, alert("Left behind"))
    page = shown(line.company, source)
    assert led_to(page.do("delete")) == "/sources"
    assert page.toasts == [f"The source {source.name} is deleted. Its alerts stay."]
    assert str(source.id) not in [row.id for row in page.goes("/sources", SourcesState).rows]
    assert line.alert("Left behind").source == source.name
    assert shown(line.company, source).missing


def test_what_a_file_describes_cannot_be_configured_here(line: Deliveries) -> None:
    source = line.source()
    written(line.tenant, "UPDATE source SET provisioned = true WHERE id = :id", id=source.id)
    page = shown(line.company, source)
    assert (page.provisioned, page.may_configure, page.may_respond) == (True, False, True)
    before = now(source, line.company)
    for name, *given in (("pause",), ("rotate", {"hours": "1"}), ("save", form(page, settings_flap_minutes="3")), ("delete",)):
        assert led_to(page.do(name, *given)) == ""
        assert page.toasts[-1] == f"“{source.name}” is described by a file in AIOPS_PROVISION_DIR; change it there."
    assert (now(source, line.company), page.secret) == (before, "")

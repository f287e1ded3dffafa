"""Does the page of an incident tell what it is, why its alerts are in it, what was done, and who else looks?"""

import json
import re
from typing import Any

import pytest

from engine.identity.actor import Actor
from engine.model.vocabulary import Role, Severity
from engine.operations import alerts, incidents
from engine.operations.live import look
from tests.state.tabs import downloaded
from tests.state.visits import Visit, incident_page, opened
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import Company, hire


def said(page: Visit) -> list[str]:
    """What the timeline says, from the top."""
    return [each.said for each in page.lines]


def test_its_head_says_what_it_is_and_how_it_is(line: Deliveries, me: Actor) -> None:
    view = opened(line, "warning", "critical")
    page = incident_page(line.company.viewer, view.number)
    head = page.head
    assert (page.loaded, page.missing, head.number, head.title) == (True, False, view.number, view.title)
    assert (head.mark, head.severity, head.status_word, head.status_kind) == ("critical", "Critical", "Detected", "critical")
    assert (head.alerts, head.open_alerts, head.services, head.is_open, head.is_merged) == (2, 2, list(view.services), True, False)
    assert (head.owner, head.acknowledged_by, head.resolved_at, head.lasted, head.grouped_by) == ("", "", "", "", view.grouped_by)
    assert (head.opened_at, head.last_alert_at) == (view.opened_at.isoformat(), view.last_alert_at.isoformat())
    incidents.acknowledge(me, view.id)
    incidents.assign(me, view.id, me.id)
    incidents.change(me, view.id, severity=Severity.INFO)
    page.do("refresh")
    assert (page.head.owner, page.head.owner_id, page.head.acknowledged_by) == (me.name, str(me.id), me.name)
    assert (page.head.severity, page.head.severity_by, page.head.status_word) == ("Info", me.name, "Investigating")


def test_the_tab_is_told_what_is_seen(line: Deliveries, me: Actor) -> None:
    view = opened(line)
    page = incident_page(me, view.number)
    seen = {"number": str(view.number), "title": view.title, "severity": "Critical", "status": "Detected"}
    assert page.seen == [seen]
    incidents.resolve(me, view.id)
    page.do("refresh")
    assert page.seen == [seen | {"severity": "Resolved", "status": "Resolved"}]


def test_its_alerts_say_why_they_are_in_it(line: Deliveries, me: Actor) -> None:
    view, other = opened(line, "critical", "warning"), opened(line)
    service = view.services[0]
    incidents.move(me, view.id, [line.alert(f"{other.services[0]} 0").id])
    line.deliver(line.source(), alert(f"{service} late", service=service, severity="info"))
    alerts.resolve(me, [line.alert(f"{service} 1").id])
    page = incident_page(me, view.number)
    rows = {row.title: row for row in page.members}
    first, over = rows[f"{service} 0"], rows[f"{service} 1"]
    assert (first.mark, first.severity, first.service, first.count, first.why) == ("critical", "Critical", service, "×1", "same group")
    assert first.reason != "" and 0 < first.score <= 100 and not first.is_over and not first.has_left
    assert first.href == f"/alerts/{first.id}" and first.id == str(line.alert(f"{service} 0").id)
    assert (over.mark, over.severity, over.is_over) == ("good", "Resolved", True)
    assert (rows[f"{other.services[0]} 0"].why, page.members_total) == ("by hand", 4)
    left = {row.title: row.has_left for row in incident_page(me, other.number).members}
    assert left == {f"{other.services[0]} 0": True}, "where it was it stays, as one that has left"


def test_of_many_alerts_the_first_are_listed_and_all_are_counted(line: Deliveries, me: Actor) -> None:
    view = opened(line, *["warning"] * 53)
    page = incident_page(me, view.number)
    assert (len(page.members), page.members_total, page.head.alerts) == (50, 53, 53)


def test_lines_of_the_timeline_have_an_icon_and_who_did_it(line: Deliveries, me: Actor) -> None:
    view = opened(line, "warning")
    page = incident_page(me, view.number)
    page.do("act", "acknowledge", [])
    page.do("comment", {"text": "it is the disk\nof db-1"})
    page.do("resolve", {"cause": "disk", "resolution": "bigger disk"})
    page.do("act", "reopen", [])
    looks = [(each.icon, each.look) for each in page.lines]
    assert looks == [
        *(("siren", "critical"), ("bell", "error"), ("user-check", "good")),
        *(("message-square", "info"), ("check", "good"), ("rotate-ccw", "critical")),
    ]
    assert [each.who for each in page.lines[2:]] == [me.name] * 4
    assert said(page)[2:] == ["Acknowledged", "it is the disk\nof db-1", "Resolved; cause: disk; resolution: bigger disk", "Reopened"]
    assert [each.is_comment for each in page.lines] == [False, False, False, True, False, False]
    assert [each.at for each in page.lines] == sorted(each.at for each in page.lines), "the newest at the end"


def test_lines_of_people_and_of_alerts_are_shown_apart(line: Deliveries, me: Actor) -> None:
    view = opened(line)
    incidents.comment(me, view.id, "a word")
    page = incident_page(me, view.number)
    everything = said(page)
    for which, shown in (("people", everything[2:]), ("alerts", everything[:2]), ("all", everything), ("cats", everything)):
        page.do("show_lines", which)
        assert (said(page), page.shown) == (shown, "all" if which == "cats" else which)
    assert not any(each.fresh for each in page.lines), "what was only not shown is not new"


def test_alerts_that_do_the_same_one_after_the_other_are_one_line(line: Deliveries, me: Actor) -> None:
    view = opened(line)
    service, source = view.services[0], line.source()
    for place in range(3):
        line.deliver(source, *(alert(f"{service} {place} {each}", service=service) for each in range(2)))
    page = incident_page(me, view.number)
    assert (len(page.lines), page.lines[0].more) == (2, "")
    assert re.fullmatch(r"and 6 more|then 6 more, in .+ s", page.lines[1].more)
    incidents.comment(me, view.id, "a word between")
    line.deliver(source, alert(f"{service} late", service=service))
    page.do("refresh")
    assert [(each.icon, bool(each.more), each.fresh) for each in page.lines[1:]] == [
        ("bell", True, False),
        ("message-square", False, True),
        ("bell", False, True),
    ]
    page.do("show_lines", "alerts")
    assert [each.more for each in page.lines] == [""] * 6, "each by itself where only alerts are shown"


def test_a_new_line_glows_until_the_page_is_read_again(line: Deliveries, me: Actor) -> None:
    view = opened(line)
    page = incident_page(me, view.number)
    assert not any(each.fresh for each in page.lines)
    incidents.comment(line.company.admin, view.id, "look here")
    page.do("refresh")
    assert [each.said for each in page.lines if each.fresh] == ["look here"]
    page.do("refresh")
    assert not any(each.fresh for each in page.lines)


def test_the_beginning_of_a_long_timeline_is_shown_on_demand(line: Deliveries, me: Actor) -> None:
    view = opened(line)
    for place in range(103):
        incidents.comment(me, view.id, f"word {place}")
    page = incident_page(me, view.number)
    assert (len(page.lines), page.has_earlier, page.lines[0].said, page.lines[-1].said) == (100, True, "word 3", "word 102")
    page.do("show_earlier")
    assert (len(page.lines), page.has_earlier, page.lines[0].icon) == (105, False, "siren")
    assert not any(each.fresh for each in page.lines), "what is old does not glow"
    assert len(page.arrived().lines) == 100, "who comes again begins at the end again"


def test_it_is_exported_as_markdown_and_as_json(line: Deliveries, me: Actor) -> None:
    view = opened(line)
    incidents.comment(me, view.id, "größer & <b>besser</b>")
    page = incident_page(line.company.viewer, view.number)
    name, text = downloaded(page.do("export", "markdown"))
    assert name == f"incident-{view.number}.md" and text.startswith(f"# #{view.number} ") and "größer" in text
    name, text = downloaded(page.do("export", "json"))
    told: dict[str, Any] = json.loads(text)
    assert (name, told["incident"]["id"], told["alerts_total"]) == (f"incident-{view.number}.json", str(view.id), 1)
    assert told["timeline"][-1]["said"] == "größer & <b>besser</b>"
    assert downloaded(page.do("export", "pdf"))[0] == f"incident-{view.number}.md", "what there is not is the usual one"


@pytest.mark.parametrize("number", ["2000000", "0", "-1", "x", "99999999999999999999", "1e3", "²", "1%20"])
def test_a_number_that_there_is_not_is_said_on_the_page(company: Company, number: str) -> None:
    page = incident_page(company.owner, number)
    assert (page.missing, page.loaded, page.toasts) == (True, True, [])


def test_a_number_of_another_organization_is_not_there(line: Deliveries, beta: Company) -> None:
    page = incident_page(beta.owner, opened(line).number)
    assert (page.missing, page.head.title, list(page.members), list(page.lines)) == (True, "", [], [])


def test_going_to_another_incident_leaves_nothing_of_the_first(line: Deliveries, me: Actor) -> None:
    first, other = opened(line, "critical", "error"), opened(line)
    page = incident_page(me, first.number)
    page.do("show_lines", "people")
    page.goes(f"/incidents/{other.number}")
    assert (page.head.number, page.shown, page.members_total) == (other.number, "all", 1)
    assert not any(each.fresh for each in page.lines)
    page.goes("/incidents/4000000")
    assert (page.missing, page.head.number, list(page.members), list(page.lines)) == (True, 0, [], [])


def test_the_others_who_look_are_named(line: Deliveries, me: Actor, beta: Company) -> None:
    view = opened(line)
    page, path, other = incident_page(me, view.number), f"/incidents/{view.number}", hire(line.company.owner, Role.VIEWER)
    assert page.others == []
    with look(me, path), look(line.company.admin, path), look(other, path), look(beta.owner, path), look(other, "/incidents"):
        page.do("refresh")
        assert page.others == sorted([line.company.admin.name, other.name]), "not oneself, nor a stranger"
    page.do("refresh")
    assert page.others == []

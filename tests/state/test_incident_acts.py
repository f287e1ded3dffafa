"""Can an incident be acted on from its page, and is what was refused said and put back?"""

from uuid import uuid4

from engine.identity.actor import Actor
from engine.model.vocabulary import IncidentStatus
from engine.operations import incidents
from tests.state.visits import incident_page, opened
from tests.testkit.deliveries import Deliveries


def test_a_comment_is_written_and_an_empty_one_says_so(line: Deliveries, me: Actor) -> None:
    page = incident_page(me, opened(line).number)
    page.do("comment", {"text": "  hello  "})
    assert (page.lines[-1].said, page.sent, page.toasts) == ("hello", 1, [])
    page.do("comment", {"text": "  "})
    assert (len(page.lines), page.sent) == (3, 1), "what was typed stays in the form"
    assert len(page.toasts) == 1 and page.toasts[0].startswith("text:")


def test_a_comment_that_is_sent_before_the_page_was_read_is_written(line: Deliveries, me: Actor) -> None:
    """Who comes back to a page sees what it showed, and may send at once."""
    page = incident_page(me, opened(line).number)
    page.do("arrive")
    page.do("comment", {"text": "early"})
    assert (page.lines[-1].said, page.sent, page.toasts) == ("early", 1, [])


def test_it_is_resolved_with_cause_and_resolution(line: Deliveries, me: Actor) -> None:
    page = incident_page(me, opened(line).number)
    page.do("resolve", {"cause": " full disk ", "resolution": "bigger disk"})
    head = page.head
    assert (head.is_open, head.status_word, head.status_kind, head.resolved_by) == (False, "Resolved", "good", me.name)
    assert (head.cause, head.resolution, page.sent) == ("full disk", "bigger disk", 1)
    assert head.resolved_at and head.lasted, "and how long it took"
    page.do("resolve", {"cause": "again"})
    assert page.toasts == [f"#{head.number} is resolved; reopen it first."]
    assert (page.head.cause, page.sent) == ("full disk", 1)


def test_title_severity_and_status_are_changed(line: Deliveries, me: Actor) -> None:
    page = incident_page(me, opened(line, "warning").number)
    page.do("change", {"title": "Disk of db-1", "severity": "critical", "status": "mitigated"})
    assert (page.head.title, page.head.severity, page.head.status_word, page.sent) == ("Disk of db-1", "Critical", "Mitigated", 1)
    page.do("change", {"title": "", "severity": "automatic", "status": ""})
    assert (page.head.title, page.head.severity, page.head.severity_by, page.head.status_word) == (
        "Disk of db-1",
        "Warning",
        "",
        "Mitigated",
    )
    page.do("change", {"title": "Disk of db-1", "severity": "", "status": "resolved"})
    assert page.toasts == ["Resolve or reopen an incident by its own action."]
    assert (page.head.status_word, page.sent) == ("Mitigated", 2)


def test_a_change_of_what_somebody_else_changed_meanwhile_says_so(line: Deliveries, me: Actor) -> None:
    view = opened(line)
    page = incident_page(me, view.number)
    incidents.change(line.company.admin, view.id, title="Theirs")
    page.do("change", {"title": "Mine"})
    assert page.toasts == ["This incident was changed meanwhile. Load it again and repeat your change."]
    assert (incidents.show(me, view.id).title, page.sent) == ("Theirs", 0)
    page.do("refresh")
    page.do("change", {"title": "Mine"})
    assert (page.head.title, page.sent) == ("Mine", 1)


def test_another_incident_is_merged_into_it_by_number(line: Deliveries, me: Actor) -> None:
    first, other = opened(line), opened(line)
    page = incident_page(me, first.number)
    page.do("merge", {"number": f" #{other.number} "})
    assert (page.head.alerts, page.sent, page.toasts) == (2, 1, [])
    gone = incident_page(me, other.number).head
    assert (gone.is_merged, gone.is_open) == (True, False)
    for number, why in (
        ("4000000", "There is no incident #4000000."),
        ("x", "number:"),
        ("", "number:"),
        (str(first.number), "Name at least"),
    ):
        page.do("merge", {"number": number})
        assert page.toasts[-1].startswith(why)
    assert (page.sent, page.head.alerts) == (1, 2)


def test_an_alert_of_another_incident_is_moved_here_by_its_address_or_id(line: Deliveries, me: Actor) -> None:
    to, other = opened(line), opened(line, "critical", "error")
    ids = [line.alert(f"{other.services[0]} {place}").id for place in range(2)]
    page = incident_page(me, to.number)
    page.do("move", {"alert": f" http://localhost:3000/alerts/{ids[0]}/ "})
    page.do("move", {"alert": str(ids[1])})
    assert (page.head.open_alerts, page.sent, incidents.show(me, other.id).open_alerts) == (3, 2, 0)
    page.do("move", {"alert": str(uuid4())})
    page.do("move", {"alert": "what?"})
    assert page.toasts[0] == "None of these is a live alert." and page.toasts[1].startswith("alert_ids")
    assert page.sent == 2


def test_alerts_are_split_off_into_a_new_incident(line: Deliveries, me: Actor) -> None:
    view = opened(line, "critical", "error", "error")
    page = incident_page(me, view.number)
    apart = [row.id for row in page.members if row.title != f"{view.services[0]} 0"]
    page.do("act", "split", apart)
    made = line.incident_of(f"{view.services[0]} 1")
    assert page.toasts == [f"2 moved into a new incident, #{made.number}."]
    assert (page.head.open_alerts, made.open_alerts, page.settled) == (1, 2, 1)
    page.do("act", "split", apart)
    assert page.toasts[1:] == [f"None of these alerts is a live one of #{view.number}."]
    assert (page.settled, page.head.open_alerts) == (2, 1)


def test_it_is_taken_given_and_given_back(line: Deliveries, me: Actor) -> None:
    page, admin = incident_page(me, opened(line).number), line.company.admin
    page.do("choose_people")
    assert (str(admin.id), admin.name) in [(each.id, each.name) for each in page.choices]
    for act, owner in (("assign:me", me.name), (f"assign:{admin.id}", admin.name), ("assign:", "")):
        page.do("act", act, [])
        assert page.head.owner == owner
    page.do("act", f"assign:{uuid4()}", [])
    assert (page.settled, page.toasts) == (4, ["There is no such person in this organization."])


def test_what_is_refused_is_said_and_the_page_shows_the_truth(line: Deliveries, me: Actor) -> None:
    view = opened(line)
    page = incident_page(me, view.number)
    incidents.resolve(line.company.admin, view.id)
    page.do("act", "acknowledge", [])
    assert (page.settled, page.toasts) == (1, [f"#{view.number} is resolved; reopen it first."])
    assert page.head.status == IncidentStatus.RESOLVED

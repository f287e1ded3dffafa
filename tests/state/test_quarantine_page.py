"""Is what could not be understood shown with its body, and delivered again or discarded?"""

from uuid import UUID

import pytest

from engine.model.vocabulary import QuarantineState, Role
from engine.operations import quarantine, sources
from state.quarantine import QuarantinePageState
from tests.state.visits import Visit
from tests.testkit.deliveries import Deliveries, alert, group
from tests.testkit.people import Company


def listed(company: Company, role: Role = Role.OPERATOR) -> Visit:
    """The quarantine, open."""
    return Visit(QuarantinePageState, company.people[role], "/quarantine", "/quarantine").arrived()


def states(line: Deliveries, *ids: UUID) -> list[QuarantineState]:
    """What became of entries."""
    return [quarantine.show(line.company.owner, id).entry.state for id in ids]


def test_what_waits_is_listed_with_why_and_whose_it_is(line: Deliveries) -> None:
    source = line.source()
    line.put_aside(source, b"{ broken", "no JSON")
    line.deliver(source, alert("Fine"), "no alert")
    page = listed(line.company, Role.VIEWER)
    rows = [row for row in page.rows if row.source == source.name]
    assert [(row.part, row.state, row.kind, row.source_href) for row in rows] == [
        ("alert 2 of a delivery", "waiting", "alertmanager", f"/sources/{source.id}"),
        ("whole body", "waiting", "alertmanager", f"/sources/{source.id}"),
    ]
    assert rows[1].reason == "no JSON" and rows[1].handled == ""
    assert page.total.endswith("entries") or page.total == "1 entry"


def test_a_body_is_shown_as_it_came_and_a_long_one_is_cut(line: Deliveries) -> None:
    source = line.source()
    short, long = line.put_aside(source, b"{ <b>broken</b>", "no JSON"), line.put_aside(source, b"x" * 60_000)
    page = listed(line.company, Role.VIEWER)
    page.do("look", str(short))
    assert (page.body, page.body_reason, page.body_id) == ("{ <b>broken</b>", "no JSON", str(short))
    assert page.body_source == f"/sources/{source.id}"
    page.do("look", str(long))
    assert page.body == "x" * 50_000 + "\n…"
    page.do("look", str(source.id))
    assert (page.body, page.body_reason) == ("", ""), "of what is not there nothing is shown"
    assert page.toasts == ["There is no such entry in the quarantine."]


def test_entries_are_delivered_again_and_listed_as_that(line: Deliveries) -> None:
    source = line.source()
    good, bad = line.put_aside(source, group(alert("Second try"))), line.put_aside(source, b"{ broken")
    page = listed(line.company)
    page.do("act", "replay", [str(good), str(bad)])
    assert (page.settled, states(line, good, bad)) == (1, [QuarantineState.REPLAYED, QuarantineState.WAITING])
    assert len(page.toasts) == 1 and page.toasts[0].startswith("1 done, 1 not: ")
    assert {str(good), str(bad)} & {row.id for row in page.rows} == {str(bad)}
    line.apply()
    assert line.alert("Second try")
    page.do("show_state", "replayed")
    assert [(row.id, row.handled) for row in page.rows if row.source == source.name] == [(str(good), f"by {line.company.operator.name}")]
    page.do("show_state", "eaten")
    assert page.state == "waiting"


def test_entries_are_discarded(line: Deliveries) -> None:
    entry = line.put_aside(line.source(), b"{ broken")
    page = listed(line.company)
    page.do("act", "discard", [str(entry)])
    assert (page.settled, page.toasts, states(line, entry)) == (1, [], [QuarantineState.DISCARDED])
    assert str(entry) not in [row.id for row in page.rows]
    page.do("show_state", "discarded")
    assert str(entry) in [row.id for row in page.rows]


def test_everything_that_waits_is_delivered_again_at_once(line: Deliveries) -> None:
    source = line.source()
    quarantine.discard(line.company.owner, waiting) if (waiting := [row.id for row in quarantine.all(line.company.owner).items]) else None
    good, bad = line.put_aside(source, group(alert("Third try"))), line.put_aside(source, b"{ broken")
    page = listed(line.company)
    page.do("replay_all")
    assert page.toasts == ["1 delivered again, 1 still not understood."]
    assert (states(line, good, bad), [row.id for row in page.rows]) == ([QuarantineState.REPLAYED, QuarantineState.WAITING], [str(bad)])


@pytest.mark.parametrize("act", ["replay", "discard"])
def test_what_was_done_by_somebody_else_is_said_and_the_rows_are_as_they_are(line: Deliveries, act: str) -> None:
    entry = line.put_aside(line.source(), group(alert("Done by another")))
    page = listed(line.company)
    quarantine.replay(line.company.admin, [entry])
    page.do("act", act, [str(entry)])
    why = "There is no such entry that waits, or your role does not allow this for its team."
    assert (page.settled, page.toasts) == (1, [f"0 done, 1 not: {why}"])
    assert str(entry) not in [row.id for row in page.rows]


def test_an_entry_of_a_deleted_source_is_listed_as_that_and_stays(line: Deliveries) -> None:
    source = line.source()
    entry = line.put_aside(source, group(alert("Too late")))
    sources.delete(line.company.owner, source.id)
    page = listed(line.company)
    assert next(row.source for row in page.rows if row.id == str(entry)) in (source.name, "a deleted source")
    page.do("act", "replay", [str(entry)])
    assert page.toasts == ["0 done, 1 not: Its source was deleted."]


def test_another_organization_sees_none_of_it(line: Deliveries, beta: Company) -> None:
    entry = line.put_aside(line.source(), b"{ broken")
    page = listed(beta, Role.OWNER)
    page.do("look", str(entry))
    assert (list(page.rows), page.body) == ([], "")

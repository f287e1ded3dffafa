"""What becomes of what could not be understood?"""

from typing import Any
from uuid import UUID, uuid4

import pytest

from engine.errors import NotFound, Refused
from engine.model.inbox import QuarantineView
from engine.model.sources import SourceView
from engine.model.views import Paging
from engine.model.vocabulary import QuarantineState, Role
from engine.operations import quarantine, sources
from engine.storage.database import Database
from tests.testkit.asking import newest
from tests.testkit.deliveries import ALL, Deliveries, alert, group
from tests.testkit.people import Company, found_company


@pytest.fixture
def line(database: Database, acme: Company) -> Deliveries:
    """Acme's way from a delivery to its alerts."""
    return Deliveries(database, acme)


def waiting(line: Deliveries, source: SourceView) -> list[QuarantineView]:
    """What waits of a source, the newest first."""
    return list(quarantine.all(line.company.owner, source_id=source.id, page=ALL).items)


def state(line: Deliveries, entry_id: UUID) -> QuarantineState:
    """What became of an entry."""
    return quarantine.show(line.company.owner, entry_id).entry.state


def odd(line: Deliveries, name: str) -> SourceView:
    """A generic source that has told of two alerts, one of which is none."""
    source = line.source("generic", alerts_path="all")
    line.post_body(source, {"all": [{"title": name}, "no object"]})
    return source


def test_one_alert_that_cannot_be_understood_does_not_hold_up_the_others(line: Deliveries) -> None:
    name = uuid4().hex
    source = odd(line, name)
    (entry,) = waiting(line, source)
    assert (entry.index, entry.state, entry.kind, entry.source) == (1, QuarantineState.WAITING, "generic", source.name)
    assert entry.reason and entry.delivery_id
    assert line.alert(name)
    shown = sources.show(line.company.owner, source.id)
    assert (shown.deliveries, shown.alerts, shown.quarantined, shown.last_failure) == (1, 1, 1, entry.reason)


def test_an_entry_is_shown_with_the_body_as_it_came(line: Deliveries) -> None:
    source = odd(line, name := uuid4().hex)
    (entry,) = waiting(line, source)
    assert name in quarantine.show(line.company.viewer, entry.id).body
    aside = line.put_aside(source, b"\xff\x00 what?", "this is no JSON")
    shown = quarantine.show(line.company.viewer, aside)
    assert "what?" in shown.body and shown.entry.reason == "this is no JSON" and shown.entry.delivery_id is None


def test_after_the_mapping_was_put_right_an_entry_becomes_an_alert(line: Deliveries) -> None:
    name = uuid4().hex
    source = line.source("generic", alerts_path="all")
    line.post_body(source, {"all": [["first"]], "right": [{"title": f"One {name}"}, {"title": f"Two {name}"}]})
    (entry,) = waiting(line, source)
    sources.change(line.company.owner, source.id, settings={"alerts_path": "right"})
    assert quarantine.replay(line.company.operator, [entry.id]).success == (entry.id,)
    line.apply()
    assert [each.title for each in line.alerts(source_id=source.id)] == [f"One {name}"], "the one of that place, and no other"
    assert (waiting(line, source), state(line, entry.id)) == ([], QuarantineState.REPLAYED)
    shown = quarantine.show(line.company.owner, entry.id).entry
    assert (shown.handled_by, shown.handled_at is not None) == (line.company.operator.name, True)


def test_a_refused_body_is_replayed_whole_once_it_can_be_understood(line: Deliveries) -> None:
    source, name = line.source(), uuid4().hex
    entry = line.put_aside(source, group(alert(f"One {name}"), alert(f"Two {name}")), "a version that we did not know")
    assert quarantine.replay(line.company.operator, [entry]).success == (entry,)
    line.apply()
    assert {each.title for each in line.alerts(source_id=source.id)} == {f"One {name}", f"Two {name}"}


def test_what_still_cannot_be_understood_stays_with_its_reason(line: Deliveries) -> None:
    source = line.source()
    bad, good, nobody = line.put_aside(source, b"no JSON at all"), line.put_aside(source, group(alert(uuid4().hex))), uuid4()
    done = quarantine.replay(line.company.operator, [bad, good, nobody])
    assert done.success == (good,)
    assert {each.id for each in done.failed} == {bad, nobody} and all(each.error for each in done.failed)
    assert [each.id for each in waiting(line, source)] == [bad]


def test_an_entry_is_replayed_once(line: Deliveries) -> None:
    source = line.source()
    entry = line.put_aside(source, group(alert(uuid4().hex)))
    quarantine.replay(line.company.operator, [entry])
    again = quarantine.replay(line.company.operator, [entry])
    assert (again.success, [each.id for each in again.failed]) == ((), [entry])
    line.apply()
    assert sources.show(line.company.owner, source.id).deliveries == 1


def test_everything_of_a_source_is_replayed_at_once_and_nothing_of_another(line: Deliveries) -> None:
    source, other = line.source(), line.source()
    names = [uuid4().hex for _ in range(3)]
    for name in names:
        line.put_aside(source, group(alert(name)))
    line.put_aside(source, b"never")
    left = line.put_aside(other, group(alert(uuid4().hex)))
    done = quarantine.replay_all(line.company.operator, source.id)
    assert (done.replayed, done.failed, done.more) == (3, 1, False)
    line.apply()
    assert {each.title for each in line.alerts(source_id=source.id)} == set(names)
    assert [each.id for each in waiting(line, other)] == [left]


def test_everything_there_is_can_be_replayed(database: Database) -> None:
    line = Deliveries(database, found_company(database, "Quarantined"))
    for _ in range(2):
        line.put_aside(line.source(), group(alert(uuid4().hex)))
    assert quarantine.replay_all(line.company.operator).replayed == 2
    assert quarantine.all(line.company.owner).total == 0
    line.apply()
    assert len(line.alerts()) == 2


def test_a_discarded_entry_waits_no_more_and_can_be_looked_at(line: Deliveries) -> None:
    source, nobody = line.source(), uuid4()
    entry = line.put_aside(source, b"noise")
    done = quarantine.discard(line.company.operator, [entry, nobody])
    assert (done.success, [each.id for each in done.failed]) == ((entry,), [nobody])
    assert waiting(line, source) == []
    (kept,) = quarantine.all(line.company.viewer, state=QuarantineState.DISCARDED, source_id=source.id).items
    assert (kept.id, kept.handled_by) == (entry, line.company.operator.name)
    assert quarantine.replay(line.company.operator, [entry]).success == ()
    assert newest(line.company.owner, "quarantine.discard")[0].actor_name == line.company.operator.name


def test_what_was_discarded_is_replayed_all_the_same(line: Deliveries) -> None:
    entry = line.put_aside(line.source(), group(alert(title := uuid4().hex)))
    quarantine.discard(line.company.operator, [entry])
    assert quarantine.replay(line.company.operator, [entry]).success == (entry,)
    line.apply()
    assert line.alert(title).count == 1
    assert quarantine.replay(line.company.operator, [entry]).success == (), "once"


def test_what_a_deleted_source_has_sent_cannot_be_replayed_but_discarded(line: Deliveries) -> None:
    source = line.source()
    entry = line.put_aside(source, group(alert(uuid4().hex)))
    sources.delete(line.company.owner, source.id)
    (failed,) = quarantine.replay(line.company.operator, [entry]).failed
    assert "deleted" in failed.error
    assert quarantine.discard(line.company.operator, [entry]).success == (entry,)


def test_entries_are_read_in_parts_the_newest_first(line: Deliveries) -> None:
    source = line.source()
    ids = [line.put_aside(source, str(place).encode()) for place in range(5)]
    first = quarantine.all(line.company.viewer, source_id=source.id, page=Paging(limit=2))
    rest = quarantine.all(line.company.viewer, source_id=source.id, page=Paging(limit=200, cursor=first.next_cursor))
    found = [each.id for each in (*first.items, *rest.items)]
    assert (sorted(found), first.total) == (sorted(ids), 5)
    assert [each.received_at for each in (*first.items, *rest.items)] == sorted(
        (each.received_at for each in waiting(line, source)), reverse=True
    )


# who, what comes of replaying and discarding what team red has, why
ACTING: list[tuple[str, Any, str]] = [
    ("red operator", True, "who responds in the team"),
    ("red viewer", Refused, "who only looks"),
    ("blue owner", False, "to another team it is not there"),
    ("organization operator", False, "nor to who is in no team"),
    ("organization admin", True, "an admin sees and does everything"),
]


@pytest.mark.parametrize(("who", "outcome", "why"), ACTING)
def test_entries_are_handled_by_who_may(line: Deliveries, who: str, outcome: Any, why: str) -> None:
    place, _, role = who.partition(" ")
    company = line.company
    me = {"organization": company.people, "red": company.red.people, "blue": company.blue.people}[place][Role(role)]
    source = line.source(team_id=company.red.id)
    for act in (quarantine.replay, quarantine.discard):
        entry = line.put_aside(source, group(alert(uuid4().hex)))
        if outcome is Refused:
            with pytest.raises(Refused):
                act(me, [entry])
        else:
            assert act(me, [entry]).success == ((entry,) if outcome else ()), why
        if outcome is False:
            with pytest.raises(NotFound):
                quarantine.show(me, entry)
            assert quarantine.all(me, source_id=source.id).total == 0


def test_nothing_is_there_for_another_organization(line: Deliveries, beta: Company) -> None:
    source = line.source()
    entry = line.put_aside(source, b"ours")
    with pytest.raises(NotFound):
        quarantine.show(beta.owner, entry)
    assert quarantine.all(beta.owner, source_id=source.id).total == 0
    for act in (quarantine.replay, quarantine.discard):
        assert [each.id for each in act(beta.owner, [entry]).failed] == [entry]
    assert quarantine.replay_all(beta.owner, source.id).replayed == 0
    assert [each.id for each in waiting(line, source)] == [entry]

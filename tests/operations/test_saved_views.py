"""Does everybody find the own views again, and nobody another's?"""

from uuid import uuid4

import pytest

from engine.errors import Conflict, Invalid, NotFound
from engine.identity.actor import Actor
from engine.model.vocabulary import ListPage, Role
from engine.operations import saved_views
from engine.storage import saved_views as stored
from engine.storage.database import Database
from tests.testkit.asking import joined_too, newest, written
from tests.testkit.people import Company, hire

INCIDENTS, ALERTS = ListPage.INCIDENTS, ListPage.ALERTS


@pytest.fixture
def me(acme: Company) -> Actor:
    """Somebody who has no views yet."""
    return hire(acme.owner, Role.VIEWER)


def names(who: Actor, of: ListPage = INCIDENTS) -> list[str]:
    """What a person's views of a list are called."""
    return [view.name for view in saved_views.all(who, of)]


def test_a_view_is_kept_for_its_list_with_its_query(me: Actor) -> None:
    made = saved_views.save(me, INCIDENTS, "Mine", "open=true&severity=critical")
    assert (made.page, made.name, made.query) == (INCIDENTS, "Mine", "open=true&severity=critical")
    assert saved_views.all(me, INCIDENTS) == (made,)
    assert saved_views.all(me, ALERTS) == ()
    saved_views.save(me, ALERTS, "Mine")
    assert [view.query for view in saved_views.all(me, ALERTS)] == [""], "a list as it is when nothing is chosen"
    assert saved_views.all(me, INCIDENTS) == (made,), "the same name on another list is another view"


def test_a_view_of_a_name_is_replaced_whatever_its_case(me: Actor) -> None:
    first = saved_views.save(me, INCIDENTS, "Größte zuerst", "sort=-severity")
    second = saved_views.save(me, INCIDENTS, " GRÖSSTE zuerst ", "sort=severity")
    third = saved_views.save(me, INCIDENTS, "größte ZUERST", "sort=number")
    assert (third.id, third.query) == (first.id, "sort=number")
    assert {view.id: view.name for view in saved_views.all(me, INCIDENTS)} == {second.id: "GRÖSSTE zuerst", third.id: "größte ZUERST"}


def test_views_are_listed_by_name_whatever_their_case(me: Actor) -> None:
    for name in ("delta", "Alpha", "charlie", "Bravo"):
        saved_views.save(me, INCIDENTS, name)
    assert names(me) == ["Alpha", "Bravo", "charlie", "delta"]


# name, query, the field at fault, why
FAULTS: list[tuple[str, str, str, str]] = [
    ("", "", "name", "no name"),
    ("   ", "", "name", "a name of nothing"),
    ("x" * 101, "", "name", "longer than any column"),
    ("two\nlines", "", "name", "a line break"),
    ("x", "open=true&q=two words", "query", "a query has no spaces"),
    ("x", "?open=true", "query", "only what stands behind the question mark"),
    ("x", "open=true#top", "query", "nothing for another part of an address"),
    ("x", "open=true\nq=x", "query", "nor line breaks"),
    ("x", "a=" + "x" * 1000, "query", "longer than an address should be"),
]


@pytest.mark.parametrize(("name", "query", "field", "why"), FAULTS)
def test_what_is_no_view_is_refused_and_named(me: Actor, name: str, query: str, field: str, why: str) -> None:
    with pytest.raises(Invalid) as caught:
        saved_views.save(me, INCIDENTS, name, query)
    assert caught.value.errors[0].field == field, why
    assert names(me) == []


def test_a_list_that_cannot_be_saved_is_refused(me: Actor) -> None:
    with pytest.raises(Invalid):
        saved_views.save(me, "people", "Mine")  # pyright: ignore[reportArgumentType]


def test_there_are_only_so_many_and_those_can_still_be_changed(me: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MOST", 2)
    for name in ("a", "b"):
        saved_views.save(me, INCIDENTS, name)
    with pytest.raises(Conflict, match="2 saved views already"):
        saved_views.save(me, INCIDENTS, "c")
    assert saved_views.save(me, INCIDENTS, "B", "open=true").query == "open=true"
    saved_views.save(me, ALERTS, "c")
    saved_views.delete(me, saved_views.all(me, INCIDENTS)[0].id)
    saved_views.save(me, INCIDENTS, "c")
    assert names(me) == ["B", "c"]


def test_a_view_is_its_persons_alone(acme: Company, beta: Company, me: Actor) -> None:
    made = saved_views.save(me, INCIDENTS, "Mine", "open=true")
    for stranger in (acme.owner, acme.admin, hire(acme.owner, Role.VIEWER), acme.red.people[Role.OWNER], beta.owner):
        assert made.id not in {view.id for view in saved_views.all(stranger, INCIDENTS)}
        with pytest.raises(NotFound):
            saved_views.delete(stranger, made.id)
    assert saved_views.save(acme.owner, INCIDENTS, "Mine", "open=false").id != made.id, "the same name is another's view"
    assert saved_views.all(me, INCIDENTS) == (made,)


def test_a_person_of_two_organizations_has_views_in_each(acme: Company, beta: Company, me: Actor) -> None:
    saved_views.save(me, INCIDENTS, "Here")
    there = joined_too(beta.owner, me)
    assert (there.id, names(there)) == (me.id, [])
    saved_views.save(there, INCIDENTS, "There")
    assert (names(me), names(there)) == (["Here"], ["There"])


def test_what_is_deleted_is_gone(me: Actor) -> None:
    made = saved_views.save(me, INCIDENTS, "Mine")
    saved_views.delete(me, made.id)
    assert names(me) == []
    for gone in (made.id, uuid4()):
        with pytest.raises(NotFound, match="no such saved view of yours"):
            saved_views.delete(me, gone)


def test_keeping_a_view_is_recorded_under_its_name(acme: Company, me: Actor) -> None:
    name = f"view {uuid4().hex}"
    saved_views.save(me, INCIDENTS, name)
    assert newest(acme.owner, "saved_views.save")[0].target == name


def test_even_the_database_keeps_one_view_of_a_name(me: Actor, database: Database) -> None:
    saved_views.save(me, INCIDENTS, "Mine")
    told = "INSERT INTO saved_view VALUES (:org, :id, :user, 'incidents', 'MINE', '', now())"
    with pytest.raises(Exception, match="saved_view_name"):
        written(me, told, org=me.org_id, id=uuid4(), user=me.id)

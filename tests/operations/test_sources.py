"""Who may send alerts, how is a sender set up, and how does its secret change?"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from engine.errors import AiopsError, Conflict, Invalid, NotFound, Refused, Stale
from engine.identity.actor import Actor, Request
from engine.integrations.sources import KINDS
from engine.model.sources import NewSource, SourceView
from engine.model.vocabulary import Outcome, Role, SourceAuth
from engine.operations import alerts, audit, intake, sources
from engine.storage.database import Database
from engine.storage.sources import Found, directory, found
from engine.storage.work import Tenant, work
from tests.testkit.asking import newest, written
from tests.testkit.deliveries import ALL, Deliveries, alert
from tests.testkit.people import Company

Hire = Callable[[Role], Actor]


@pytest.fixture
def line(database: Database, acme: Company) -> Deliveries:
    """Acme's way from a delivery to its alerts."""
    return Deliveries(database, acme)


def fresh(who: Actor, kind: str = "generic", **more: Any) -> NewSource:
    """A new source under a name of its own."""
    return sources.create(who, kind, f"source {uuid4().hex}", **more)


def known(database: Database, secret: SecretStr | None) -> Found | None:
    """What a delivery with this secret finds: the source, with the credentials that are valid now."""
    assert secret is not None
    public_id = secret.get_secret_value().split("_")[1]
    with work(database, Tenant()) as open_work:
        place = directory(open_work, public_id)
        if place is None:
            return None
        open_work.become(Tenant(place[0], all_teams=True))
        there = found(open_work, place[1])
    return there if there and public_id in [each.public_id for each in there.credentials] else None


@pytest.mark.parametrize("kind", [kind.id for kind in KINDS])
def test_a_source_of_every_kind_can_be_added_and_tried_and_its_sample_becomes_an_alert(line: Deliveries, kind: str) -> None:
    made = fresh(line.company.owner, kind)
    assert made.secret and made.secret.get_secret_value().startswith("aio_")
    assert made.source.url.endswith(f"/webhook/{kind}/{made.source.public_id}")
    assert sources.show(line.company.viewer, made.source.id) == made.source
    intake.send_test(line.company.owner, made.source.id)
    line.apply()
    shown = sources.show(line.company.owner, made.source.id)
    assert (shown.deliveries, shown.quarantined, shown.failures) == (1, 0, 0)
    assert len(line.alerts(source_id=made.source.id)) == (0 if kind == "heartbeat" else 1)


def test_the_kinds_say_what_can_be_set(acme: Company) -> None:
    for kind in sources.kinds(acme.viewer):
        assert kind.title and kind.about and kind.sample
        assert "default_severity" in kind.schema["properties"], kind.id
        assert all(each.get("title") and each.get("description") for each in kind.schema["properties"].values()), kind.id


# kind, settings, the fields that are named, why
FAULTS: list[tuple[str, dict[str, Any], list[str], str]] = [
    ("alertmanager", {"refire_minutes": -1}, ["settings.refire_minutes"], "less than the least"),
    ("alertmanager", {"refire_minutes": "soon"}, ["settings.refire_minutes"], "a word for a number"),
    ("generic", {"colour": "red"}, ["settings.colour"], "nothing that can be set"),
    ("generic", {"mapping": {"title": "a[["}}, ["settings.mapping"], "an expression that does not compile"),
    ("generic", {"mapping": {"colour": "a"}}, ["settings.mapping.colour.[key]"], "a field that no alert has"),
    ("heartbeat", {"every_minutes": 0, "grace_minutes": -1}, ["settings.every_minutes", "settings.grace_minutes"], "each fault is named"),
    ("generic", {"severities": {"bad": "worst"}}, ["settings.severities.bad"], "a severity that does not exist"),
    ("grafana", {"per_minute": 0}, ["settings.per_minute"], "a limit that lets nothing in"),
]


@pytest.mark.parametrize(("kind", "given", "fields", "why"), FAULTS)
def test_settings_that_do_not_fit_the_kind_are_refused_field_by_field(
    acme: Company, kind: str, given: dict[str, Any], fields: list[str], why: str
) -> None:
    with pytest.raises(Invalid) as caught:
        fresh(acme.owner, kind, settings=given)
    assert sorted(fault.field for fault in caught.value.errors) == fields, why
    assert all(fault.message for fault in caught.value.errors)
    there = fresh(acme.owner, kind).source
    with pytest.raises(Invalid):
        sources.change(acme.owner, there.id, settings=given)
    assert sources.show(acme.owner, there.id).settings == {}


def test_a_kind_that_does_not_exist_is_not_found(acme: Company) -> None:
    with pytest.raises(NotFound, match="alertmanager"):
        fresh(acme.owner, "carrier-pigeon")


# who, whose source (None: everybody's), what comes of it, why
PERMISSIONS: list[tuple[str, str | None, type[AiopsError] | None, str]] = [
    ("organization owner", None, None, "an owner may everything"),
    ("organization admin", "red", None, "an admin of the organization manages the sources of every team"),
    ("organization operator", None, Refused, "who responds does not configure"),
    ("organization viewer", None, Refused, "who looks does not configure"),
    ("red admin", "red", None, "an admin of a team manages what belongs to it"),
    ("red owner", "red", None, "and so does its owner"),
    ("red admin", None, Refused, "but not what belongs to everybody"),
    ("red admin", "blue", NotFound, "nor does the source of another team exist"),
    ("red operator", "red", Refused, "who responds in a team does not configure there"),
    ("red viewer", "red", Refused, "nor does who looks"),
]


@pytest.mark.parametrize(("who", "whose", "fault", "why"), PERMISSIONS)
def test_sources_are_managed_by_who_may(acme: Company, who: str, whose: str | None, fault: type[AiopsError] | None, why: str) -> None:
    place, _, role = who.partition(" ")
    me = (acme.people if place == "organization" else acme.red.people)[Role(role)]
    team_id = getattr(acme, whose).id if whose else None
    there = fresh(acme.owner, team_id=team_id).source
    acts: tuple[Callable[[], object], ...] = (
        lambda: fresh(me, team_id=team_id),
        lambda: sources.change(me, there.id, name=f"changed {uuid4().hex}"),
        lambda: sources.pause(me, there.id),
        lambda: sources.rotate(me, there.id),
        lambda: sources.delete(me, there.id),
    )
    for act in acts:
        if fault:
            with pytest.raises(fault):
                act()
        else:
            act()
    left = {each.id for each in sources.all(acme.owner, kind="generic", page=ALL).items}
    assert (there.id in left) is (fault is not None), why


def test_a_refusal_is_audited_and_changes_nothing(acme: Company, spare: Hire) -> None:
    there, me = fresh(acme.owner).source, spare(Role.VIEWER)
    for name, act in (
        ("sources.create", lambda: fresh(me)),
        ("sources.rotate", lambda: sources.rotate(me, there.id)),
        ("sources.delete", lambda: sources.delete(me, there.id)),
    ):
        with pytest.raises(Refused):
            act()
        assert (newest(acme.owner, name)[0].outcome, newest(acme.owner, name)[0].actor_name) == (Outcome.REFUSED, me.name)
    assert sources.show(acme.owner, there.id) == there


def test_a_source_is_seen_by_its_team_and_by_nobody_of_another_organization(acme: Company, beta: Company) -> None:
    ours, everybody_s = fresh(acme.owner, team_id=acme.red.id).source, fresh(acme.owner).source
    for who in (acme.owner, acme.admin, acme.red.people[Role.VIEWER]):
        assert sources.show(who, ours.id).id == ours.id
    for who in (acme.viewer, acme.blue.people[Role.OWNER], beta.owner):
        with pytest.raises(NotFound):
            sources.show(who, ours.id)
        assert ours.id not in {each.id for each in sources.all(who, page=ALL).items}
    assert sources.show(acme.blue.people[Role.VIEWER], everybody_s.id).id == everybody_s.id
    with pytest.raises(NotFound):
        sources.show(beta.owner, everybody_s.id)


def test_a_name_is_taken_once_in_an_organization_whatever_its_case(acme: Company, beta: Company) -> None:
    name = f"Prüfung {uuid4().hex}"
    there = sources.create(acme.owner, "generic", name).source
    with pytest.raises(Conflict, match="Choose another name"):
        sources.create(acme.admin, "alertmanager", name.upper())
    other = fresh(acme.owner).source
    with pytest.raises(Conflict):
        sources.change(acme.owner, other.id, name=name)
    assert sources.change(acme.owner, there.id, name=name.upper()).name == name.upper(), "a source may change the case of its own"
    assert sources.create(beta.owner, "generic", name), "the name is of the organization"
    sources.delete(acme.owner, there.id)
    assert sources.create(acme.owner, "generic", name), "and is free again"


def test_the_name_of_a_source_that_only_another_team_sees_is_taken_too(acme: Company) -> None:
    name = f"hidden {uuid4().hex}"
    sources.create(acme.owner, "generic", name, team_id=acme.blue.id)
    with pytest.raises(Conflict):
        sources.create(acme.red.people[Role.ADMIN], "generic", name, team_id=acme.red.id)


def test_a_rotated_secret_and_the_one_before_are_valid_together_for_a_while(acme: Company, database: Database) -> None:
    first = fresh(acme.owner)
    second = sources.rotate(acme.owner, first.source.id, overlap_hours=2)
    assert known(database, first.secret) and known(database, second.secret)
    newer, older = second.source.credentials
    assert newer.expires_at is None and older.expires_at is not None
    assert timedelta(hours=1, minutes=59) < older.expires_at - newer.created_at < timedelta(hours=2, minutes=1)


def test_a_third_secret_ends_the_first(acme: Company, database: Database) -> None:
    first = fresh(acme.owner)
    second = sources.rotate(acme.owner, first.source.id)
    third = sources.rotate(acme.owner, first.source.id)
    assert known(database, first.secret) is None, "two are valid at once, not more"
    assert known(database, second.secret) and known(database, third.secret)
    assert len(third.source.credentials) == 2


def test_without_an_overlap_the_secret_before_ends_at_once(acme: Company, database: Database) -> None:
    first = fresh(acme.owner)
    sources.rotate(acme.owner, first.source.id)
    last = sources.rotate(acme.owner, first.source.id, overlap_hours=0)
    assert known(database, first.secret) is None
    assert [each.hint for each in last.source.credentials] == [f"aio_{last.secret.get_secret_value().split('_')[1]}_…"]  # pyright: ignore


def test_an_overlap_that_was_given_is_not_made_longer_by_the_next_one(acme: Company) -> None:
    there = fresh(acme.owner).source
    before = sources.rotate(acme.owner, there.id, overlap_hours=1).source.credentials[1].expires_at
    after = sources.rotate(acme.owner, there.id, overlap_hours=700).source.credentials
    assert before not in [each.expires_at for each in after], "the oldest has ended"
    for hours in (-1, 721):
        with pytest.raises(Invalid):
            sources.rotate(acme.owner, there.id, overlap_hours=hours)


def test_a_secret_is_shown_once_and_never_in_a_view_the_record_or_a_repeated_answer(acme: Company) -> None:
    me = acme.owner.on(Request(trace_id="test-trace", idempotency_key=uuid4().hex))
    name = f"source {uuid4().hex}"
    made = sources.create(me, "generic", name)
    assert made.secret
    again = sources.rotate(acme.owner, made.source.id)
    assert again.secret
    with pytest.raises(Conflict, match="shown only once"):
        sources.create(me, "generic", name)
    for secret in (made.secret.get_secret_value(), again.secret.get_secret_value()):
        inner = secret.split("_", 2)[2]
        shown = (sources.show(acme.owner, made.source.id), sources.all(acme.owner, page=ALL), audit.search(acme.owner))
        assert inner not in repr(shown)
    assert made.secret.get_secret_value() not in repr(made)


def test_the_secret_of_a_signature_is_sealed_and_rotates_like_another(acme: Company, database: Database) -> None:
    first = fresh(acme.owner, auth=SourceAuth.SIGNATURE, signature_header="X-Hub-Signature-256")
    second = sources.rotate(acme.owner, first.source.id)
    for made in (first, second):
        there = known(database, made.secret)
        assert there and made.secret
        kept = [each for each in there.credentials if each.public_id == made.secret.get_secret_value().split("_")[1]]
        assert kept[0].secret_hash is None and kept[0].sealed
        assert made.secret.get_secret_value().encode() not in kept[0].sealed
    with pytest.raises(Invalid):
        fresh(acme.owner, auth=SourceAuth.SIGNATURE, signature_header="X Signature\r\nX: y")


# networks, why they are none
NO_NETWORKS = [
    (None, "an address alone proves nothing without a network"),
    ([], "an empty list is no network"),
    (["10.0.0.0/33"], "a width that no network has"),
    (["example.com"], "a name can be anybody's"),
]


@pytest.mark.parametrize(("networks", "why"), NO_NETWORKS)
def test_a_source_that_is_known_by_its_address_needs_a_network(acme: Company, networks: list[str] | None, why: str) -> None:
    with pytest.raises(Invalid) as caught:
        fresh(acme.owner, auth=SourceAuth.ADDRESS, networks=networks)
    assert caught.value.errors[0].field.startswith("networks"), why


def test_a_source_that_is_known_by_its_address_has_no_secret(acme: Company) -> None:
    made = fresh(acme.owner, auth=SourceAuth.ADDRESS, networks=["10.1.2.3/24", "2001:db8::1"])
    assert (made.secret, made.source.credentials) == (None, ())
    assert made.source.networks == ("10.1.2.0/24", "2001:db8::1/128")
    with pytest.raises(Conflict, match="no secret"):
        sources.rotate(acme.owner, made.source.id)
    with pytest.raises(Invalid):
        sources.change(acme.owner, made.source.id, networks=[])
    assert sources.show(acme.owner, made.source.id).networks == made.source.networks


def test_a_change_leaves_what_it_does_not_name(acme: Company) -> None:
    there = fresh(acme.owner, settings={"refire_minutes": 5}, networks=["10.0.0.0/8"]).source
    name = f"renamed {uuid4().hex}"
    changed = sources.change(acme.owner, there.id, name=name)
    assert (changed.name, changed.settings, changed.networks) == (name, {"refire_minutes": 5}, ("10.0.0.0/8",))
    assert sources.change(acme.owner, there.id, settings={}).settings == {}
    assert sources.change(acme.owner, there.id, networks=[]).networks == ()


def test_a_version_that_was_overtaken_changes_nothing(acme: Company) -> None:
    there = fresh(acme.owner).source
    changed = sources.change(acme.owner, there.id, settings={"flap_changes": 9}, version=there.version)
    assert changed.version == there.version + 1
    with pytest.raises(Stale):
        sources.change(acme.admin, there.id, settings={}, version=there.version)
    assert sources.show(acme.owner, there.id).settings == {"flap_changes": 9}


def test_a_paused_source_is_resumed_as_it_was(acme: Company) -> None:
    there = fresh(acme.owner).source
    assert sources.pause(acme.owner, there.id).paused
    assert not sources.pause(acme.owner, there.id, paused=False).paused
    assert [entry.detail["paused"] for entry in newest(acme.owner, "sources.pause")[:2]] == [False, True]


def test_what_a_deleted_source_has_told_stays(line: Deliveries) -> None:
    there = line.source()
    name = f"Left {uuid4().hex}"
    line.deliver(there, alert(name))
    sources.delete(line.company.owner, there.id)
    kept = line.alert(name)
    assert (kept.source, kept.source_id) == (there.name, there.id)
    assert alerts.explain(line.company.viewer, kept.id).alert_id == kept.id
    for act in (sources.show, sources.delete, sources.rotate, intake.deliveries):
        with pytest.raises(NotFound):
            act(line.company.owner, there.id)


def test_the_secrets_of_a_deleted_source_are_worth_nothing(acme: Company, database: Database) -> None:
    made = fresh(acme.owner)
    sources.delete(acme.owner, made.source.id)
    assert known(database, made.secret) is None


def test_a_source_that_a_file_describes_is_read_only_here(acme: Company) -> None:
    there = fresh(acme.owner).source
    written(acme.owner, "UPDATE source SET provisioned = true WHERE id = :id", id=there.id)
    for act in (
        lambda: sources.change(acme.owner, there.id, name="mine"),
        lambda: sources.pause(acme.owner, there.id),
        lambda: sources.rotate(acme.owner, there.id),
        lambda: sources.delete(acme.owner, there.id),
    ):
        with pytest.raises(Conflict, match="described by a file"):
            act()
    assert sources.show(acme.owner, there.id).provisioned


# minutes of silence allowed, hours since the last delivery, paused, silent, why
SILENCE = [
    (30, 1, False, True, "nothing came for longer than is allowed"),
    (90, 1, False, False, "it came lately enough"),
    (0, 100, False, False, "never silent, unless that is set"),
    (30, 1, True, False, "a paused source is not waited for"),
]


@pytest.mark.parametrize(("minutes", "hours", "paused", "silent", "why"), SILENCE)
def test_a_source_is_shown_as_silent(acme: Company, minutes: int, hours: int, paused: bool, silent: bool, why: str) -> None:
    there = fresh(acme.owner, settings={"silent_minutes": minutes}).source
    assert not there.silent, "one that is new has not been silent for long"
    seen = "UPDATE source SET last_seen_at = now() - make_interval(hours => :hours), paused = :paused WHERE id = :id"
    written(acme.owner, seen, hours=hours, paused=paused, id=there.id)
    assert sources.show(acme.owner, there.id).silent is silent, why


def test_a_source_that_never_sent_anything_is_silent_by_the_time_it_was_made(acme: Company) -> None:
    there = fresh(acme.owner, settings={"silent_minutes": 30}).source
    written(acme.owner, "UPDATE source SET created_at = now() - interval '1 hour' WHERE id = :id", id=there.id)
    assert sources.show(acme.owner, there.id).silent


def test_what_an_older_version_has_set_and_this_one_does_not_know_harms_nothing(acme: Company, line: Deliveries) -> None:
    there: SourceView = line.source()
    with work(line.database, line.tenant) as open_work:
        open_work.session.execute(text("UPDATE source SET settings = '{\"gone\": 1}' WHERE id = :id"), {"id": there.id})
    line.deliver(there, alert(f"Still {uuid4().hex}"))
    assert sources.show(acme.owner, there.id).alerts == 1


def test_trying_a_body_out_keeps_nothing(acme: Company) -> None:
    before = len(sources.all(acme.owner, page=ALL).items), alerts.search(acme.owner).total
    settings = {"mapping": {"title": "what", "severity": "how"}, "severities": {"awful": "critical"}}
    (tried,) = intake.try_out(acme.viewer, "generic", '{"what": "CPU", "how": "awful", "host": "db-1"}', settings)
    assert (tried.title, tried.severity, tried.resource, tried.fault) == ("CPU", "critical", "db-1", None)
    with pytest.raises(AiopsError):
        intake.try_out(acme.viewer, "generic", "no json")
    with pytest.raises(Invalid):
        intake.try_out(acme.viewer, "generic", "{}", {"mapping": {"title": "[["}})
    assert (len(sources.all(acme.owner, page=ALL).items), alerts.search(acme.owner).total) == before


def test_a_sample_is_sent_by_who_may_respond(acme: Company) -> None:
    there = fresh(acme.owner, team_id=acme.red.id).source
    with pytest.raises(Refused):
        intake.send_test(acme.red.people[Role.VIEWER], there.id)
    with pytest.raises(NotFound):
        intake.send_test(acme.blue.people[Role.OWNER], there.id)
    assert intake.send_test(acme.red.people[Role.OPERATOR], there.id).source_id == there.id

"""Does the page of a silence keep what its form says, on the clock of its zone, and show beforehand what it means?"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from engine.identity.actor import Actor
from engine.model.vocabulary import Role
from engine.operations import profile, silences
from engine.operations.silences import SilenceView
from state.silence import SilenceState
from tests.state.tabs import led_to
from tests.state.visits import Visit
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import Company

MINUTE = timedelta(minutes=1)
STALE = "This silence was changed meanwhile. Load it again and repeat your change."


def shown(who: Actor, what: UUID | str = "new") -> Visit:
    """The page of a silence, or of a new one, open."""
    return Visit(SilenceState, who, f"/silences/{what}", "/silences/[silence_id]").arrived()


def on_the_wall(zone: str = "UTC") -> datetime:
    """Now, as a clock in a zone shows it, without seconds."""
    return datetime.now(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None, second=0, microsecond=0)


def drawn(page: Visit, **other: Any) -> dict[str, Any]:
    """The form as it is drawn, and what is changed in it."""
    return dict(page.form) | other


def written(page: Visit, **other: Any) -> dict[str, Any]:
    """A form that can be kept, and what is changed in it."""
    return drawn(page, matchers='job="x"', comment=f"Quiet {uuid4().hex[:8]}") | other


def kept(page: Visit, company: Company, **other: Any) -> SilenceView:
    """The silence that the form has made."""
    form = written(page, **other)
    assert led_to(page.do("save", form)) == "/silences", dict(page.faults)
    (found,) = [each for each in silences.all(company.owner).items if each.comment == form["comment"]]
    return found


def made(company: Company, team: UUID | None = None, **said: Any) -> SilenceView:
    """A silence that is in force for two hours."""
    times = {"starts": (on_the_wall() - MINUTE).isoformat(), "ends": (on_the_wall() + 120 * MINUTE).isoformat()}
    spec = {"matchers": [{"name": "job", "value": "x"}], "comment": f"Quiet {uuid4().hex[:8]}"} | times | said
    return silences.create(company.owner, spec, team)


def length(view: SilenceView) -> timedelta:
    """How long it lasts by its clock."""
    return datetime.fromisoformat(view.spec["ends"]) - datetime.fromisoformat(view.spec["starts"])


def test_a_new_one_is_from_now_on_for_two_hours_on_the_clock_of_who_makes_it(company: Company) -> None:
    page = shown(company.operator)
    assert (page.is_new, page.may_respond, page.loaded, page.missing) == (True, True, True, False)
    assert (page.form["lasts"], page.form["starts"], page.form["ends"], page.form["zone"]) == ("120", "", "", "UTC")
    view = kept(page, company)
    assert (view.active, view.zone, view.rule, length(view)) == (True, "UTC", "", 120 * MINUTE)
    assert on_the_wall() - datetime.fromisoformat(view.spec["starts"]) <= 2 * MINUTE
    assert (view.author, page.toasts) == (company.operator.name, [f"“{view.comment}” is kept."])


def test_another_zone_is_that_of_its_clock(company: Company) -> None:
    profile.change(company.admin, time_zone="Asia/Kolkata")
    page = shown(company.admin)
    assert page.form["zone"] == "Asia/Kolkata"
    for zone in ("Asia/Kolkata", "America/St_Johns"):
        view = kept(page, company, zone=zone, lasts="30")
        assert (view.zone, view.active, length(view)) == (zone, True, 30 * MINUTE)
        assert abs(on_the_wall(zone) - datetime.fromisoformat(view.spec["starts"])) <= 2 * MINUTE
    assert kept(page, company, zone=" ").zone == "Asia/Kolkata", "none: that of who makes it"
    profile.change(company.admin, time_zone="")


# the times of the form, those that are kept, the rule
TIMES: list[tuple[dict[str, str], str, str, str]] = [
    ({"starts": "2126-03-10T22:00", "lasts": "60"}, "2126-03-10T22:00:00", "2126-03-10T23:00:00", ""),
    ({"starts": "2126-03-10T22:00", "lasts": "", "ends": "2126-03-11T02:00"}, "2126-03-10T22:00:00", "2126-03-11T02:00:00", ""),
    ({"starts": "2126-03-10T22:00", "lasts": "60", "ends": "2126-03-11T02:00"}, "2126-03-10T22:00:00", "2126-03-10T23:00:00", ""),
    *(
        ({"starts": "2126-03-10T22:00", "lasts": "60"} | said, "2126-03-10T22:00:00", "2126-03-10T23:00:00", rule)
        for said, rule in (
            ({"repeats": "FREQ=DAILY"}, "FREQ=DAILY"),
            ({"rule": "FREQ=WEEKLY;BYDAY=SU"}, "FREQ=WEEKLY;BYDAY=SU"),
            ({"repeats": "other", "rule": "FREQ=YEARLY"}, "FREQ=YEARLY"),
            ({"repeats": "FREQ=DAILY", "rule": "FREQ=YEARLY"}, "FREQ=DAILY"),
        )
    ),
]


@pytest.mark.parametrize(("said", "starts", "ends", "rule"), TIMES)
def test_its_times_are_kept_as_they_are_said_and_drawn_again(
    company: Company, said: dict[str, str], starts: str, ends: str, rule: str
) -> None:
    view = kept(shown(company.operator), company, **said)
    assert (view.spec["starts"], view.spec["ends"], view.rule) == (starts, ends, rule)
    page = shown(company.operator, view.id)
    assert (page.form["starts"], page.form["ends"], page.form["lasts"]) == (starts[:16], ends[:16], "")
    assert (page.form["rule"] if page.form["repeats"] == "other" else page.form["repeats"]) == rule
    page.do("save", drawn(page))
    assert silences.show(company.owner, view.id).spec == view.spec, "the same again"


# what is written, by which control it stands, words of what is wrong
FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"matchers": ""}, "matchers", "at least 1 item"),
    ({"matchers": "payment"}, "matchers", "Write name="),
    ({"matchers": 'a=""'}, "matchers", "hold for every alert"),
    ({"matchers": 'a=~"("'}, "matchers", "no regular expression"),
    ({"comment": " "}, "comment", "at least 1 character"),
    ({"lasts": "", "ends": ""}, "ends", "Say when it ends, or how long it lasts."),
    ({"lasts": "soon"}, "lasts", "whole number"),
    ({"lasts": "-5"}, "ends", "at least a minute after it starts"),
    ({"lasts": "", "ends": "2020-01-01T00:00"}, "ends", "at least a minute after it starts"),
    ({"starts": "2020-01-01T00:00", "lasts": "60"}, "ends", "over already"),
    ({"starts": "yesterday"}, "starts", "Write a day and a time."),
    ({"lasts": "", "ends": "soon"}, "ends", "Write a day and a time."),
    ({"rule": "FREQ=HOURLY"}, "rule", "daily, weekly, monthly or yearly"),
    ({"repeats": "FREQ=DAILY", "lasts": "100000"}, "ends", "at most 31 days"),
    *(
        ({"zone": zone} | more, "zone", "is no time zone")
        for zone in ("Mars/Base", "Europe", "../../etc/passwd", "x" * 300, "a\0b", "UTC+2")
        for more in ({}, {"starts": "2126-01-01T00:00"})
    ),
]


@pytest.mark.parametrize(("wrong", "control", "words"), FAULTS)
def test_a_fault_stands_beside_its_control_and_nothing_is_kept(company: Company, wrong: dict[str, Any], control: str, words: str) -> None:
    before = silences.all(company.owner).total
    page = shown(company.operator)
    assert led_to(page.do("save", written(page, **wrong))) == ""
    assert set(page.faults) == {control} and words in page.faults[control]
    assert (silences.all(company.owner).total, page.toasts) == (before, [])


def test_before_it_is_kept_it_shows_what_it_would_keep_quiet_and_when(line: Deliveries) -> None:
    service = f"svc-{uuid4().hex[:8]}"
    line.deliver(line.source(), *(alert(f"{service} {n}", service=service) for n in range(12)))
    page = shown(line.company.viewer)
    page.do("said", written(page, matchers=f'service="{service}"', starts="2126-03-10T22:00", repeats="FREQ=DAILY", lasts="60"))
    assert (page.meaning, dict(page.faults)) == ("Would keep 12 of what fires now quiet.", {})
    assert len(page.quiet) == 10 and all(each.title.startswith(service) for each in page.quiet)
    assert [each.starts_at for each in page.spans] == [f"2126-03-{day}T22:00:00+00:00" for day in range(10, 15)]
    page.do("said", written(page, matchers='service="of nobody"'))
    assert (page.meaning, list(page.quiet), len(page.spans)) == ("Nothing that fires now would be quiet.", [], 1)
    page.do("said", written(page, matchers="of nobody"))
    assert (set(page.faults), page.meaning, list(page.spans)) == ({"matchers"}, "", [])


@pytest.mark.parametrize("missing", ["matchers", "comment"])
def test_what_is_not_written_yet_is_no_fault(company: Company, missing: str) -> None:
    page = shown(company.operator)
    page.do("said", written(page, **{missing: " "}))
    assert (dict(page.faults), page.meaning) == ({}, "")


def test_one_of_an_alert_begins_with_its_labels(line: Deliveries) -> None:
    title = f'Disk "C:\\" {uuid4().hex[:8]}, full'
    line.deliver(line.source(), alert(title, host="h-1"), alert(title, host="h-2"))
    view = next(each for each in line.alerts() if each.labels.get("host") == "h-1" and each.title == title)
    page = shown(line.company.operator, f"new?alert={view.id}")
    assert page.form["comment"] == f"“{title}”" and 'host="h-1"' in page.form["matchers"]
    page.do("said", dict(page.form))
    assert (page.meaning, [each.href for each in page.quiet]) == ("Would keep 1 of what fires now quiet.", [f"/alerts/{view.id}"])


def test_one_that_is_over_is_made_again_from_now_on(company: Company) -> None:
    times = {"starts": "2126-03-10T22:00:00", "ends": "2126-03-10T23:00:00", "zone": "Europe/Berlin", "rule": "FREQ=WEEKLY"}
    over = silences.end(company.owner, made(company, **times).id)
    page = shown(company.operator, f"new?again={over.id}")
    assert (page.is_new, page.form["matchers"], page.form["comment"]) == (True, 'job="x"', over.comment)
    assert (page.form["starts"], page.form["ends"], page.form["lasts"]) == ("", "", "120")
    assert (page.form["zone"], page.form["repeats"]) == ("Europe/Berlin", "FREQ=WEEKLY")
    view = kept(page, company, comment=f"again {over.comment}")
    assert (view.active, view.rule, length(view)) == (True, "FREQ=WEEKLY", 120 * MINUTE)


def test_matchers_in_the_address_are_in_the_form(company: Company) -> None:
    assert shown(company.operator, "new?match=service%3D%22a%22").form["matchers"] == 'service="a"'


@pytest.mark.parametrize("asked", ["alert=x", "again=x", "alert=01890000-0000-7000-8000-000000000000", "again=%00", "match="])
def test_nonsense_in_the_address_makes_an_empty_form(company: Company, asked: str) -> None:
    page = shown(company.operator, f"new?{asked}")
    assert (page.form["matchers"], page.form["comment"], page.loaded, page.toasts) == ("", "", True, [])


def test_what_is_of_another_organization_does_not_fill_a_form(line: Deliveries, beta: Company) -> None:
    line.deliver(line.source(), alert("Ours alone", host="ours"))
    for asked in (f"alert={line.alert('Ours alone').id}", f"again={made(line.company, comment='Ours alone').id}"):
        page = shown(beta.owner, f"new?{asked}")
        assert page.form["matchers"] == "" and "Ours alone" not in str(page._tab.shown())


def test_one_that_is_there_is_changed(company: Company) -> None:
    view = made(company, matchers=[{"name": "a", "op": "=~", "value": 'x"\\d+, y'}, {"name": "b", "op": "!=", "value": ""}])
    page = shown(company.operator, view.id)
    assert (page.is_new, page.silence.comment, page.may_respond) == (False, view.comment, True)
    page.do("save", drawn(page, comment="because"))
    now = silences.show(company.owner, view.id)
    assert (now.spec["matchers"], now.comment, now.spec["ends"]) == (view.spec["matchers"], "because", view.spec["ends"])


@pytest.mark.parametrize("is_read", [True, False], ids=["page read again", "page as it was"])
def test_what_somebody_else_changed_meanwhile_is_said_and_not_overwritten(company: Company, is_read: bool) -> None:
    view = made(company)
    page = shown(company.operator, view.id)
    form = drawn(page, matchers='mine="1"')
    silences.change(company.owner, view.id, view.spec | {"comment": "theirs"})
    if is_read:
        page.do("refresh")
        assert (page.is_stale, page.form["comment"]) == (True, view.comment)
    assert led_to(page.do("save", form)) == ""
    assert (page.toasts, silences.show(company.owner, view.id).spec) == ([STALE], view.spec | {"comment": "theirs"})
    page.do("load_again")
    assert (page.is_stale, page.form["comment"]) == (False, "theirs")
    assert led_to(page.do("save", drawn(page, matchers='mine="1"'))) == "/silences"


def test_it_is_ended_and_can_be_changed_no_more(company: Company) -> None:
    view = made(company)
    page = shown(company.operator, view.id)
    form = drawn(page)
    assert led_to(page.do("end")) == "/silences"
    assert page.toasts == [f"“{view.comment}” is over. What still fires is in its incident now."]
    page.do("refresh")
    assert (page.silence.is_over, page.silence.state, page.may_respond) == (True, "Over", False)
    page.do("load_again")
    page.do("save", form)
    assert dict(page.faults) == {"general": "This silence is over; make a new one."}


def test_it_says_who_may_change_it(company: Company) -> None:
    view = made(company)
    for role, may in ((Role.OWNER, True), (Role.OPERATOR, True), (Role.VIEWER, False)):
        assert (shown(company.people[role], view.id).may_respond, shown(company.people[role]).may_respond) == (may, may)


def test_a_team_silences_its_own_alerts(company: Company) -> None:
    red = company.red
    page = shown(red.people[Role.OPERATOR])
    page.do("save", written(page))
    assert len(page.toasts) == 1 and page.toasts[0].startswith("Your role does not allow this"), "those of all are not theirs"
    view = kept(page, company, team=str(red.id))
    assert (view.team_id, shown(red.people[Role.VIEWER], view.id).may_respond) == (red.id, False)
    assert shown(company.blue.people[Role.OWNER], view.id).missing


@pytest.mark.parametrize("id", ["nothing", "", "01890000-0000-7000-8000-000000000000", "1"])
def test_a_silence_that_there_is_not_is_said_on_the_page(company: Company, id: str) -> None:
    page = shown(company.owner, id)
    assert (page.missing, page.loaded, page.toasts) == (True, True, [])


def test_a_silence_of_a_tool_keeps_its_author_and_its_seconds_when_its_text_is_changed(company: Company) -> None:
    starts = on_the_wall() - MINUTE + timedelta(seconds=30)
    before = made(company, starts=starts.isoformat(), created_by="amtool-ada")
    page = shown(company.owner, before.id)
    page.do("save", drawn(page, comment=(comment := f"Changed {uuid4().hex[:8]}")))
    after = silences.show(company.owner, before.id)
    assert (after.comment, after.author, after.spec) == (comment, before.author, before.spec | {"comment": comment})


@pytest.mark.parametrize("typed", ['service=~"(a"', f'service="{"x" * 1200}"'])
def test_a_matcher_that_cannot_be_kept_is_said_beside_its_field(company: Company, typed: str) -> None:
    page = shown(company.owner)
    page.do("save", written(page, matchers=typed))
    assert [*page.faults] == ["matchers"]

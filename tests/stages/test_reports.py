"""How is an incident told on paper, whatever senders wrote?"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.incidents import IncidentEntryView, IncidentView, MembershipView
from engine.model.vocabulary import IncidentEntryKind, IncidentStatus, Scorer, Severity
from engine.stages import reports
from engine.stages.reports import duration

pytestmark = pytest.mark.fast

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
ID = UUID(int=1)
SPECIAL = "\\`*_[]<>#|~&"
HOSTILE = "[a](http://evil.test) <script> | *b* _c_ `d` # e ~~f~~ &lt;\n\n# g\\"


def incident(**more: Any) -> IncidentView:
    """An incident that goes on, of which little is known."""
    told: dict[str, Any] = dict.fromkeys(IncidentView.__dataclass_fields__) | {"id": ID, "number": 7, "title": "Disk full"}
    told |= {"status": IncidentStatus.DETECTED, "services": (), "alerts": 0, "open_alerts": 0, "firings": 0, "reopened": 0, "version": 1}
    return IncidentView(**(told | {"opened_at": NOON, "last_alert_at": NOON, "grouped_by": ""} | more))


def member(title: str = "Disk full", **more: Any) -> MembershipView:
    """An alert of it."""
    told: dict[str, Any] = dict.fromkeys(MembershipView.__dataclass_fields__) | {"alert_id": ID, "title": title}
    told |= {"severity": Severity.CRITICAL, "status": "firing", "by": Scorer.PERSON, "score": 1.0, "reason": "opened it", "joined_at": NOON}
    return MembershipView(**(told | more))


def line(said: str, minutes: int = 0, actor: str = "") -> IncidentEntryView:
    """A line of its timeline."""
    return IncidentEntryView(ID, NOON + timedelta(minutes=minutes), IncidentEntryKind.COMMENT, actor, None, said, {})


def written(view: IncidentView, *told: MembershipView | IncidentEntryView, total: int | None = None) -> str:
    """The report as Markdown."""
    alerts = [each for each in told if isinstance(each, MembershipView)]
    lines = [each for each in told if isinstance(each, IncidentEntryView)]
    return reports.markdown(view, alerts, len(alerts) if total is None else total, lines)


def bare(report: str) -> str:
    """A report without what is escaped: what is left of the special signs means something."""
    return re.sub(r"\\[!-/:-@\[-`{-~]", "", report)


def test_what_is_not_known_is_said_so() -> None:
    told = written(incident())
    assert told.startswith("# #7 Disk full\n")
    for fact in ("**Severity:** not stated", "**Owner:** nobody", "**Acknowledged:** no", "**Resolved:** no", "**So far:** 0 s"):
        assert f"- {fact}\n" in told
    assert told.count("Not written down.") == 2 and told.endswith("\n")


def test_everything_that_is_known_is_in_it() -> None:
    view = incident(
        severity=Severity.CRITICAL,
        status=IncidentStatus.ROOT_CAUSE_FOUND,
        owner_name="Ada",
        acknowledged_at=NOON + timedelta(minutes=3),
        acknowledged_by="Grace",
        resolved_at=NOON + timedelta(hours=1, minutes=4),
        resolved_by="Ada",
        services=("shop", "search"),
        environment="production",
        cause="a full disk",
        resolution="a bigger disk",
    )
    told = written(view, member(), line("It is the disk.", 5, "Ada"))
    for fact in (
        "- **Severity:** critical",
        "- **Status:** root cause found",
        "- **Owner:** Ada",
        "- **Opened:** 2026-01-02 12:00:00 UTC",
        "- **Acknowledged:** 2026-01-02 12:03:00 UTC by Grace",
        "- **Resolved:** 2026-01-02 13:04:00 UTC by Ada",
        "- **Lasted:** 1 h 04 min",
        "- **Services:** shop, search",
        "- **Environment:** production",
        "| critical | Disk full | firing | opened it |",
        "- `2026-01-02 12:05:00 UTC` Ada It is the disk.",
        "## Cause\n\na full disk",
        "## Resolution\n\na bigger disk",
    ):
        assert fact in told


def test_what_goes_on_has_lasted_until_its_last_line() -> None:
    assert "- **So far:** 9 min" in written(incident(), line("opened"), line("worse", 9))


def test_alerts_that_are_not_listed_are_counted() -> None:
    told = written(incident(), member(), total=3)
    assert "## Alerts (3)" in told and "2 more are not listed." in told
    assert "not listed" not in written(incident(), member())


# where senders and people write, why
PLACES: list[tuple[dict[str, Any], str]] = [
    ({"title": HOSTILE}, "the title of its leading alert"),
    ({"services": (HOSTILE,)}, "a label"),
    ({"environment": HOSTILE}, "another label"),
    ({"grouped_by": HOSTILE}, "a label too"),
    ({"owner_name": HOSTILE}, "a name that a person chose"),
    ({"acknowledged_at": NOON, "acknowledged_by": HOSTILE}, "another name"),
    ({"resolved_at": NOON, "resolved_by": HOSTILE}, "another name"),
    ({"cause": HOSTILE, "resolution": HOSTILE}, "what people write down"),
]


@pytest.mark.parametrize(("more", "why"), PLACES)
def test_what_others_wrote_means_nothing_to_markdown(more: dict[str, Any], why: str) -> None:
    plain = bare(written(incident(**{name: "x" if isinstance(value, str) else value for name, value in more.items()})))
    told = bare(written(incident(**more)))
    for sign in SPECIAL:
        assert told.count(sign) == plain.count(sign), (sign, why)
    assert told.count("\n") == plain.count("\n"), "nor does it begin a line of its own"


def test_an_alert_is_one_row_and_a_line_is_one_line() -> None:
    plain = bare(written(incident(), member("x", reason="x"), line("x", actor="x")))
    told = bare(written(incident(), member(HOSTILE, reason=HOSTILE), line(HOSTILE, actor=HOSTILE)))
    assert [told.count(sign) for sign in (*SPECIAL, "\n")] == [plain.count(sign) for sign in (*SPECIAL, "\n")]


@given(st.text(max_size=60))
def test_no_text_at_all_changes_the_shape_of_a_report(said: str) -> None:
    view = incident(title=said, cause=said)
    plain, told = (bare(written(each, member(word), line(word))) for each, word in ((incident(title="x", cause="x"), "x"), (view, said)))
    assert [told.count(sign) for sign in (*SPECIAL, "\n")] == [plain.count(sign) for sign in (*SPECIAL, "\n")]


# seconds, what people say
DURATIONS = [
    (-5, "0 s"),
    (0, "0 s"),
    (59.4, "59 s"),
    (59.6, "1 min"),
    (3599, "59 min"),
    (3600, "1 h 00 min"),
    (3840, "1 h 04 min"),
    (48 * 3600 - 1, "47 h 59 min"),
    (48 * 3600, "2 d 0 h"),
    (400 * 86400 + 3600, "400 d 1 h"),
]


def test_an_alert_that_has_left_and_a_timeline_that_is_cut_are_said_so() -> None:
    alerts, lines = [member("Gone", left_at=NOON), member("Here")], [line("opened")]
    told = reports.markdown(incident(), alerts, 2, lines, is_cut=True)
    assert "| Gone | left |" in told and "| Here | firing |" in told and "Later lines are not listed." in told
    assert json.loads(reports.as_json(incident(), alerts, 2, lines, is_cut=True))["timeline_is_cut"] is True
    assert "not listed" not in written(incident(), *lines)


@pytest.mark.parametrize(("seconds", "said"), DURATIONS)
def test_a_length_of_time_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert duration(timedelta(seconds=seconds)) == said


def test_for_programs_everything_is_there_as_it_was_said() -> None:
    view = incident(title=HOSTILE, severity=Severity.CRITICAL, resolved_at=NOON)
    told = json.loads(reports.as_json(view, [member(HOSTILE)], 3, [line(HOSTILE, 5)]))
    assert (told["incident"]["title"], told["incident"]["severity"], told["incident"]["number"]) == (HOSTILE, "critical", 7)
    assert told["incident"]["resolved_at"].startswith("2026-01-02T12:00:00")
    assert (told["alerts_total"], [each["title"] for each in told["alerts"]]) == (3, [HOSTILE])
    assert [(each["said"], each["kind"]) for each in told["timeline"]] == [(HOSTILE, "comment")]

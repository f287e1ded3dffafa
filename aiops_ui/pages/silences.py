"""Silences: what is kept quiet, when, and why?"""

from typing import Any

import reflex as rx

from aiops_ui.components.browser import Address
from aiops_ui.components.builder import Watched
from aiops_ui.components.deciding import QUIET_TABS, about, alert_lines, choice, line_input, lines_input, tabs
from aiops_ui.components.incidents import MAY_RESPOND
from aiops_ui.components.parts import (
    banner,
    button,
    card,
    close_button,
    dialog,
    dialog_button,
    empty,
    icon,
    search_box,
    segments,
    table,
    tag,
)
from aiops_ui.components.platform import exact_moment, moment
from aiops_ui.layout import Trail, frame
from state.session import SessionState
from state.silence import REPEATS, SilenceState
from state.silences import CalendarState, SilencesState

el = rx.el
ZONE = SessionState.time_zone
STATE = SilenceState
_LASTS = (
    ("", "until the time beside"),
    ("30", "30 minutes"),
    ("60", "1 hour"),
    ("120", "2 hours"),
    ("240", "4 hours"),
    ("480", "8 hours"),
    ("1440", "1 day"),
    ("10080", "1 week"),
)


def _new() -> rx.Component:
    link = el.a(icon("plus"), "New silence", el.kbd("n"), href="/silences/new", class_name="button primary", custom_attrs={"data-key": "n"})
    return rx.cond(MAY_RESPOND, link)


def page() -> rx.Component:
    """The list: those that count, or those that are over."""
    which = segments(
        "Which", (("now", "Now and to come"), ("over", "Over")), rx.cond(SilencesState.over, "over", "now"), SilencesState.show
    )
    none = empty(
        "No silences. One keeps alerts quiet for a while, or again and again: what still fires when it ends is heard then.", _new()
    )
    rows = table(["Silence", "State", "When", "Comes again", "By", ""], SilencesState, _row, none)
    bar = el.header(which, search_box("Search", SilencesState.words, SilencesState.search), class_name="bar")
    listed = el.section(bar, rows, class_name="card")
    return frame("Silences", tabs(QUIET_TABS, "/silences"), listed, actions=(rx.cond(SilencesState.total != "", _new()),))


def _row(row: Any) -> rx.Component:
    longer = rx.fragment(
        button("+1 h", kind="small", aria_label="One hour longer", on_click=SilencesState.extend(row.id, 1)),
        button("+1 d", kind="small", aria_label="One day longer", on_click=SilencesState.extend(row.id, 24)),
    )
    acts = el.div(rx.cond(row.is_once, longer), button("End", kind="small", on_click=SilencesState.end(row.id)), class_name="row")
    again = el.a("Again", href="/silences/new?again=" + row.id, class_name="button small")
    return el.tr(
        el.td(
            el.a(row.comment, href=row.href, class_name="strong"),
            el.div(row.matchers, class_name="mono muted cut-line", title=row.matchers),
            class_name="wide title-of",
        ),
        el.td(tag(row.state, row.kind)),
        el.td(row.when, " ", moment(row.at, ZONE, missing="–"), class_name="soft"),
        el.td(row.again, class_name="soft"),
        el.td(row.author, class_name="soft"),
        el.td(rx.cond(MAY_RESPOND, rx.cond(row.is_over, again, acts)), class_name="end"),
        key=row.id,
        custom_attrs={"data-row": row.id},
    )


def calendar() -> rx.Component:
    """The calendar: a month or a week."""
    which = segments("Show", (("month", "Month"), ("week", "Week")), CalendarState.view, CalendarState.look)
    turn = el.div(
        button(icon("chevron-left"), kind="small", aria_label="Before", on_click=CalendarState.turn(-1)),
        button("Today", kind="small", on_click=CalendarState.turn(0)),
        button(icon("chevron-right"), kind="small", aria_label="After", on_click=CalendarState.turn(1)),
        class_name="row",
    )
    zone = el.span("Times in ", CalendarState.zone, class_name="muted")
    head = el.header(turn, el.h2(CalendarState.title, custom_attrs={"aria-live": "polite"}), zone, which, class_name="bar")
    days = el.ol(rx.foreach(CalendarState.days, _day), class_name="calendar " + CalendarState.view)
    return frame(
        "Silences",
        tabs(QUIET_TABS, "/silences/calendar"),
        el.section(head, rx.cond(CalendarState.loaded, days, el.div(class_name="skeleton")), class_name="card"),
        Address.create(query=CalendarState.query),
        actions=(_new(),),
        trail=Trail((("Silences", "/silences"),), here="Calendar"),
    )


def _day(day: Any) -> rx.Component:
    def entry(each: Any) -> rx.Component:
        again = rx.cond(each.recurs, icon("repeat"))
        return el.a(el.span(each.hours, class_name="mono"), " ", each.words, again, href=each.href, class_name="entry", title=each.words)

    where = rx.cond(day.is_today, "day-of today", rx.cond(day.is_outside, "day-of outside", "day-of"))
    return el.li(
        el.time(day.label, date_time=day.date, class_name="numbers"),
        rx.foreach(day.silences, entry),
        rx.cond(day.more > 0, el.a(day.more, " more", href="/silences/calendar?view=week&at=" + day.date, class_name="muted")),
        class_name=where,
        key=day.date,
    )


def silence() -> rx.Component:
    """One silence: its form, what it would keep quiet, and its next times."""
    missing = el.section(empty("There is no such silence.", el.a("All silences", href="/silences", class_name="button")), class_name="card")
    watched = Watched.create(form="silence", round=STATE.drawn, on_said=STATE.said)
    written = el.div(card("The silence", _form(), icon_name="bell-off"), watched, class_name="stack")
    shown = el.div(written, _meaning(), class_name="columns editor")
    is_here = STATE.loaded & ~STATE.missing & ~STATE.is_new
    return frame(
        rx.cond(STATE.is_new, "New silence", STATE.silence.comment),
        rx.cond(STATE.missing, missing, rx.cond(STATE.loaded, shown, el.div(class_name="skeleton"))),
        rx.cond(is_here, _end()),
        above=rx.cond(is_here, el.div(tag(STATE.silence.state, STATE.silence.kind), class_name="above"), el.div(class_name="above")),
        actions=(rx.cond(is_here & STATE.may_respond, dialog_button("end", icon("bell-ring"), "End it now")),),
        trail=Trail((("Silences", "/silences"),)),
    )


def _form() -> rx.Component:
    general = STATE.faults.get("general", "")
    hint = 'Such as service="payment", alertname=~"Disk.*"; all of them have to hold.'
    fields = el.fieldset(
        lines_input(STATE, "matchers", "Keep quiet what says", hint, required=True),
        line_input(STATE, "comment", "Why", "Others read this at night.", required=True, max_length=1000),
        el.div(
            line_input(STATE, "starts", "From", "Empty: from now on.", type="datetime-local", step="any"),
            choice(STATE, "lasts", "For", _LASTS),
            line_input(STATE, "ends", "Until", type="datetime-local", step="any"),
            class_name="fields",
        ),
        el.div(
            line_input(STATE, "zone", "On the clock of", "A time zone; it knows when clocks are changed."),
            choice(STATE, "repeats", "Comes again", REPEATS),
            line_input(STATE, "rule", "By another rule", "RFC 5545: FREQ=WEEKLY;BYDAY=SU"),
            class_name="fields",
        ),
        about(STATE),
        rx.cond(general != "", banner("critical", general)),
        disabled=~STATE.may_respond,
        class_name="stack",
    )
    keep = el.footer(button("Keep the silence", kind="primary", type="submit"), class_name="actions")
    again = button("Load it again", kind="small", on_click=STATE.load_again)
    changed = "Somebody has changed this meanwhile. What you wrote is here still; keeping it is refused. "
    stale = rx.cond(STATE.is_stale, banner("warning", changed, again))
    return el.form(stale, fields, rx.cond(STATE.may_respond, keep), on_submit=STATE.save, id="silence", key=STATE.drawn, class_name="stack")


def _meaning() -> rx.Component:
    def span(each: Any) -> rx.Component:
        return el.li(exact_moment(each.starts_at, ZONE), " to ", exact_moment(each.ends_at, ZONE))

    waits = el.p("Write matchers and why: what it would keep quiet stands here.", class_name="soft")
    said = el.div(el.p(el.b(STATE.meaning), role="status"), alert_lines(STATE.quiet), class_name="stack")
    times = card("Its next times", el.ol(rx.foreach(STATE.spans, span), class_name="stack tight"), icon_name="calendar")
    return el.div(
        card("What it means", rx.cond(STATE.meaning != "", said, waits), icon_name="eye"),
        rx.cond(STATE.spans.length() > 0, times),
        class_name="stack",
    )


def _end() -> rx.Component:
    return dialog(
        "end",
        "End the silence",
        el.p("What it keeps quiet and still fires enters its incident now. It can be made again."),
        el.footer(close_button("end"), button("End it", kind="danger", on_click=STATE.end)),
        key=f"end-{STATE.round}",
    )

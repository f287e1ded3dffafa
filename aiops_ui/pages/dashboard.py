"""The dashboard: what is open, what waits for me, and how it goes."""

from typing import Any

import reflex as rx

from aiops_ui.components.browser import Address, Remembered
from aiops_ui.components.incidents import incident_row
from aiops_ui.components.parts import banner, button, card, empty, facts, icon, mark, skeleton_rows
from aiops_ui.components.platform import moment
from aiops_ui.layout import Trail, frame
from state.overview import RANGES, OverviewState
from state.session import SessionState
from state.sources import SourcesState

el = rx.el
STATE = OverviewState
ZONE = SessionState.time_zone


def page() -> rx.Component:
    """Today."""
    left = el.div(rx.cond(STATE.loaded & ~STATE.has_sources, _first(), _open()), _resolved(), class_name="stack")
    right = el.div(_mine(), _senders(), _platform(), class_name="stack")
    return frame(
        "Today",
        rx.foreach(STATE.faults, lambda words: banner("critical", words)),
        _demo(),
        _numbers(),
        el.div(left, right, class_name="columns narrow"),
        Address.create(query=STATE.query),
        Remembered.create(incidents=STATE.seen),
        actions=(_range(), rx.cond(STATE.team_choices.length() > 0, _team())),
        trail=Trail(here="Dashboard"),
    )


def _range() -> rx.Component:
    options = [el.option(words, value=hours) for hours, words in RANGES.items()]
    return el.select(*options, value=STATE.hours, on_change=STATE.look_back, aria_label="Time range", class_name="input")


def _team() -> rx.Component:
    options = rx.foreach(STATE.team_choices, lambda team: el.option(team.name, value=team.id))
    return el.select(
        el.option("All teams", value=""), options, value=STATE.team, on_change=STATE.only_team, aria_label="Team", class_name="input"
    )


def _number(label: str, value: Any, below: Any, points: Any = None, **more: Any) -> rx.Component:
    """A number that matters; `points` are those of a line of how it went, `kind` the colour of its state."""
    kind = more.pop("kind", "")
    line = rx.fragment() if points is None else _line(points)
    shown = el.div(rx.cond(STATE.loaded, value, el.div(class_name="skeleton")), class_name="value " + kind)
    return el.div(el.div(label, class_name="soft"), shown, el.div(below, class_name="muted"), line, class_name="card number", **more)


def _line(points: Any) -> rx.Component:
    drawn = el.svg.polyline(points=points, fill="none", custom_attrs={"vectorEffect": "non-scaling-stroke"})
    attributes = {"preserveAspectRatio": "none"}
    return el.svg(drawn, view_box="0 0 240 44", custom_attrs=attributes, class_name="spark", aria_hidden="true")


def _numbers() -> rx.Component:
    noise = "1 − incidents ÷ firings in the time range: how much of what fires you need not look at one by one."
    waits = rx.cond(STATE.unacknowledged > 0, el.span(STATE.unacknowledged, " wait for somebody"), "everything is looked after")
    return el.div(
        _number("Open incidents", STATE.open_incidents, STATE.open_words, STATE.incidents_line, kind=STATE.open_mark),
        _number("Alerts a minute", STATE.a_minute, STATE.firing, STATE.heard_line),
        _number("Noise reduction", STATE.noise, STATE.noise_words, STATE.firings_line, title=noise),
        _number("Acknowledged in", STATE.acknowledged_in, waits, title="The median from opening to acknowledgement in the time range."),
        class_name="numbers-row",
    )


def _open() -> rx.Component:
    columns = {"#": "w-number", "Severity": "w-severity", "Incident": "", "Status": "w-state", "Owner": "w-owner owner-of"}
    columns |= {"Alerts": "w-many end many-of", "Age": "w-age end"}
    head = el.thead(el.tr(*(el.th(name, scope="col", class_name=kind) for name, kind in columns.items())))
    body = rx.cond(STATE.loaded, el.tbody(rx.foreach(STATE.open, incident_row)), skeleton_rows(7, 4))
    rows = el.table(head, body, class_name="cards listing flow")
    quiet = empty("Nothing is open. All is quiet.")
    return card(
        "Open incidents",
        rx.cond(STATE.loaded & (STATE.open.length() == 0), quiet, rows),
        icon_name="siren",
        actions=(el.a("All", href="/incidents"),),
        bare=True,
    )


def _resolved() -> rx.Component:
    def row(each: Any) -> rx.Component:
        return el.li(
            el.span(mark("good"), el.a(f"#{each.number} ", each.title, href=each.href), class_name="cut"),
            el.span(moment(each.resolved_at, ZONE), class_name="soft"),
            class_name="pair",
        )

    rows = el.ul(rx.foreach(STATE.resolved, row), class_name="stack tight")
    return rx.cond(STATE.resolved.length() > 0, card("Recently resolved", rows, icon_name="check-check"))


def _mine() -> rx.Component:
    def row(each: Any) -> rx.Component:
        return el.li(
            el.span(mark(each.mark), el.a(f"#{each.number} ", each.title, href=each.href), class_name="cut"),
            el.span(moment(each.opened_at, ZONE), class_name="soft"),
            class_name="pair",
        )

    held = el.li(
        el.a("Quarantine", href="/quarantine"), el.span(STATE.quarantined, " not understood", class_name="warning-text"), class_name="pair"
    )
    rows = el.ul(rx.foreach(STATE.mine, row), rx.cond(STATE.quarantined > 0, held), class_name="stack tight")
    has = (STATE.mine.length() > 0) | (STATE.quarantined > 0)
    return card("Waits for you", rx.cond(has, rows, el.p("Nothing.", class_name="soft")), icon_name="inbox")


def _senders() -> rx.Component:
    def row(each: Any) -> rx.Component:
        late = el.span(each.state, class_name="warning-text")
        return el.li(
            el.span(mark(each.mark), el.a(each.name, href=each.href), class_name="cut"),
            rx.cond(each.state != "", late, el.span(moment(each.seen_at, ZONE, missing="nothing yet"), class_name="soft")),
            class_name="pair",
        )

    rows = el.ul(rx.foreach(STATE.senders, row), class_name="stack tight")
    return rx.cond(STATE.senders.length() > 0, card("Senders", rows, icon_name="plug"))


def _platform() -> rx.Component:
    return card(
        "This installation",
        facts(
            ("Received → grouped", el.span(STATE.latency, el.span(" slowest ", STATE.slowest, class_name="muted"), class_name="numbers")),
            ("Proof alert", el.span(STATE.proof, " ", el.span(moment(STATE.proof_at, ZONE), class_name="muted"), class_name="numbers")),
        ),
        icon_name="heart-pulse",
        actions=(el.a("System", href="/system"),),
    )


def _first() -> rx.Component:
    """The first minutes: what to do next."""
    configures = SessionState.permissions.contains("configure")
    steps = el.ol(
        el.li(
            el.b("Add the first source."),
            " The page shows the lines to paste into Prometheus, Alertmanager or Grafana, and waits for the first alert.",
        ),
        el.li(
            el.b("Invite the people who are on call."),
            " ",
            el.a("People", href="/people"),
            ", and ",
            el.a("teams", href="/teams"),
            " for what each sees.",
        ),
        el.li(el.b("Open it on your phone."), " Two taps from a link to acknowledged."),
        class_name="steps",
    )
    acts = el.div(
        el.a(icon("plus"), "Add a source", href="/sources/new", class_name="button primary"),
        rx.cond(STATE.demo_offered, button(icon("play"), "Watch the demonstration", on_click=SourcesState.start_demo)),
        class_name="actions",
    )
    waits = el.p("Somebody who may configure adds the first source.", class_name="soft")
    return card("First steps", steps, rx.cond(configures, acts, waits), icon_name="list-checks")


def _demo() -> rx.Component:
    more = el.a("Remove it", href="/sources")
    return rx.cond(STATE.demo_here, banner("suggested", el.div("The demonstration is here: what it shows is not real. ", more)))

"""One incident: what is wrong, why these alerts are together, what happened, and what to do."""

from typing import Any

import reflex as rx

from aiops_ui.components.browser import Following, Hands, Remembered
from aiops_ui.components.incidents import MAY_RESPOND, act, quiet_tag, severity, timeline_icon
from aiops_ui.components.lists import many
from aiops_ui.components.parts import (
    button,
    card,
    close_button,
    counted,
    dialog,
    dialog_button,
    empty,
    facts,
    field,
    icon,
    segments,
    tag,
    text_input,
)
from aiops_ui.components.platform import clock, copier, exact_moment, moment
from aiops_ui.layout import Trail, frame
from state.incident import IncidentState
from state.session import SessionState

el = rx.el
HEAD = IncidentState.head
ZONE = SessionState.time_zone
_STATUSES = ("detected", "investigating", "root_cause_found", "mitigated")
_SEVERITIES = ("automatic", "critical", "error", "warning", "info")


def page() -> rx.Component:
    """Answer first: how bad, since when, who looks after it; the most likely act at the right."""
    missing = el.section(
        empty("There is no such incident, or you may not see it.", el.a("All incidents", href="/incidents", class_name="button")),
        class_name="card",
    )
    left = el.div(_resolution(), _members(), _why(), class_name="stack")
    right = el.div(_timeline(), class_name="stack")
    content = el.div(left, right, class_name="columns incident-columns")
    waiting = el.div(el.div(class_name="skeleton"), el.div(class_name="skeleton"), el.div(class_name="skeleton"), class_name="stack")
    return frame(
        rx.cond(HEAD.title != "", HEAD.title, "Incident"),
        rx.cond(IncidentState.missing, missing, rx.cond(IncidentState.loaded, content, waiting)),
        Hands.create(settled=IncidentState.settled, on_act=IncidentState.act),
        Remembered.create(incidents=IncidentState.seen),
        rx.cond(MAY_RESPOND, rx.fragment(_assign(), _resolve(), _change(), _merge(), _move())),
        above=rx.cond(IncidentState.loaded & ~IncidentState.missing, _above(), el.div(class_name="above")),
        actions=(rx.cond(IncidentState.loaded & ~IncidentState.missing, _acts()),),
        trail=Trail((("Incidents", "/incidents"),), rx.cond(HEAD.number > 0, f"#{HEAD.number}", "")),
    )


def _above() -> rx.Component:
    others = rx.cond(
        IncidentState.others.length() > 0,
        el.span(
            icon("eye"),
            IncidentState.others.join(", "),
            rx.cond(IncidentState.others.length() > 1, " look too", " looks too"),
            class_name="tag",
        ),
    )
    return el.div(
        severity(HEAD),
        el.span(tag(HEAD.status_word, HEAD.status_kind), class_name="status-of"),
        el.span("#", HEAD.number, " · opened ", clock(HEAD.opened_at, ZONE), " · ", moment(HEAD.opened_at, ZONE), class_name="soft"),
        el.span(
            HEAD.open_alerts,
            " of ",
            counted(HEAD.alerts, "alert"),
            rx.cond(HEAD.open_alerts == 1, " fires", " fire"),
            class_name="soft numbers",
        ),
        rx.cond(HEAD.owner != "", el.span(icon("user"), HEAD.owner, class_name="tag"), el.span("nobody owns it", class_name="muted")),
        others,
        class_name="above",
        custom_attrs={"data-thing": HEAD.id},
    )


def _acts() -> rx.Component:
    """What is most likely done now stands first; on a phone these are the bar at the bottom."""
    own = {"data-id": HEAD.id}
    acknowledge = act("acknowledge", icon("user-check"), "Acknowledge", key="e", kind="primary", custom_attrs=own)
    resolve = act("resolve", icon("check"), "Resolve", key="r", kind=rx.cond(HEAD.acknowledged_by != "", "primary", ""), custom_attrs=own)
    reopen = act("reopen", icon("rotate-ccw"), "Reopen", custom_attrs=own)  # by no key: e is for acknowledging, also of who comes late
    going = rx.fragment(
        rx.cond(HEAD.acknowledged_by == "", acknowledge),
        dialog_button("assign", icon("user-plus"), "Assign", on_click=IncidentState.choose_people),
        resolve,
    )
    return el.div(
        rx.cond(MAY_RESPOND, rx.cond(HEAD.is_open, going, rx.cond(HEAD.is_merged, rx.fragment(), reopen))), _more(), class_name="actions"
    )


def _more() -> rx.Component:
    for_all = (
        el.button(icon("file-text"), "Export as Markdown", type="button", class_name="option", on_click=IncidentState.export("markdown")),
        el.button(icon("braces"), "Export as JSON", type="button", class_name="option", on_click=IncidentState.export("json")),
        copier(f"@origin/{HEAD.number}", "Copy the short link"),
        copier(f"[#{HEAD.number} {HEAD.title}](@origin/{HEAD.number})", "Copy as Markdown"),
    )
    responding = rx.fragment(
        dialog_button("change", icon("pencil"), "Title, severity, status", kind="option"),
        rx.cond(HEAD.is_open, dialog_button("resolve", icon("check-check"), "Resolve with a cause", kind="option")),
        rx.cond(HEAD.is_open, dialog_button("merge", icon("merge"), "Merge another into this", kind="option")),
        rx.cond(HEAD.is_open, dialog_button("move", icon("move-right"), "Move an alert here", kind="option")),
    )
    return el.details(
        el.summary(icon("ellipsis"), class_name="button", aria_label="More"),
        el.div(rx.cond(MAY_RESPOND, responding), *for_all, class_name="options right"),
        class_name="facet",
    )


def _resolution() -> rx.Component:
    """How it ended: for who comes later."""
    said = facts(
        ("Lasted", el.span(HEAD.lasted, class_name="numbers")),
        ("Resolved", el.span(exact_moment(HEAD.resolved_at, ZONE), " by ", HEAD.resolved_by)),
        ("Cause", rx.cond(HEAD.cause != "", HEAD.cause, el.span("not written down", class_name="muted"))),
        ("Resolution", rx.cond(HEAD.resolution != "", HEAD.resolution, el.span("not written down", class_name="muted"))),
    )
    return rx.cond(HEAD.is_open, rx.fragment(), card("How it ended", said, icon_name="check-check"))


def _why() -> rx.Component:
    services = el.div(
        rx.foreach(HEAD.services, lambda name: el.a(name, href="/alerts?service=" + name, class_name="tag")), class_name="tags"
    )
    acknowledged = el.span(HEAD.acknowledged_by, " ", moment(HEAD.acknowledged_at, ZONE))
    said = facts(
        ("Grouped by", rx.cond(HEAD.grouped_by != "", HEAD.grouped_by, "another team's labels")),
        ("Affected services", rx.cond(HEAD.services.length() > 0, services, el.span("not stated", class_name="muted"))),
        ("Environment", rx.cond(HEAD.environment != "", HEAD.environment, el.span("not stated", class_name="muted"))),
        ("Severity", rx.cond(HEAD.severity_by != "", "set by " + HEAD.severity_by, "that of its worst open alert")),
        ("Acknowledged", rx.cond(HEAD.acknowledged_by != "", acknowledged, el.span("not yet", class_name="muted"))),
        ("Last alert", moment(HEAD.last_alert_at, ZONE)),
    )
    return card("Why these alerts are together", said, icon_name="waypoints")


def _members() -> rx.Component:
    columns = ("", "Severity", "Alert", "Where", "Count", "Age", "Why here")
    head = el.thead(el.tr(*(el.th(name, scope="col", class_name="box" if not name else "") for name in columns)))
    rows = el.table(head, el.tbody(rx.foreach(IncidentState.members, _member)), class_name="cards flow")
    all_of_them = el.a("All ", IncidentState.members_total, " alerts", href="/alerts?state=all&incident=" + HEAD.id)
    more = rx.cond(IncidentState.members_total > IncidentState.members.length(), el.div(all_of_them, class_name="foot"))
    split = many(act("split", icon("split"), "Split off", kind="small"))
    return card("Alerts", rows, more, rx.cond(MAY_RESPOND, split), icon_name="bell", bare=True)


def _member(each: Any) -> rx.Component:
    title = rx.cond(each.href != "", el.a(each.title, href=each.href, class_name="strong"), el.span(each.title, class_name="muted"))
    box = el.input(type="checkbox", aria_label="Mark " + each.title, custom_attrs={"data-mark": ""})
    why = el.span(each.why, " ", el.span(each.score, " %", class_name="muted"))
    return el.tr(
        el.td(rx.cond(each.href != "", box), class_name="box"),
        el.td(severity(each), class_name="severity-of"),
        el.td(title, quiet_tag(each), class_name="wide title-of"),
        el.td(el.span(each.resource, class_name="mono"), " ", el.span(each.service, class_name="muted"), class_name="soft cut state-of"),
        el.td(each.count, class_name="numbers soft end many-of"),
        el.td(moment(each.at, ZONE), class_name="soft end age-of"),
        el.td(rx.cond(each.has_left, el.span("left", class_name="muted"), why), title=each.reason, class_name="soft owner-of"),
        key=each.id + each.title,
        custom_attrs={"data-row": each.id},
    )


def _timeline() -> rx.Component:
    which = (("all", "All"), ("people", "People"), ("alerts", "Alerts"))
    choices = segments("Lines", which, IncidentState.shown, IncidentState.show_lines)
    earlier = rx.cond(IncidentState.has_earlier, button("Show earlier", kind="small", on_click=IncidentState.show_earlier))
    told = "What happened, the oldest first"
    lines = el.ol(rx.foreach(IncidentState.lines, _line), id="timeline", class_name="timeline", tab_index=0, aria_label=told)
    following = Following.create(of="timeline", count=IncidentState.lines.length())
    return card("Timeline", earlier, lines, following, rx.cond(MAY_RESPOND, _write()), icon_name="list-tree", actions=(choices,))


def _line(each: Any) -> rx.Component:
    said = rx.cond(each.is_comment, el.span(each.said, class_name="comment"), el.span(each.said))
    who = rx.cond(each.who != "", el.div(each.who, class_name="muted"))
    more = rx.cond(each.more != "", el.div(each.more, class_name="muted"))
    kind = rx.cond(each.fresh, "fresh", "")
    return el.li(clock(each.at, ZONE), timeline_icon(each), el.div(said, more, who), key=each.id, class_name=kind)


def _write() -> rx.Component:
    box = {"name": "text", "placeholder": "Comment", "aria_label": "Comment", "required": True, "rows": "1", "class_name": "input"}
    return el.form(
        el.textarea(custom_attrs={"data-comment": ""}, **box),
        button(icon("send"), type="submit", aria_label="Send the comment"),
        on_submit=IncidentState.comment,
        key=f"comment-{IncidentState.sent}",
        class_name="row",
    )


def _assign() -> rx.Component:
    def person(act_name: Any, words: Any) -> rx.Component:
        return el.button(words, type="button", class_name="option", custom_attrs={"data-act": act_name, "data-id": HEAD.id})

    people = rx.foreach(IncidentState.choices, lambda each: person("assign:" + each.id, each.name))
    return dialog("assign", "Assign to", el.div(person("assign:me", "Me"), people, person("assign", "Nobody"), class_name="options"))


def _resolve() -> rx.Component:
    form = el.form(
        field("What was the cause?", el.textarea(id="cause", name="cause", rows="2", class_name="input"), "cause"),
        field("What was done?", el.textarea(id="resolution", name="resolution", rows="2", class_name="input"), "resolution"),
        el.footer(close_button("resolve"), button("Resolve", kind="primary", type="submit")),
        on_submit=IncidentState.resolve,
        class_name="stack",
    )
    return dialog("resolve", "Resolve", form, key=f"resolve-{IncidentState.sent}")


def _change() -> rx.Component:
    severities = [el.option("as its worst open alert" if name == "automatic" else name, value=name) for name in _SEVERITIES]
    statuses = [el.option(name.replace("_", " "), value=name) for name in _STATUSES]
    form = el.form(
        field("Title", text_input("title", default_value=HEAD.title, required=True), "title"),
        field(
            "Severity",
            el.select(el.option("leave as it is", value=""), *severities, id="severity", name="severity", class_name="input"),
            "severity",
        ),
        rx.cond(
            HEAD.is_open,
            field(
                "Status",
                el.select(el.option("leave as it is", value=""), *statuses, id="status", name="status", class_name="input"),
                "status",
            ),
        ),
        el.footer(close_button("change"), button("Change", kind="primary", type="submit")),
        on_submit=IncidentState.change,
        class_name="stack",
    )
    return dialog("change", "Change the incident", form, key=f"change-{IncidentState.sent}")


def _merge() -> rx.Component:
    form = el.form(
        field("Number of the other incident", text_input("number", placeholder="#41", required=True), "number"),
        el.p("Its alerts come here; it is resolved as merged.", class_name="soft"),
        el.footer(close_button("merge"), button("Merge", kind="primary", type="submit")),
        on_submit=IncidentState.merge,
        class_name="stack",
    )
    return dialog("merge", "Merge another incident into this one", form, key=f"merge-{IncidentState.sent}")


def _move() -> rx.Component:
    form = el.form(
        field("Address of the alert's page", text_input("alert", required=True), "alert"),
        el.footer(close_button("move"), button("Move", kind="primary", type="submit")),
        on_submit=IncidentState.move,
        class_name="stack",
    )
    return dialog("move", "Move an alert here", form, key=f"move-{IncidentState.sent}")

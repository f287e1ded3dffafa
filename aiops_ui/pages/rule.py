"""One rule: of which alerts it holds, what it does, and what it would have done."""

from typing import Any

import reflex as rx

from aiops_ui.components.builder import Builder, Watched
from aiops_ui.components.deciding import answered, choice, editor, flag, line_input, lines_input, named, traced
from aiops_ui.components.parts import banner, button, card, field, mark, text_input
from aiops_ui.components.platform import exact_moment
from state.rule import RuleState
from state.session import SessionState

el = rx.el
STATE = RuleState
_SEVERITIES = (("", "as it is"), ("critical", "Critical"), ("error", "Error"), ("warning", "Warning"), ("info", "Info"))


def page() -> rx.Component:
    """The form, and beside it what the rule does to alerts of late and of the past."""
    form = named(STATE, line_input(STATE, "description", "What it is for"), _condition(), _actions(), words="Keep the rule")
    watched = Watched.create(form="definition", round=STATE.drawn, on_said=STATE.said)
    return editor(
        STATE,
        "rule",
        el.div(card("The rule", form, icon_name="list-checks"), watched, class_name="stack"),
        _lately(),
        _tried(),
        rx.cond(STATE.may_ask, _history()),
        trail=(("Rules", "/rules"),),
    )


def _condition() -> rx.Component:
    return Builder.create(
        value=STATE.form["when"],
        fields=STATE.fields,
        zones=[SessionState.time_zone, "UTC"],
        name="when",
        locked=~STATE.may_configure,
        fault=STATE.faults.get("when", ""),
    )


def _actions() -> rx.Component:
    gate = el.div(
        line_input(STATE, "count", "Opens when so many", type="number", min="2", max="1000"),
        choice(STATE, "of", "of", (("alerts", "alerts"), ("fingerprints", "different alerts"))),
        line_input(STATE, "minutes", "fire within minutes", type="number", min="1", max="1440"),
        class_name="fields",
    )
    more = el.div(
        line_input(
            STATE, "hold_minutes", "Hold for minutes", "An incident only opens when it still fires.", type="number", min="0", max="1440"
        ),
        gate,
        lines_input(STATE, "group_by", "One incident by", "Fields, one a line, such as labels.cluster: the same values are one incident."),
        line_input(STATE, "runbook", "Run this runbook when the incident opens"),
        class_name="stack",
    )
    return el.fieldset(
        el.legend("Then", class_name="legend"),
        el.div(
            choice(STATE, "severity", "Severity", _SEVERITIES),
            line_input(STATE, "service", "Service", placeholder="{{labels.app}}"),
            line_input(STATE, "environment", "Environment"),
            line_input(STATE, "team", "Team"),
            class_name="fields",
        ),
        lines_input(
            STATE, "labels", "Labels to set", "One a line: name = value. {{service}} and {{labels.host}} stand for what the alert says."
        ),
        more,
        flag(STATE, "suppress", "Suppress", "No incident, no notification; the alert is kept and marked."),
        flag(STATE, "notify_only", "Notify only", "People are told, but no incident opens."),
        flag(STATE, "analyse", "Analyse the incident when it opens"),
        flag(STATE, "stop", "Ask no rule after this one"),
        class_name="stack",
    )


def _tried() -> rx.Component:
    """One alert, and each part of the condition for it."""
    words = text_input("words", placeholder="the newest alert with these words", required=True)
    ask = el.form(
        field("An alert", words, "words", fault=STATE.faults.get("q", "")),
        button("Try it", type="submit"),
        on_submit=STATE.try_with,
        class_name="row ask",
    )
    said = el.p(mark(STATE.tried_mark), " ", STATE.tried_title, " ", el.b(STATE.tried_words), role="status")
    found = rx.cond(STATE.tried.length() > 0, el.div(said, traced(STATE.tried), class_name="stack"))
    return card("Try it with an alert", ask, found, icon_name="bell")


def _lately() -> rx.Component:
    wrong = rx.cond(STATE.wrong != "", banner("warning", STATE.wrong))
    shown = rx.cond(STATE.lately.words != "", answered(STATE.lately), el.div(class_name="skeleton"))
    return card("Of the newest thousand alerts", wrong, rx.cond((STATE.wrong == "") | (STATE.lately.words != ""), shown), icon_name="zap")


def _history() -> rx.Component:
    """The dry run: over how many days, how far it is, and what it found."""
    days = text_input("days", type="number", min="1", max="400", default_value="30")
    ask = el.form(
        field("Days of the past", days, "days", fault=STATE.faults.get("days", "")),
        button("Ask the past", type="submit", disabled=STATE.asking),
        on_submit=STATE.ask_history,
        class_name="row ask",
    )
    bar = el.div(
        el.span(style={"width": f"{STATE.progress}%"}),
        class_name="progress",
        role="progressbar",
        aria_valuenow=STATE.progress,
        aria_label="Dry run",
    )
    running = el.div(el.p(STATE.note, role="status"), bar, button("Cancel", kind="small", on_click=STATE.cancel), class_name="stack")
    found = rx.cond(
        STATE.history.words != "", el.div(answered(STATE.history), rx.cond(STATE.history.bars.length() > 0, _picture()), class_name="stack")
    )
    return card("Dry run", ask, rx.cond(STATE.asking, running, found), icon_name="history")


def _picture() -> rx.Component:
    def bar(each: Any) -> rx.Component:
        known = {"x": each.x, "width": each.width}
        every = el.svg.rect(y=each.top, height=each.height, class_name="every", **known)
        return el.svg.g(every, el.svg.rect(y=each.held_top, height=each.held_height, class_name="held", **known))

    def row(each: Any) -> rx.Component:
        return el.tr(
            el.td(exact_moment(each.at, SessionState.time_zone)),
            el.td(each.alerts, class_name="numbers end"),
            el.td(each.matched, class_name="numbers end"),
        )

    drawn = el.svg(
        rx.foreach(STATE.history.bars, bar),
        view_box="0 0 600 120",
        class_name="bars",
        custom_attrs={"preserveAspectRatio": "none"},
        aria_hidden="true",
    )
    head = el.thead(el.tr(el.th("From"), el.th("Alerts", class_name="end"), el.th("Held", class_name="end")))
    numbers = el.details(el.summary("As numbers"), el.table(head, el.tbody(rx.foreach(STATE.history.bars, row))))
    caption = el.figcaption(
        "Alerts since ",
        exact_moment(STATE.history.since, SessionState.time_zone),
        ", at most ",
        STATE.history.most,
        " at a time; those it holds of in colour.",
        class_name="soft",
    )
    return el.figure(drawn, caption, numbers, class_name="stack tight")

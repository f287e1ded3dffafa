"""What does a configuration of Alertmanager mean in our rules and inhibitions?

Its routes are a tree; a rule is made for each node of it, that holds of exactly the alerts of which the node is the end of the way:
what all nodes above it ask for, what it asks itself, and that no route before it or within it has taken the alert. That one has is
seen by the label it sets; where some route has `continue`, so that several may take an alert, it is written out. Alerts of a node
are grouped as it says, apart from those of other nodes. Source: https://prometheus.io/docs/alerting/latest/configuration/
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.errors import Invalid
from engine.integrations.imports.contract import Imported

ROUTE = "alertmanager_route"
_MATCHER = re.compile(r'\s*"?([a-zA-Z_:][^"=!~\s]*)"?\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^",{}\s]*))\s*')
_EVERYTHING = "..."
_NUMBER = 31
_MONTHS = "january february march april may june july august september october november december".split()
_DAYS = "sunday monday tuesday wednesday thursday friday saturday".split()

Matcher = dict[str, str]
Condition = dict[str, Any]


@dataclass
class Node:
    """A route with what it inherits: matchers of its own, conditions of all above it, and what says that it is left."""

    place: str
    matchers: list[Matcher]
    above: list[Condition]
    receiver: str
    group_by: list[str]
    mute: list[str]
    active: list[str]
    routes: list["Node"] = field(default_factory=list)
    goes_on: bool = False


def translate(config: Any) -> Imported:
    """Read a configuration. Raises Invalid when it is none."""
    if not isinstance(config, Mapping) or not isinstance(config.get("route"), Mapping):
        raise Invalid.field("route", "This is no configuration of Alertmanager: it has no route.")
    found = Imported()
    intervals = _intervals(config, found)
    several = _continues(config["route"])
    _rules(_node("route", config["route"], None, [], several), intervals, found, several)
    for number, said in enumerate(config.get("inhibit_rules") or ()):
        _inhibition(number, said, found)
    _receivers(config, found)
    for name in config.keys() - _KNOWN:
        found.leave(name, "is not about routing, grouping or muting")
    return found


_KNOWN = {"route", "inhibit_rules", "time_intervals", "mute_time_intervals", "receivers"}


def _continues(route: Mapping[str, Any]) -> bool:
    return bool(route.get("continue")) or any(_continues(each) for each in route.get("routes") or ())


def _node(place: str, said: Mapping[str, Any], parent: Node | None, above: list[Condition], several: bool) -> Node:
    node = Node(
        place=place,
        matchers=_matchers(said, ("matchers", "match", "match_re"), place),
        above=above,
        receiver=str(said.get("receiver") or (parent.receiver if parent else "")),
        group_by=[str(name) for name in said["group_by"]] if said.get("group_by") is not None else (parent.group_by if parent else []),
        mute=list(said.get("mute_time_intervals") or ()),
        active=list(said.get("active_time_intervals") or ()),
        goes_on=bool(said.get("continue")),
    )
    within, before = [*above, *_conditions(node.matchers)], list[Condition]()
    for number, route in enumerate(said.get("routes") or ()):
        child = _node(f"{place}.routes[{number}]", route, node, [*within, *before], several)
        node.routes.append(child)
        if several and not child.goes_on:
            before.append(_none_of([child]))
    return node


def _rules(node: Node, intervals: Mapping[str, list[dict[str, Any]]], found: Imported, several: bool) -> None:
    """Add the rules of all below a node, and then its own."""
    by = ", ".join(node.group_by) or "nothing: all of its alerts together"
    made: dict[str, Any] = {"name": f"{node.place} → {node.receiver}"[:90]}
    found.take(node.place, f"a rule, grouped by {by}", made)
    if _EVERYTHING in node.group_by:
        found.leave(f"{node.place}.group_by", "“...”: every alert for itself cannot be said here; they are grouped by the route alone")
    if node.goes_on:
        found.take(f"{node.place}.continue", "routes after it are asked too; the last that takes an alert says how it is grouped")
    times = _muted(node, intervals, found)
    for route in node.routes:
        _rules(route, intervals, found, several)
    if several:
        untaken = [_none_of(node.routes)] if node.routes else []
    else:
        untaken = [{"field": f"labels.{ROUTE}", "op": "missing"}]
    holds = [*node.above, *_conditions(node.matchers), *untaken]
    grouped = [f"labels.{name}" for name in node.group_by if name != _EVERYTHING]
    then: dict[str, Any] = {"labels": {ROUTE: node.receiver + node.place.removeprefix("route")}}
    then["group_by"] = [f"labels.{ROUTE}", *grouped][:10]
    if times is not None:
        found.rules.append({"name": f"{made['name']}, quiet", "when": {"all": [*holds, times]}, "then": then | {"suppress": True}})
    made |= {"when": {"all": holds}, "then": then}
    found.rules.append(made)


def _muted(node: Node, intervals: Mapping[str, list[dict[str, Any]]], found: Imported) -> Condition | None:
    """When the alerts of a node are quiet."""
    parts: list[Condition] = []
    for name in (*node.mute, *node.active):
        if name not in intervals:
            found.leave(f"{node.place}: {name}", "there is no time interval of that name")
    if muted := [each for name in node.mute for each in intervals.get(name, ())]:
        parts.append({"times": muted})
    if active := [each for name in node.active for each in intervals.get(name, ())]:
        parts.append({"not": {"times": active}})
    return {"any": parts} if len(parts) > 1 else parts[0] if parts else None


def _conditions(matchers: Sequence[Matcher]) -> list[Condition]:
    return [{"field": f"labels.{each['name']}", "op": each["op"], "value": each["value"]} for each in matchers]


def _none_of(routes: Sequence[Node]) -> Condition:
    return {"not": {"any": [{"all": _conditions(route.matchers)} for route in routes]}}


def _matchers(said: Mapping[str, Any], names: tuple[str, str, str], place: str) -> list[Matcher]:
    """Matchers as they are written now, and as they were: equal values, and regular expressions."""
    listed, equal, expressions = (said.get(name) or () for name in names)
    found = [each for text in ([listed] if isinstance(listed, str) else listed) for each in _parsed(str(text), place)]
    found += [{"name": str(name), "op": "=", "value": str(value)} for name, value in dict(equal or {}).items()]
    return found + [{"name": str(name), "op": "=~", "value": str(value)} for name, value in dict(expressions or {}).items()]


def _parsed(text: str, place: str) -> Iterator[Matcher]:
    rest = text.strip().removeprefix("{").removesuffix("}").strip()
    while rest:
        match = _MATCHER.match(rest)
        if match is None:
            raise Invalid.field(place, f"“{text[:100]}” is no matcher.")
        value = match[4] if match[3] is None else match[3].replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")
        yield {"name": match[1], "op": match[2], "value": value}
        rest = rest[match.end() :].removeprefix(",").strip()


def _inhibition(number: int, said: Mapping[str, Any], found: Imported) -> None:
    place = f"inhibit_rules[{number}]"
    sources = _matchers(said, ("source_matchers", "source_match", "source_match_re"), place)
    targets = _matchers(said, ("target_matchers", "target_match", "target_match_re"), place)
    equal = [str(name) for name in said.get("equal") or ()]
    name = str(said.get("name") or f"{place}: {_words(sources)} before {_words(targets)}")[:100]
    made = {"name": name, "sources": sources, "targets": targets, "equal": equal}
    found.inhibitions.append(made)
    found.take(place, f"an inhibition, where {', '.join(equal) or 'anything'} is the same", made)


def _words(matchers: Sequence[Matcher]) -> str:
    return ", ".join(f"{each['name']}{each['op']}{each['value']}" for each in matchers)


def _receivers(config: Mapping[str, Any], found: Imported) -> None:
    for receiver in config.get("receivers") or ():
        kinds = ", ".join(sorted(str(name).removesuffix("_configs") for name in receiver if name != "name")) or "nothing"
        found.leave(f"receivers: {receiver.get('name')}", f"tells {kinds}; nobody is told from here yet. Its name is in the label {ROUTE}.")


def _intervals(config: Mapping[str, Any], found: Imported) -> dict[str, list[dict[str, Any]]]:
    intervals: dict[str, list[dict[str, Any]]] = {}
    for kind in ("time_intervals", "mute_time_intervals"):
        for said in config.get(kind) or ():
            name = str(said.get("name"))
            intervals[name] = [each for part in said.get("time_intervals") or () for each in _times(part)]
            found.take(f"{kind}: {name}", "its times, in the rules of the routes that name it")
    return intervals


def _times(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    common: dict[str, Any] = {"zone": str(said.get("location") or "UTC")}
    if days := said.get("weekdays"):
        common["days"] = [_DAYS[number][:3] for number in _numbers(days, _DAYS, 0)]
    if days := said.get("days_of_month"):
        common["month_days"] = _numbers(days, (), 0)
    if months := said.get("months"):
        common["months"] = _numbers(months, _MONTHS, 1)
    if years := said.get("years"):
        common["years"] = _numbers(years, (), 0)
    hours = said.get("times") or ({},)
    return [
        common | {name: _clock(each[key]) for name, key in (("from", "start_time"), ("to", "end_time")) if key in each} for each in hours
    ]


def _numbers(said: Sequence[Any], names: Sequence[str], first: int) -> list[int]:
    """Numbers of a list of single ones and ranges `a:b`, in numbers or names. Days of the month may count from its end."""
    found: set[int] = set()
    for text in said:
        low, _, high = str(text).partition(":")
        if not low.startswith("-") and high.startswith("-"):
            # from a day to one counted from the end: every day is at most one month long
            found |= {*range(int(low), _NUMBER + int(high) + 2)}
            continue
        start, end = (names.index(each.lower()) + first if each.lower() in names else int(each) for each in (low, high or low))
        found |= set(range(start, end + 1))
    return sorted(found)


def _clock(said: Any) -> str:
    # An unquoted 22:00 is a number in YAML 1.1: minutes.
    text = f"{said // 60:02}:{said % 60:02}" if isinstance(said, int) else str(said)
    return "00:00" if text == "24:00" else text

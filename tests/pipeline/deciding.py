"""How do tests of the pipeline define rules and silences, and look at what comes of them?"""

from datetime import datetime, timedelta
from typing import Any

from engine.model.alerts import AlertView
from engine.model.definitions import DefinitionView
from engine.operations import alerts, definitions, silences
from engine.operations.silences import SilenceView
from tests.pipeline.stored import Line

ALWAYS: dict[str, Any] = {"all": []}


def rule(line: Line, when: dict[str, Any], then: dict[str, Any], name: str = "rule", **more: Any) -> DefinitionView:
    """A new rule, asked after those that are there."""
    return definitions.create(line.company.owner, "rule", {"name": name, "when": when, "then": then, **more})


def silence(line: Line, starts: datetime, length: timedelta, *matchers: tuple[str, str], rule: str = "") -> SilenceView:
    """A new silence in UTC."""
    said = [{"name": name, "value": value} for name, value in matchers]
    begins, ends = (at.replace(tzinfo=None).isoformat() for at in (starts, starts + length))
    return silences.create(line.company.owner, {"matchers": said, "starts": begins, "ends": ends, "comment": "quiet, please", "rule": rule})


def inhibition(line: Line, source: tuple[str, str], target: tuple[str, str], equal: list[str], name: str = "inhibition") -> DefinitionView:
    """A new inhibition."""
    sides = [{"name": name, "value": value} for name, value in (source, target)]
    spec = {"name": name, "sources": [sides[0]], "targets": [sides[1]], "equal": equal}
    return definitions.create(line.company.owner, "inhibition", spec)


def shown(line: Line) -> list[AlertView]:
    """The alerts as people see them, by title."""
    return sorted(alerts.search(line.company.owner).items, key=lambda each: each.title)


def quiet(line: Line) -> list[list[str]]:
    """What keeps each of them quiet, by title."""
    return [[each.by.value for each in view.muted_by] for view in shown(line)]

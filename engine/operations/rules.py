"""What would a rule do, what has it done, and where do rules stand in each other's way?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field

from engine.errors import NotFound
from engine.model.alerts import AlertView
from engine.model.conditions import All, Condition
from engine.model.definitions import Definition
from engine.model.jobs import JobView
from engine.model.rulings import Actions, RuleSpec
from engine.model.vocabulary import DefinitionKind, Permission
from engine.operations.defining import checked
from engine.operations.definitions import Spec
from engine.operations.door import Context, operation
from engine.pipeline import explaining, rehearsal
from engine.pipeline.explaining import Trial
from engine.pipeline.rehearsal import Rehearsed
from engine.storage import alerts, jobs
from engine.storage import definitions as stored
from engine.storage.jobs import Errand

DRY_RUN_JOB = "rules.dry_run"
_DAY = timedelta(days=1)
_LATELY = timedelta(days=7)
Days = Annotated[int, Field(ge=1, le=400, description="how many days back")]


@dataclass(frozen=True)
class RuleHint:
    """How often a rule held lately, and what is odd about it; None: nothing."""

    rule_id: UUID
    hits_day: int
    hits_week: int
    hint: str | None


@operation("rules.try_out", Permission.VIEW, reads=True)
def try_out(ctx: Context, spec: Spec, alert_id: UUID) -> Trial:
    """Ask a rule that is not kept yet about an alert, as it is shown."""
    return explaining.trial(RuleSpec.model_validate(checked(DefinitionKind.RULE, spec)), _alert(ctx, alert_id), ctx.work.now)


@operation("rules.try_lately", Permission.VIEW, reads=True)
def try_lately(ctx: Context, spec: Spec) -> Rehearsed:
    """Ask a rule that is not kept yet about the newest thousand alerts: at once, while it is written."""
    return rehearsal.lately(ctx.work, RuleSpec.model_validate(checked(DefinitionKind.RULE, spec)), ctx.work.now)


@operation("rules.request_dry_run", Permission.CONFIGURE)
def request_dry_run(ctx: Context, spec: Spec, days: Days = 30) -> JobView:
    """Have the worker ask a rule about the alerts of so many days; follow the job, its result is the answer."""
    kept = checked(DefinitionKind.RULE, spec)
    id = jobs.enqueue(ctx.work, Errand(DRY_RUN_JOB, {"spec": kept, "days": days}, created_by=ctx.actor.name))
    ctx.note(str(kept["name"]))
    view = jobs.one(ctx.work, id)
    assert view is not None, "it was just written"
    return view


@operation("rules.dry_run", Permission.CONFIGURE, reads=True)
def dry_run(ctx: Context, spec: Spec, days: Days = 30) -> Rehearsed:
    """Ask a rule about the alerts of so many days, as the job does."""
    rule = RuleSpec.model_validate(checked(DefinitionKind.RULE, spec))
    return rehearsal.over_history(ctx.work, rule, ctx.work.now - days * _DAY, ctx.work.now, ctx.progress)


@operation("rules.hints", Permission.VIEW, reads=True)
def hints(ctx: Context) -> tuple[RuleHint, ...]:
    """How often each rule held lately, which never did, and which can never be asked or are undone by a later one."""
    asked = [(row, RuleSpec.model_validate(row.spec)) for row in stored.all_of(ctx.work, DefinitionKind.RULE)]
    day, week = (stored.hits_since(ctx.work, ctx.work.now - since) for since in (_DAY, _LATELY))

    def odd(place: int, row: Definition) -> str | None:
        if not row.enabled:
            return None
        rests = not week.get(row.id) and ctx.work.now - row.changed_at > _LATELY
        return _clash(asked, place) or (f"has not held of any alert for {_LATELY.days} days" if rests else None)

    return tuple(RuleHint(row.id, day.get(row.id, 0), week.get(row.id, 0), odd(place, row)) for place, (row, _) in enumerate(asked))


def _clash(asked: Sequence[tuple[Definition, RuleSpec]], place: int) -> str | None:
    """How a rule stands in another one's way."""
    row, spec = asked[place]
    for other, before in asked[:place]:
        same_reach = other.enabled and other.team_id in (None, row.team_id)
        if same_reach and before.stop and (_is_always(before.when) or before.when == spec.when):
            return f"is never asked: “{other.name}” stops before it"
    for other, after in asked[place + 1 :]:
        if other.enabled and after.when == spec.when and (same := _undone(spec.then, after.then)):
            return f"“{other.name}” holds of the same alerts and sets {', '.join(same)} anew"
    return None


def _is_always(condition: Condition) -> bool:
    return isinstance(condition, All) and not condition.all


def _undone(first: Actions, later: Actions) -> list[str]:
    """What both set, to different values."""
    names = ("severity", "service", "environment", "team", "group_by", "threshold")
    both = {name: (getattr(first, name), getattr(later, name)) for name in names}
    labels = {f"label {name}": (value, later.labels.get(name)) for name, value in first.labels.items()}
    return [name for name, (one, other) in (both | labels).items() if one and other and one != other]


def _alert(ctx: Context, alert_id: UUID) -> AlertView:
    if (found := alerts.one(ctx.work, alert_id)) is None:
        raise NotFound("There is no such alert.")
    return found

"""What does a rule do with the alerts that it matches? The words in which an operator says it, checked before they are kept."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from engine.model.conditions import Condition, FieldName, Strict, Text, require_small
from engine.model.vocabulary import Severity

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*$")]
LabelName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_.-]{0,199}$")]


class Threshold(Strict):
    """An incident only opens when so many have fired within some minutes: alerts, or different ones."""

    count: int = Field(ge=2, le=1000)
    of: Literal["alerts", "fingerprints"] = "alerts"
    minutes: int = Field(ge=1, le=1440)


class Actions(Strict):
    """What is done. In texts `{{service}}`, `{{labels.job}}` and the like stand for what the alert says."""

    severity: Severity | None = None
    service: Text | None = None
    environment: Text | None = None
    team: Text | None = None
    labels: dict[LabelName, Text] = Field(default_factory=dict, max_length=20)
    group_by: list[FieldName] = Field(default_factory=list, max_length=10, description="alerts with the same values are one incident")
    hold_minutes: int = Field(default=0, ge=0, le=1440, description="an incident only opens when it still fires after so long")
    threshold: Threshold | None = None
    suppress: bool = Field(default=False, description="no incident, no notification; the alert is kept and marked")
    notify_only: bool = Field(default=False, description="people are told, but no incident opens")
    analyse: bool = Field(default=False, description="the incident is analysed when it opens")
    runbook: Name | None = Field(default=None, description="the runbook that is run when it opens")

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not any(self.model_dump().values()):
            raise PydanticCustomError("actions", "Say what the rule does: at least one action.")
        if self.suppress and (self.notify_only or self.analyse or self.runbook):
            raise PydanticCustomError("actions", "What is suppressed opens nothing: leave out notifying, analysing and the runbook.")
        return self


class RuleSpec(Strict):
    """A rule, as it is written and kept: of which alerts it holds, what it does, and whether rules after it are asked too."""

    name: Name
    description: Text = ""
    enabled: bool = True
    when: Condition
    then: Actions
    stop: bool = Field(default=False, description="no rule after this one is asked")

    @model_validator(mode="after")
    def _is_small(self) -> Self:
        require_small(self.when)
        return self

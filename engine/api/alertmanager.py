"""What can amtool and Grafana read of us, as if we were an Alertmanager?

`GET /api/v2/alerts` and `GET /api/v2/status` of Alertmanager's API, version 2 (api/v2/openapi.yaml there), by API token as
bearer or as the password of basic authentication.
"""

import base64
import binascii
from typing import Annotated, Any

import re2
from fastapi import APIRouter, Depends, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from engine.api.problems import PROBLEMS
from engine.api.who import caller, origin_of
from engine.identity.actor import Actor
from engine.model.alerts import AlertView
from engine.model.views import Paging
from engine.model.vocabulary import AlertStatus, QuietBy
from engine.operations import alerts, callers
from engine.operations.door import runtime
from engine.operations.words import Matcher

router = APIRouter(prefix="/api/v2", tags=["alertmanager"], responses=PROBLEMS)
BY_TOKEN = {"security": [{"token": []}, {"token_basic": []}, {"session": []}]}
_RECEIVER = "aiops"
_MOST = 200
_PAGES = 25


def _expression(said: str) -> str:
    try:
        re2.compile(said)
    except re2.error as error:
        raise PydanticCustomError("receiver", "This is no regular expression: {why}", {"why": str(error)}) from None
    return said


class Which(BaseModel):
    """The query of Alertmanager's list: which kinds of alerts are wanted, and which labels they have."""

    model_config = ConfigDict(extra="forbid")

    active: bool = True
    silenced: bool = True
    inhibited: bool = True
    unprocessed: bool = True
    receiver: Annotated[str, Field(max_length=200), AfterValidator(_expression)] = ""
    filter: Annotated[list[Matcher], Field(max_length=20, default_factory=list)]


def reader(request: Request) -> Actor:
    """The caller, whose API token may also be the password of basic authentication. Raises NotSignedIn."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return caller(request)
    try:
        password = base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        password = ""
    return callers.by_token(origin_of(request), password)


Reader = Annotated[Actor, Depends(reader)]


@router.get("/alerts", openapi_extra=BY_TOKEN)
def listed(actor: Reader, which: Annotated[Which, Query()]) -> list[dict[str, Any]]:
    """The firing alerts, as Alertmanager lists them; at most 5,000, the newest first."""
    if which.receiver and re2.fullmatch(which.receiver, _RECEIVER) is None:
        return []
    found: list[AlertView] = []
    cursor: str | None = None
    for _ in range(_PAGES):
        page = alerts.search(actor, status=AlertStatus.FIRING, matcher=which.filter, page=Paging(cursor=cursor, limit=_MOST))
        found += page.items
        if (cursor := page.next_cursor) is None:
            break
    return [_alert(each) for each in found if _is_wanted(each, which)]


def _is_wanted(alert: AlertView, which: Which) -> bool:
    by = {each.by for each in alert.muted_by}
    if QuietBy.SILENCE in by and not which.silenced:
        return False
    if QuietBy.INHIBITION in by and not which.inhibited:
        return False
    return which.active or bool(by)


@router.get("/status", openapi_extra=BY_TOKEN)
def status(actor: Reader) -> dict[str, Any]:
    """That we are here, as Alertmanager says it."""
    version = runtime().version
    about = {"version": version, "branch": "", "buildDate": "", "buildUser": "", "goVersion": "", "revision": ""}
    cluster = {"name": "", "status": "disabled", "peers": list[str]()}
    return {"cluster": cluster, "versionInfo": about, "config": {"original": ""}, "uptime": "1970-01-01T00:00:00Z"}


@router.get("/receivers", openapi_extra=BY_TOKEN)
def receivers(actor: Reader) -> list[dict[str, str]]:
    """The one receiver there is: ourselves."""
    return [{"name": _RECEIVER}]


def _alert(alert: AlertView) -> dict[str, Any]:
    began = (alert.starts_at or alert.first_seen_at).isoformat()
    over = (alert.ends_at or alert.last_seen_at).isoformat()
    source = next((link.url for link in alert.links), "")
    return {
        "annotations": alert.annotations,
        "labels": alert.labels,
        "startsAt": began,
        "endsAt": over,
        "updatedAt": alert.last_seen_at.isoformat(),
        "fingerprint": alert.fingerprint,
        "generatorURL": source,
        "receivers": [{"name": _RECEIVER}],
        "status": _status(alert),
    }


def _status(alert: AlertView) -> dict[str, Any]:
    by = {kind: [each for each in alert.muted_by if each.by is kind] for kind in QuietBy}
    return {
        "state": "suppressed" if alert.muted_by else "active",
        "silencedBy": [str(each.id) for each in by[QuietBy.SILENCE]],
        "inhibitedBy": [str(each.id) for each in by[QuietBy.INHIBITION]],
        "mutedBy": [each.name for kind in (QuietBy.RULE, QuietBy.HOLD, QuietBy.THRESHOLD) for each in by[kind]],
    }

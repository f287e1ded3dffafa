"""How do amtool and Grafana silence alerts here, as if we were an Alertmanager?

The silences of Alertmanager's API, version 2 (api/v2/openapi.yaml there): list, show, make or change, expire. A silence that comes
again and again is shown with the time that it covers now, or next.
"""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from engine.api.alertmanager import BY_TOKEN, Reader
from engine.api.problems import PROBLEMS, invalid
from engine.errors import Conflict, Invalid, NotFound
from engine.model.silences import Matcher
from engine.model.views import Paging
from engine.operations import silences
from engine.operations.silences import SilenceView
from engine.operations.words import Matchers, parsed

_PAGES = 25
_SAID: dict[int | str, dict[str, Any]] = {
    code: {"model": str, "description": said} for code, said in ((400, "what is wrong with it"), (404, "no such silence"))
}


class _AsAlertmanager(APIRoute):
    """Says what is wrong as Alertmanager does, in a text: its clients read nothing else."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                return JSONResponse(invalid(error).args[0], 400)
            except (Invalid, Conflict, NotFound) as error:
                return JSONResponse(str(error), 404 if isinstance(error, NotFound) else 400)

        return answered


router = APIRouter(prefix="/api/v2", tags=["alertmanager"], responses=PROBLEMS | _SAID, route_class=_AsAlertmanager)


class SentMatcher(BaseModel):
    """A matcher as Alertmanager writes it."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200)]
    value: Annotated[str, Field(max_length=1000)]
    isRegex: bool
    isEqual: bool = True


class Sent(BaseModel):
    """A silence as Alertmanager's clients send it."""

    model_config = ConfigDict(extra="ignore")

    id: str | None = None
    matchers: Annotated[list[SentMatcher], Field(min_length=1, max_length=20)]
    startsAt: AwareDatetime
    endsAt: AwareDatetime
    createdBy: Annotated[str, Field(max_length=200)] = ""
    comment: Annotated[str, Field(min_length=1, max_length=1000)]


@router.get("/silences", openapi_extra=BY_TOKEN)
def listed(actor: Reader, filter: Annotated[Matchers, Query(default_factory=list)]) -> list[dict[str, Any]]:
    """The silences, and the newest 200 of those that are over; with `filter` those that name the labels so."""
    wanted = [parsed(each) for each in filter]
    found: list[SilenceView] = []
    cursor: str | None = None
    for _ in range(_PAGES):
        page = silences.all(actor, page=Paging(cursor=cursor, limit=200))
        found += page.items
        if (cursor := page.next_cursor) is None:
            break
    found += silences.all(actor, over=True, page=Paging(limit=200)).items
    same = [{(each.name, each.operator, each.value)} for each in wanted]
    return [_shown(each) for each in found if all(any((m.name, m.op, m.value) in one for m in each.matchers) for one in same)]


@router.post("/silences", openapi_extra=BY_TOKEN)
def made(actor: Reader, sent: Sent) -> dict[str, str]:
    """Make a silence, or change the one whose id is sent; one that is over is made anew."""
    spec: dict[str, Any] = {
        "matchers": [{"name": m.name, "op": _OPS[m.isRegex, m.isEqual], "value": m.value} for m in sent.matchers],
        "starts": _wall(sent.startsAt),
        "ends": _wall(sent.endsAt),
        "comment": sent.comment,
        "created_by": sent.createdBy,
    }
    if sent.id:
        before = silences.show(actor, _id(sent.id))
        if not before.over:
            return {"silenceID": str(silences.change(actor, before.id, spec).id)}
    return {"silenceID": str(silences.create(actor, spec).id)}


@router.get("/silence/{silence_id}", openapi_extra=BY_TOKEN)
def shown(actor: Reader, silence_id: str) -> dict[str, Any]:
    """One silence."""
    return _shown(silences.show(actor, _id(silence_id)))


@router.delete("/silence/{silence_id}", openapi_extra=BY_TOKEN)
def expired(actor: Reader, silence_id: str) -> Response:
    """End a silence now; one that is over stays so."""
    if not silences.show(actor, _id(silence_id)).over:
        silences.end(actor, _id(silence_id))
    return Response(status_code=200)


_OPS = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}


def _id(said: str) -> UUID:
    try:
        return UUID(said)
    except ValueError:
        raise NotFound("There is no such silence.") from None


def _wall(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat()


def _shown(silence: SilenceView) -> dict[str, Any]:
    span = silence.current or silence.next
    starts, ends = (span.starts_at, span.ends_at) if span else (_utc(silence.spec["starts"]), silence.ends_at or _utc(silence.spec["ends"]))
    state = "expired" if silence.over else "active" if silence.active else "pending"
    return {
        "id": str(silence.id),
        "status": {"state": state},
        "updatedAt": silence.changed_at.isoformat(),
        "comment": silence.comment,
        "createdBy": silence.author,
        "startsAt": min(starts, ends).isoformat(),
        "endsAt": ends.isoformat(),
        "matchers": [_matcher(each) for each in silence.matchers],
    }


def _matcher(matcher: Matcher) -> dict[str, Any]:
    said = {"isRegex": "~" in matcher.op, "isEqual": not matcher.op.startswith("!")}
    return {"name": matcher.name, "value": matcher.value} | said


def _utc(said: str) -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=UTC)

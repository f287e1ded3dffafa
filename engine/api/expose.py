"""How does an operation become a REST route?

By one row of a table: method, path, operation. Path parameters are arguments by name; the others are the query of a GET
and the body of everything else, from the operation's own schema. The conventions are made here, once: envelope, paging,
`fields`, ETag and If-Match, Idempotency-Key, problems.
"""

import hashlib
import inspect
import json
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

from fastapi import APIRouter, Body, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, create_model

from engine.api.problems import PROBLEMS
from engine.api.who import Caller
from engine.errors import Invalid
from engine.model.views import Page, Paging
from engine.model.vocabulary import DefinitionKind
from engine.operations.defining import SPECS
from engine.operations.door import Operation

T = TypeVar("T")


class Pagination(BaseModel):
    """Where a list goes on. `total` counts to 10,000 and no further; then `total_is_capped`."""

    next_cursor: str | None
    has_more: bool
    total: int
    total_is_capped: bool


class One(BaseModel, Generic[T]):
    """The envelope of one thing."""

    data: T


class Many(BaseModel, Generic[T]):
    """The envelope of a list."""

    data: list[T]
    pagination: Pagination


@dataclass(frozen=True)
class Route:
    """One row: `GET /teams/{team_id}/members` is this operation. `kind`: of what is defined, the one that the path is about."""

    method: str
    path: str
    operation: Operation[..., Any]
    status: int = 200
    kind: DefinitionKind | None = None


_FIELDS = Annotated[str | None, Field(None, max_length=500, description="only these fields of each thing, comma-separated")]


@dataclass(frozen=True)
class Inputs:
    """What a route takes beside its path: the fields by name, and whether a list is paged and a version named."""

    fields: dict[str, Any]
    paged: bool
    versioned: bool


def _inputs(route: Route, fields: dict[str, Any], in_path: list[str]) -> Inputs:
    rest: dict[str, Any] = {name: field for name, field in fields.items() if name not in in_path}
    paged = rest.pop("page", None) is not None
    versioned = rest.pop("version", None) is not None
    if route.kind is not None:
        rest.pop("kind", None)
        rest |= {"spec": (SPECS[route.kind], ...)} if "spec" in rest else {}
    if paged:
        rest |= {name: (info.annotation, info) for name, info in Paging.model_fields.items()}
    if route.method == "GET":
        rest["fields"] = (_FIELDS, None)
    return Inputs(rest, paged, versioned)


def expose(router: APIRouter, route: Route) -> None:
    """Add the route of one row."""
    operation, reads = route.operation, route.method == "GET"
    in_path = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    fields = {name: (info.rebuild_annotation(), info) for name, info in operation.arguments.model_fields.items()}
    inputs = _inputs(route, fields, in_path)
    fixed: dict[str, Any] = {"kind": route.kind} if route.kind is not None and "kind" in fields else {}
    name = operation.arguments.__name__ + (route.kind or "").title() + route.method.title()
    schema = create_model(name, __config__=ConfigDict(extra="forbid"), **inputs.fields) if inputs.fields else None

    def endpoint(request: Request, actor: Any, given: Any = None, **path: Any) -> Response:
        values = {name: getattr(given, name) for name in inputs.fields} if given is not None else {}
        wanted = values.pop("fields", None)
        if inputs.paged:
            values["page"] = Paging(**{name: values.pop(name) for name in Paging.model_fields})
        if inputs.versioned:
            values["version"] = _version(request)
        if isinstance(spec := values.get("spec"), BaseModel):
            values["spec"] = spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
        result = operation(actor, **path, **values, **fixed)
        return _answer(request, route, result, wanted)

    parameters = [_parameter("request", Request), _parameter("actor", Caller)]
    parameters += [_parameter(name, fields[name][0]) for name in in_path]
    if schema is not None:
        parameters.append(_parameter("given", Annotated[schema, Query() if reads else Body()]))
    endpoint.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
    endpoint.__annotations__ = {p.name: p.annotation for p in parameters}
    router.add_api_route(
        route.path,
        endpoint,
        methods=[route.method],
        name=operation.name,
        operation_id=operation.name.replace(".", "_") + (f"_{route.kind}" if route.kind else ""),
        summary=operation.summary,
        description=f"{inspect.getdoc(operation.function)}\n\nPermission: `{operation.permission}`.",
        status_code=route.status,
        response_model=_envelope(operation.answers) if route.status != 204 else None,
        responses=PROBLEMS | ({304: {"description": "Not Modified"}} if reads else {}),
        tags=[f"{route.kind}s" if route.kind else operation.name.partition(".")[0]],
        openapi_extra={"security": [{"token": []}, {"session": []}], "parameters": _headers(reads, inputs.versioned)},
    )


def _headers(reads: bool, takes_version: bool) -> list[dict[str, Any]]:
    """The headers that a route understands, for the contract."""
    known = [("X-Trace-Id", "8 to 64 of letters, digits, `._-`; given back, and found in the log")]
    if not reads:
        known.append(("Idempotency-Key", "a fresh UUID for each new change: sent again, it is carried out once"))
        known.append(("X-CSRF-Token", "with a session's cookie: the value of the cookie aiops_csrf"))
    if takes_version:
        known.append(("If-Match", "the ETag that was read: what somebody else changed meanwhile is not overwritten"))
    return [{"name": name, "in": "header", "required": False, "description": about, "schema": {"type": "string"}} for name, about in known]


def _parameter(name: str, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation)


def _envelope(answers: Any) -> Any:
    if get_origin(answers) is Page:
        return Many[get_args(answers)[0]]
    if get_origin(answers) is tuple:
        return One[list[get_args(answers)[0]]]
    return One[answers]


def _answer(request: Request, route: Route, result: Any, wanted: str | None) -> Response:
    if route.status == 204:
        return Response(status_code=204)
    plain = route.operation.answer.dump_python(result, mode="json")
    body: dict[str, Any] = {"data": plain}
    if isinstance(result, Page):
        more = result.next_cursor is not None
        body = {
            "data": plain["items"],
            "pagination": {
                "next_cursor": result.next_cursor,
                "has_more": more,
                "total": result.total,
                "total_is_capped": result.total_is_capped,
            },
        }
    if names := [name.strip() for name in (wanted or "").split(",") if name.strip()]:
        body["data"] = _cut(body["data"], names)
    headers: dict[str, str] = {}
    if (version := getattr(result, "version", None)) is not None:
        headers["ETag"] = f'"{version}-{hashlib.sha256(json.dumps(body).encode()).hexdigest()[:12]}"'
        if route.method == "GET" and request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
    return JSONResponse(body, route.status, headers)


def _cut(data: Any, names: list[str]) -> Any:
    if isinstance(data, list):
        return [_cut(row, names) for row in data]
    if not isinstance(data, dict):
        return data
    if unknown := [name for name in names if name not in data]:
        raise Invalid.field("fields", f"There is no field {unknown[0]}; there are {', '.join(data)}.")
    return {name: data[name] for name in names}


def _version(request: Request) -> int | None:
    """The version in If-Match; none or `*`: any. Raises Invalid for what is not an ETag of ours."""
    sent = request.headers.get("if-match", "*").strip()
    if sent == "*":
        return None
    digits = sent.removeprefix("W/").strip('"').partition("-")[0]
    if not digits.isdecimal() or len(digits) > 9:
        raise Invalid.field("If-Match", 'Send the ETag of the answer you read, such as "3-0f1e2d3c4b5a".')
    return int(digits)

"""How does an error leave over HTTP? As an RFC 9457 problem, always."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from engine.api import contract
from engine.errors import AiopsError, FieldError, Invalid, NotSignedIn, TooMany, Unavailable
from engine.log import logger, trace_id

MEDIA = "application/problem+json"
_TITLES = {404: "Not found", 405: "Method not allowed", 413: "Too large", 415: "Unsupported media type"}


class ProblemField(BaseModel):
    """One fault of one field."""

    field: str
    message: str


class Problem(BaseModel):
    """A problem document (RFC 9457). `trace_id` finds the request in the logs."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[ProblemField]
    trace_id: str


PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem, "description": HTTPStatus(code).phrase} for code in (401, 403, 404, 409, 412, 413, 422, 429, 503)
}


def problem(path: str, error: AiopsError) -> JSONResponse:
    """The answer for an error of ours."""
    headers = {}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unavailable):
        headers["Retry-After"] = "5"
    if isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = 'Bearer realm="aiops"'
    faults = error.errors if isinstance(error, Invalid) else ()
    return document(path, (error.slug, error.title, error.status), str(error), faults, headers)


def document(
    path: str, kind: tuple[str, str, int], detail: str, faults: tuple[FieldError, ...] = (), headers: dict[str, str] | None = None
) -> JSONResponse:
    """A problem document: `kind` is slug, title, status."""
    slug, title, status = kind
    body = {
        "type": f"/api/docs#{slug}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": path,
        "errors": [{"field": fault.field, "message": fault.message} for fault in faults],
        "trace_id": trace_id.get(),
    }
    return JSONResponse(body, status, headers, MEDIA)


def install(app: FastAPI) -> None:
    """Answer every error of the app as a problem."""
    app.add_exception_handler(AiopsError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


class Api(FastAPI):
    """An application whose contract says that errors are problem documents."""

    def openapi(self) -> dict[str, Any]:
        """The contract; the framework can only say that an error is JSON."""
        spec = super().openapi()
        spec["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "description": "an API token: aio_…"},
            "session": {"type": "apiKey", "in": "cookie", "name": "aiops_session"},
        }
        spec["components"]["securitySchemes"] |= contract.SCHEMES
        for path, methods in contract.paths().items():
            spec["paths"].setdefault(path, {}).update(methods)
        for answer in (answer for path in spec["paths"].values() for entry in path.values() for answer in entry["responses"].values()):
            content = answer.get("content", {})
            if content.get("application/json", {}).get("schema") == _SCHEMA:
                content[MEDIA] = content.pop("application/json")
        return spec


_SCHEMA = {"$ref": "#/components/schemas/Problem"}


async def _ours(request: Request, error: Any) -> JSONResponse:
    return problem(request.url.path, error)


async def _invalid(request: Request, error: Any) -> JSONResponse:
    return problem(request.url.path, invalid(error))


def invalid(error: RequestValidationError) -> Invalid:
    """What is wrong with a request, in our words."""
    faults = tuple(FieldError("body" if e["type"] == "json_invalid" else _place(e["loc"]), e["msg"]) for e in error.errors())
    return Invalid("; ".join(f"{f.field}: {f.message}" for f in faults), faults)


def _place(location: tuple[str | int, ...]) -> str:
    """The field as the sender knows it: without `body` or `query` before it."""
    return ".".join(str(part) for part in location[1:] if part not in ("body", "query")) or str(location[0])


async def _http(request: Request, error: Any) -> JSONResponse:
    if isinstance(cause := error.__cause__, AiopsError):  # the framework wraps what fails while it reads a body
        return problem(request.url.path, cause)
    if error.status_code == 400:  # what it says when a body is no text, or nested too deep
        return problem(request.url.path, Invalid.field("body", "This cannot be read as JSON."))
    title = _TITLES.get(error.status_code, "Request refused")
    detail = f"{request.method} {request.url.path} is not here; see /api/docs." if error.status_code in (404, 405) else str(error.detail)
    return document(request.url.path, (f"http-{error.status_code}", title, error.status_code), detail, (), error.headers)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    logger().error("request.failed", path=request.url.path, exc_info=error)
    detail = "This is a fault of ours; nothing was changed. The trace id finds it in the log."
    return document(request.url.path, ("error", "Something failed", 500), detail)

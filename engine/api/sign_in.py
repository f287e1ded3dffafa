"""How does a browser or a script sign in and out? Here alone cookies are set and removed."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import parse_qs
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, SecretStr

from engine.api import cookies
from engine.api.expose import One
from engine.api.problems import Problem
from engine.api.who import Caller, caller, origin_of, require_own_page
from engine.errors import AiopsError, Invalid, NotSignedIn, TooMany
from engine.identity.actor import Actor
from engine.identity.secrets import csrf_token
from engine.model.sessions import SignedIn
from engine.operations import sessions, sign_in
from engine.settings import Settings

api = APIRouter(prefix="/api/v1", tags=["sessions"])
forms = APIRouter(prefix="/auth", include_in_schema=False)
_FORM_LIMIT = 16_384
_FORM_FIELDS = 20


class Credentials(BaseModel):
    """What opens a session."""

    model_config = ConfigDict(extra="forbid")

    email: str
    password: SecretStr
    organization_id: UUID | None = None


class Opened(BaseModel):
    """A session that was opened. Its secret is in the cookie; changes need `csrf_token` in the header X-CSRF-Token."""

    session_id: UUID
    user_id: UUID
    organization_id: UUID
    expires_at: datetime
    csrf_token: str


_FAULTS: dict[int | str, dict[str, object]] = {code: {"model": Problem} for code in (401, 403, 422, 429, 503)}


@api.post("/sessions", status_code=201, response_model=One[Opened], responses=_FAULTS, operation_id="sessions_open")
def open_session(request: Request, credentials: Credentials) -> JSONResponse:
    """Sign in with e-mail address and password: sets the session's cookies."""
    require_own_page(request)
    opened = sign_in.sign_in(origin_of(request), credentials.email, credentials.password, credentials.organization_id)
    secret = opened.secret.get_secret_value()
    said = Opened(
        session_id=opened.session_id,
        user_id=opened.user_id,
        organization_id=opened.org_id,
        expires_at=opened.expires_at,
        csrf_token=csrf_token(secret),
    )
    answer = JSONResponse({"data": said.model_dump(mode="json")}, 201)
    cookies.give(answer, _settings(request), secret, opened.expires_at, datetime.now(UTC))
    return answer


@api.delete("/sessions", status_code=204, responses=_FAULTS, operation_id="sessions_close")
def close_session(request: Request, actor: Caller) -> Response:
    """Sign out: ends this session and removes its cookies."""
    sessions.sign_out(actor)
    answer = Response(status_code=204)
    cookies.take(answer, _settings(request))
    return answer


async def _form(request: Request) -> dict[str, str]:
    """The fields of a plain HTML form of a page of ours. Raises Refused, Invalid."""
    require_own_page(request)
    body = await request.body()
    if len(body) > _FORM_LIMIT:
        raise Invalid("This form is too large.")
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_FORM_FIELDS)
    except ValueError:
        raise Invalid(f"This form has more than {_FORM_FIELDS} fields.") from None
    return {name: values[-1] for name, values in fields.items()}


Form = Annotated[dict[str, str], Depends(_form)]


@forms.post("/sign-in")
async def sign_in_form(request: Request, form: Form) -> Response:
    """The sign-in page's form."""

    def act() -> SignedIn:
        return sign_in.sign_in(origin_of(request), form.get("email", ""), SecretStr(form.get("password", "")))

    return await _enter(request, form, act, "/sign-in")


@forms.post("/set-up")
async def set_up_form(request: Request, form: Form) -> Response:
    """The set-up page's form."""

    def act() -> SignedIn:
        link, password = SecretStr(form.get("link", "")), SecretStr(form.get("password", ""))
        asked = form.get("organization", ""), form.get("name", ""), form.get("email", "")
        return sign_in.set_up(origin_of(request), link, *asked, password)

    return await _enter(request, form, act, "/setup")


@forms.post("/join")
async def join_form(request: Request, form: Form) -> Response:
    """The form of the page that a one-time link opens."""

    def act() -> SignedIn:
        link, password = SecretStr(form.get("link", "")), SecretStr(form.get("password", ""))
        return sign_in.use_link(origin_of(request), link, password, form.get("name", ""))

    return await _enter(request, form, act, "/join")


@forms.post("/sign-out")
async def sign_out_form(request: Request, form: Form) -> Response:
    """Any page's sign-out button. Signing out twice is signing out."""
    answer = RedirectResponse("/sign-in", 303)
    cookies.take(answer, _settings(request))
    try:
        await run_in_threadpool(lambda: sessions.sign_out(_from_form(request, form)))
    except NotSignedIn:
        return answer
    return answer


@forms.post("/switch")
async def switch_form(request: Request, form: Form) -> Response:
    """The profile's choice of another organization."""

    def act() -> SignedIn:
        return sessions.switch(_from_form(request, form), form.get("organization_id", ""))  # pyright: ignore[reportArgumentType]

    return await _enter(request, form, act, "/profile")


def _from_form(request: Request, form: dict[str, str]) -> Actor:
    """The actor of a form, which carries the double-submit token as a field."""
    request.scope["headers"] = [*request.scope["headers"], (cookies.CSRF_HEADER.encode(), form.get("csrf", "").encode())]
    return caller(Request(request.scope))


async def _enter(request: Request, form: dict[str, str], act: Callable[[], SignedIn], page: str) -> Response:
    """Let the person in, or show the form again with what was wrong and what was typed (never a password)."""
    settings = _settings(request)
    try:
        opened: SignedIn = await run_in_threadpool(act)
    except AiopsError as error:
        fields = {fault.field: fault.message for fault in error.errors} if isinstance(error, Invalid) else {}
        kept = {name: form.get(name, "") for name in ("email", "name", "organization", "next")}
        said = {f"error_{name}": text for name, text in fields.items()} | kept | {"page": page, "error": str(error)}
        if isinstance(error, TooMany):
            said["wait"] = str(error.retry_after)
        link = form.get("link", "")
        answer = RedirectResponse(f"{page}?link={link}" if link.replace("_", "").replace("-", "").isalnum() else page, 303)
        cookies.flash(answer, settings, said)
        return answer
    answer = RedirectResponse(_own_path(form.get("next", "")), 303)
    cookies.give(answer, settings, opened.secret.get_secret_value(), opened.expires_at, datetime.now(UTC))
    return answer


def _own_path(path: str) -> str:
    """The path to go on to, if it is one of ours: never another host."""
    mine = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if mine else "/"


def _settings(request: Request) -> Settings:
    return request.app.state.settings

"""How does a page reach the engine? Only here: who asks, in a thread, with every failure said to the person."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import lru_cache, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote, urlsplit

import reflex as rx
from starlette.requests import cookie_parser

from engine.errors import AiopsError, NotSignedIn, Refused
from engine.identity.actor import Actor, Request
from engine.identity.cookies import SESSION
from engine.log import logger, trace_id
from engine.model.ids import new_trace
from engine.model.vocabulary import Permission
from engine.operations import callers
from engine.operations.door import runtime
from state import sharing
from state.toasts import ToastState

R = TypeVar("R")
S = TypeVar("S", bound=rx.State)
P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., Any])
Handler = Callable[Concatenate[S, P], Awaitable[Any]]


_parsed = lru_cache(maxsize=512)(cookie_parser)


def cookies(state: rx.State) -> dict[str, str]:
    """The cookies of this tab's socket, as they were when it was opened. Read as REST reads them: a cookie of somebody
    else on our host that is none by the book does not hide ours."""
    return _parsed(state.router.headers.cookie)


def secret_of(state: rx.State) -> str | None:
    """The secret of this tab's session: of the one cookie that we set, for with TLS the other may be a neighbour's work."""
    tls = urlsplit(runtime().public_url).scheme == "https"
    return cookies(state).get(SESSION[tls]) or None


async def actor_of(state: rx.State) -> Actor:
    """Who is looking, asked anew for each event. Raises NotSignedIn."""
    secret = secret_of(state)
    if secret is None:
        raise NotSignedIn("Sign in to go on.")
    request = Request(trace_id.get(), state.router.session.client_ip, "page")
    return callers.remembered(request, secret) or await asyncio.to_thread(callers.by_session, request, secret)


async def call(state: rx.State, operation: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    """Carry out an operation as who is looking. Raises what the operation raises."""
    return await sharing.read(await actor_of(state), operation, args, kwargs)


def requires(permission: Permission) -> Callable[[Handler[S, P]], Handler[S, P]]:
    """Guard a handler: only who has the permission gets in, and what fails is shown as a toast.

    The operation asks again, on the very thing; this keeps everybody else from even beginning.
    """

    def guard(handler: Handler[S, P]) -> Handler[S, P]:
        @wraps(handler)
        async def guarded(self: S, *args: P.args, **kwargs: P.kwargs) -> Any:
            trace_id.set(new_trace())
            try:
                actor = await actor_of(self)
                if not may(actor, permission):
                    raise Refused("Your role does not allow this.")
                return await handler(self, *args, **kwargs)
            except NotSignedIn:
                return rx.redirect(sign_in_link(self))
            except AiopsError as error:
                await show(self, error)

        guarded.permission = permission  # pyright: ignore[reportAttributeAccessIssue]
        return guarded

    return guard


def open_to_all(handler: F) -> F:
    """Mark a handler that anybody may call, signed in or not: it shows nothing of a tenant."""
    handler.permission = None  # pyright: ignore[reportFunctionMemberAccess]
    return handler


def may(actor: Actor, permission: Permission) -> bool:
    """Whether the actor may do this in the organization or in any team."""
    return actor.may(permission) or any(actor.may(permission, team) for team in actor.teams)


def sign_in_link(state: rx.State) -> str:
    """The sign-in page, and back to where the person was."""
    path = state.router.url.path or "/"
    return "/sign-in" if path in ("/", "/sign-in") else f"/sign-in?next={quote(path)}"


@asynccontextmanager
async def answering(state: Any) -> AsyncIterator[None]:
    """Around an act that the browser has shown already: what is refused is said, and `settled` lets the browser put it back."""
    try:
        yield
    except AiopsError as error:
        await show(state, error)
    finally:
        state.settled += 1


async def tell(state: rx.State, mark: str, words: str) -> None:
    """Say something to the person, in the corner."""
    (await state.get_state(ToastState))._tell(mark, words)


async def show(state: rx.State, error: AiopsError) -> None:
    """Tell the person what happened."""
    logger().info("page.refused", error=type(error).__name__)
    toasts = await state.get_state(ToastState)
    toasts._tell("error", str(error), trace_id.get())

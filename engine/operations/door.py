"""How does anybody do anything?

`@operation("things.act", permission)` makes a function of this package callable as `operation(actor, …)`: the arguments
are checked, the permission asked, a transaction opened as the actor's organization, the function run, success audited with
it and refusal after it was rolled back. REST, pages, chat, agents and the command line all come this way, by the same table.
"""

import inspect
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, get_args, get_type_hints
from uuid import UUID

import psycopg
from pydantic import BaseModel, ConfigDict, SecretStr, TypeAdapter, ValidationError, create_model
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from engine.errors import AiopsError, Conflict, FieldError, Invalid, NotFound, Refused, Unavailable
from engine.identity.actor import Actor, Request
from engine.log import logger
from engine.model.vocabulary import Outcome, Permission
from engine.storage import audit, replays
from engine.storage.bus import Bus
from engine.storage.database import Database
from engine.storage.sessions import Life
from engine.storage.vault import Vault
from engine.storage.work import Tenant, Work, work

P = ParamSpec("P")
R = TypeVar("R")
_LONGEST = 200
_NAME = re.compile(r"[a-z_]+\.[a-z_]+")

# A workflow that carries out an operation as a job sets this, to be told how far it is.
PROGRESS: ContextVar[Callable[[float, str], None]] = ContextVar("progress", default=lambda done, note: None)
OPERATIONS: dict[str, "Operation[..., Any]"] = {}
ENTRANCES: dict[str, "Entrance[..., Any]"] = {}


@dataclass
class Runtime:
    """What the door needs of this process; `engine.start` installs it. `local_url` is where this machine reaches its own pages."""

    database: Database
    life: Life
    public_url: str
    local_url: str
    data_dir: Path
    version: str
    vault: Vault
    bus: Bus | None = None


_installed: list[Runtime] = []


def install(runtime: Runtime) -> None:
    """Give the door its database. Done once, at the start of a process."""
    _installed[:] = [runtime]


def runtime() -> Runtime:
    """What `install` gave. Raises Unavailable before that."""
    if not _installed:
        raise Unavailable("database", "this process has not started yet")
    return _installed[0]


def tenant_of(actor: Actor) -> Tenant:
    """The rows an actor may see."""
    user = actor.id if actor.session_id else None
    return Tenant(actor.org_id, tuple(actor.teams), actor.sees_all_teams, user, instance=actor.instance_admin)


@dataclass
class Context:
    """What an operation works with: who asks, the open transaction, and what the audit entry will say."""

    actor: Actor
    work: Work
    target: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    def progress(self, done: float, note: str) -> None:
        """Say how far a long operation is, from 0 to 1; who follows it as a job sees it."""
        PROGRESS.get()(done, note)

    def require(self, permission: Permission, team_id: UUID | None) -> None:
        """Refuse unless the actor may do this on a thing of that team."""
        if not self.actor.may(permission, team_id):
            raise Refused(_REFUSAL.format(permission.value.replace("_", " ")))

    @contextmanager
    def in_organization(self, org_id: UUID) -> Iterator[None]:
        """Write in another organization of the same person, and come back."""
        home = self.work.tenant
        self.work.become(replace(home, org_id=org_id, teams=(), all_teams=False))
        yield
        self.work.become(home)

    @contextmanager
    def as_installation(self) -> Iterator[None]:
        """Read what is the installation's own, such as how its proof alerts fare, and come back."""
        home = self.work.tenant
        self.work.become(replace(home, instance=True))
        yield
        self.work.become(home)

    def note(self, target: str, **detail: Any) -> None:
        """Say in the audit entry what was acted on, and facts beyond the arguments."""
        self.target = target
        self.detail |= detail


class Operation(Generic[P, R]):
    """One thing that can be done: its name, permission, argument schema and answer."""

    def __init__(
        self, name: str, function: Callable[Concatenate[Context, P], R], permission: Permission, *, reads: bool, team: str, thing: bool
    ) -> None:
        self.name = _unused(name)
        self.summary = (inspect.getdoc(function) or "").split("\n")[0]
        self.function, self.permission, self.reads, self.team, self.thing = function, permission, reads, team, thing
        self.arguments = _schema(function, self.name)
        self.answers = get_type_hints(function)["return"]
        OPERATIONS[self.name] = self

    @cached_property
    def answer(self) -> TypeAdapter[R]:
        """How its answers are written; made once, as that takes milliseconds."""
        return TypeAdapter(self.answers)

    def __call__(self, actor: Actor, *args: P.args, **kwargs: P.kwargs) -> R:
        arguments = _checked(self.arguments, self.function, args, kwargs)
        try:
            self._permit(actor, arguments)
            with _translated(), work(runtime().database, tenant_of(actor)) as open_work:
                return self._run(Context(actor, open_work), arguments)
        except Refused as refusal:
            self._note_refusal(actor, refusal)
            raise

    def _permit(self, actor: Actor, arguments: dict[str, Any]) -> None:
        if self.thing and any(actor.may(self.permission, team_id) for team_id in actor.teams):
            return
        team_id = arguments[self.team] if self.team else None
        if not actor.may(self.permission, team_id):
            if team_id is not None and not actor.may(Permission.VIEW, team_id):
                raise NotFound("There is no such team, or it is not one of yours.")
            raise Refused(_REFUSAL.format(self.permission.value.replace("_", " ")))

    def _run(self, context: Context, arguments: dict[str, Any]) -> R:
        key = context.actor.request.idempotency_key
        if self.reads or not key:
            return self._act(context, arguments)
        asked = json.dumps([self.name, _spoken(arguments)], sort_keys=True)
        if (before := replays.claim(context.work, context.actor.id, key, asked)) is not None:
            return self.answer.validate_json(before)
        result = self._act(context, arguments)
        kept = None if _holds_secret(self.answers) else self.answer.dump_json(result).decode()
        replays.keep(context.work, context.actor.id, key, kept)
        return result

    def _act(self, context: Context, arguments: dict[str, Any]) -> R:
        result = self.function(context, **arguments)  # pyright: ignore[reportCallIssue]
        if not self.reads:
            detail = _spoken(arguments) | context.detail
            audit.append(context.work, context.actor, audit.Act(self.name, Outcome.DONE, context.target, detail))
        return result

    def _note_refusal(self, actor: Actor, refusal: Refused) -> None:
        logger().info("operation.refused", operation=self.name, actor=str(actor.id))
        with _translated(), work(runtime().database, tenant_of(actor)) as open_work:
            act = audit.Act(self.name, Outcome.REFUSED, detail={"reason": str(refusal)})
            audit.refuse(open_work, actor, act)


@dataclass
class Entry:
    """What an entrance works with: where the request comes from, and a transaction that sees nothing yet."""

    request: Request
    work: Work

    def record(self, actor: Actor, operation: str, target: str = "", **detail: Any) -> None:
        """Audit what was done, as the actor that the entrance has found."""
        audit.append(self.work, actor.on(self.request), audit.Act(operation, Outcome.DONE, target, detail))


class Entrance(Generic[P, R]):
    """One thing that somebody unknown can do: sign in, use a link. Called with the request in place of an actor."""

    def __init__(self, name: str, function: Callable[Concatenate[Entry, P], R]) -> None:
        self.name = _unused(name)
        self.summary = (inspect.getdoc(function) or "").split("\n")[0]
        self.function, self.arguments = function, _schema(function, self.name)
        self.answers = get_type_hints(function)["return"]
        ENTRANCES[self.name] = self

    def __call__(self, request: Request, *args: P.args, **kwargs: P.kwargs) -> R:
        arguments = _checked(self.arguments, self.function, args, kwargs)
        with _translated(), work(runtime().database, Tenant()) as open_work:
            return self.function(Entry(request, open_work), **arguments)  # pyright: ignore[reportCallIssue]


def operation(
    name: str, permission: Permission, *, reads: bool = False, team: str = "", thing: bool = False
) -> Callable[[Callable[Concatenate[Context, P], R]], Operation[P, R]]:
    """Make a function of this package an operation.

    `name` is unique and stays when the function moves or is renamed: audit entries, idempotency keys and REST go by it.
    Raises ValueError for a name that is taken, or is not two words of lower case with a dot between.
    `reads`: it changes nothing, so it is not audited. `team` names the argument that holds the team it acts on;
    without it the permission is asked for the organization, and the function asks `context.require` for what it loads.
    `thing`: what it acts on may be a team's, so at the door it is enough to have the permission in some team.
    """
    return lambda function: Operation(name, function, permission, reads=reads, team=team, thing=thing)


def entrance(name: str) -> Callable[[Callable[Concatenate[Entry, P], R]], Entrance[P, R]]:
    """Make a function of this package an entrance, under a name as `operation` takes it: open to everybody, so it looks after itself."""
    return lambda function: Entrance(name, function)


def _unused(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an operation: write it as in 'incidents.acknowledge'")
    if name in OPERATIONS or name in ENTRANCES:
        raise ValueError(f"there is an operation {name} already: every name is written once")
    return name


def _schema(function: Callable[..., Any], name: str) -> type[BaseModel]:
    hints = get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    fields: dict[str, Any] = {p.name: (hints[p.name], ... if p.default is inspect.Parameter.empty else p.default) for p in parameters}
    title = "".join(part.title() for part in name.replace(".", "_").split("_"))
    return create_model(title, __config__=ConfigDict(extra="forbid", str_strip_whitespace=True), **fields)


def _checked(schema: type[BaseModel], function: Callable[..., Any], args: Any, kwargs: Any) -> dict[str, Any]:
    names = list(inspect.signature(function).parameters)[1:]
    try:
        found = schema.model_validate(dict(zip(names, args, strict=False)) | kwargs)
    except ValidationError as error:
        faults = tuple(FieldError(".".join(map(str, e["loc"])), e["msg"]) for e in error.errors(include_input=False))
        raise Invalid(f"{faults[0].field}: {faults[0].message}", faults) from None
    return {name: getattr(found, name) for name in names}


def _holds_secret(answers: Any) -> bool:
    """Whether an answer shows a secret, which is shown once."""
    hints = get_type_hints(answers).values() if is_dataclass(answers) else ()
    return any(SecretStr in (hint, *get_args(hint)) for hint in hints)


def _spoken(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments as the audit log keeps them: no secret, nothing long, nothing that was left out."""
    said: dict[str, Any] = {}
    for name, value in arguments.items():
        if value is None or isinstance(value, SecretStr):
            continue
        plain = json.loads(TypeAdapter(type(value)).dump_json(value))
        said[name] = plain[:_LONGEST] if isinstance(plain, str | list) else plain
    return said


class _translated:
    """Turns the driver's errors into ours, so that nobody above knows which database there is."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, AiopsError) or error is None:
            return
        if isinstance(error, DataError | psycopg.DataError):
            raise Invalid("A value does not fit its field.") from error
        if isinstance(error, IntegrityError | psycopg.IntegrityError):
            raise Conflict("Somebody changed the same thing at this moment; nothing was changed. Load it again and repeat.") from error
        if isinstance(error, OperationalError | PoolTimeout | psycopg.OperationalError) or (
            isinstance(error, DBAPIError) and error.connection_invalidated
        ):
            logger().error("database.failed", error=type(error.orig if isinstance(error, DBAPIError) else error).__name__)
            raise Unavailable("database", "The database does not answer; nothing was changed. Try again in a moment.") from error


_REFUSAL = "Your role does not allow this (it needs the permission “{}”). Ask an owner of your organization."

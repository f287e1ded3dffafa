"""How do tests of the door ask, look at the record, and let time pass?"""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from pydantic import SecretStr
from sqlalchemy import text

from engine.identity.actor import Actor, Request
from engine.model.audit import AuditView
from engine.model.people import NewLink
from engine.model.sessions import SignedIn
from engine.model.views import Paging
from engine.operations import audit, people, sign_in
from engine.operations.door import runtime, tenant_of
from engine.storage.work import INSTANCE, Tenant, work
from tests.testkit.people import HERE, PASSWORD

OTHER_PASSWORD = "violet harbour tangent mosaic eleven"


def known(secret: SecretStr | str, request: Request = HERE) -> Actor:
    """Who holds this session now; past every cache."""
    return sign_in.by_session(request, secret if isinstance(secret, SecretStr) else SecretStr(secret))


def entered(actor: Actor, password: str = PASSWORD, request: Request = HERE) -> SignedIn:
    """A fresh session of a person, in the organization the actor is in."""
    return sign_in.sign_in(request, actor.email, SecretStr(password), actor.org_id)


def text_of(link: NewLink) -> SecretStr:
    """The secret part of a one-time link."""
    return SecretStr(link.url.get_secret_value().partition("link=")[2])


def somebody() -> str:
    """An address that no account has."""
    return f"somebody-{uuid4().hex[:10]}@example.com"


def joined_too(owner: Actor, person: Actor, role: str = "viewer") -> Actor:
    """The person in the owner's organization as well."""
    link = people.invite(owner, person.email, role)
    return known(sign_in.use_link(HERE, text_of(link), SecretStr(PASSWORD)).secret)


def newest(owner: Actor, operation: str = "", limit: int = 5) -> tuple[AuditView, ...]:
    """The newest entries of the record, of one operation or all."""
    return audit.search(owner, operation=operation, page=Paging(limit=limit)).items


def written(tenant: Tenant | Actor, statement: str, **values: Any) -> None:
    """Write rows past the operations, as when time passes or somebody tampers; the policies still hold."""
    with work(runtime().database, tenant_of(tenant) if isinstance(tenant, Actor) else tenant) as open_work:
        open_work.session.execute(text(statement), values)


def tries_age(by: timedelta) -> None:
    """Let counted tries grow older."""
    written(INSTANCE, "UPDATE sign_in_failure SET since = since - :by", by=by)
